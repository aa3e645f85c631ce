"""Curves that can be read in the head: a hump from sowing to harvest, and what is wrong with the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cropcredit.agronomy.crop_calendar import SeasonWindow, calendar_gap
from cropcredit.agronomy.crop_classifier import MIN_FIELDS, declared_likelihood
from cropcredit.agronomy.curve_tests import TESTS, curve_tests, known_days, lowest_seen
from cropcredit.agronomy.features import SeasonCalendar
from cropcredit.agronomy.planted_share import planted_share
from cropcredit.agronomy.series import DailyCurves
from cropcredit.agronomy.verification import Declared, Verification, verify

DAYS = 300
SOWN, CUT = 60, 200
SHARE = (0.35, 0.92)


def hump(peak=150, width=35, top=0.8, bare=0.2):
    return bare + (top - bare) * np.exp(-(((np.arange(DAYS) - peak) / width) ** 2))


def curves(*rows, every=5, last=DAYS - 1):
    values = np.array(rows, dtype=float)
    day = np.arange(DAYS)
    observed = np.broadcast_to((day % every == 0) & (day <= last), values.shape).copy()
    held = np.minimum(day, np.flatnonzero(observed[0])[-1])
    return DailyCurves(first_on=np.datetime64("2025-01-01"), values=values[:, held], observed=observed)


def declared(n, **changes):
    plain = Declared(
        field=np.arange(n),
        crop=np.repeat("maize", n),
        season=np.repeat("2025-summer", n),
        region=np.repeat("T1", n),
        start=np.full(n, SOWN),
        end=np.full(n, CUT),
        peak_share=np.tile(SHARE, (n, 1)),
        calendar_gap=np.zeros(n),
        calendar_sure=np.ones(n, dtype=bool),
        film_share=np.zeros(n),
        unmeasurable=np.repeat("", n),
    )
    return replace(plain, **changes)


def judged(*rows, **changes):
    looks = {name: changes.pop(name) for name in ("every", "last") if name in changes}
    return verify(curves(*rows, **looks), declared(len(rows), **changes))[0]


GRASS = np.full(DAYS, 0.75) + 0.1 * np.sin(np.arange(DAYS) / 20)
WRONG = {
    "no_season": np.full(DAYS, 0.2),
    "never_bare": GRASS,
    "started_before_sowing": np.maximum(hump(peak=60, width=40), hump(peak=120, width=60)),
    "peak_out_of_window": hump(peak=225, width=22),
    "two_seasons": np.maximum(hump(peak=100, width=15), hump(peak=170, width=15)),
}


def test_a_hump_between_sowing_and_harvest_conforms():
    assert judged(hump()) == [Verification(outcome="conform")]


@pytest.mark.parametrize("test", WRONG)
def test_each_curve_fails_its_own_test(test):
    (one,) = judged(WRONG[test])
    assert (one.outcome, one.reason) == ("not_conform", test)
    assert 0.7 <= one.confidence <= 1


@pytest.mark.parametrize("peak", [40, 235])
def test_a_season_at_another_time_is_found(peak):
    (one,) = judged(hump(peak=peak, width=20))
    assert one.outcome == "not_conform"


def test_green_after_the_harvest_alone_is_an_open_question():
    stays = np.where(np.arange(DAYS) > 150, 0.75, hump())
    tests = verify(curves(stays), declared(1))[1].strength[0]
    assert [name for name, strength in zip(TESTS, tests, strict=True) if strength > 0] == ["green_after_harvest"]
    assert judged(stays) == [Verification(outcome="not_assessed", reason="ambiguous")]


def test_the_crop_before_is_not_taken_for_this_one():
    """Wheat ripens on the very ground that maize is sown into: its fall is no rise."""
    wheat = hump(peak=10, width=30)
    assert judged(np.maximum(wheat, hump())) == [Verification(outcome="conform")]


def test_what_only_falls_after_sowing_is_no_season_of_its_own():
    """The crop before was cut late: its fall reaches into this season, but it did not rise in it."""
    falling = np.maximum(hump(peak=70, width=20), hump(peak=165, width=25))
    strength = verify(curves(falling), declared(1))[1].strength[0]
    assert strength[TESTS.index("two_seasons")] < 0


def test_a_short_bare_time_is_seen_in_the_looks_when_the_smooth_curve_fills_it():
    smoothed = np.maximum(hump(peak=150, width=35), 0.62)
    mean = np.full((1, DAYS), np.nan)
    mean[0, 70] = 0.25
    made = curves(smoothed)
    low = lowest_seen(made, np.array([[0.25, 0.1]]), np.array([70, DAYS + 5]))
    filled, seen = (
        curve_tests(made, np.array([SOWN]), np.array([CUT]), np.array([SHARE]), lowest=x) for x in (None, low)
    )
    column = TESTS.index("never_bare")
    assert filled.strength[0, column] == 1
    assert seen.strength[0, column] < 0


def test_rare_looks_may_have_missed_the_bare_ground():
    often, rarely = judged(GRASS, every=5)[0], judged(GRASS, every=30)[0]
    assert (often.outcome, rarely.outcome) == ("not_conform", "not_assessed")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"last": 55}, "no_observations", id="not seen since sowing"),
        pytest.param({"last": 120}, "early_season", id="half way"),
        pytest.param({"last": 120, "film_share": np.array([0.5])}, "film", id="under film"),
        pytest.param({"every": 45}, "few_clear_dates", id="three looks"),
        pytest.param({"unmeasurable": np.array(["greenhouse"])}, "greenhouse", id="greenhouse"),
    ],
)
def test_what_was_not_seen_is_not_assessed(changes, reason):
    assert judged(WRONG["no_season"], **changes) == [Verification(outcome="not_assessed", reason=reason)]


def test_a_greenhouse_is_not_measured_by_the_calendar_either():
    (one,) = judged(hump(), unmeasurable=np.array(["greenhouse"]), calendar_gap=np.array([100.0]))
    assert one.outcome == "not_assessed"


@pytest.mark.parametrize(
    ("gap", "sure", "outcome", "reason"),
    [
        (100.0, True, "not_conform", "out_of_calendar"),
        (100.0, False, "not_assessed", "calendar_unsure"),
        (20.0, True, "not_assessed", "ambiguous"),
        (15.0, True, "conform", ""),
        (np.nan, True, "conform", ""),
    ],
)
def test_the_calendar_is_asked_first(gap, sure, outcome, reason):
    (one,) = judged(hump(), calendar_gap=np.array([gap]), calendar_sure=np.array([sure]))
    assert (one.outcome, one.reason) == (outcome, reason)


def test_what_most_neighbours_show_is_weather():
    late = [hump(peak=225, width=22)] * 6
    found = judged(*late, hump(), hump())
    assert {(one.outcome, one.reason) for one in found[:6]} == {("not_assessed", "neighbours_alike")}
    assert {one.outcome for one in found[6:]} == {"conform"}


def test_what_few_neighbours_show_is_their_own():
    found = judged(hump(peak=225, width=22), *[hump()] * 6)
    assert [one.outcome for one in found] == ["not_conform", *["conform"] * 6]


def test_neighbours_that_were_hardly_seen_have_no_say_in_what_is_alike():
    made = curves(*[hump(peak=225, width=22)] * 5, *[hump()] * 6)
    made.observed[5:] = np.arange(DAYS) % 45 == 0
    found, _ = verify(made, declared(11))
    assert {one.reason for one in found[:5]} == {"neighbours_alike"}
    assert {one.reason for one in found[5:]} == {"few_clear_dates"}


def test_nothing_declared_is_nothing_verified():
    none = DailyCurves(
        first_on=np.datetime64("2025-01-01"), values=np.empty((0, DAYS)), observed=np.empty((0, DAYS), dtype=bool)
    )
    assert verify(none, declared(0))[0] == []


def mixture(n=MIN_FIELDS + 5):
    """Two crops in one season, which peak six weeks apart; scattered as fields are."""
    dice = np.random.default_rng(3)
    early = [hump(peak=115 + dice.normal(0, 4), width=22, top=dice.uniform(0.65, 0.9)) for _ in range(n)]
    late = [hump(peak=160 + dice.normal(0, 4), width=22, top=dice.uniform(0.65, 0.9)) for _ in range(n)]
    return curves(*early, *late), np.repeat(["soybean", "maize"], n), n


def test_one_field_that_looks_like_the_other_crop_is_refused():
    made, crop, n = mixture(60)
    crop[0] = "maize"
    found, _ = verify(made, declared(2 * n, crop=crop))
    assert (found[0].outcome, found[0].reason) == ("not_conform", "other_crop_likelier")
    assert found[0].confidence == pytest.approx(1.0, abs=0.1)
    assert {one.outcome for one in found[1:]} == {"conform"}


def test_a_likely_crop_overrules_a_failed_test():
    """All of this crop are early this year: what the calendar calls wrong is how the crop grows here."""
    made, crop, n = mixture()
    late_share = np.where(crop[:, None] == "soybean", (0.85, 0.95), SHARE)
    found, tests = verify(made, declared(2 * n, crop=crop, peak_share=late_share))
    assert (tests.strength[:n, TESTS.index("peak_out_of_window")] > 0).all()
    assert {one.outcome for one in found[:n]} == {"conform"}


def test_votes_between_are_an_open_question():
    made, crop, n = mixture()
    made.values[0] = hump(peak=148, width=22)
    found, _ = verify(made, declared(2 * n, crop=crop))
    assert found[0] == Verification(outcome="not_assessed", reason="ambiguous")


def likelihood(made, crop, **changes):
    d = declared(len(crop), crop=np.asarray(crop), **changes)
    return declared_likelihood(made, d.field, d.crop, d.season, d.start, d.end)


def test_too_few_fields_teach_nothing():
    made, crop, _ = mixture(MIN_FIELDS - 1)
    assert np.isnan(likelihood(made, crop)).all()


def test_without_another_crop_in_the_season_there_is_nothing_to_compare():
    made, crop, n = mixture()
    start, end = np.where(crop == "maize", SOWN, 210), np.where(crop == "maize", CUT, 290)
    assert np.isnan(likelihood(made, crop, start=start, end=end)).all()
    same_field = likelihood(made, crop, field=np.tile(np.arange(n), 2))
    assert np.isnan(same_field).all()


def test_a_declaration_cannot_vouch_for_itself():
    """The same curve is judged alike, whatever is declared of it: its own label is never learned from."""
    made, crop, _ = mixture(60)
    wrong = crop.copy()
    wrong[0] = "maize"
    assert likelihood(made, crop)[0] > 0.9
    assert likelihood(made, wrong)[0] < 0.1


def test_votes_are_the_same_again():
    made, crop, _ = mixture()
    np.testing.assert_array_equal(likelihood(made, crop), likelihood(made, crop))


def test_very_many_fields_are_sampled(monkeypatch):
    monkeypatch.setattr("cropcredit.agronomy.crop_classifier.MAX_FIELDS", 15)
    made, crop, _ = mixture()
    assert (likelihood(made, crop) > 0.5).all()


def test_days_far_from_any_look_are_not_known():
    observed = np.zeros((2, 100), dtype=bool)
    observed[0, [10, 90]] = True
    values = np.full((2, 100), 0.5)
    known = known_days(values, observed)
    assert np.flatnonzero(known[0]).tolist() == [*range(36), *range(65, 100)]
    assert not known[1].any()


def test_a_window_may_cross_new_year_and_a_local_calendar_has_room():
    wheat = SeasonWindow.of_calendar(SeasonCalendar(5, 160))
    sown, cut = np.array(["2024-12-01", "2024-11-01", "2025-02-10"], "M8[D]"), np.array(["2025-06-10"] * 3, "M8[D]")
    assert calendar_gap(sown, cut, [wheat]).tolist() == [0, 19, 0]
    assert np.isnan(calendar_gap(sown, cut, [])).all()
    here = np.array([[True], [True], [False]])
    np.testing.assert_array_equal(calendar_gap(sown, cut, [wheat], here), [0, 19, np.nan])


def test_a_leap_day_and_the_end_of_a_leap_year_are_days_of_the_calendar():
    window = SeasonWindow((355, 365), (60, 90))
    assert calendar_gap(np.array(["2024-12-31"], "M8[D]"), np.array(["2024-02-29"], "M8[D]"), [window]).tolist() == [0]


def shares(std, mean=None, n=10, looks=4, **changes):
    mean = np.full((n, looks), 0.8) if mean is None else mean
    ask = {
        "peak": np.zeros(n),
        "base": np.full(n, 0.2),
        "rise": mean[:, 0] - 0.2,
        "group": np.repeat("maize", n),
    }
    return planted_share(mean, std, np.ones((n, looks)), np.arange(looks) * 5, **(ask | changes))


def test_a_thin_crop_is_not_an_empty_field():
    thin = np.full((10, 4), 0.8)
    thin[0] = 0.5
    std = 0.08 * (thin - 0.2)
    assert shares(std, thin).tolist() == [1] * 10


def test_a_field_of_two_halves_is_half_planted():
    mean, std = np.full((10, 4), 0.8), np.full((10, 4), 0.03)
    mean[0], std[0] = 0.5, 0.3
    assert shares(std, mean)[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"rise": np.full(10, np.nan)}, id="no season"),
        pytest.param({"peak": np.full(10, 90.0)}, id="no look near the peak"),
        pytest.param({"group": np.arange(10).astype(str)}, id="no neighbours"),
        pytest.param({"base": np.full(10, 0.7)}, id="no clear rise"),
    ],
)
def test_what_cannot_be_known_of_the_planted_share_is_not_invented(changes):
    assert np.isnan(shares(np.full((10, 4), 0.03), **changes)).all()


def photographed(share, shape, *, fields=40, looks=5, weeds=0.0, seed=0):
    """Draw fields of which every tenth is planted in part: texture, blur of half a pixel, noise of the sensor."""
    dice = np.random.default_rng(seed)
    mean, std, base = np.zeros((fields, looks)), np.zeros((fields, looks)), np.zeros(fields)
    height, width = shape[0] + 6, shape[1] + 6
    for i in range(fields):
        bare, green = dice.normal(0.2, 0.02), dice.uniform(0.4, 0.68)
        base[i] = bare + dice.normal(0, 0.015)
        covered = np.clip((share if i % 10 == 0 else 1.0) * shape[1] - (np.arange(width) - 3), 0, 1)
        texture = gaussian_filter(dice.normal(0, 1, (height, width)), 1.0)
        crop = bare + green * (1 + dice.uniform(0.05, 0.12) * texture / texture.std())
        ground = bare + weeds * green + dice.normal(0, 0.02, (height, width))
        pixels = gaussian_filter(covered * crop + (1 - covered) * ground, 0.5)[3:-3, 3:-3]
        seen = pixels + dice.normal(0, 0.015, (looks, *pixels.shape)) + dice.normal(0, 0.01, (looks, 1, 1))
        mean[i], std[i] = seen.mean(axis=(1, 2)), seen.std(axis=(1, 2))
    rise = np.median(mean, axis=1) - base
    found = shares(std, mean, n=fields, looks=looks, base=base, rise=rise)
    part = np.arange(fields) % 10 == 0
    return found[part], found[~part]


@pytest.mark.parametrize("shape", [(3, 4), (5, 6), (10, 12)], ids=["12 pixels", "30 pixels", "120 pixels"])
@pytest.mark.parametrize(("share", "error"), [(0.3, 0.13), (0.5, 0.08), (0.7, 0.11), (0.85, 0.16)])
def test_the_planted_share_is_found_to_a_tenth_and_never_too_small(shape, share, error):
    """Small fields err most, and always upwards: blur takes spread away. A full field is never called part empty."""
    drawn = [photographed(share, shape, seed=seed) for seed in range(8)]
    part, full = (np.concatenate(of) for of in zip(*drawn, strict=True))
    known = part[np.isfinite(part)]
    assert len(known) >= 0.8 * len(part)
    assert np.sqrt(np.mean((known - share) ** 2)) <= error
    assert known.mean() > share
    assert (full == 1).all()


def test_weeds_hide_what_is_not_planted():
    assert photographed(0.5, (5, 6), weeds=0.3)[0].mean() > 0.7
