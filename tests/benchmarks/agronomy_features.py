"""Features of 100,000 fields: warmth, own years, neighbours, events; and how well the water balance knows the soil."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from cropcredit.agronomy.anomalies import against_history, against_neighbours, ranks
from cropcredit.agronomy.event_signs import Looks
from cropcredit.agronomy.events import find_events
from cropcredit.agronomy.season_clock import accumulated, season_clock, season_integrals
from cropcredit.agronomy.thermal import fill_gaps, growing_degree_days, with_normals
from tests.benchmarks.report import Row, at_least, at_most
from tests.integration.agronomy.cookfarm import soil_water_correlations

COMMAND = "make bench NAME=agronomy"
FIELDS, DATES, PIECE = 100_000, 60, 10_000
STATIONS, PAST, YEAR = 50, 4, 365
SHARES = np.linspace(0.1, 1.0, 10)
FIRST = np.datetime64("2020-10-01")
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data"))
LIMIT_S = 30
"""As for series and season metrics: features must not cost more than what they are made from."""


def rows() -> list[Row]:
    """Measure every bar of this part whose data are at hand."""
    found = [speed_row()]
    if (REAL / "telemetry" / "cookfarm").is_dir():
        found.append(soil_row())
    return found


def speed_row() -> Row:
    """Take the time of all features of this season from five years of daily curves and weather."""
    rng = np.random.default_rng(0)
    start, used = time.perf_counter(), time.process_time()
    gdd = _warmth(rng)
    seconds = {"warmth": time.perf_counter() - start, "history": 0.0, "neighbours": 0.0, "events": 0.0}
    for _ in range(FIELDS // PIECE):
        for name, spent in _piece(rng, gdd).items():
            seconds[name] += spent
    total = sum(seconds.values())
    target, ok = at_most(total, LIMIT_S)
    return Row(
        bar=f"features of {FIELDS:,} fields x {DATES} dates, {STATIONS} stations, {PAST} years before",
        value=total,
        unit="s",
        target=target,
        ok=ok,
        peer=", ".join(f"{name} {spent:.1f}" for name, spent in seconds.items())
        + f" s, one process; {time.process_time() - used:.1f} s CPU, with making the looks",
        command=COMMAND,
    )


def soil_row() -> Row:
    """Hold modelled against measured water of the root zone; nothing is fitted to the stations."""
    found = soil_water_correlations(REAL / "telemetry" / "cookfarm")
    middle = float(np.median(list(found.values())))
    target, ok = at_least(middle, 0.7)
    worst, best = min(found.values()), max(found.values())
    return Row(
        bar=f"water of 1.5 m of soil, modelled and measured daily: r, median of {len(found)} stations",
        value=middle,
        unit="",
        target=target,
        ok=ok,
        peer=f"{worst:.2f} to {best:.2f}",
        command=COMMAND,
    )


def _warmth(rng: np.random.Generator) -> np.ndarray:
    """Growing degree days of all stations, five years known until the as-of day and the rest expected."""
    days = np.arange((PAST + 1) * YEAR)
    middle = 12 - 14 * np.cos(2 * np.pi * (days + 258) / YEAR) + rng.normal(0, 3, (STATIONS, len(days)))
    middle[rng.random(middle.shape) < 0.01] = np.nan
    low, high = (fill_gaps(middle + side).values for side in (-6, 6))
    return with_normals(growing_degree_days(low, high, 0, 26), FIRST, len(days) - 60, len(days))


def _piece(rng: np.random.Generator, gdd: np.ndarray) -> dict[str, float]:
    """Make looks and curves of one piece of fields, and time what is done with them."""
    day = np.arange(DATES) * 6
    season = 0.2 + 0.6 * np.exp(-(((np.arange(YEAR) - 200) / 45) ** 2))
    heights = rng.normal(1, 0.1, (PIECE, PAST + 1))
    curves = (heights[:, :, None] * season).reshape(PIECE, -1)
    looks = Looks(
        day=PAST * YEAR + day,
        value=curves[:, PAST * YEAR + day] + rng.normal(0, 0.02, (PIECE, DATES)),
        keep=rng.random((PIECE, DATES)) < 0.5,
    )
    looks.value[: PIECE // 100, 30:] *= 0.5  # hail on every hundredth field
    station = rng.integers(STATIONS, size=PIECE)
    spent, start = {}, time.perf_counter()
    clocks = [
        season_clock(np.full(PIECE, 10 + YEAR * y), np.full(PIECE, 250 + YEAR * y), gdd=gdd, row=station)
        for y in range(PAST + 1)
    ]
    now = clocks[-1]
    season_integrals(curves, now, until=looks.day[-1])
    spent["warmth"], start = time.perf_counter() - start, time.perf_counter()
    sums = np.stack([accumulated(curves, clock, SHARES) / clock.total[:, None] for clock in clocks], axis=1)
    against_history(sums[:, -1], sums[:, :-1])
    spent["history"], start = time.perf_counter() - start, time.perf_counter()
    against_neighbours(np.where(looks.keep, looks.value, np.nan), station)
    ranks(sums[:, -1, -1], station)
    spent["neighbours"], start = time.perf_counter() - start, time.perf_counter()
    found = find_events(looks, now, station)
    spent["events"] = time.perf_counter() - start
    assert len({event.row for event in found}) > PIECE // 400  # half of the looks are cloudy
    return spent
