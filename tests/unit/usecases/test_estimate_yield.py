"""Estimates per planting: with a model, without one, too early, too little seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cropcredit.errors import EmptyInput
from cropcredit.model import Promotion, YieldEstimate
from cropcredit.usecases.estimate_yield import YieldRun
from tests.unit.usecases.test_train_yields import trainer
from tests.unit.usecases.yield_world import HARVEST, SOWING, World, end_of, label, months, past, planted, world

AFTER = datetime(2025, 6, 30, tzinfo=UTC)
HEIGHTS = [0.40, 0.44, 0.48, 0.52, 0.56, 0.60]


def watched(made: World, *, until: date = HARVEST, heights: list[float] = HEIGHTS, **look) -> World:
    day = SOWING
    while day <= until:
        made.look(day, heights, **look)
        day += timedelta(10)
    return made


def width(estimate: YieldEstimate) -> float:
    return estimate.t_ha[-1] - estimate.t_ha[0]


def by_planting(run: YieldRun) -> dict[str, YieldEstimate]:
    return {estimate.planting_id: estimate for estimate in run.estimates}


def test_without_local_labels_the_official_yield_answers_and_says_so():
    run = watched(world(label("T1", 2024, 5.0))).estimate()(as_of=AFTER)

    assert run.models == {"winter_wheat": "official-yield"}
    assert run.outcomes["cold_start"] == 6
    best, worst = by_planting(run)["P5"], by_planting(run)["P0"]
    assert worst.quantile(0.5) < 5.0 < best.quantile(0.5)
    assert best.growth_percentile == pytest.approx(100 * 5.5 / 6)
    assert best.skill is None
    assert best.qa_flag == 10


def test_a_trained_model_is_used_once_its_evidence_was_known():
    made = watched(world(*past()))
    trained = trainer(made)
    model_id = trained[0].model_id

    run = made.estimate()(as_of=AFTER)

    assert run.models == {"winter_wheat": model_id}
    estimate = by_planting(run)["P3"]
    assert estimate.skill is not None
    assert estimate.skill > 0
    assert estimate.baseline in {"average", "trend"}
    assert "cold_start" not in estimate.reasons
    assert made.estimates.latest(["P3"], as_of=AFTER) == {"P3": estimate}


def test_a_model_that_learned_from_later_facts_is_not_used_for_an_earlier_day():
    made = watched(world(*past()))
    trainer(made)

    run = made.estimate()(as_of=datetime(2024, 12, 1, tzinfo=UTC))

    assert run.models == {"winter_wheat": "official-yield"}


def test_a_newer_model_does_not_displace_the_one_an_earlier_day_knew():
    made = watched(world(*past()))
    first = trainer(made)[0].model_id
    made.facts.add(label("T1", 2025, 3.0))
    day = datetime(2026, 3, 30, tzinfo=UTC)
    second = trainer(made, as_of=day)[0].model_id

    assert made.models.promoted("winter_wheat") == [first, second]
    assert made.estimate()(as_of=AFTER).models == {"winter_wheat": first}
    assert made.estimate()(as_of=day).models == {"winter_wheat": second}


def test_what_is_promoted_later_never_changes_an_earlier_estimate():
    made = watched(world(*past()))
    first = trainer(made)[0].model_id  # at the end of June 2025
    second = made.models.save(made.models.load(first) | {"labels": 7}, "# another")
    days = [datetime(2025, month, 20, tzinfo=UTC) for month in (6, 7, 8)]

    def used() -> list[str]:
        return [made.estimate()(as_of=day).models["winter_wheat"] for day in days]

    before = used()
    made.models.promote(Promotion(crop="winter_wheat", model_id=second, at=days[2], by="", reason="better"))

    assert before == [first, first, first]
    assert used() == [first, first, second]


def test_what_is_learned_later_never_changes_an_earlier_estimate():
    early = end_of(date(2025, 4, 28))
    before = watched(world(*past()), until=date(2025, 4, 25))
    trainer(before)
    after = watched(world(*past(), label("T1", 2025, 0.5), *months("T9", 2026, 0.9)), until=HARVEST)
    trainer(after, as_of=early)

    first, second = (made.estimate()(as_of=early) for made in (before, after))

    assert first.estimates == second.estimates
    assert first.run_id == second.run_id


def test_before_sowing_the_estimate_is_flagged_and_as_wide_as_it_can_be():
    made = world(label("T1", 2023, 5.0))
    early = end_of(SOWING - timedelta(30))
    made.facts.add(
        *(
            planted(n, season_id="2026-winter", sowing_on=date(2025, 10, 12), harvest_on=date(2026, 6, 10))
            for n in range(6)
        )
    )

    run = watched(made).estimate()(as_of=AFTER)

    assert run.outcomes["before_sowing"] == 6
    estimate = by_planting(run)["P0"]
    assert estimate.reasons[0] == "before_sowing"
    assert estimate.growth_percentile is None
    grown = by_planting(watched(world(label("T1", 2023, 5.0))).estimate()(as_of=AFTER))["P3"]
    assert width(estimate) > width(grown)
    assert early < AFTER


def test_a_mixed_pixel_widens():
    plain = by_planting(watched(world(label("T1", 2024, 5.0))).estimate()(as_of=AFTER))["P2"]
    mixed = by_planting(watched(world(label("T1", 2024, 5.0)), mixed=2).estimate()(as_of=AFTER))["P2"]

    assert "mixed_pixel" in mixed.reasons
    assert "mixed_pixel" not in plain.reasons
    assert width(mixed) > width(plain)


def test_few_clear_dates_widen():
    many = by_planting(watched(world(label("T1", 2024, 5.0))).estimate()(as_of=AFTER))["P2"]
    sparse = world(label("T1", 2024, 5.0))
    for day in (date(2025, 3, 1), date(2025, 4, 20), date(2025, 5, 30)):
        sparse.look(day, HEIGHTS)
    few = by_planting(sparse.estimate()(as_of=AFTER))["P2"]

    assert "few_clear_dates" in few.reasons
    assert width(few) > width(many)


def test_early_in_the_season_the_estimate_is_wider_and_closer_to_the_region():
    made = watched(world(label("T1", 2023, 5.0)))

    late = by_planting(made.estimate()(as_of=AFTER))["P5"]
    early = by_planting(made.estimate()(as_of=end_of(date(2025, 1, 15))))["P5"]

    assert "early_season" in early.reasons
    assert width(early) > width(late)
    assert abs(early.quantile(0.5) - 5.0) < abs(late.quantile(0.5) - 5.0)


def test_without_any_look_from_space_the_region_answers():
    run = world(label("T1", 2024, 5.0)).estimate()(as_of=AFTER)

    assert run.outcomes["no_observations"] == 6
    assert {e.quantile(0.5) for e in run.estimates} == {5.0}


def test_four_fields_of_a_crop_are_too_few_to_rank():
    run = watched(world(label("T1", 2024, 5.0), farms=4), heights=HEIGHTS[:4]).estimate()(as_of=AFTER)

    assert run.outcomes["few_neighbours"] == 4


def test_an_unknown_crop_and_an_unknown_field_are_refused_one_by_one():
    made = watched(world(label("T1", 2024, 5.0)))
    made.facts.add(planted(7, crop="dragonfruit"), planted(8))

    run = made.estimate()(as_of=AFTER)

    assert run.outcomes["estimated"] == 6
    assert [(r.planting_id, r.reason.split(";")[0]) for r in run.refused] == [
        ("P7", "unknown crop 'dragonfruit'"),
        ("P8", "no field with id 'F8'"),
    ]


def test_a_crop_nobody_has_a_yield_of_is_refused_not_guessed():
    run = watched(world()).estimate()(as_of=AFTER)

    assert run.estimates == ()
    assert "no yield of 'winter_wheat' is known anywhere" in run.refused[0].reason


def test_a_village_lies_in_its_township():
    run = watched(world(label("T1", 2024, 5.0), label("T2", 2024, 9.0), unit="T1/v3")).estimate()(as_of=AFTER)

    assert {e.baseline_t_ha for e in run.estimates} == {5.0}


def test_a_workspace_without_plantings_has_nothing_to_estimate():
    with pytest.raises(EmptyInput, match="no planting is known"):
        world(farms=0).estimate()(as_of=AFTER)


def test_a_second_run_gives_the_same_run():
    made = watched(world(*past()))
    trainer(made)

    first, second = made.estimate()(as_of=AFTER), made.estimate()(as_of=AFTER)

    assert first == second
    assert len(made.runs.manifests("yield")) == 1
