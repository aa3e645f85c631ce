"""Series, seasons and features of 100,000 fields, and left-out years of official yields where those are at hand."""

from __future__ import annotations

import os
from pathlib import Path

from cropcredit.usecases.train_yields import Trial
from tests.benchmarks import agronomy_features, agronomy_series
from tests.benchmarks.report import Row, at_most, publish
from tests.golden.test_yields import judge

COMMAND = "make bench NAME=agronomy"
REAL = Path(os.environ.get("CROPCREDIT_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "yields"
BARS = {"es-wheat": 20.8, "nl-wheat": 8.3}


def main() -> None:
    rows = [*agronomy_series.rows(), *agronomy_features.rows()]
    for name, limit in BARS.items():
        if (REAL / name).is_dir():
            rows += yield_rows(name, limit)
    publish("agronomy", rows)


def yield_rows(name: str, limit: float) -> list[Row]:
    judged = judge(REAL / name, Trial(years=(2003, 2020)))
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
