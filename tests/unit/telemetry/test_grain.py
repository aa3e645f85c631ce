"""What lies on the scale may rise by a delivery or by water, and by nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cropcredit.telemetry.grain import weight
from tests.unit.telemetry.nature import DAILY, DAYS, GRID, HOURS, air, dice, doubt, reason, track

NOON = 12 * 3600.0
DAY_S = 86_400.0
LOAD = 10_000.0


def scale(change=0.0) -> np.ndarray:
    return np.asarray(LOAD + change + dice().normal(0, 2, len(HOURS)))


def after(day: int, kg: float) -> np.ndarray:
    return np.where(24 * day + 12 <= HOURS, kg, 0.0)


def asked(values: np.ndarray, *, moves=(), moisture=None, warmth=None, taken=(), grid=GRID) -> dict[str, Any]:
    on_scale = track("store.weight", values)
    found = weight(
        on_scale, values, grid, moisture=moisture, warmth=warmth, moves=moves, stock_taken_s=taken
    )  # fmt: skip
    return {check.code: check for check in found}


def test_a_load_that_lies_there_is_sound():
    found = asked(scale(), moisture=np.full(len(HOURS), 12.5), warmth=air())
    assert max(doubt(check) for check in found.values()) < 0.05


def test_stones_are_a_rise_that_no_delivery_explains():
    found = asked(scale(after(10, 1500)))["weight_rise"]
    assert reason(found).grade == "D"
    assert dict(found.facts)["kg"] == pytest.approx(1500, abs=20)


def test_bad_contacts_are_no_deliveries():
    assert doubt(asked(scale(np.where(HOURS % 97 == 5, 5000.0, 0.0)))["weight_rise"]) < 0.05


def test_a_slow_rise_is_one_too():
    assert doubt(asked(scale(np.linspace(0, 1500, len(HOURS))))["weight_rise"]) > 0.9


@pytest.mark.parametrize("late_h", [-6, 0, 8])
def test_a_delivery_in_the_book_explains_its_rise_to_within_hours(late_h):
    moves = [(10 * DAY_S + NOON + late_h * 3600, 1500.0), (20 * DAY_S, -800.0)]
    assert doubt(asked(scale(after(10, 1500) - after(19, 800)), moves=moves)["weight_rise"]) < 0.05


def test_what_an_inspector_has_seen_is_no_rise():
    taken = (10 * DAY_S + NOON + 3600,)
    assert doubt(asked(scale(after(10, 1500)), taken=taken)["weight_rise"]) < 0.05
    assert doubt(asked(scale(after(10, 1500) + after(20, 1500)), taken=taken)["weight_rise"]) > 0.9


def test_a_delivery_shortly_before_an_inspection_was_weighed_with_the_rest():
    taken = (DAY_S, 10 * DAY_S + NOON + 2 * 3600)
    assert doubt(asked(scale(after(10, 1500)), taken=taken)["weight_rise"]) < 0.05


def test_what_lay_there_before_anybody_took_stock_is_in_no_book():
    filled = scale(after(5, 9000) - 9000)
    assert doubt(asked(filled)["weight_rise"]) > 0.9
    assert doubt(asked(filled, taken=(12 * DAY_S,))["weight_rise"]) < 0.05


def test_water_weighs_too():
    damp = np.linspace(12.0, 16.0, len(HOURS))
    swollen = LOAD * (100 - 12.0) / (100 - damp)
    assert doubt(asked(swollen, moisture=damp)["weight_rise"]) < 0.05
    assert doubt(asked(swollen)["weight_rise"]) > 0.5


def test_a_loss_is_the_stock_takers_matter():
    assert doubt(asked(scale(-after(10, 4000)))["weight_rise"]) < 0.05


def test_grain_that_dries_loses_its_water_by_weight_too():
    drying = np.linspace(17.0, 12.5, len(HOURS))
    lighter = LOAD * (100 - 17.0) / (100 - drying)
    assert doubt(asked(lighter, moisture=drying)["weight_kept"]) < 0.1
    assert doubt(asked(scale(), moisture=drying)["weight_kept"]) > 0.5
    assert asked(scale(), moisture=drying, moves=[(5 * DAY_S, 9000.0)])["weight_kept"].because == "too_short"
    assert asked(scale())["weight_kept"].because == "no_deliveries"


def test_a_scale_that_breathes_with_the_day_creeps_a_case_for_maintenance():
    breathing = scale(LOAD * 4e-4 * (air() - 15))
    found = asked(breathing, warmth=air())["creep"]
    assert (reason(found).grade in {"B", "C"}, reason(found).meaning) == (True, "maintenance")
    assert asked(breathing)["creep"].because == "no_air"
    few = np.where(HOURS < 40, air(), np.nan)
    assert asked(breathing, warmth=few)["creep"].because == "too_short"


def test_without_a_book_a_rise_is_not_judged():
    found = asked(scale(after(10, 1500)), moves=None, moisture=np.full(len(HOURS), 12.5))
    assert (found["weight_rise"].because, found["weight_kept"].because) == ("no_deliveries", "no_deliveries")


def test_an_empty_store_and_a_short_look_are_not_judged():
    assert {check.because for check in asked(np.zeros(len(HOURS))).values()} == {"too_short"}
    short = np.where(HOURS < 48, scale(), np.nan)
    assert {check.because for check in asked(short).values()} == {"too_short"}
    daily = asked(np.full(DAYS, LOAD), warmth=np.full(DAYS, 15.0), grid=DAILY)
    assert daily["creep"].because == "no_air"


def test_probes_that_never_spoke_leave_the_weight_as_it_is():
    nothing = np.full(len(HOURS), np.nan)
    assert doubt(asked(scale(after(10, 1500)), moisture=nothing)["weight_rise"]) > 0.9
