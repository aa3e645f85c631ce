from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from cropcredit.adapters.tables import CsvTables
from cropcredit.credit.prices import horizon_months, price_law, published, seasonal_changes
from cropcredit.errors import CurrencyMismatch, MissingEvidence
from cropcredit.usecases.import_records import ImportPriceSeries
from tests.fakes import FakeCatalogues, FakeFacts
from tests.lending import price, series

LATE = datetime(2030, 1, 1, tzinfo=UTC)


def yearly(*june: float):
    """March is always 100, June is given; other months do not matter."""
    values = tuple(value for each in june for value in (1, 1, 100, 1, 1, each, 1, 1, 1, 1, 1, 1))
    return series(values=values)


def test_changes_are_of_the_same_months_of_every_year():
    assert seasonal_changes(yearly(90, 110, 150), to_month=6, months=3, as_of=LATE) == (0.9, 1.1, 1.5)


def test_a_horizon_beyond_a_year_starts_in_an_earlier_year():
    assert seasonal_changes(yearly(90, 110, 150), to_month=6, months=12, as_of=LATE) == (110 / 90, 150 / 110)


def test_a_change_may_start_with_the_first_month_of_the_series():
    one = series(first_month=date(2000, 3, 1), values=(100.0, 1.0, 1.0, 120.0))
    assert seasonal_changes(one, to_month=6, months=3, as_of=LATE) == (1.2,)


def test_a_month_counts_only_once_it_was_published():
    one = yearly(90, 110, 150)
    june_1996 = datetime(1996, 7, 10, 23, 59, 59, 999999, tzinfo=UTC)
    assert published(one, june_1996) == 18
    assert published(one, june_1996.replace(microsecond=0)) == 17
    assert seasonal_changes(one, to_month=6, months=3, as_of=june_1996.replace(microsecond=0)) == (0.9,)
    assert published(one, datetime(1990, 1, 1, tzinfo=UTC)) == 0


def test_the_horizon_runs_from_the_dated_price_and_has_a_floor():
    assert horizon_months(date(2025, 3, 28), date(2025, 10, 1), floor=3) == 7
    assert horizon_months(date(2025, 6, 1), date(2025, 6, 20), floor=3) == 3


def law(anchor=None, **changes):
    details: dict[str, Any] = {
        "sold_on": date(2025, 6, 10),
        "as_of": LATE,
        "currency": "CNY",
        "floor_months": 3,
    } | changes
    worlds = details.pop("series", yearly(*range(91, 110)))
    return price_law(anchor or price(), worlds, **details)


def test_the_law_is_the_local_price_times_the_sorted_changes():
    found = law()
    assert len(found.values) == 19
    assert found.values[0] == pytest.approx(2.5 * 0.91)
    assert found.median == pytest.approx(2.5)
    assert found.probabilities[0] == pytest.approx(1 / 20)


def test_the_worst_year_seen_is_not_the_worst_possible():
    assert law().at(np.array([ndtri(0.05 / 1024)]))[0] == pytest.approx(2.5 * 0.91 / 2)


def test_a_price_in_another_currency_is_refused():
    with pytest.raises(CurrencyMismatch, match="KES against CNY"):
        law(price(currency="KES"))


def test_too_short_a_series_is_refused_by_name():
    with pytest.raises(
        MissingEvidence, match="price series winter_wheat/world: only 3 published changes over 3 months"
    ):
        law(series=yearly(90, 100, 110))


@pytest.mark.real_data
def test_the_world_bank_wheat_series_gives_a_law_with_honest_tails(real_data: Path):
    facts = FakeFacts()
    door = ImportPriceSeries(facts=facts, tables=CsvTables(), catalogues=FakeCatalogues(), zone="Asia/Shanghai")
    file = real_data / "prices" / "worldbank" / "pinksheet_agri_monthly.csv"
    wheat = door(file, series="wheat_us_hrw", crop="winter_wheat", unit="USD/t", lag_days=10)
    assert (wheat.first_month, len(wheat.values), wheat.values[-1]) == (date(1960, 1, 1), 797, 303.0)
    found = law(
        series=wheat,
        as_of=datetime(2026, 4, 1, tzinfo=UTC),
        sold_on=date(2026, 7, 1),
        anchor=price(dated_on=date(2026, 3, 15)),
    )
    assert len(found.values) == 66  # July of 1960 to 2025
    ratio = np.array(found.values) / 2.5
    assert ratio[0] == pytest.approx(0.7463, abs=1e-4)  # 2008, the worst fall from March to July
    assert ratio[-1] == pytest.approx(1.3119, abs=1e-4)  # 2017
    assert found.median / 2.5 == pytest.approx(0.9541, abs=1e-4)  # harvest presses the price
