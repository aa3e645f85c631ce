from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from cropcredit.errors import CurrencyMismatch, MalformedInput
from cropcredit.model import (
    Account,
    Application,
    Consent,
    Grid,
    Installation,
    Money,
    Party,
    PartyKind,
    Planting,
    Role,
    Season,
    Tenure,
    WeatherSeries,
    YieldEstimate,
    canonical_bytes,
    decode,
    digest,
    parse_as_of,
)

NOON = datetime(2025, 6, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_canonical_bytes_do_not_depend_on_the_order_of_writing():
    one = Party(id="p", known_at=NOON, kind=PartyKind.HOUSEHOLD, name="王", branch="n")
    two = Party(branch="n", name="王", kind=PartyKind.HOUSEHOLD, known_at=NOON, id="p")
    assert canonical_bytes(one) == canonical_bytes(two)
    assert digest(one) == digest(canonical_bytes(two))
    assert decode(Party, canonical_bytes(one)) == one


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: body.replace(b'"name"', b'"nom"')])
def test_a_stored_record_that_was_damaged_is_refused_by_name(damage):
    party = Party(id="p", known_at=NOON, kind=PartyKind.HOUSEHOLD, name="王", branch="n")
    with pytest.raises(MalformedInput, match="Party cannot be read back"):
        decode(Party, damage(canonical_bytes(party)))


@pytest.mark.parametrize("text", ["nan", "-inf", "Infinity"])
def test_what_is_no_number_is_no_amount(text):
    with pytest.raises(MalformedInput, match="not an amount"):
        Money.of(text, "CNY")


def test_the_same_instant_in_another_zone_gives_the_same_bytes():
    party = Party(id="p", known_at=NOON, kind=PartyKind.HOUSEHOLD, name="王", branch="n")
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    assert canonical_bytes(replace(party, known_at=shanghai)) == canonical_bytes(party)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "2025-06-01", datetime(2025, 6, 1, 15, 59, 59, 999999, tzinfo=UTC), id="a date is the end of that day"
        ),
        pytest.param("2025-06-01T12:00:00+08:00", datetime(2025, 6, 1, 4, tzinfo=UTC), id="an instant is itself"),
    ],
)
def test_as_of(text, expected):
    assert parse_as_of(text, "Asia/Shanghai") == expected


@pytest.mark.parametrize(("text", "words"), [("yesterday", "not an instant"), ("2025-06-01T12:00", "has no time zone")])
def test_an_as_of_that_is_not_an_instant_is_refused(text, words):
    with pytest.raises(MalformedInput, match=words):
        parse_as_of(text, "Asia/Shanghai")


@pytest.mark.parametrize(("major", "currency", "minor"), [("12.345", "CNY", 1234), (0.1, "CNY", 10), (7, "JPY", 7)])
def test_money_rounds_half_to_even_at_the_minor_unit(major, currency, minor):
    assert Money.of(major, currency).minor == minor


def test_money_of_two_currencies_is_never_added():
    with pytest.raises(CurrencyMismatch, match="CNY against KES"):
        Money(1, "CNY") + Money(1, "KES")
    assert Money(5, "CNY") - Money(2, "CNY") == Money(3, "CNY")
    with pytest.raises(MalformedInput, match="'yuan' is not an ISO 4217"):
        Money(1, "yuan")


@pytest.mark.parametrize("minor", [1.0, True, None])
def test_money_at_rest_is_a_whole_number(minor):
    with pytest.raises(MalformedInput, match="not a whole number of minor units"):
        Money(minor, "CNY")


def test_consent_ends_when_it_is_withdrawn_and_covers_only_what_it_names():
    consent = Consent(
        id="c", known_at=NOON, party_id="p", purpose="credit_assessment", data_kinds=("satellite",), language="zh",
        text_version="1", given_at=NOON, withdrawn_at=NOON + 2 * DAY,
    )  # fmt: skip
    assert consent.allows("credit_assessment", "satellite", NOON)
    assert not consent.allows("credit_assessment", "satellite", NOON - DAY)
    assert not consent.allows("credit_assessment", "satellite", NOON + 2 * DAY)
    assert not consent.allows("credit_assessment", "sensors", NOON)
    assert not consent.allows("marketing", "satellite", NOON)


