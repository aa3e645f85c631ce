"""What the desk says of a crop that does not look like the declared one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dashboards.formats import Formats
from dashboards.panels.land import _verified
from dashboards.words import Words
from tests import lending

SAID = [("en", "please ask. Strength of that doubt: 85"), ("zh", "请核实。 疑问程度：85")]


@pytest.mark.parametrize(("language", "said"), SAID)
def test_a_doubt_is_told_with_its_strength(language, said):
    desk: Any = SimpleNamespace(words=Words(language), formats=Formats(language, "UTC"))
    doubted = lending.estimate(verification="not_conform", verification_confidence=0.85)
    assert said in _verified(desk, doubted)
    assert "85" not in _verified(desk, lending.estimate(verification="conform"))
