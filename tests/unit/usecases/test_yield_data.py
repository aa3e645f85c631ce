"""What a crop's past is laid out as."""

from datetime import date

import numpy as np

from cropcredit.adapters.catalogues import TomlCatalogues
from cropcredit.config import data_dir
from cropcredit.model import CropCalendar, RegionSeries
from cropcredit.usecases.yield_data import crop_data
from tests.unit.usecases.yield_world import LONG_AGO, label


def test_the_last_season_is_looked_at_as_far_as_the_ones_before():
    months = [
        RegionSeries(
            id=f"{year}-{month}",
            known_at=LONG_AGO,
            crop="winter_wheat",
            region="T1",
            source="test",
            days=tuple(date(year, month, day) for day in (5, 15, 25)),
            ndvi=(0.4, 0.4, 0.4),
        )
        for year in range(2016, 2023)
        for month in range(1, 13)
    ]
    harvest_4_june = CropCalendar(
        id="c", known_at=LONG_AGO, crop="winter_wheat", region="*", sowing_doy=286, harvest_doy=155, source="test"
    )
    labels = [label("T1", year, 4.0 + 0.1 * (year % 3)) for year in range(2017, 2022)]

    table = crop_data(
        "winter_wheat", [*labels, *months, harvest_4_june], TomlCatalogues(data_dir() / "catalogues")
    ).table

    np.testing.assert_allclose(table.parts, 0.4)  # the month after the harvest counts in 2021 too
