"""The short form of the fault matrix (``make faults``), as part of the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.matrix import FAULTS, play, table
from tests.faults.stage import SHORT


@pytest.mark.debian
def test_no_fault_loses_doubles_or_corrupts_a_reading(debian_tool: Callable[[str], Path]):
    debian_tool("mosquitto")
    results = play(FAULTS, SHORT, seed=0, at_once=6, tell=print)
    assert not [result for result in results if result.failed], table(results)
    staged = {result.fault.number for result in results if not result.skipped}
    assert staged >= set(range(1, 19)) - {7, 8}, (
        "only a disk that cannot be mounted and an absent server may be missing"
    )
