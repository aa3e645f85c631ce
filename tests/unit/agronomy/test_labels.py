"""What is suspect among past yields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cropcredit.agronomy.labels import require_years, sift
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import YieldLabel


def label(region: str, year: int, t_ha: float) -> YieldLabel:
    return YieldLabel(
        id=f"{region}/{year}",
        known_at=datetime(2025, 1, 1, tzinfo=UTC),
        crop="winter_wheat",
        harvest_year=year,
        t_ha=t_ha,
        region=region,
        source="test",
    )


def region(name: str, *yields: float) -> list[YieldLabel]:
    return [label(name, 2010 + i, t_ha) for i, t_ha in enumerate(yields)]


def test_a_slipped_decimal_point_is_found_in_a_region_of_any_level():
    good, suspects = sift(region("low", 1.0, 1.1, 0.9, 10.0, 1.0) + region("high", 6.0, 5.5, 6.5, 6.2, 5.8))

    assert [(s.label.region, s.label.t_ha, s.rule) for s in suspects] == [("low", 10.0, "times_ten")]
    assert len(good) == 9


def test_a_zero_yield_is_left_out_by_name():
    _, suspects = sift(region("low", 1.0, 1.1, 0.0))

    assert [(s.label.harvest_year, s.rule) for s in suspects] == [(2012, "not_positive")]


def test_a_drought_that_is_everywhere_is_no_slip():
    drought = [region(name, 3.0, 3.2, 2.9, 0.4, 3.1) for name in ("a", "b", "c", "d")]

    _, suspects = sift([one for labels in drought for one in labels])

    assert suspects == []


def test_two_yields_of_one_region_and_year_are_refused():
    with pytest.raises(MalformedInput, match="two labels, first a 2010"):
        sift([*region("a", 1.0), *region("a", 1.2)])


def test_fewer_than_five_years_teach_nothing():
    with pytest.raises(RefusedInput, match=r"4 harvest year\(s\) of 'maize', at least 5"):
        require_years(region("a", 1.0, 1.0, 1.0, 1.0), "maize")
    require_years(region("a", 1.0, 1.0, 1.0, 1.0, 1.0), "maize")
