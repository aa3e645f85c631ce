"""Official yields guessed by models that had not seen them, against the bars and the published average."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.adapters.yield_folders import YieldFolders
from cropcredit.agronomy.features import region_table
from cropcredit.agronomy.scores import Scores
from cropcredit.agronomy.validation import FORWARD, YEARS, validate
from cropcredit.config import data_dir
from cropcredit.model import RegionSeries, YieldLabel
from cropcredit.usecases.train_yields import Judged, Trial
from cropcredit.usecases.yield_data import calendars_of
from tests.benchmarks.report import Row, at_most
from tests.golden.test_yields import judge

COMMAND = "make bench NAME=agronomy"
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "yields"
MAPPINGS = {"fr-maize": str(Path(__file__).parents[1] / "mappings" / "fr-maize.toml")}
COVERS = {YEARS: (86.0, 94.0), FORWARD: (84.0, 96.0)}
PUBLISHED = {"nl-wheat": (4.75, 3.75, 0.68), "es-maize": (15.40, 14.41, 0.84)}
"""Medians over years of nRMSE, MAPE and R2 of the average (CY-Bench v1.8); Spain over 2003-2020."""


@dataclass(frozen=True, slots=True)
class Case:
    """One validation and its bars."""

    name: str
    trial: Trial
    nrmse: float
    mape: float | None = None
    width: float | None = None
    """Of the interval, against the average's own."""
    hard_year: tuple[int, float] | None = None

    @property
    def title(self) -> str:
        until = f" to {self.trial.until}" if self.trial.until else ""
        assert self.trial.years is not None
        return f"{self.name} {self.trial.years[0]}-{self.trial.years[1]}, {self.trial.scheme}{until}"


SPAIN, FRANCE = (2003, 2020), (2000, 2020)
CASES = (
    Case("es-wheat", Trial(years=SPAIN), 20.8, mape=20.5, width=0.80),
    Case("es-wheat", Trial(years=SPAIN, scheme=FORWARD), 21.0),
    Case("es-wheat", Trial(years=SPAIN, until="04-30"), 24.0),
    Case("fr-maize", Trial(years=FRANCE), 11.2, width=0.85, hard_year=(2003, 17.0)),
    Case("fr-maize", Trial(years=FRANCE, scheme=FORWARD), 12.2),
    Case("fr-maize", Trial(years=FRANCE, until="07-31"), 12.2),
    Case("es-maize", Trial(years=SPAIN), 11.5),
    Case("nl-wheat", Trial(years=SPAIN), 8.3),
)


def rows() -> Iterator[Row]:
    """Judge every case whose data are at hand, then the published average."""
    for case in CASES:
        if (REAL / case.name).is_dir():
            yield from _rows(case, judge(REAL / case.name, case.trial, MAPPINGS.get(case.name, "cybench")))
    for name, medians in PUBLISHED.items():
        if (REAL / name).is_dir():
            yield _published(name, medians)


def _rows(case: Case, judged: Judged) -> Iterator[Row]:
    validation, gate = judged.validation, judged.gate
    used, plain = validation.scores(gate.use), validation.scores("average")
    said = (
        f"average {plain.nrmse:.1f}; used: {gate.use}; skill {gate.skill:+.3f} ({gate.skill_low:+.3f} to "
        f"{gate.skill_high:+.3f} over years) over {gate.baseline}; {validation.candidates} candidates"
    )
    yield _at_most(f"{case.title}: nRMSE", used.nrmse, case.nrmse, peer=said)
    if case.mape is not None:
        yield _at_most(f"{case.title}: MAPE", used.mape, case.mape, peer=f"average {plain.mape:.1f}")
    years = validation.guesses(gate.use).per_year()
    if case.hard_year is not None:
        year, limit = case.hard_year
        [hard], [same] = ([y for y in v if y.year == year] for v in (years, validation.guesses("average").per_year()))
        yield _at_most(f"{case.title}: {year} alone, nRMSE", hard.nrmse, limit, peer=f"average {same.nrmse:.1f}")
    worst = min(years, key=lambda one: one.coverage)
    low, high = COVERS[case.trial.scheme]
    yield Row(
        bar=f"{case.title}: 90 % interval covers",
        value=100 * used.coverage,
        unit="%",
        target=f"{low:g} to {high:g}",
        ok=low <= 100 * used.coverage <= high,
        peer=f"worst year {worst.year}: {worst.coverage:.0%}; {_scores(used)}, average {_scores(plain)}",
        command=COMMAND,
    )
    if case.width is not None:
        ratio = used.width_t_ha / plain.width_t_ha
        yield _at_most(f"{case.title}: width against the average's", ratio, case.width, unit="x")


def _scores(scores: Scores) -> str:
    return f"interval score {scores.interval_score:.2f} t/ha"


def _published(name: str, medians: tuple[float, float, float]) -> Row:
    """Repeat the published average on the published yields: of regions with an index, none of them doubted."""
    catalogues = TomlCatalogues(data_dir() / "catalogues")
    archive = YieldFolders(mappings=data_dir() / "catalogues" / "mappings", catalogues=catalogues)
    records = archive.read(REAL / name, mapping="cybench")
    seen = {record.region for record in records if isinstance(record, RegionSeries)}
    labels = [r for r in records if isinstance(r, YieldLabel) and r.t_ha > 0 and r.region in seen]
    yields = {(r.region, r.harvest_year): r.t_ha for r in labels if SPAIN[0] <= r.harvest_year <= SPAIN[1]}
    calendars = calendars_of(labels[0].crop, records, catalogues)
    table = region_table(yields, {}, calendars, range(SPAIN[0], SPAIN[1] + 1))
    found = validate(table, horizon=1, candidates=()).guesses("average").medians()
    return Row(
        bar=f"{name} 2003-2020: average as published, medians of years",
        value=found[0],
        unit="%",
        target=" / ".join(f"{value:.2f}" for value in medians),
        ok=bool(np.allclose(np.round(found, 2), medians, atol=1e-9)),
        peer=" / ".join(f"{value:.2f}" for value in found),
        command=COMMAND,
    )


def _at_most(bar: str, value: float, limit: float, *, unit: str = "%", peer: str = "") -> Row:
    target, ok = at_most(value, limit)
    return Row(bar=bar, value=value, unit=unit, target=target, ok=ok, peer=peer, command=COMMAND)
