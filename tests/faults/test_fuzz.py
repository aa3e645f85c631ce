"""Every broken message is stored or quarantined with a reason: a small form of the benchmark ``telemetry_fuzz``."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from tests.benchmarks.telemetry_fuzz import fuzzed
from tests.faults.fuzz import corpus, mutations


def test_every_broken_message_is_stored_or_quarantined_with_a_reason(tmp_path: Path):
    found = fuzzed(2000, tmp_path)
    assert found.messages == 2000
    assert found.missing == []
    assert found.refused["internal"] == 0, "a defect of ingest"
    assert found.stored > 0
    assert found.refused.total() > 1000, "most of it is broken"


def test_the_same_dice_break_messages_the_same_way():
    known = corpus()
    first, second = (list(islice(mutations(known, random.Random(3)), 50)) for _ in range(2))
    assert first == second
    assert len({said.payload for said in first}) > 40
