from __future__ import annotations

from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import load_quantities
from cropcredit.errors import MalformedInput

CATALOGUE = Path(__file__).parents[2] / "data" / "catalogues" / "quantities.toml"
RAIN = '[[quantity]]\nname = "weather.rain"\nunit = "mm"\nlow = 0\nhigh = 9\n'


def test_the_catalogue_that_ships_is_sound_and_bilingual():
    quantities = load_quantities(CATALOGUE)
    assert quantities["air.pressure"].plausible(600.0), "highland farms exist"
    assert quantities["weather.rain"].cumulative
    assert all(quantity.zh and quantity.en and quantity.unit for quantity in quantities.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(RAIN + "hihg = 3\n", "unknown members", id="a slip of the pen"),
        pytest.param(RAIN + RAIN, "twice", id="a name twice"),
        pytest.param(RAIN.replace("high = 9", "high = -1"), "empty range", id="an empty range"),
        pytest.param(RAIN.replace('unit = "mm"\n', ""), "missing required field `unit`", id="no unit"),
        pytest.param("", "holds no", id="an empty file"),
    ],
)
def test_a_broken_catalogue_is_refused_by_name(tmp_path, text, said):
    file = tmp_path / "quantities.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedInput, match=said):
        load_quantities(file)
