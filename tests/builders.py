"""A small true workspace for the desk: two fields of one household, three cases, five people, on real stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from cropcredit.bootstrap import App, build
from cropcredit.config import Settings
from cropcredit.model import (
    Application,
    Clock,
    Device,
    Field,
    FieldObservations,
    FieldSeries,
    Installation,
    Measurement,
    Reading,
    Role,
)
from tests import lending

PASSWORD = "a-quiet-meadow"
BRANCH = lending.BRANCH
LENDER = "青禾农商银行"
PEOPLE = {
    "li.na": (Role.OFFICER, BRANCH, "李娜"),
    "zhao": (Role.APPROVER, BRANCH, "赵敏"),
    "chen": (Role.AGRONOMIST, "*", "陈农"),
    "root.admin": (Role.ADMIN, "*", "周管"),
    "far": (Role.OFFICER, "south", "远方"),
}
TILE = "50SMF"


def desk_workspace(home: Path, *, now: datetime = lending.TODAY) -> App:
    """Build a workspace whose present is ``now``: A1 is sized, A2 lacks consent, A3 belongs to another branch."""
    shift = round((now - datetime.now(UTC)).total_seconds())
    settings = Settings(
        home=home, lender=LENDER, synthetic=True, clock_shift_s=shift, language="zh", time_zone="Asia/Shanghai"
    )
    settings.save()
    app = build(settings)
    for username, (role, branch, name) in PEOPLE.items():
        app.add_account(username, PASSWORD, full_name=name, role=role, branch=branch)
    _people_and_land(app)
    _seen_from_space(app, ("F1", "F2"))
    _sensors(app, now)
    app.size_loan("A1")
    return app


def square(field_id: str, *, east_m: float = 0.0, side_m: float = 100.0) -> Field:
    """A square on the North China plain, ``east_m`` metres east of the first one."""
    west, south = 116.5 + east_m / 89_700, 36.4
    return Field(
        id=field_id,
        collection="toy",
        boundary=shapely.box(west, south, west + side_m / 89_700, south + side_m / 111_000),
        area_ha=side_m**2 / 1e4,
        perimeter_m=4 * side_m,
        boundary_version="0" * 16,
        known_at=lending.SPRING,
        admin_unit="371425",
    )


def series(*field_ids: str) -> FieldSeries:
    """One hump of wheat per field, a look every ten days, every seventh one mostly under cloud."""
    days = np.arange(np.datetime64("2024-10-10"), np.datetime64("2025-03-30"), 10)
    curve = 0.2 + 0.6 * np.exp(-(((np.arange(len(days)) * 10 - 150) / 45.0) ** 2))
    clear = np.where(np.arange(len(days)) % 7 == 3, 0.2, 0.55 + 0.09 * (np.arange(len(days)) % 5))
    hidden = np.where(clear < 0.5, 0.15, 0.0)
    shape = (len(field_ids), 1)
    return FieldSeries(
        index="NDVI",
        field_ids=field_ids,
        acquired_at=days,
        mean=np.tile(curve - hidden, shape),
        clear_fraction=np.tile(clear, shape),
        mixed_pixel=np.zeros(len(field_ids), dtype=bool),
    )


def _people_and_land(app: App) -> None:
    rape: dict[str, Any] = {"crop": "rapeseed"}
    app.open_case.fields.add([square("F1"), square("F2", east_m=140, side_m=70)])
    app.facts.add(
        *lending.records(
            application=lending.application(planting_ids=("PL1", "PL2"), requested=lending.cny(12_000)),
            consent=lending.consent(data_kinds=("satellite", "sensors")),
        ),
        lending.planting(id="PL2", field_id="F2", declared_area_ha=0.5, harvest_on=date(2025, 5, 20), **rape),
        lending.tenure(id="T2", field_id="F2"),
        lending.price(id="rapeseed/3714/2025-03-01", **rape),
        lending.series(id="rapeseed/world", **rape),
        lending.costs(id="rapeseed/3714", **rape),
        lending.party("P2", name="张志强", identity_last4="204X"),
        _other("A2", "P2", BRANCH),
        lending.party("P3", name="远方客户", branch="south"),
        _other("A3", "P3", "south"),
    )
    wheat = lending.estimate(reasons=("mixed_pixel",))
    app.open_case.estimates.write("toy", [wheat, lending.estimate(id="Y2", planting_id="PL2", **rape)])


def _other(application_id: str, party_id: str, branch: str) -> Application:
    return replace(lending.application(), id=application_id, party_id=party_id, branch=branch)


def _seen_from_space(app: App, field_ids: Sequence[str]) -> None:
    seen, units = series(*field_ids), []
    for column, day in enumerate(seen.acquired_at.astype("datetime64[D]").tolist()):
        units.append(f"{TILE}/{day:%Y-%m}/{day:%d}")
        app.case_evidence.observations.write(units[-1], [_look(seen, column, day)])
    run = {
        "kind": "ndvi",
        "run_id": "toy",
        "as_of": lending.SPRING.isoformat(),
        "product": "s2-l2a",
        "field_set": "toy",
        "units": units,
        "held_back": [],
        "events": [],
        "outcomes": {},
        "indices": ["NDVI"],
    }
    app.case_evidence.runs.write("toy", run, {"finished_at": lending.SPRING.isoformat()})


def _look(seen: FieldSeries, column: int, day: date) -> FieldObservations:
    mean, clear = seen.mean[:, column], seen.clear_fraction[:, column]
    ones = np.ones(len(mean))
    return FieldObservations(
        scene_id=f"S-{day}",
        tile=TILE,
        acquired_at=datetime(day.year, day.month, day.day, 3, tzinfo=UTC),
        index="NDVI",
        field_ids=np.array(seen.field_ids),
        mean=mean,
        std=0.03 * ones,
        clear_fraction=clear,
        covered_pixels=60 * ones,
        core_mean=mean,
        core_std=0.03 * ones,
        core_clear_fraction=clear,
        core_pixels=40 * ones,
        core_buffer_m=10 * ones,
        mixed_pixel=seen.mixed_pixel,
        flagged=np.zeros(len(mean), dtype=bool),
        data_fraction=ones,
    )


def _sensors(app: App, now: datetime) -> None:
    """One soil probe on F1 that reported every six hours for five days."""
    app.facts.add(
        Device(id="dev-017", known_at=lending.SPRING, model="toy", synthetic=True),
        Installation(
            id="dev-017/d30/F1",
            known_at=lending.SPRING,
            device_id="dev-017",
            channel="d30",
            from_at=lending.SPRING,
            field_id="F1",
            depth_cm=30.0,
            soil_moisture_kind="volumetric",
        ),
    )
    for seq in range(1, 21):
        at = now - timedelta(days=5) + timedelta(hours=6 * seq)
        measured = Measurement(quantity="soil.moisture", value=20.0 + seq % 4, channel="d30")
        reading = Reading(
            device_id="dev-017",
            boot=1,
            seq=seq,
            clock=Clock.NTP,
            up_ms=seq * 21_600_000,
            observed_at=at,
            measurements=(measured,),
        )
        app.summarise_sensors.readings.add([(reading, b"{}")], [], received_at=at)
