"""Laws of verification: order of the rows, what cannot be seen, shares between nothing and all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cropcredit.agronomy.crop_calendar import SeasonWindow, calendar_gap
from cropcredit.agronomy.curve_tests import AT_MOST, curve_tests
from cropcredit.agronomy.planted_share import planted_share
from cropcredit.agronomy.series import DailyCurves
from cropcredit.agronomy.verification import MIN_CONFIDENCE, Declared, Verification, verify

DAYS = 240
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, rows: int = 8) -> tuple[DailyCurves, Declared]:
    """Any curves, any looks, any dates: most are nonsense, as declarations may be."""
    dice = np.random.default_rng(seed)
    day = np.arange(DAYS)
    peak, width = dice.uniform(-50, 300, (rows, 1)), dice.uniform(5, 80, (rows, 1))
    values = dice.uniform(0, 0.6, (rows, 1)) + dice.uniform(-0.3, 0.7, (rows, 1)) * np.exp(
        -(((day - peak) / width) ** 2)
    )
    values[dice.random(rows) < 0.1] = np.nan
    observed = (dice.random((rows, DAYS)) < dice.uniform(0, 0.3)) & np.isfinite(values)
    start = dice.integers(-100, 250, rows)
    declared = Declared(
        field=np.arange(rows),
        crop=dice.choice(["maize", "wheat"], rows),
        season=np.repeat("2025", rows),
        region=dice.choice(["a", "b"], rows),
        start=start,
        end=start + dice.integers(1, 300, rows),
        peak_share=np.tile([0.35, 0.95], (rows, 1)),
        calendar_gap=dice.choice([0.0, 50.0, np.nan], rows),
        calendar_sure=dice.random(rows) < 0.5,
        film_share=dice.choice([0.0, 0.4], rows),
        unmeasurable=dice.choice(["", "orchard"], rows),
    )
    return DailyCurves(first_on=np.datetime64("2025-01-01"), values=values, observed=observed), declared


def taken(declared: Declared, order: np.ndarray) -> Declared:
    return replace(declared, **{name: getattr(declared, name)[order] for name in Declared.__dataclass_fields__})


@given(SEEDS)
def test_every_outcome_has_what_belongs_to_it(seed):
    for one in verify(*drawn(seed))[0]:
        assert one.outcome in {"conform", "not_conform", "not_assessed"}
        assert (one.reason == "") == (one.outcome == "conform")
        assert (one.confidence is not None) == (one.outcome == "not_conform")
        assert one.confidence is None or MIN_CONFIDENCE <= one.confidence <= 1


@given(SEEDS)
def test_the_order_of_plantings_does_not_matter(seed):
    curves, declared = drawn(seed)
    order = np.random.default_rng(seed).permutation(len(declared.crop))
    mixed = replace(curves, values=curves.values[order], observed=curves.observed[order])
    found, again = verify(curves, declared)[0], verify(mixed, taken(declared, order))[0]
    assert again == [found[i] for i in order]


@given(SEEDS)
def test_what_cannot_be_seen_from_above_is_never_refused(seed):
    curves, declared = drawn(seed)
    hidden = replace(declared, unmeasurable=np.repeat("greenhouse", len(declared.crop)))
    assert set(verify(curves, hidden)[0]) == {Verification(outcome="not_assessed", reason="greenhouse")}


@given(SEEDS, st.integers(0, DAYS - 1))
def test_what_the_curve_does_where_nobody_looked_does_not_matter(seed, day):
    curves, declared = drawn(seed)
    blind = ~(curves.observed[:, max(day - 26, 0) : day + 27].any(axis=1))
    values = curves.values.copy()
    values[blind, day] = 0.99
    first, second = (
        curve_tests(made, declared.start, declared.end, declared.peak_share)
        for made in (curves, replace(curves, values=values))
    )
    np.testing.assert_array_equal(first.strength, second.strength)
    assert (np.nan_to_num(first.strength, nan=-1) <= AT_MOST).all()


@given(st.integers(0, 364), st.integers(0, 364), st.integers(0, 120), st.integers(0, 120))
def test_wider_calendars_accept_no_less(sown, length, wide, wider):
    start = np.datetime64("2025-01-01") + np.array([sown])
    end = start + length
    narrow, broad = (
        SeasonWindow((100, 100 + extra), (250, 250 + extra // 2)) for extra in (wide, min(wide + wider, 200))
    )
    near, far = (calendar_gap(start, end, [window])[0] for window in (broad, narrow))
    assert 0 <= near <= far <= 183


@given(SEEDS, st.floats(0.02, 0.25))
def test_more_spread_is_never_more_planted(seed, more):
    dice = np.random.default_rng(seed)
    mean = np.tile(dice.uniform(0.5, 0.9, (12, 1)), (1, 3))
    std = np.abs(dice.normal(0.05, 0.01, mean.shape))
    std[0] *= dice.uniform(1, 5)
    raised = std.copy()
    raised[0] += more
    ask = {"peak": np.zeros(12), "base": np.full(12, 0.2), "rise": mean[:, 0] - 0.2, "group": np.repeat("g", 12)}
    before, after = (planted_share(mean, s, np.ones_like(mean), np.array([0, 5, 10]), **ask) for s in (std, raised))
    assert ((before > 0) & (before <= 1)).all()
    assert after[0] <= before[0] + 0.02  # its own spread is one of the twelve that say what is usual
