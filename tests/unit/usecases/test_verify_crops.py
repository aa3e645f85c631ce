"""Verification within an estimate: what is seen, what cannot be seen, and what that does to the numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from cropcredit.model import CropCalendar, GrowingSeason, Planting, YieldEstimate
from tests.fakes import FakeCatalogues
from tests.unit.usecases.test_estimate_yield import AFTER, HEIGHTS, by_planting, watched, width
from tests.unit.usecases.yield_world import HARVEST, LONG_AGO, SOWING, World, label, planted, world

PLAIN = GrowingSeason(
    region="CN-north",
    crop="winter_wheat",
    name="winter",
    sowing=(9, 11),
    harvest=(5, 7),
    source="test",
    boxes=((100.0, 32.0, 123.0, 43.5),),
)


class Marked(FakeCatalogues):
    """A catalogue whose wheat is grown in some special system."""

    def __init__(self, *seasons: GrowingSeason, **changes) -> None:
        super().__init__(*seasons)
        self._crops["winter_wheat"] = replace(self._crops["winter_wheat"], **changes)


def farms(**changes) -> World:
    made = watched(world(label("T1", 2024, 5.0)), until=HARVEST + timedelta(30), **changes)
    made.catalogues = FakeCatalogues(PLAIN)
    return made


def found(made: World, as_of: datetime = AFTER) -> dict[str, YieldEstimate]:
    return by_planting(made.estimate()(as_of=as_of))


def centre(estimate: YieldEstimate) -> float:
    return estimate.quantile(0.5)


def test_wheat_that_grows_like_wheat_conforms():
    estimates = found(farms())

    assert {e.verification for e in estimates.values()} == {"conform"}
    assert {e.verification_confidence for e in estimates.values()} == {None}


def test_one_bare_field_among_wheat_does_not_conform_and_says_why_and_how_surely():
    made = farms(heights=[0.0, *HEIGHTS[1:]])
    bare = found(made)["P0"]

    assert bare.verification == "not_conform"
    assert bare.verification_confidence == pytest.approx(1.0)
    assert "no_season" in bare.reasons
    assert found(made)["P1"].verification == "conform"


def test_a_season_that_is_not_one_is_found_in_the_calendar():
    made = farms()
    made.facts.add(planted(0, season_id="2025-summer", sowing_on=date(2025, 1, 20), harvest_on=date(2025, 8, 30)))

    wrong = found(made, as_of=datetime(2025, 7, 5, tzinfo=UTC))["P0"]

    assert wrong.verification == "not_conform"
    assert "out_of_calendar" in wrong.reasons


def test_a_calendar_of_our_own_widens_what_is_accepted():
    made = farms()
    made.facts.add(
        planted(0, season_id="2025-summer", sowing_on=date(2025, 1, 20), harvest_on=date(2025, 8, 30)),
        CropCalendar(
            id="c", known_at=LONG_AGO, crop="winter_wheat", region="T1", sowing_doy=15, harvest_doy=240, source="bank"
        ),
    )

    assert "out_of_calendar" not in found(made)["P0"].reasons


def test_an_unsure_calendar_is_held_against_nobody():
    made = farms()
    made.catalogues = FakeCatalogues(replace(PLAIN, sure=False))
    made.facts.add(planted(0, season_id="2025-summer", sowing_on=date(2025, 1, 20), harvest_on=date(2025, 8, 30)))

    estimate = found(made)["P0"]

    assert (estimate.verification, "calendar_unsure" in estimate.reasons) == ("not_assessed", True)


def test_without_a_calendar_the_curve_alone_is_asked():
    made = farms()
    made.catalogues = FakeCatalogues()

    estimate = found(made)["P2"]

    assert (estimate.verification, "no_calendar" in estimate.reasons) == ("conform", True)
    assert "no_calendar" not in found(farms())["P2"].reasons


def test_a_field_elsewhere_is_not_measured_by_this_calendar():
    made = farms()
    made.catalogues = FakeCatalogues(replace(PLAIN, sowing=(3, 3), boxes=((0.0, 0.0, 1.0, 1.0),)))

    assert found(made)["P2"].verification == "conform"


def maize_on_f0(sowing_on: date) -> Planting:
    own = planted(9, crop="maize", season_id="2025-summer", sowing_on=sowing_on, harvest_on=date(2025, 9, 30))
    return replace(own, field_id="F0")


def hidden_by(reason: str) -> World:
    made = farms(mixed=0) if reason == "mixed_pixel" else farms()
    if reason in {"greenhouse", "orchard"}:
        made.catalogues = Marked(PLAIN, system=reason)
    if reason == "intercrop":
        made.facts.add(maize_on_f0(sowing_on=date(2025, 3, 1)), label("T1", 2024, 6.0, crop="maize"))
    return made


@pytest.mark.parametrize("reason", ["greenhouse", "orchard", "intercrop", "mixed_pixel"])
def test_what_cannot_be_seen_is_never_worse_for_it_only_wider(reason):
    """P0 grew worst of all: seen, it is estimated below its region; where nothing can be seen it is not."""
    seen, hidden = found(farms())["P0"], found(hidden_by(reason))["P0"]
    unwatched = found(world(label("T1", 2024, 5.0)))["P0"]

    assert hidden.verification == "not_assessed"
    assert reason in hidden.reasons
    assert "few_neighbours" not in hidden.reasons
    assert (hidden.planted_share, hidden.growth_percentile) == (None, None)
    assert centre(hidden) == pytest.approx(centre(unwatched))
    assert centre(hidden) > centre(seen)
    assert width(hidden) >= width(unwatched) > width(seen)


def test_wheat_and_maize_one_after_the_other_are_no_intercrop():
    made = farms()
    made.facts.add(maize_on_f0(sowing_on=HARVEST - timedelta(15)), label("T1", 2024, 6.0, crop="maize"))

    assert found(made)["P0"].verification == "conform"


def test_under_film_nothing_is_said_until_the_canopy_closes():
    made = world(label("T1", 2024, 5.0))
    for step in range(6):
        made.look(SOWING + timedelta(10 * step), HEIGHTS)
    made.catalogues = Marked(PLAIN, film_share=0.4)

    estimate = found(made)["P3"]

    assert (estimate.verification, "film" in estimate.reasons) == ("not_assessed", True)


def test_half_a_field_is_seen_to_be_half_planted():
    made = world(label("T1", 2024, 5.0), farms=10)
    level = np.array([0.3, *[0.6] * 9])
    day = SOWING
    while day <= HARVEST:
        made.look(day, list(level))
        unit = next(reversed(made.observations.units))
        (seen,) = made.observations.units[unit]
        green = seen.core_mean - 0.2
        spread = np.where(np.arange(10) == 0, green, 0.05 * green)  # half at 0.2, half at 0.2 + 2 x green
        made.observations.units[unit] = [replace(seen, core_std=spread)]
        day += timedelta(10)

    estimates = found(made)

    assert estimates["P0"].planted_share == pytest.approx(0.5, abs=0.03)
    assert {estimates[f"P{n}"].planted_share for n in range(1, 10)} == {1.0}


def test_a_share_that_cannot_be_told_is_not_invented_and_says_so():
    """Six fields are too few to know how uneven a full one is."""
    estimate = found(farms())["P2"]

    assert (estimate.verification, estimate.planted_share) == ("conform", None)
    assert "share_unknown" in estimate.reasons


def test_under_glass_no_planted_share_is_read_off_the_roof():
    made = watched(world(label("T1", 2024, 5.0), farms=10), heights=[0.5] * 10)
    assert {e.planted_share for e in found(made).values()} == {1.0}

    made.catalogues = Marked(PLAIN, system="greenhouse")

    assert {e.planted_share for e in found(made).values()} == {None}
