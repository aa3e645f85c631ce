from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from cropcredit.errors import CurrencyMismatch, MissingEvidence, UnknownName, UnknownRecord
from cropcredit.model import Offer, YieldEstimate, canonical_bytes, digest
from cropcredit.usecases.size_loan import ReplayOffer, SizeAll, first_difference
from tests.fakes import FakeEstimates, FakeFacts, FakeFields
from tests.lending import (
    DUE,
    SPRING,
    TODAY,
    Lender,
    application,
    cny,
    consent,
    costs,
    estimate,
    party,
    planting,
    policy,
    price,
    records,
    register_field,
    series,
    tenure,
)


def lender(*more, estimates=None, fields=None, **changed) -> Lender:
    made = Lender(facts=FakeFacts(*records(**changed), *more))
    if estimates is not None:
        made.estimates = FakeEstimates(*estimates)
    if fields is not None:
        made.fields = FakeFields(*fields)
    return made


def test_one_hectare_of_wheat_is_sized_from_what_is_known():
    desk = lender()
    offer = desk.size("A1")
    assert offer.needed == cny(7000)
    assert offer.amount <= cny(7000)
    assert offer.gap == offer.needed - offer.amount
    assert offer.financed_area_ha == (("PL1", 1.0),)
    assert sum(part for _, part in offer.price_parts) == pytest.approx(offer.apr)
    assert offer.schedule[-1].due_on == DUE
    assert (offer.model_ids, offer.policy_id, offer.code_version) == (("m1",), "season-CNY", "0.1.0")
    assert desk.facts.get(Offer, offer.id) == offer


def test_every_input_is_cited_by_the_hash_of_the_version_used():
    desk = lender()
    offer = desk.size("A1")
    cited = {ref.kind: ref.sha256 for ref in offer.inputs}
    assert set(cited) == {
        "Application",
        "Consent",
        "CostSheet",
        "Crop",
        "FarmGatePrice",
        "Field",
        "LendingPolicy",
        "Party",
        "Planting",
        "PriceSeries",
        "Tenure",
        "YieldEstimate",
    }
    assert cited["Consent"] == digest(consent())
    assert desk.facts.by_hash(YieldEstimate, cited["YieldEstimate"]) == estimate()


def test_sizing_twice_stores_one_offer():
    desk = lender()
    first = desk.size("A1", as_of=TODAY)
    desk.clock.instant = TODAY + timedelta(days=1)
    assert desk.size("A1", as_of=TODAY) == first
    assert len(desk.facts.history(Offer, first.id)) == 1


def test_what_becomes_known_later_does_not_change_an_earlier_instant():
    desk = lender()
    first = desk.size("A1", as_of=TODAY)
    later = TODAY + timedelta(days=3)
    desk.facts.add(
        replace(price(), per_kg=Decimal("1.2"), known_at=later),
        replace(consent(), withdrawn_at=later, known_at=later),
        replace(application(), requested=cny(10), known_at=later),
    )
    desk.estimates.write("late", [estimate((1.0,) * 7, as_of=later, known_at=later)])
    assert desk.size("A1", as_of=TODAY) == first


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        pytest.param({"consent": None}, "application A1: no consent of party P1 to satellite data", id="no consent"),
        pytest.param({"consent": consent(data_kinds=("finance",))}, "no consent of party P1", id="other data"),
        pytest.param({"consent": consent(purpose="marketing")}, "no consent of party P1", id="other purpose"),
        pytest.param({"consent": consent(withdrawn_at=SPRING)}, "no consent of party P1", id="withdrawn"),
        pytest.param({"planting": None}, "application A1: no planting with id 'PL1'", id="no planting"),
        pytest.param({"party": None}, "application A1: no party with id 'P1'", id="no party"),
        pytest.param({"tenure": None}, "planting PL1: party P1 is not known to operate field F1", id="no tenure"),
        pytest.param({"tenure": tenure(role="holder")}, "not known to operate", id="somebody else operates"),
        pytest.param({"price": None}, "planting PL1: no farm-gate price of winter_wheat for 371425", id="no price"),
        pytest.param({"price": price(region="9999")}, "no farm-gate price", id="price of another region"),
        pytest.param({"price": price(dated_on=date(2025, 7, 1))}, "no farm-gate price", id="price of the future"),
        pytest.param({"series": None}, "planting PL1: no price series of winter_wheat", id="no series"),
        pytest.param({"costs": None}, "planting PL1: no cost sheet of winter_wheat for 371425", id="no cost"),
        pytest.param({"policy": None}, "application A1: no lending policy in CNY in force at 20", id="no policy"),
        pytest.param({"application": None}, "no Application with id 'A1'", id="no application"),
        pytest.param({"application": application(planting_ids=())}, "names no planting", id="nothing planted"),
        pytest.param({"application": application(planting_ids=("PL1", "PL1"))}, "or one twice", id="planted twice"),
        pytest.param(
            {"application": application(due_on=date(2025, 6, 1))}, "harvested on 2025-06-10, after", id="early"
        ),
        pytest.param({"application": application(due_on=date(2025, 3, 1))}, "due on 2025-03-01, not after", id="past"),
    ],
)
def test_what_is_missing_is_refused_by_its_name(changed, refused):
    desk = lender(**changed)
    with pytest.raises((MissingEvidence, UnknownRecord), match=refused):
        desk.size("A1")
    assert desk.facts.find(Offer) == []


def test_a_missing_field_and_a_missing_estimate_are_refused_by_name():
    with pytest.raises(MissingEvidence, match="planting PL1: no field F1"):
        lender(fields=()).size("A1")
    with pytest.raises(MissingEvidence, match="planting PL1: no yield estimate; run: cropcredit yield run"):
        lender(estimates=()).size("A1")


