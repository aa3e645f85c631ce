"""Quantiles from left-out years, and the promise they make."""

from __future__ import annotations

import numpy as np
import pytest

from cropcredit.agronomy.intervals import region_scales, scale_of, wider, year_quantiles, year_sd
from cropcredit.model import PROBABILITIES


def test_a_year_with_many_regions_has_no_more_say_than_one_with_few():
    errors = np.array([-1.0] * 99 + [1.0])
    years = np.array([2001] * 99 + [2002])

    assert year_quantiles(errors, years, (0.5, 0.75))[1] > 0.9  # of all hundred errors only one is that large
    assert year_sd(errors, years) == 1.0


def test_few_years_widen_the_interval():
    errors = np.tile([-1.0, -0.5, 0.0, 0.5, 1.0], 4)

    few = year_quantiles(errors, np.repeat([1, 2], 10))
    many = year_quantiles(errors, np.arange(20))

    assert few[0] < many[0] < 0 < many[-1] < few[-1]


def test_one_year_alone_still_gives_finite_ends():
    assert np.isfinite(year_quantiles(np.array([-1.0, 0.0, 1.0]), np.array([1, 1, 1]))).all()


def test_a_region_that_errs_more_gets_a_wider_interval_as_far_as_its_labels_tell():
    rng = np.random.default_rng(0)
    errors = np.concatenate([rng.normal(0, 1, 200), rng.normal(0, 3, 200), [3.0]])
    scales = region_scales(errors, np.repeat(["calm", "wild", "new"], [200, 200, 1]))

    assert 2 < scales["wild"] / scales["calm"] < 3  # shrunk
    assert scales["new"] == pytest.approx(1, abs=0.1)  # one error says next to nothing
    assert scale_of(scales, np.array(["wild", "elsewhere"])).tolist() == [scales["wild"], 1.0]


def test_a_further_spread_adds_as_independent_ones_do():
    np.testing.assert_allclose(wider(np.array([-2.0, 0.0, 1.0]), 3.0, 4.0), [-10 / 3, 0, 5 / 3])


def test_ninety_percent_intervals_cover_ninety_percent_of_unseen_years():
    """The promise: pooled coverage of a new year's yields lies in 87-93 %.

    Each of 3,000 simulated histories has 12 years of 8 regions whose errors share a year's shock (variance 0.7 of 1).
    Errors within a year go together, so the pooled share has a standard error of at most sqrt(0.09 / 3000) = 0.55
    points even if all eight regions were one: a method that truly covers 90 % fails this test with a probability
    below 1e-6 (5.4 standard errors). The seed is fixed, so in practice never.
    """
    rng = np.random.default_rng(20250601)
    histories, years, count = 3_000, 12, 8
    hits = 0
    for _ in range(histories):
        shock = np.sqrt(0.7) * rng.standard_normal((years + 1, 1))
        errors = shock + np.sqrt(0.3) * rng.standard_normal((years + 1, count))
        past = errors[:-1].ravel()
        low, *_, high = year_quantiles(past, np.repeat(np.arange(years), count), PROBABILITIES)
        hits += int(((errors[-1] >= low) & (errors[-1] <= high)).sum())

    share = hits / (histories * count)
    assert 0.87 <= share <= 0.93
