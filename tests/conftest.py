"""Fixtures that every room's tests share: public data sets, Debian tools, a fixed clock, an empty workspace."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.debian import find_tool

# The same examples every time, and no test fails because the machine is busy.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

ROOT = Path(__file__).parents[1]


def _forbidden(name: str) -> bool:
    """CI names the kinds of skip it does not accept: CROPCREDIT_FORBID_SKIPS=debian."""
    return name in os.environ.get("CROPCREDIT_FORBID_SKIPS", "").split(",")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of public data sets; skip where it is absent."""
    folder = Path(os.environ.get("CROPCREDIT_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set CROPCREDIT_REAL_DATA")
    return folder


@pytest.fixture(scope="session")
def debian_tool() -> Callable[[str], Path]:
    """Give the path of a Debian tool, as in ``debian_tool("mosquitto")``; skip where it is absent."""

    def find(name: str) -> Path:
        path = find_tool(name)
        if path is None:
            reason = f"Debian package with {name} is not installed"
            if _forbidden("debian"):
                pytest.fail(reason + ", and this run forbids the skip")
            pytest.skip(reason)
        return path

    return find


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped for want of real data or of a Debian package."""
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    absent = sum("no real data" in reason for reason in reasons)
    tools = sum("Debian package" in reason for reason in reasons)
    terminalreporter.write_line(f"skipped for want of real data: {absent}, of a Debian package: {tools}")
