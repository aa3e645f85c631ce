"""Series, seasons and features of 100,000 fields, and yields of official statistics that the models had not seen."""

from __future__ import annotations

from tests.benchmarks import agronomy_demo, agronomy_features, agronomy_series, agronomy_yields
from tests.benchmarks.report import publish


def main() -> None:
    parts = (agronomy_series, agronomy_features, agronomy_demo, agronomy_yields)
    publish("agronomy", [row for part in parts for row in part.rows()])


if __name__ == "__main__":
    main()
