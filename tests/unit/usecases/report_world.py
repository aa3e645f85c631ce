"""A crop judged by hand: two regions, three years, numbers a reader can check in the head."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cropcredit.agronomy.choice import Choice
from cropcredit.agronomy.features import PARTS, RegionTable
from cropcredit.agronomy.labels import Suspect
from cropcredit.agronomy.models import Candidate
from cropcredit.agronomy.validation import FORWARD, REGIONS, SCHEMES, YEARS, Gate, Validation
from cropcredit.errors import RefusedInput
from cropcredit.usecases.train_yields import Judged
from cropcredit.usecases.yield_data import CropData
from cropcredit.usecases.yield_report import Facts, report_facts
from tests.unit.usecases.yield_world import label

OBSERVED = np.array([4.0, 6.0, 4.0, 6.0, 2.0, 8.0])
"""Regions A and B in 2001, 2002 and 2003; mean 5 t/ha."""
MODEL_ERROR = np.array([0.5, -0.5, 0.5, -0.5, 1.0, -1.0])
"""Mean square 0.5: nRMSE 100 * sqrt(0.5) / 5 = 14.1421 %; worst in 2003."""
AVERAGE_ERROR = np.array([1.0, -1.0, 1.0, -1.0, 2.0, -2.0])
"""Twice that: skill 0.5."""


def crop_data(parts_seen: int = PARTS) -> CropData:
    labels = tuple(label(region, year, 5.0) for year in (2001, 2002, 2003) for region in ("A", "B"))
    parts = np.full((6, PARTS), np.nan)
    parts[:, :parts_seen] = 0.5
    slipped = Suspect(
        label=label("A", 2000, 50.0), rule="times_ten", detail="50 | is <ten> times 5", corrected_t_ha=5.0
    )
    zero = Suspect(label=label("B", 2000, 0.0), rule="zero_yield", detail="no harvest, or no figure")
    return CropData(
        crop="winter_wheat",
        labels=labels,
        suspects=(slipped, zero),
        calendars={},
        table=RegionTable(
            region=np.array([row.region for row in labels]),
            year=np.array([row.harvest_year for row in labels]),
            t_ha=np.array([row.t_ha for row in labels]),
            parts=parts,
        ),
        without_index=("C",),
        known_by=datetime(2004, 1, 1, tzinfo=UTC),
        fingerprint="f" * 64,
    )


def validation(scheme: str = YEARS, horizon: int = PARTS, *, index: bool = True) -> Validation:
    """The model's interval holds all but the two yields of 2003."""
    errors = {"average": AVERAGE_ERROR, "trend": 3 * AVERAGE_ERROR} | ({"model": MODEL_ERROR} if index else {})
    predicted = {name: OBSERVED + error for name, error in errors.items()}
    half = {"average": 2.0, "trend": 6.0, "model": 0.75}
    return Validation(
        scheme=scheme,
        horizon=horizon,
        region=np.array(["A", "B"] * 3),
        year=np.repeat([2001, 2002, 2003], 2),
        t_ha=OBSERVED,
        predicted=predicted,
        low={name: guess - half[name] for name, guess in predicted.items()},
        high={name: guess + half[name] for name, guess in predicted.items()},
        chosen={str(year): Choice(((Candidate("mixed"), 1.0),)) for year in (2001, 2002, 2003)} if index else {},
        without_past=1 if scheme == FORWARD else 0,
        candidates=13 if index else 0,
    )


def judged(scheme: str = YEARS, horizon: int = PARTS, *, passed: bool = True, index: bool = True) -> Judged:
    gate = Gate(
        use="model" if passed and index else "average",
        baseline="average",
        skill=0.5 if index else 0.0,
        skill_low=(0.41234567 if passed else -0.1) if index else 0.0,
        skill_high=0.6 if index else 0.0,
    )
    return Judged(data=crop_data(), validation=validation(scheme, horizon, index=index), gate=gate)


def facts(*, passed: bool = True, index: bool = True) -> Facts:
    """All schemes but the regions', which could not be run, at 3, 4 and 6 sixths of the season."""
    trials = [
        judged(scheme, horizon, passed=passed, index=index)
        for scheme in SCHEMES
        if scheme != REGIONS
        for horizon in ((3, 4, 6) if index else (6,))
    ]
    return report_facts(crop_data(), trials, {REGIONS: "too few regions"}, names=("Winter wheat", "冬小麦"))


@dataclass(frozen=True, kw_only=True)
class JudgedJob:
    """One of :class:`Judges`' validations, two folds long."""

    scheme: str
    horizon: int | None
    folds: int = 2

    def run(self) -> Validation:
        return judged(self.scheme, self.horizon or PARTS, index=self.horizon is not None).validation


class Judges:
    """Stands where the validation stands: gives what was judged by hand, and remembers what was asked."""

    def __init__(self, *, parts_seen: int = PARTS, refuses: tuple[str, ...] = ()) -> None:
        self.parts_seen, self.refuses = parts_seen, refuses
        self.asked: list[tuple[str, int | None]] = []

    def data(self, _files: Any, _trial: Any, *, as_of: datetime | None) -> list[CropData]:
        del as_of
        return [crop_data(self.parts_seen)]

    def job(self, _data: CropData, trial: Any) -> JudgedJob:
        if trial.scheme in self.refuses:
            raise RefusedInput(f"nothing to judge by {trial.scheme}")
        self.asked.append((trial.scheme, trial.horizon))
        return JudgedJob(scheme=trial.scheme, horizon=trial.horizon)


def keep(written: list[Facts]) -> Any:
    """Give a writer that only remembers."""

    def write(told: Facts, folder: Path) -> list[Path]:
        written.append(told)
        return [folder / "file"]

    return write
