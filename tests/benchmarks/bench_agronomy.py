"""Series, seasons and features of 100,000 fields, and yields of official statistics that the models had not seen."""

from __future__ import annotations

from tests.benchmarks import agronomy_features, agronomy_series, agronomy_yields
from tests.benchmarks.report import publish


def main() -> None:
    publish("agronomy", [*agronomy_series.rows(), *agronomy_features.rows(), *agronomy_yields.rows()])


if __name__ == "__main__":
    main()
