"""Series and season metrics of 100,000 fields, and left-out years of official yields where those are at hand."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from cropcredit.agronomy import season_metrics, smooth
from tests.benchmarks import agronomy_features
from tests.benchmarks.report import Row, at_most, publish
from tests.golden.test_yields import judge

COMMAND = "make bench NAME=agronomy"
FIELDS, DATES, PIECE = 100_000, 60, 10_000
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "yields"
BARS = {"es-wheat": 20.8, "nl-wheat": 8.3}


def main() -> None:
    rows = [series_row(), *agronomy_features.rows()]
    for name, limit in BARS.items():
        if (REAL / name).is_dir():
            rows += yield_rows(name, limit)
    publish("agronomy", rows)


def series_row() -> Row:
    """Half cloudy looks every six days over a year with one season; fields come in pieces, as from their tiles."""
    rng = np.random.default_rng(0)
    days = np.arange(DATES) * 6
    dates = np.datetime64("2024-10-01") + days
    season = 0.2 + 0.6 * np.exp(-(((days - 200) / 45) ** 2))
    seconds = 0.0
    for _ in range(FIELDS // PIECE):
        mean = season + rng.normal(0, 0.02, (PIECE, DATES))
        clear = np.where(rng.random(mean.shape) < 0.5, 0.0, rng.uniform(0.5, 1, mean.shape))
        start = time.perf_counter()
        curves = smooth(mean, clear, dates)
        season_metrics(curves, np.full(PIECE, 30), np.full(PIECE, 340))
        seconds += time.perf_counter() - start
    target, ok = at_most(seconds, 30)
    return Row(
        bar=f"series and season metrics, {FIELDS:,} fields x {DATES} dates",
        value=seconds,
        unit="s",
        target=target,
        ok=ok,
        command=COMMAND,
    )


def yield_rows(name: str, limit: float) -> list[Row]:
    judged = judge(REAL / name, (2003, 2020))
    used, plain = judged.validation.scores(judged.gate.use), judged.validation.scores("average")
    gate = judged.gate
    said = f"{gate.use}; skill {gate.skill:+.3f} ({gate.skill_low:+.3f} to {gate.skill_high:+.3f}) over {gate.baseline}"
    target, ok = at_most(used.nrmse, limit)
    width = used.width_t_ha / plain.width_t_ha
    return [
        Row(
            bar=f"{name} 2003-2020, leave-one-year-out nRMSE",
            value=used.nrmse,
            unit="%",
            target=target,
            ok=ok,
            peer=f"average {plain.nrmse:.1f}; used: {said}",
            command=COMMAND,
        ),
        Row(
            bar=f"{name}, 90 % interval covers",
            value=100 * used.coverage,
            unit="%",
            target="86 to 94",
            ok=0.86 <= used.coverage <= 0.94,
            peer=f"width {width:.2f} of the average's",
            command=COMMAND,
        ),
    ]


if __name__ == "__main__":
    main()