def test_an_account_sees_its_own_branch_or_all():
    officer = Account(username="li", full_name="Li", role=Role.OFFICER, branch="north")
    assert officer.sees("north")
    assert not officer.sees("south")
    assert replace(officer, branch="*").sees("south")


def test_tenure_and_installation_cover_their_span():
    tenure = Tenure(
        id="t", known_at=NOON, party_id="p", field_id="f", role="operator", right="contract", from_on=date(2024, 1, 1),
        to_on=date(2024, 12, 31),
    )  # fmt: skip
    assert tenure.covers(date(2024, 12, 31))
    assert not tenure.covers(date(2025, 1, 1))
    probe = Installation(
        id="i", known_at=NOON, device_id="d", channel="d30", from_at=NOON, to_at=NOON + DAY, field_id="f"
    )
    assert probe.covers("d30", NOON)
    assert not probe.covers("d60", NOON)
    assert not probe.covers("d30", NOON + DAY)
    assert replace(probe, channel="*", to_at=None).covers("p2", NOON + 9 * DAY)


@pytest.mark.parametrize("text", ["2025", "winter-2025", "25-winter", "2025-"])
def test_what_is_not_a_season_is_refused(text):
    with pytest.raises(MalformedInput, match="is not a season"):
        Season.parse(text)


def test_a_planting_needs_an_area_and_a_harvest_after_its_sowing():
    wheat = Planting(
        id="pl", known_at=NOON, field_id="f", season_id="2025-winter", crop="winter_wheat", declared_area_ha=0.5,
        sowing_on=date(2024, 10, 10), harvest_on=date(2025, 6, 10),
    )  # fmt: skip
    with pytest.raises(MalformedInput, match="is not positive"):
        replace(wheat, declared_area_ha=0)
    with pytest.raises(MalformedInput, match="harvested before it is sown"):
        replace(wheat, harvest_on=date(2024, 10, 10))


def test_a_rotated_grid_is_refused():
    assert Grid("EPSG:32650", (10, 0, 0, 0, -10, 0), (2, 2)).shape == (2, 2)
    with pytest.raises(MalformedInput, match="rotated or not north-up"):
        Grid("EPSG:32650", (10, 1, 0, 0, -10, 0), (2, 2))


def test_an_application_speaks_one_currency_and_asks_for_nothing_negative():
    zero = Money(0, "CNY")
    asked = Application(
        id="a", known_at=NOON, party_id="p", planting_ids=("pl",), branch="n", requested=Money(1, "CNY"),
        own_funds=zero, due_on=date(2025, 7, 1), off_farm_income=zero, household_draw=zero, debt_service=zero,
    )  # fmt: skip
    with pytest.raises(MalformedInput, match=r"mixes currencies \['CNY', 'KES'\]"):
        replace(asked, own_funds=Money(0, "KES"))
    with pytest.raises(MalformedInput, match="negative amount"):
        replace(asked, household_draw=Money(-1, "CNY"))


def test_weather_columns_have_one_length():
    with pytest.raises(MalformedInput, match="different lengths"):
        WeatherSeries(
            id="w", known_at=NOON, region="r", source="s", first_on=date(2025, 1, 1), rain_mm=(0.0, 1.0),
            t_min_c=(1.0,), t_max_c=(2.0,),
        )  # fmt: skip


def test_quantiles_of_an_estimate_ascend():
    estimate = YieldEstimate(
        id="e", known_at=NOON, planting_id="pl", as_of=NOON, crop="maize", region="r", season_id="2025-summer",
        model_id="m", t_ha=(1, 2, 3, 4, 5, 6, 7), shared_share=0.3, baseline="average", baseline_t_ha=4, skill=None,
        qa_flag=10, growth_percentile=None,
    )  # fmt: skip
    assert estimate.quantile(0.5) == 4
    with pytest.raises(MalformedInput, match="needs 7 ascending quantiles"):
        replace(estimate, t_ha=(1, 2, 3, 4, 5, 7, 6))
