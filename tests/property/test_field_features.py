"""Laws of the features of fields: no water is lost, warmth is additive, and the future changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cropcredit.agronomy.anomalies import against_history, against_neighbours, ranks
from cropcredit.agronomy.event_signs import Looks, Witnesses
from cropcredit.agronomy.events import find_events
from cropcredit.agronomy.season_clock import season_clock, season_integrals
from cropcredit.agronomy.thermal import fill_gaps, growing_degree_days, with_normals
from cropcredit.agronomy.water_balance import water_balance

FIRST = np.datetime64("2020-09-20")
ROWS, DAYS = 3, 40


def grid(low: float, high: float, shape: tuple[int, ...] = (ROWS, DAYS)) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, shape, elements=st.floats(low, high))


@given(
    rain=grid(0, 120),
    demand=grid(0, 12),
    growth=grid(0, 0.1),
    soil=st.tuples(
        arrays(float, ROWS, elements=st.floats(0.15, 0.4)), arrays(float, ROWS, elements=st.floats(0.02, 0.14))
    ),
    depletion=arrays(float, ROWS, elements=st.floats(0.1, 0.8)),
    begun=arrays(float, ROWS, elements=st.floats(0, 1)),
    measured=arrays(float, (ROWS, DAYS), elements=st.one_of(st.just(np.nan), st.floats(0, 0.5))),
    curve_number=st.one_of(st.none(), st.floats(40, 95)),
)
def test_no_water_is_lost(rain, demand, growth, soil, depletion, begun, measured, curve_number):
    capacity, held = soil
    root = 0.3 + np.cumsum(growth, axis=1)
    found = water_balance(
        rain,
        demand,
        root,
        soil=(capacity, capacity - held),
        depletion=depletion,
        begun=begun,
        measured=measured,
        curve_number=curve_number,
    )

    stored = found.begun_mm[:, None] - (found.depletion_mm + found.below_mm)
    came = np.cumsum(rain + found.adjustment_mm, axis=1)
    went = np.cumsum(found.et_mm + found.runoff_mm + found.percolation_mm, axis=1)
    np.testing.assert_allclose(came, went + stored, atol=1e-9)
    assert (found.depletion_mm >= 0).all()
    assert (found.depletion_mm <= found.available_mm + 1e-9).all()
    assert ((found.stress >= 0) & (found.stress <= 1)).all()
    assert (found.et_mm <= demand + 1e-9).all()
    for flux in (found.et_mm, found.percolation_mm, found.runoff_mm, found.below_mm):
        assert (flux >= -1e-9).all()


@given(st.floats(-20, 40), st.floats(0, 25), st.floats(0, 12), st.floats(1, 25))
def test_the_triangle_is_the_mean_over_a_day_that_warms_and_cools_evenly(low, span, base, above):
    hours = low + span * (np.arange(20_000) + 0.5) / 20_000
    expected = (np.clip(hours, base, base + above) - base).mean()

    found = growing_degree_days(np.array(low), np.array(low + span), base, base + above)

    assert float(found) == pytest.approx(expected, abs=1e-3)


@given(st.floats(-20, 40), st.floats(0, 25), st.floats(0, 5), st.sampled_from(["triangle", "average"]))
def test_a_warmer_day_never_gives_less_warmth(low, span, warmer, method):
    one, two = (
        growing_degree_days(np.array(low + more), np.array(low + span + more), 8, 30, method=method)
        for more in (0.0, warmer)
    )

    assert 0 <= one <= two + 1e-9 <= 22 + 1e-8


@given(
    values=grid(0, 1, (ROWS, 120)),
    gdd=arrays(float, (2, 120), elements=st.one_of(st.floats(0, 20), st.just(np.nan))),
    start=arrays(int, ROWS, elements=st.integers(0, 50)),
    length=arrays(int, ROWS, elements=st.integers(10, 69)),
    row=arrays(int, ROWS, elements=st.integers(-1, 1)),
)
def test_the_parts_of_a_season_add_up_to_it(values, gdd, start, length, row):
    clock = season_clock(start, start + length, gdd=gdd, row=row)

    parts = season_integrals(values, clock)

    for i in range(ROWS):
        days = slice(start[i], start[i] + length[i] + 1)
        step = gdd[row[i], days] if clock.thermal[i] else 1.0
        assert parts[i].sum() == pytest.approx((values[i, days] * step).sum())


@given(
    values=grid(0, 1, (ROWS, 60)),
    later=grid(0, 1, (ROWS, 60)),
    warm=arrays(float, (2, 60 + 4 * 365), elements=st.floats(0, 20)),
    until=st.integers(5, 59),
)
def test_nothing_after_the_as_of_day_changes_an_integral(values, later, warm, until):
    offset = 4 * 365
    start, end, row = np.array([3, 10, 0]), np.array([40, 80, 55]), np.array([0, 1, -1])

    def integrals(curve, change):
        weather = warm.copy()
        weather[:, offset + until + 1 :] += change
        expected = with_normals(weather, FIRST, offset + until, offset + 100)[:, offset:]
        clock = season_clock(start, end, gdd=expected, row=row)
        return season_integrals(curve, clock, until=until), clock.total

    changed = np.where(np.arange(60) <= until, values, later)
    (one, total), (two, other) = integrals(values, 0.0), integrals(changed, 7.0)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(total, other)


@given(
    value=grid(0, 1, (6, 20)),
    vv=grid(-22, -6, (6, 20)),
    cut=st.integers(1, 19),
    collapsed=arrays(bool, 20),
)
def test_later_looks_only_confirm_or_refute_what_an_earlier_day_told(value, vv, cut, collapsed):
    """What is found from the looks until a day is what cutting the series there finds: nothing leaks from beyond."""
    day = np.arange(20) * 6
    clock = season_clock(np.full(6, -20), np.full(6, 150))

    def events(columns, beyond):
        kept = np.broadcast_to(np.arange(len(columns)) <= beyond, (6, len(columns)))
        seen = Looks(day=day[columns], value=value[:, columns], keep=kept)
        radar = Looks(day=day[columns], value=vv[:, columns], keep=kept)
        falls = collapsed[columns] & (np.arange(len(columns)) <= beyond)
        return find_events(seen, clock, np.zeros(6), witnesses=Witnesses(vv_db=radar, collapsed=falls))

    assert events(np.arange(cut + 1), cut) == events(np.arange(20), cut)
    assert all(event.day <= day[cut] for event in events(np.arange(cut + 1), cut))


@given(grid(0, 1, (12, 4)), st.floats(-0.5, 0.5), st.integers(0, 3))
def test_neighbours_that_all_change_alike_leave_every_anomaly_as_it_was(values, shift, date):
    group = np.arange(12) % 2
    moved = values.copy()
    moved[:, date] += shift

    np.testing.assert_allclose(against_neighbours(values, group), against_neighbours(moved, group), atol=1e-6)
    other = ranks(np.round(values[:, date], 6), group)
    np.testing.assert_allclose(other, ranks(np.round(values[:, date], 6) * 2, group))


@given(grid(0, 1, (5,)), grid(0, 1, (5, 4)), st.floats(0.001, 0.5))
def test_a_better_season_never_ranks_lower_against_its_own_years(now, past, better):
    one, two = against_history(now, past), against_history(now + better, past)

    assert (two.percentile >= one.percentile).all()
    assert (two.z > one.z).all()
    assert ((one.percentile > 0) & (one.percentile < 100)).all()


@given(arrays(float, (2, 30), elements=st.one_of(st.floats(-10, 30), st.just(np.nan))))
def test_filled_days_lie_between_their_neighbours(values):
    found = fill_gaps(values)

    assert not (found.filled & np.isfinite(values)).any()
    assert np.isfinite(found.values[found.filled]).all()
    if np.isfinite(values).any():
        low, high = np.nanmin(values), np.nanmax(values)
        assert ((found.values[found.filled] >= low - 1e-9) & (found.values[found.filled] <= high + 1e-9)).all()
