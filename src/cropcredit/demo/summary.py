"""What the demo found, for the person who watched: counts, one farmer's way, the check, where to look next."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from cropcredit.demo.stage import Facts, Record, Stage, demo_accounts
from cropcredit.demo.story import CHAPTERS
from cropcredit.model import Account, Money, Offer, Role, Step
from cropcredit.usecases.case_evidence import CaseEvidence
from cropcredit.usecases.cases import Case, CasePlanting, total_due

RULES = {
    "need": "what the inputs cost, less the family's own money: no more is needed",
    "quantile": "what the harvest can repay in all but the worst {alpha:.0%} of seasons",
    "dscr": "what leaves the usual season's cash {dscr:g} times the debt service",
    "stress": "what can be repaid even in the named bad years",
    "collateral": "what is pledged",
    "policy": "the product's ceiling",
    "requested": "what the family asked for",
}
"""Binding rules in words."""
WIDEST = 120
"""Columns beyond which lines are hard to read."""
STEPS = {Step.RECOMMEND: "recommends to", Step.APPROVE: "approves to", Step.RETURN: "returns"}


def summarise(stage: Stage, record: Record, console: Console) -> None:
    """Print what happened and what it means."""
    seconds = record.seconds()
    console.print("[bold]cropcredit demo: everything below is synthetic (合成数据)[/]", highlight=False)
    _show(console, "What happened", ("chapter", "found", "s"), _happened(stage, record), right=("s",))
    console.print(f"  {sum(seconds.values()):.0f} s in all.", highlight=False)
    _farmer(stage, console)
    _truth(stage, console)
    _evidence(stage, console)


def show_sign_ins(stage: Stage, console: Console) -> None:
    """Print the made people who may sign in at the desk, and what to do next."""
    rows = [
        (one.account.username, one.password, one.account.role.value, one.account.branch)
        for one in demo_accounts(stage.region)
    ]
    _show(console, "Who may sit down at the desk (demo passwords)", ("user", "password", "role", "branch"), rows)
    waiting = ", ".join(stage.facts["decisions"]["waiting"])
    console.print("\n[bold]Next[/]", highlight=False)
    command = "cropcredit" if shutil.which("cropcredit") else Path(sys.executable).with_name("cropcredit")
    console.print(f"  {command} dashboard --home {stage.home}", highlight=False, soft_wrap=True)
    console.print(
        f"  Sign in as chen.head to approve {waiting}, or as li.na to work the queue. The workspace's day is "
        f"{stage.region.today:%d %B %Y}.",
        highlight=False,
        soft_wrap=True,
    )


def _happened(stage: Stage, record: Record) -> list[tuple[str, str, str]]:
    facts, seconds = stage.facts, record.seconds()
    return [(c.key, TOLD[c.key](facts[c.key]), f"{seconds[c.key]:.1f}") for c in CHAPTERS]


def _register(facts: Facts) -> str:
    repaired = ", ".join(row["id"] for row in facts["repaired"])
    return f"{facts['fields']} fields, {facts['area_ha']:.0f} ha; repaired: {repaired or 'none'}"


def _devices(facts: Facts) -> str:
    return (
        f"{facts['messages']:,} messages of {facts['devices']} devices through {facts['broker']}: "
        f"{facts['acknowledged']:,} acknowledged after commit, {facts['missing']} missing, {facts['refused']} refused"
    )


def _scenes(facts: Facts) -> str:
    outside = ", ".join(facts["outside"])
    held = len(facts["held_back"])
    return (
        f"{facts['units']} scenes used, {held} held back as undetected cloud; outside every scene: {outside or 'none'}"
    )


def _decisions(facts: Facts) -> str:
    return f"{facts['hero']} booked, {len(facts['waiting'])} wait for approval; one person alone: “{facts['alone']}”"


def _replay(facts: Facts) -> str:
    return f"{facts['offer']}: " + ("the same bytes" if facts["same"] else f"DIFFERS: {facts['difference']}")


def _books(facts: Facts) -> str:
    shared = "; ".join(f"{s['left']} and {s['right']} share {s['share']:.0%}" for s in facts["shared_ground"])
    return (
        f"{facts['parties']} parties, {facts['plantings']} plantings, {facts['applications']} applications; "
        f"possible double financing: {shared or 'none'}"
    )


def _gates(gates: dict[str, dict[str, Any]]) -> str:
    return ", ".join(
        f"{crop} {gate['use']} (skill {gate['skill']:+.0%}, 90 % interval {gate['low']:+.0%} to {gate['high']:+.0%})"
        for crop, gate in gates.items()
    )


def _loans(facts: Facts) -> str:
    binding = ", ".join(f"{count} by {rule}" for rule, count in facts["binding"].items())
    refused = "; ".join(facts["refused"].values())
    return (
        f"{facts['offers']} offers, CNY {float(facts['offered']):,.0f} of {float(facts['needed']):,.0f} needed; "
        f"limited {binding}; refused: {refused or 'none'}"
    )


TOLD: dict[str, Callable[[Facts], str]] = {
    "region": lambda f: f"{f['scenes']} scenes, seed {f['seed']}",
    "workspace": lambda f: f"{f['accounts']} accounts; its day is {f['today'][:10]}",
    "register": _register,
    "books": _books,
    "devices": _devices,
    "scenes": _scenes,
    "yields": lambda f: f"{f['outcomes']['estimated']} plantings estimated; in use: " + _gates(f["gates"]),
    "loans": _loans,
    "decisions": _decisions,
    "replay": _replay,
    "truth": lambda f: f"{sum(check['plantings'] for check in f.values())} plantings, see below",
}
"""What each chapter found, in a line."""


def _farmer(stage: Stage, console: Console) -> None:
    """Tell one case from the field to the loan."""
    app, hero = stage.app, stage.facts["decisions"]["hero"]
    account = _someone(stage, Role.APPROVER)
    case, seen = app.open_case(hero, account), app.case_evidence(hero, account)
    offer = case.offer
    assert offer is not None, "the case of the story was chosen among those with an offer"
    console.print(f"\n[bold]One farmer's way: {case.party.name}, case {hero}[/]", highlight=False)
    lines = [
        *(_planting(planting, seen) for planting in case.plantings),
        *_sensors(seen),
        *_offer(case, offer),
        *_steps(case),
    ]
    for line in lines:
        console.print(
            Padding(line, (0, 0, 0, 2), expand=False), highlight=False, soft_wrap=False, width=_width(console)
        )


def _planting(one: CasePlanting, seen: CaseEvidence) -> str:
    planting, estimate = one.planting, one.estimate
    curve = seen.curves.get(planting.field_id)
    looks = f"seen {sum(point.kept for point in curve.points)} times" if curve else "never seen"
    mixed = " (small: mixed pixels)" if curve and curve.mixed_pixel else ""
    text = f"{planting.field_id}: {planting.declared_area_ha:.2f} ha {one.crop.en.lower()}, {looks}{mixed}"
    if estimate is None:
        return text + "; no estimate"
    low, middle, high = (estimate.quantile(p) for p in (0.05, 0.50, 0.95))
    by = (
        "the official yield"
        if estimate.model_id == "official-yield"
        else "model"
        if not _flat(estimate)
        else "baseline"
    )
    return f"{text}; {middle:.1f} t/ha expected, {low:.1f} to {high:.1f} in nine seasons of ten (from the {by})"


def _flat(estimate: Any) -> bool:
    return "model_no_skill" in estimate.reasons


def _sensors(seen: CaseEvidence) -> list[str]:
    return [
        f"{summary.place}: sensor {device.device_id}, {device.readings} readings, grade {device.evidence.grade}"
        for summary in seen.sensors
        for device in summary.devices
    ]


def _offer(case: Case, offer: Offer) -> list[str]:
    policy = case.policy
    assert policy is not None, "there is an offer, so there was a policy"
    caps = ", ".join(f"{cap.rule} {_money(cap.amount)}" for cap in offer.caps)
    words = RULES[offer.binding].format(alpha=policy.alpha, dscr=policy.dscr_min)
    risk = (
        f"Risk that the season's cash falls short: {offer.shortfall_at_offer:.1%} at the limit, "
        f"{offer.shortfall_at_need:.1%} at the full need. Rate {offer.apr:.2%}; {_money(total_due(offer))} due in all."
    )
    return [
        f"Asked for {_money(case.application.requested)}, needs {_money(offer.needed)}. Caps: {caps}.",
        f"[bold]Limit {_money(offer.amount)}[/]: {words} (rule “{offer.binding}”); gap {_money(offer.gap)}.",
        risk,
    ]


def _steps(case: Case) -> list[str]:
    steps = [f"{d.by} {STEPS[d.step]} {d.outcome.value} {_money(d.amount)}" for d in case.decisions]
    if case.loan is not None:
        due = ", ".join(f"{one.due_on}" for one in case.loan.schedule)
        steps.append(f"booked by {case.loan.booked_by}, due {due}")
    return ["; ".join(steps) + "."]


def _truth(stage: Stage, console: Console) -> None:
    rows = [
        (
            crop,
            check["plantings"],
            f"{check['true_mean_t_ha']:.2f}",
            f"{check['estimated_mean_t_ha']:.2f}",
            f"{check['rmse_t_ha']:.2f}",
            f"{check['baseline_rmse_t_ha']:.2f}",
            f"{check['correlation']:.2f}",
            f"{check['covered_90']:.0%}",
        )
        for crop, check in stage.facts["truth"].items()
    ]
    columns = ("crop", "plantings", "true", "estimated", "RMSE", "of baseline", "r", "in 90 %")
    _show(
        console,
        "Check against the known truth: t/ha per field, and how often the 90 % interval held",
        columns,
        rows,
        right=columns[1:],
    )


def _evidence(stage: Stage, console: Console) -> None:
    home = stage.home
    places = [
        (home / "region", "what the generator made, with MANIFEST.json and truth/"),
        (home / "cropcredit.db", "records, readings, offers, decisions: every version, with its hash"),
        (home / "observations", "index per field and date (Parquet)"),
        (home / "estimates", "yield estimates (Parquet)"),
        (home / "models", "models as JSON, each with its card"),
        (home / "runs", "manifest of each batch run"),
        (home / "logs", "what ingest and the devices said"),
    ]
    _show(console, "Where the evidence lies", ("", ""), [(str(path), about) for path, about in places])


def _someone(stage: Stage, role: Role) -> Account:
    return next(
        one.account for one in demo_accounts(stage.region) if one.account.role is role and one.account.branch == "*"
    )


def _width(console: Console) -> int:
    return min(console.width, WIDEST)


def _money(amount: Money) -> str:
    return f"{amount.currency} {amount.major:,.0f}"


def _show(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()
) -> None:
    console.print(f"\n[bold]{title}[/]", highlight=False)
    table = Table(
        show_edge=False, pad_edge=False, box=None, show_header=any(columns), header_style="dim", padding=(0, 2, 0, 0)
    )
    for number, column in enumerate(columns):
        justify: Literal["right", "left"] = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*map(str, row))
    console.print(Padding(table, (0, 0, 0, 2), expand=False), soft_wrap=False, width=_width(console))
