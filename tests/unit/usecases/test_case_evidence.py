from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cropcredit.errors import NotPermitted, UnknownRecord
from cropcredit.model import Account, Application, FieldSeries, Record, Role
from cropcredit.usecases.case_evidence import GatherCaseEvidence, curves_of
from cropcredit.usecases.telemetry import SensorSummary
from tests import builders, lending
from tests.fakes import FakeClock, FakeFacts, FakeRuns

OFFICER = Account(username="li", full_name="Li", role=Role.OFFICER, branch=lending.BRANCH)
STRANGER = Account(username="far", full_name="Far", role=Role.OFFICER, branch="south")


class OneSeries:
    """Gives the series of the fields asked for, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        assert index == "NDVI"
        assert field_ids is not None
        self.asked.append((tuple(units), tuple(field_ids)))
        return builders.series(*field_ids)


class OneProbe:
    """Says of every field that no device stands there."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *, field_id: str, as_of) -> SensorSummary:
        self.asked.append(field_id)
        return SensorSummary(place=field_id, since=as_of, as_of=as_of, zone="UTC", series=(), devices=())


class NoGrain:
    """Says that nobody has grain in a store, and remembers of whom it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *, party_id: str, as_of) -> list[Any]:
        del as_of
        self.asked.append(party_id)
        return []


def run(run_id: str, as_of: datetime, units: list[str]) -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name in ("held_back", "events")}
    named = {"kind": "ndvi", "run_id": run_id, "as_of": as_of.isoformat(), "units": units}
    return lists | named | {"indices": ["NDVI"], "product": "s2-l2a", "field_set": "", "outcomes": {}}


def gather(*records: Record, runs: FakeRuns | None = None) -> Any:
    observations: Any = OneSeries()
    summarise: Any = OneProbe()
    take_stock: Any = NoGrain()
    return GatherCaseEvidence(
        facts=FakeFacts(*(records or lending.records())),
        observations=observations,
        runs=runs or some_runs(),
        summarise=summarise,
        take_stock=take_stock,
        clock=FakeClock(lending.TODAY),
    )


def some_runs() -> FakeRuns:
    runs = FakeRuns()
    runs.write("early", run("early", lending.SPRING, ["T/2025-02/a"]), {})
    runs.write("late", run("late", lending.TODAY + timedelta(days=9), ["T/2025-04/b"]), {})
    return runs


def test_curves_come_from_the_run_that_was_known_then() -> None:
    asked = gather()
    found = asked("A1", OFFICER)
    assert found.seen_as_of == lending.SPRING
    assert asked.observations.asked == [(("T/2025-02/a",), ("F1",))]
    assert list(found.curves) == ["F1"]


def test_without_a_run_there_is_no_curve_and_no_failure() -> None:
    found = gather(runs=FakeRuns())("A1", OFFICER)
    assert (found.seen_as_of, found.curves) == (None, {})


def test_what_the_applicant_did_not_allow_is_not_even_read() -> None:
    asked = gather(*lending.records(consent=None))
    found = asked("A1", OFFICER)
    assert found.withheld == ("satellite", "sensors")
    assert asked.observations.asked == []
    assert asked.summarise.asked == []
    assert asked.take_stock.asked == []


def test_each_kind_of_data_needs_its_own_consent() -> None:
    asked = gather(*lending.records(consent=lending.consent(data_kinds=("sensors",))))
    assert asked("A1", OFFICER).withheld == ("satellite",)
    assert asked.take_stock.asked == [asked.facts.get(Application, "A1").party_id]


def test_a_consent_that_was_withdrawn_counts_no_longer() -> None:
    gone = lending.consent(withdrawn_at=lending.TODAY - timedelta(days=1))
    assert gather(*lending.records(consent=gone))("A1", OFFICER).withheld == ("satellite", "sensors")


def test_a_planting_that_is_missing_does_not_hide_the_others() -> None:
    application = lending.application(planting_ids=("PL1", "PL-lost"))
    assert list(gather(*lending.records(application=application))("A1", OFFICER).curves) == ["F1"]


def test_the_evidence_of_another_branch_stays_closed() -> None:
    with pytest.raises(NotPermitted, match="case A1 belongs to branch north, not south"):
        gather()("A1", STRANGER)


def test_an_application_that_is_not_there_is_said_so() -> None:
    with pytest.raises(UnknownRecord, match="no Application with id 'A9'"):
        gather()("A9", OFFICER)


def test_a_cloudy_look_stands_in_the_curve_but_the_line_passes_it_over() -> None:
    curve = curves_of(builders.series("F1"))["F1"]
    cloudy = [point for point in curve.points if point.clear_fraction < 0.5]
    assert cloudy
    assert not any(point.kept for point in cloudy)
    line = dict(curve.line)
    assert all(line[point.on] - point.ndvi > 0.05 for point in cloudy)
    assert curve.line[0][0] == date(2024, 10, 10)


def test_a_field_never_seen_has_no_points_and_no_line() -> None:
    series = builders.series("F1")
    series.mean[:] = np.nan
    series.clear_fraction[:] = 0
    curve = curves_of(series)["F1"]
    assert (curve.points, curve.line) == ((), ())


def test_no_dates_at_all_give_no_curves() -> None:
    empty = FieldSeries(
        index="NDVI",
        field_ids=("F1",),
        acquired_at=np.array([], dtype="datetime64[D]"),
        mean=np.empty((1, 0)),
        clear_fraction=np.empty((1, 0)),
        mixed_pixel=np.array([False]),
    )
    assert curves_of(empty) == {}
