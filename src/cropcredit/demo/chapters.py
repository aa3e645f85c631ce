"""The chapters of the story before any loan: region, workspace, register, books, scenes, index, yields.

Each goes through the same use cases as the command line, may be interrupted anywhere, and may be run again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cropcredit.bootstrap import build
from cropcredit.config import Settings, data_dir
from cropcredit.demo.generate import generate
from cropcredit.demo.processes import free_port
from cropcredit.demo.sky import overpasses
from cropcredit.demo.stage import Facts, Stage, demo_accounts
from cropcredit.model import LendingPolicy, Planting, end_of_day
from cropcredit.usecases.import_fields import FieldForm
from cropcredit.usecases.train_yields import YieldFiles

BOOKS = (
    "parties", "consents", "tenures", "plantings", "applications", "prices", "costs", "weather",
    "lots", "inspections", "movements",
)  # fmt: skip


def region(stage: Stage) -> Facts:
    """Make the region beside the workspace."""
    days = overpasses(stage.region)
    with stage.progress("      scenes painted", len(days)) as advance:
        generate(stage.region, stage.made, progress=lambda _done, _total: advance(1))
    return {"scenes": len(days), "seed": stage.region.seed, "folder": str(stage.made)}


def workspace(stage: Stage) -> Facts:
    """Make the workspace, whose clock stands at the story's present, with the lender's policy and people."""
    region_ = stage.region
    if not stage.exists:
        shift = region_.today.astimezone(UTC) - datetime.now(UTC)
        values: dict[str, object] = {
            "lender": "Heping Rural Bank (synthetic) 和平农商行（合成）",
            "synthetic": True,
            "clock_shift_s": round(shift / timedelta(seconds=1)),
            "broker_port": free_port(),
        }
        settings = Settings.checked(stage.home, values, where="demo")
        build(settings)
        settings.save()
    app = stage.app
    if not app.facts.find(LendingPolicy):
        app.import_policy(data_dir() / "catalogues" / "policy.toml")
    known = {account.username for account in app.list_accounts()}
    for one in demo_accounts(region_):
        person = one.account
        if person.username not in known:
            app.add_account(
                person.username,
                one.password,
                full_name=person.full_name,
                role=person.role,
                branch=person.branch,
                language=person.language,
            )
    return {"accounts": len(app.list_accounts()), "today": region_.today.isoformat()}


def register(stage: Stage) -> Facts:
    """Bring the field boundaries in and look for shared ground."""
    known_at = end_of_day(stage.region.today.date().replace(year=stage.region.harvest_year - 1), "Asia/Shanghai")
    report = stage.app.import_fields(str(stage.made / "fields.geojson"), FieldForm(known_at=known_at))
    return {
        "fields": report.rows,
        "area_ha": report.area_ha,
        "repaired": [{"id": row.id, "reason": row.reason} for row in report.repaired],
        "refused": [{"id": row.id, "reason": row.reason} for row in report.refused],
    }


def books(stage: Stage) -> Facts:
    """Bring in people, plantings, consents, applications, prices, costs and weather, and check for shared ground."""
    app, made = stage.app, stage.made
    facts: Facts = {noun: app.import_records(noun, made / f"{noun}.csv").records for noun in BOOKS}
    for crop in stage.region.crop:
        app.import_series(made / "world_prices.csv", series=crop, crop=crop, unit="USD/t", lag_days=3)
    shared = app.check_fields(as_of=app.clock.now())
    facts["shared_ground"] = [
        {
            "left": found.overlap.left,
            "right": found.overlap.right,
            "share": found.overlap.left_share,
            "parties": [*found.left_parties, *found.right_parties],
        }
        for found in shared
    ]
    return facts


def scenes(stage: Stage) -> Facts:
    """Add the satellite scenes and compute the index of every field on every date."""
    app = stage.app
    outcomes = app.add_scenes([str(stage.made / "scenes")], product="s2-l2a", progress=stage.progress)
    run = app.refresh_ndvi(as_of=app.clock.now(), progress=stage.progress)
    return {
        "scenes": len(outcomes),
        "run": run.run_id,
        "units": len(run.units),
        "held_back": [held.scene for held in run.held_back],
        "outcomes": run.outcomes,
        "outside": list(run.outside),
    }


def yields(stage: Stage) -> Facts:
    """Learn from years past, judge what was learned on years left out, and estimate every planting."""
    app, made = stage.app, stage.made
    files = YieldFiles(labels=made / "yields.csv", index=made / "index.csv", calendar=made / "calendar.csv")
    trained = app.train_yields(files, progress=stage.progress)
    gates = {one.crop: one.model.horizons[max(one.model.horizons)].gate for one in trained if one.model}
    run = app.estimate_yields(as_of=app.clock.now(), progress=stage.progress)
    return {
        "run": run.run_id,
        "as_of": run.as_of.isoformat(),
        "plantings": len(app.facts.find(Planting)),
        "outcomes": run.outcomes,
        "gates": {
            crop: {
                "use": gate.use,
                "baseline": gate.baseline,
                "skill": gate.skill,
                "low": gate.skill_low,
                "high": gate.skill_high,
            }
            for crop, gate in gates.items()
        },
    }
