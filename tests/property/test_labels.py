"""Laws of label hygiene that hold for any yields."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cropcredit.agronomy.label_panel import median
from cropcredit.agronomy.labels import sift
from cropcredit.errors import MalformedInput
from cropcredit.model import YieldLabel
from cropcredit.units import HECTARES, KILOGRAMS, at_moisture, tonnes_per_hectare

REGIONS, YEARS = ("A1", "A2", "B1", "B2", "C"), range(2010, 2020)


def label(region: str, year: int, t_ha: float) -> YieldLabel:
    return YieldLabel(
        id=f"{region}/{year}",
        known_at=datetime(2025, 1, 1, tzinfo=UTC),
        crop="maize",
        harvest_year=year,
        t_ha=t_ha,
        region=region,
        source="test",
    )


yields = st.floats(0.0, 40.0).map(lambda value: round(value, 2))
files = st.dictionaries(
    st.tuples(st.sampled_from(REGIONS), st.sampled_from(YEARS)), yields, max_size=len(REGIONS) * len(YEARS)
).map(lambda cells: [label(*key, t_ha) for key, t_ha in cells.items()])


def sifted(labels: list[YieldLabel]) -> tuple[list[YieldLabel], list[YieldLabel]]:
    """Sift, passing over files that are refused for mixing two units."""
    try:
        good, suspects = sift(labels)
    except MalformedInput as error:
        assert "two units stand in one file" in str(error)  # noqa: PT017 - the only refusal these files can meet
        assume(False)
    return good, [suspect.label for suspect in suspects]


def ordinary(seed: int) -> list[YieldLabel]:
    rng = np.random.default_rng(seed)
    year = rng.normal(0, 0.15, len(YEARS))
    t_ha = np.exp(rng.normal(1.5, 0.3, len(REGIONS))[:, None] + year + rng.normal(0, 0.1, (len(REGIONS), len(YEARS))))
    return [label(r, y, float(t_ha[i, j])) for i, r in enumerate(REGIONS) for j, y in enumerate(YEARS)]


@given(files)
def test_every_label_is_either_good_or_suspect(labels):
    good, suspect = sifted(labels)

    assert len(good) + len(suspect) == len(labels)
    assert [x for x in labels if x in good] == good
    assert not [x for x in good if x.t_ha == 0]


@given(files, st.randoms(use_true_random=False))
def test_the_order_of_the_file_does_not_matter(labels, random):
    shuffled = random.sample(labels, len(labels))

    assert {x.id for x in sifted(labels)[1]} == {x.id for x in sifted(shuffled)[1]}


@given(files)
def test_what_is_kept_is_never_left_out_and_the_rest_stays_as_it_was(labels):
    _, suspect = sifted(labels)
    keep = {(x.region, x.harvest_year) for x in suspect[::2]}

    _, left = sift(labels, keep=keep)

    assert [s.label for s in left] == [x for x in suspect if (x.region, x.harvest_year) not in keep]


@given(st.integers(0, 500), st.sampled_from([1e-2, 0.1, 5.0, 1e3]))
def test_the_rules_know_no_unit(seed, factor):
    labels = [replace(x, t_ha=x.t_ha * (12 if k == 17 else 1)) for k, x in enumerate(ordinary(seed))]
    scaled = [replace(x, t_ha=x.t_ha * factor) for x in labels]

    assert {x.id for x in sifted(labels)[1]} == {x.id for x in sifted(scaled)[1]}


@given(st.integers(0, 500), st.sampled_from(YEARS), st.floats(0.3, 1.5))
def test_a_year_that_is_good_or_bad_for_all_accuses_nobody(seed, year, factor):
    changed = [replace(x, t_ha=x.t_ha * (factor if x.harvest_year == year else 1)) for x in ordinary(seed)]

    assert sifted(changed)[1] == []


@given(st.integers(0, 500), st.integers(0, 49), st.sampled_from([12.0, 100.0, 1000.0, 1 / 15, 0.01]))
def test_a_label_in_another_unit_is_found_wherever_it_stands(seed, at, factor):
    labels = [replace(x, t_ha=x.t_ha * (factor if k == at else 1)) for k, x in enumerate(ordinary(seed))]

    assert [x.id for x in sifted(labels)[1]] == [labels[at].id]


@given(st.lists(st.floats(-5, 5) | st.just(float("nan")), min_size=1, max_size=9))
def test_the_median_is_that_of_the_numbers_there(values):
    numbers = [value for value in values if not np.isnan(value)]

    expected = np.median(numbers) if numbers else float("nan")

    np.testing.assert_array_equal(median(np.array(values)), expected)  # 0 and -0 are the same
    np.testing.assert_array_equal(median(np.array([values]), axis=1)[0], expected)


@given(st.floats(0.1, 1000), st.sampled_from(sorted(KILOGRAMS)), st.sampled_from(sorted(HECTARES)))
def test_a_yield_is_the_same_in_every_unit(value, weight, area):
    t_ha = tonnes_per_hectare(value, f"{weight}/{area}")

    assert t_ha * 1000 / KILOGRAMS[weight] * HECTARES[area] == pytest.approx(value)


@settings(max_examples=50)
@given(st.floats(0.1, 20), st.floats(0, 60), st.floats(0, 60))
def test_moisture_comes_and_goes(weight, moisture, standard):
    assert at_moisture(at_moisture(weight, moisture, standard), standard, moisture) == pytest.approx(weight)
