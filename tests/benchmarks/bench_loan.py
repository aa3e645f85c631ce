"""What a sizing costs, from the stores to the stored offer, and whether the accepted shortfall is the realised one.

A lender with ``FARMS`` households on SQLite and Parquet, the policy's own number of draws, one process.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import numpy as np

from cropcredit.adapters.database import DatabaseFacts, open_database
from cropcredit.adapters.estimates import ParquetEstimates
from cropcredit.adapters.parquet import ParquetFields
from cropcredit.credit.cashflow import Line, simulate
from cropcredit.credit.policy import draws_of
from cropcredit.credit.sampling import Risk
from cropcredit.credit.sizing import size
from cropcredit.model import Record
from cropcredit.usecases.size_loan import ReplayOffer, SizeLoan
from tests.benchmarks.report import Row, at_most, publish
from tests.fakes import FakeCatalogues, FakeClock
from tests.lending import (
    TODAY,
    application,
    ask,
    cny,
    consent,
    estimate,
    line,
    party,
    planting,
    policy,
    records,
    register_field,
    tenure,
)

FARMS = int(os.environ.get("FARMS", "300"))
DRAWS = 20_000
COMMAND = "make bench NAME=loan"


def main() -> None:
    """Measure and publish."""
    with tempfile.TemporaryDirectory() as folder:
        sizing, replaying = time_stores(Path(folder))
    pure = time_pure()
    what = f"{DRAWS} draws, {FARMS} households on SQLite and Parquet"
    publish(
        "loan",
        [
            timed(f"one sizing from the stores to the stored offer, median ({what})", np.median(sizing), 50),
            timed("the same, 95th percentile", np.percentile(sizing, 95), 100),
            timed("one replay from the cited versions, median", np.median(replaying), 50),
            timed("the limit alone, two crops, no store", pure, 10),
            *(calibrated(alpha) for alpha in (0.01, 0.05, 0.10, 0.20)),
        ],
    )


def timed(bar: str, milliseconds: float, limit: float) -> Row:
    target, ok = at_most(float(milliseconds), limit)
    return Row(bar=bar, value=round(float(milliseconds), 2), unit="ms", target=target, ok=ok, command=COMMAND)


def time_stores(folder: Path) -> tuple[list[float], list[float]]:
    """Time each household's sizing and replay, milliseconds."""
    engine = open_database(f"sqlite:///{folder / 'facts.db'}")
    facts, fields = DatabaseFacts(engine), ParquetFields(folder=folder / "fields")
    estimates = ParquetEstimates(folder=folder / "estimates")
    facts.add(*records(policy=policy(draws=DRAWS)), *(r for number in range(FARMS) for r in household(number)))
    fields.add([register_field(f"F{number}") for number in range(FARMS)])
    estimates.write("r", [estimate(id=f"Y{n}", planting_id=f"PL-{n}") for n in range(FARMS)])
    desk = SizeLoan(
        facts=facts, fields=fields, estimates=estimates, catalogues=FakeCatalogues(), clock=FakeClock(TODAY)
    )
    replay = ReplayOffer(facts=facts, fields=fields, catalogues=FakeCatalogues())
    desk(f"A-{FARMS - 1}", as_of=TODAY - timedelta(days=1))  # imports and the shared draws, once per process
    sizing, replaying = [], []
    for number in range(FARMS):
        started = perf_counter()
        offer = desk(f"A-{number}")
        sized = perf_counter()
        assert replay(offer.id).same
        sizing.append(1000 * (sized - started))
        replaying.append(1000 * (perf_counter() - sized))
    engine.dispose()
    return sizing, replaying


def household(number: int) -> list[Record]:
    """One more household like the first."""
    name = f"P-{number}"
    return [
        party(name),
        replace(consent(party_id=name), id=f"C-{number}"),
        tenure(id=f"T-{number}", party_id=name, field_id=f"F{number}"),
        planting(id=f"PL-{number}", field_id=f"F{number}"),
        replace(application(party_id=name, planting_ids=(f"PL-{number}",)), id=f"A-{number}"),
    ]


def farm() -> tuple[Line, Line]:
    maize = line(planting_id="PL2", risk=Risk(group="maize", shared_share=0.3), area_ha=0.5)
    return line(input_cost_ha=20_000.0), maize


def time_pure(repeats: int = 50) -> float:
    """Median time of one sizing without a store, milliseconds."""
    one, rules = ask(*farm(), household_draw=8000.0), policy(draws=DRAWS)
    times = []
    for _ in range(repeats):
        started = perf_counter()
        size(one, rules)
        times.append(perf_counter() - started)
    return 1000 * float(np.median(times))


def calibrated(alpha: float) -> Row:
    """Let fresh seasons live through a loan that the quantile rule sized."""
    rules = policy(alpha=alpha, stresses=(), dscr_min=1.0, draws=DRAWS, round_to=cny(0.01))
    one = ask(*farm(), household_draw=8000.0)
    sized = size(one, rules)
    assert sized.binding == "quantile"
    fresh = simulate(one.household, replace(draws_of(rules), seed=99, number=200_000), correlation=0.0)
    realised = float(np.mean(fresh < sized.debt_service))
    error = 4 * float(np.sqrt(alpha * (1 - alpha) * (1 / DRAWS + 1 / 200_000)))
    return Row(
        bar=f"realised shortfall on fresh seasons at alpha {alpha:.0%}",
        value=round(100 * realised, 3),
        unit="%",
        target=f"{100 * alpha:g} +- {100 * error:.2f}",
        ok=bool(abs(realised - alpha) <= error),
        command=COMMAND,
    )


if __name__ == "__main__":
    main()
