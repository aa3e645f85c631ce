"""The water balance against two years of soil moisture at 42 stations; nothing is fitted to them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.integration.agronomy.cookfarm import soil_water_correlations

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize(
    ("months", "least"), [pytest.param(range(1, 13), 0.72, id="all year"), pytest.param(range(4, 9), 0.78, id="season")]
)
def test_the_balance_follows_the_water_that_sensors_find(real_data, months, least):
    found = soil_water_correlations(real_data / "telemetry" / "cookfarm", months=months)

    assert len(found) >= 38
    assert np.median(list(found.values())) >= least
