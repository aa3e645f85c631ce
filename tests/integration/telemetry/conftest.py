"""Brokers of both kinds, and the telemetry line on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cropcredit.adapters.broker import Kind
from tests.integration.telemetry.line import Line


@pytest.fixture(params=["mosquitto", "iotcore"])
def broker_kind(request: pytest.FixtureRequest, debian_tool: Callable[[str], Path]) -> Kind:
    """Give each kind of broker; mosquitto only where it is installed."""
    kind: Kind = request.param
    if kind == "mosquitto":
        debian_tool("mosquitto")
    return kind


@pytest.fixture
def make_line(tmp_path: Path) -> Iterator[Callable[..., Line]]:
    """Give a function that makes a line on a kind of broker and a database; what it started ends with the test."""
    lines: list[Line] = []

    def make(kind: Kind, database_url: str = "") -> Line:
        lines.append(Line(tmp_path / f"lender{len(lines)}", kind=kind, database_url=database_url))
        return lines[-1]

    yield make
    for line in lines:
        line.close()


@pytest.fixture
def line(make_line: Callable[[Kind], Line], broker_kind: Kind) -> Line:
    """Give a line on each kind of broker."""
    return make_line(broker_kind)