def test_an_unknown_crop_is_refused_by_name():
    with pytest.raises(UnknownName, match="unknown crop 'quinoa'"):
        lender(planting=planting(crop="quinoa")).size("A1")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"price": price(currency="KES")}, id="price"),
        pytest.param({"costs": costs(currency="KES", items=())}, id="cost"),
    ],
)
def test_money_of_two_currencies_is_not_mixed(changed):
    with pytest.raises(CurrencyMismatch, match="KES against CNY"):
        lender(**changed).size("A1")


def test_a_groups_member_may_operate_the_field():
    assert lender(party=party(members=("M1",)), tenure=tenure(party_id="M1")).size("A1")


def test_the_most_specific_region_wins_and_then_the_latest_price():
    desk = lender(
        price(id="everywhere", region="*", per_kg=Decimal("9.9"), dated_on=date(2025, 3, 30)),
        price(id="newer", per_kg=Decimal("2.6"), dated_on=date(2025, 3, 20)),
        price(id="village", region="371425", per_kg=Decimal("2.4"), dated_on=date(2025, 2, 1)),
    )
    assert [ref.id for ref in desk.size("A1").inputs if ref.kind == "FarmGatePrice"] == ["village"]


def test_the_series_with_most_published_months_is_used():
    desk = lender(series(id="short", first_month=date(2020, 1, 1), values=(1.0,) * 60))
    assert [ref.id for ref in desk.size("A1").inputs if ref.kind == "PriceSeries"] == ["winter_wheat/world"]


def test_only_what_everybody_vouches_for_is_financed():
    desk = lender(
        planting=planting(declared_area_ha=1.3),
        tenure=tenure(registered_area_ha=0.9),
        estimates=[estimate(planted_share=0.8)],
        fields=[register_field(area_ha=1.0)],
    )
    assert desk.size("A1").financed_area_ha == (("PL1", 0.8),)


def test_two_crops_between_each_other_fill_the_field_once():
    desk = lender(
        planting(id="PL2", declared_area_ha=0.5),
        application=application(planting_ids=("PL1", "PL2")),
        estimates=[estimate(), estimate(id="Y2", planting_id="PL2")],
    )
    (_, first), (_, second) = desk.size("A1").financed_area_ha
    assert (first, second) == pytest.approx((2 / 3, 1 / 3))


def test_a_made_party_makes_a_made_offer():
    assert lender(party=party(synthetic=True)).size("A1").synthetic
    assert not lender().size("A1").synthetic


def test_one_case_without_evidence_does_not_stop_the_others():
    desk = lender(replace(application(planting_ids=("gone",)), id="A0"))
    outcomes = SizeAll(facts=desk.facts, clock=desk.clock, size_loan=desk.size)()
    assert [(one.application_id, one.offer is None) for one in outcomes] == [("A0", True), ("A1", False)]
    assert "no planting with id 'gone'" in outcomes[0].refused


def replay(desk: Lender) -> ReplayOffer:
    return ReplayOffer(facts=desk.facts, fields=desk.fields, catalogues=desk.catalogues)


def test_an_offer_is_replayed_to_the_same_bytes_after_everything_was_corrected():
    desk = lender()
    offer = desk.size("A1")
    later = TODAY + timedelta(days=30)
    desk.facts.add(
        replace(price(), per_kg=Decimal("1.0"), known_at=later),
        replace(policy(), alpha=0.01, known_at=later),
        replace(costs(), items=costs().items[:1], known_at=later),
        price(id="village", region="371425", known_at=SPRING),  # more specific, and said to have been known
    )
    told = replay(desk)(offer.id)
    assert (told.same, told.difference, told.inputs) == (True, "", len(offer.inputs))


def test_a_tampered_offer_is_found_out_by_its_first_difference():
    desk = lender()
    offer = desk.size("A1")
    desk.facts.add(replace(offer, amount=cny(9999), known_at=TODAY + timedelta(hours=1)))
    told = replay(desk)(offer.id)
    assert not told.same
    assert told.difference == f"offer.amount.minor: 999900 -> {offer.amount.minor}"
    desk.facts.add(replace(offer, shortfall_at_need=0.0, known_at=TODAY + timedelta(hours=2)))
    assert replay(desk)(offer.id).difference.startswith("offer.shortfall_at_need: 0.0 ->")


def test_a_field_that_is_not_what_it_was_is_named():
    desk = lender()
    offer = desk.size("A1")
    desk.fields.versions = [register_field(area_ha=0.5)]
    told = replay(desk)(offer.id)
    assert told.difference.startswith("Field F1 is not what it was")


def test_evidence_that_is_gone_is_named():
    desk = lender()
    offer = desk.size("A1")
    gone = Lender(facts=FakeFacts(offer), fields=desk.fields)
    assert "evidence: no Application with id" in replay(gone)(offer.id).difference


def test_an_unknown_offer_is_refused():
    with pytest.raises(UnknownRecord, match="no Offer"):
        replay(lender())("nope")


def test_trees_of_other_shape_differ_as_a_whole():
    assert first_difference({"a": [1]}, {"a": [1, 2]}) == "offer.a: [1] -> [1, 2]"
    assert first_difference(1, 1) == ""


def test_equal_evidence_of_another_day_is_another_offer():
    desk = lender()
    first, second = desk.size("A1"), desk.size("A1", as_of=datetime(2025, 4, 20, tzinfo=UTC))
    assert first.id != second.id
    assert canonical_bytes(first) != canonical_bytes(second)


def test_an_estimate_said_again_later_is_cited_in_the_version_that_is_held():
    desk = lender()
    first = desk.size("A1", as_of=TODAY)
    desk.estimates = FakeEstimates(estimate(known_at=SPRING + timedelta(days=2)))
    assert desk.size("A1", as_of=TODAY) == first
