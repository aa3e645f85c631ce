"""Laws of the agronomy room that hold for any input."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cropcredit.agronomy import despike, find_seasons, robust_whittaker, season_windows, smooth, whittaker
from cropcredit.agronomy.downscale import FieldSpread, field_yield
from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.agronomy.intervals import year_quantiles
from cropcredit.agronomy.smoothers import LEAST_WEIGHT
from cropcredit.model import PROBABILITIES

FIRST = np.datetime64("2025-01-01")
days = st.lists(st.integers(0, 119), min_size=2, max_size=25, unique=True).map(lambda d: np.array(sorted(d)))
index = st.floats(-0.2, 1.0)


@given(days, st.floats(-0.3, 1.0), st.floats(-0.005, 0.005), st.floats(0.1, 1.0))
def test_whittaker_keeps_constants_and_lines(at, level, slope, weight):
    line = level + slope * np.arange(120)

    curve = whittaker(line[None, at], np.full((1, len(at)), weight), at, 120)[0]

    between = slice(at[0], at[-1] + 1)
    np.testing.assert_allclose(curve[between], line[between], atol=1e-4)


@given(st.data())
def test_later_looks_never_change_an_earlier_curve(data):
    at = data.draw(days)
    looks = arrays(float, (6, len(at)), elements=index)
    mean, other = data.draw(looks), data.draw(looks)
    cut = data.draw(st.integers(0, 119))
    changed = np.where(at <= cut, mean, other)
    until = FIRST + cut

    one, two = (smooth(m, np.ones_like(m), FIRST + at, until=until) for m in (mean, changed))

    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.observed, two.observed)


@given(st.data())
def test_despiking_only_ever_drops_and_never_the_ends_of_a_series(data):
    at = data.draw(days)
    mean = data.draw(arrays(float, (6, len(at)), elements=index))
    keep = data.draw(arrays(bool, mean.shape))

    kept = despike(mean, keep, at)

    assert not (kept & ~keep).any()
    for before, after in zip(keep, kept, strict=True):
        if before.any():
            columns = np.flatnonzero(before)
            assert after[columns[[0, -1]]].all()


@given(st.data())
def test_robust_weights_never_exceed_those_given(data):
    at = data.draw(days)
    mean = data.draw(arrays(float, (6, len(at)), elements=index))
    weights = data.draw(arrays(float, mean.shape, elements=st.floats(0, 1)))

    curve, final = robust_whittaker(mean, weights, at, 120)

    assert ((final >= 0) & (final <= weights)).all()
    np.testing.assert_array_equal(np.isnan(curve), np.tile(((final >= LEAST_WEIGHT).sum(axis=1) < 2)[:, None], 120))


@given(st.data())
def test_seasons_follow_one_another_and_each_rises_before_it_falls(data):
    at = data.draw(days)
    mean = data.draw(arrays(float, (4, len(at)), elements=index))
    curves = smooth(mean, np.ones_like(mean), FIRST + at)

    start, end = season_windows(curves.values)
    found = find_seasons(curves)

    there = end >= 0
    assert (start[there] < end[there]).all()
    assert not (there[:, 1:] & ~there[:, :-1]).any()
    follow = there[:, 1:]
    assert (start[:, 1:][follow] >= end[:, :-1][follow]).all()
    assert (found.sos[there] <= found.peak[there]).all()
    ended = np.isfinite(found.eos)
    assert (found.peak[ended] <= found.eos[ended]).all()
    assert (found.sos_slope[there] > 0).all()
    above = there & (curves.values.min(axis=1) >= 0)[:, None]
    assert (found.small_integral[above] <= found.large_integral[above] + 1e-9).all()
    assert np.isnan(found.sos[~there]).all()


@given(days)
def test_the_error_of_a_curve_never_shrinks_after_the_last_look(at):
    curves = smooth(np.full((1, len(at)), 0.5), np.ones((1, len(at))), FIRST + at, until=FIRST + 150)

    tail = curves.sd[0, int(at[-1] - at[0]) :]
    assert (np.diff(tail) >= 0).all()


@given(
    arrays(float, st.integers(2, 60), elements=st.floats(-5, 5)),
    st.integers(2, 9),
)
def test_quantiles_ascend(errors, years):
    offsets = year_quantiles(errors, np.arange(len(errors)) % years)

    assert (np.diff(offsets) >= 0).all()
    assert np.isfinite(offsets).all()


@settings(max_examples=200)
@given(
    st.floats(0, 12),
    arrays(float, 7, elements=st.floats(-5, 5)),
    st.floats(0.001, 0.999),
    st.floats(0, 1),
    st.floats(0, 0.6),
    st.floats(0, 1),
)
def test_a_fields_quantiles_ascend_and_its_shared_share_is_a_share(t_ha, offsets, rank, weight, cv, correlation):
    ordered = np.sort(offsets)
    region = RegionForecast(
        t_ha=t_ha,
        offsets=tuple(ordered),
        sd_t_ha=float(np.std(ordered)),
        method="model",
        baseline="average",
        baseline_t_ha=t_ha,
        skill=0.1,
    )

    field = field_yield(region, FieldSpread(cv=cv, correlation=correlation), rank, weight)

    assert len(field.t_ha) == len(PROBABILITIES)
    assert all(0 <= low <= high for low, high in zip(field.t_ha, field.t_ha[1:], strict=False))
    assert 0 <= field.shared_share <= 1
