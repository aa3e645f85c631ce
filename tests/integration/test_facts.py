"""The fact store keeps every version, under SQLite, PostgreSQL and the fake alike."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from cropcredit.adapters.database import DatabaseFacts, open_database
from cropcredit.errors import MalformedInput, RefusedInput, StateConflict, StoreUnavailable, UnknownRecord
from cropcredit.model import Party, PartyKind, digest
from tests.fakes import FakeFacts

MONDAY = datetime(2025, 6, 2, 8, tzinfo=UTC)
WANG = Party(id="p1", known_at=MONDAY, kind=PartyKind.HOUSEHOLD, name="王", branch="north")


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def facts(request, make_url, opened):
    return FakeFacts() if request.param == "fake" else DatabaseFacts(opened(make_url(request.param)))


def later(party, days, **changes):
    return replace(party, known_at=party.known_at + timedelta(days=days), **changes)


def test_a_record_comes_back_equal(facts):
    assert facts.add(WANG) == 1
    assert facts.get(Party, "p1") == WANG


def test_a_repeated_import_adds_no_version(facts):
    facts.add(WANG)
    assert facts.add(later(WANG, 3)) == 0
    assert facts.history(Party, "p1") == [WANG]


def test_an_earlier_known_at_is_a_correction_of_the_lag(facts):
    facts.add(WANG)
    assert facts.add(later(WANG, -30)) == 1
    assert facts.get(Party, "p1", as_of=MONDAY - timedelta(days=1)).name == "王"


def test_an_earlier_as_of_sees_the_earlier_version(facts):
    moved = later(WANG, 7, branch="south")
    facts.add(WANG)
    facts.add(moved)
    assert facts.get(Party, "p1", as_of=MONDAY + timedelta(days=6)) == WANG
    assert facts.get(Party, "p1") == moved
    with pytest.raises(UnknownRecord, match="no Party with id 'p1'"):
        facts.get(Party, "p1", as_of=MONDAY - timedelta(microseconds=1))


def test_records_are_found_by_the_keys_of_their_version(facts):
    facts.add(WANG, replace(WANG, id="p2", name="李"))
    facts.add(later(WANG, 7, branch="south"))
    assert [p.id for p in facts.find(Party, branch="north")] == ["p2"]
    assert [p.id for p in facts.find(Party, branch="south")] == ["p1"]
    assert [p.id for p in facts.find(Party, branch="north", as_of=MONDAY)] == ["p1", "p2"]
    assert len(facts.find(Party)) == 2


def test_a_version_is_found_by_the_hash_that_an_offer_cites(facts):
    facts.add(WANG)
    facts.add(later(WANG, 7, branch="south"))
    assert facts.by_hash(Party, digest(WANG)) == WANG
    with pytest.raises(UnknownRecord, match="no Party"):
        facts.by_hash(Party, "0" * 64)


def test_new_refuses_an_id_that_exists_and_stores_nothing(facts):
    facts.add(WANG)
    with pytest.raises(StateConflict, match="'p1' exists already"):
        facts.add(replace(WANG, id="p9"), later(WANG, 1, name="李"), new=True)
    assert [p.id for p in facts.find(Party)] == ["p1"]


def test_a_thousand_records_pass_in_one_transaction(facts):
    parties = [replace(WANG, id=f"p{i:04}") for i in range(1000)]
    assert facts.add(*parties) == 1000
    assert facts.find(Party, branch="north") == parties


def test_a_record_without_time_zone_or_id_is_refused():
    with pytest.raises(MalformedInput, match="has no time zone"):
        replace(WANG, known_at=datetime(2025, 6, 2))  # noqa: DTZ001 - that is the point
    with pytest.raises(MalformedInput, match="needs an id"):
        replace(WANG, id="")


def test_of_four_who_are_first_at_the_same_time_three_are_told(database_url, opened):
    stores = [DatabaseFacts(opened(database_url)) for _ in range(4)]
    start, outcomes = threading.Barrier(4), []

    def approve(store: DatabaseFacts, name: str) -> None:
        start.wait()
        try:
            store.add(replace(WANG, name=name), new=True)
            outcomes.append(name)
        except StateConflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=approve, args=(s, f"n{i}")) for i, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes).count("conflict") == 3
    assert [stores[0].get(Party, "p1").name] == [o for o in outcomes if o != "conflict"]


def test_opening_twice_keeps_what_is_stored(database_url, opened):
    DatabaseFacts(opened(database_url)).add(WANG)
    assert DatabaseFacts(opened(database_url)).get(Party, "p1") == WANG


def test_a_schema_from_the_future_is_refused(engine, database_url):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RefusedInput, match="schema 9999, which this version does not know"):
        open_database(database_url)


def test_a_database_that_does_not_answer_is_said_to_be_away(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"did not answer.*see that it runs"):
        open_database(f"sqlite:///{tmp_path}/missing/folder.db")


def test_what_the_driver_says_in_several_lines_is_one():
    with pytest.raises(StoreUnavailable, match="did not answer") as caught:
        open_database("postgresql+psycopg://u:secret@127.0.0.1:1/db")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "oracle+nothing://u:secret@h/db",
        pytest.param("lender:secret!pw", id="no scheme"),
        pytest.param("postgresql+psycopg://lender:S3c/r@t:secret@127.0.0.1:18733/lender", id="a password with a slash"),
    ],
)
def test_an_unknown_database_is_refused_without_showing_its_password(url):
    with pytest.raises(RefusedInput, match="no database can be opened") as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
