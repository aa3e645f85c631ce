"""What is dear and always the same is done once per session."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from cropcredit.agronomy.crop_model import learn
from cropcredit.usecases import train_yields


@pytest.fixture(scope="session", autouse=True)
def what_was_learned_once():
    """Learn each table of region-seasons once: many tests train on the same made-up past, seconds each time.

    What is asked with other data, however little other, is learned anew.
    """
    known: dict[bytes, tuple[Any, int]] = {}

    def remembered(crop, table, calendars, *, done=lambda _: None):
        key = pickle.dumps((crop, table, dict(calendars)))
        if key not in known:
            steps: list[int] = []
            known[key] = learn(crop, table, calendars, done=steps.append), len(steps)
        found, steps_taken = known[key]
        for _ in range(steps_taken):
            done(1)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_yields, "learn", remembered)
        yield known
