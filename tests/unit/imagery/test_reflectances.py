"""Bands for colour pictures go through the same radiometry and mask as the indices."""

from datetime import UTC, datetime

import numpy as np
import pytest

from cropcredit.errors import RadiometryError
from cropcredit.imagery import Sample, layers, reflectances
from cropcredit.model import Grid, Scene

DAY = datetime(2025, 6, 1, 3, tzinfo=UTC)
GRID = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (1, 3))


SCENE = Scene(id="s1", known_at=DAY, product="s2-l2a", tile="t", acquired_at=DAY, available_at=DAY, grid=GRID, bands=(),
              processing_baseline="05.10")  # fmt: skip


def test_colours_are_reflectance_under_the_mask_of_the_indices():
    dn = {"red": (1500, 1500, 0), "nir": (4000, 4000, 4000), "green": (1600, 1700, 1800), "scl": (4, 9, 4)}
    samples = {name: Sample(dn=np.array(values, dtype=np.uint16)) for name, values in dn.items()}
    seen = reflectances(SCENE, samples, ("nir", "red", "green"))
    assert list(seen.indices) == ["nir", "red", "green"]
    assert seen.indices["green"] == pytest.approx(np.array([0.06, 0.07, 0.08]))
    assert seen.clear.tolist() == layers(SCENE, samples).clear.tolist() == [True, False, False]
    assert seen.present.tolist() == [True, True, False]


def test_a_few_pixels_of_a_picture_are_not_asked_whether_they_can_be_true():
    pond = {"red": Sample(dn=np.full(40, 900)), "nir": Sample(dn=np.full(40, 1200)), "scl": Sample(dn=np.full(40, 7))}
    with pytest.raises(RadiometryError, match="negative red reflectance"):
        layers(SCENE, pond)
    assert layers(SCENE, pond, checked=False).clear.all()
