"""Sizing, replay and four eyes on real databases, and the same through the command line."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from cropcredit.adapters.database import DatabaseAccounts, DatabaseFacts
from cropcredit.adapters.estimates import ParquetEstimates
from cropcredit.adapters.parquet import ParquetFields
from cropcredit.cli import app
from cropcredit.cli.common import open_app
from cropcredit.errors import MalformedInput, MissingEvidence, StateConflict
from cropcredit.model import Decision, Offer, Outcome, Step, canonical_bytes
from cropcredit.usecases.book import BookLoan
from cropcredit.usecases.size_loan import ReplayOffer
from tests.lending import TODAY, Lender, estimate, people, policy, price, records, register_field


@pytest.fixture
def desk(engine: Engine) -> Lender:
    facts, accounts = DatabaseFacts(engine), DatabaseAccounts(engine)
    facts.add(*records())
    for account, password in people().rows.values():
        accounts.save(account, password)
    return Lender(facts=facts, accounts=accounts)


def test_an_offer_is_replayed_byte_for_byte_from_the_database_after_corrections(desk):
    offer = desk.size("A1")
    later = TODAY + timedelta(days=9)
    desk.facts.add(
        replace(price(), per_kg=Decimal("1.0"), known_at=later), replace(policy(), seed=1, draws=2000, known_at=later)
    )
    replay = ReplayOffer(facts=desk.facts, fields=desk.fields, catalogues=desk.catalogues)
    assert replay(offer.id).same
    assert canonical_bytes(desk.facts.get(Offer, offer.id)) == canonical_bytes(offer)
    assert desk.size("A1", as_of=TODAY).id == offer.id  # an earlier instant still sees the earlier price and policy


def race(first: Callable[[], object], second: Callable[[], object]) -> list[object]:
    """Start both at once; give what each returned or raised."""
    start = Barrier(2)

    def run(step: Callable[[], object]) -> object:
        start.wait()
        try:
            return step()
        except StateConflict as conflict:
            return conflict

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, [first, second]))


def test_of_two_approvals_at_once_one_stands_and_the_other_is_told(desk):
    desk.size("A1")
    desk.decide("A1", by="li", step=Step.RECOMMEND, outcome=Outcome.ACCEPT)
    results = race(
        lambda: desk.decide("A1", by="zhao", step=Step.APPROVE),
        lambda: desk.decide("A1", by="qian", step=Step.RETURN, note="look again"),
    )
    assert sorted(isinstance(result, StateConflict) for result in results) == [False, True]
    assert len(desk.facts.find(Decision, application_id="A1")) == 2


def test_of_two_bookings_at_once_one_stands(desk):
    desk.size("A1")
    desk.decide("A1", by="li", step=Step.RECOMMEND, outcome=Outcome.ACCEPT)
    desk.decide("A1", by="zhao", step=Step.APPROVE)
    book = BookLoan(facts=desk.facts, accounts=desk.accounts, clock=desk.clock, zone="UTC")
    results = race(lambda: book("A1", by="li"), lambda: book("A1", by="wu"))
    assert sorted(isinstance(result, StateConflict) for result in results) == [False, True]


TABLES = {
    "parties": "id,kind,name,branch,admin_unit,known_at\nP1,household,王建国,north,371425,2025-01-01\n",
    "consents": "id,party_id,purpose,data_kinds,language,text_version,given_at,known_at\n"
    "C1,P1,credit_assessment,satellite,zh,1,2025-02-01,2025-02-01\n",
    "tenures": "id,party_id,field_id,role,right,from_on,known_at\nT1,P1,F1,operator,contract,2000-01-01,2025-01-01\n",
    "plantings": "id,field_id,season,crop,declared_area,area_unit,sowing_on,harvest_on,known_at\n"
    "PL1,F1,2025-winter,winter_wheat,15,mu,2024-10-10,2025-06-10,2025-01-01\n",
    "applications": "id,party_id,planting_ids,branch,currency,requested,due_on,own_funds,off_farm_income,"
    "household_draw,debt_service,known_at\nA1,P1,PL1,north,CNY,9000,2025-08-01,1000,2000,5000,500,2025-03-01\n",
    "prices": "crop,region,price,unit,dated_on,source,known_at\n"
    "winter_wheat,3714,1.25,CNY/jin,2025-03-01,x,2025-03-02\n",
    "costs": "crop,region,item,amount,unit,months_after_sowing,at_harvest,source,known_at\n"
    "winter_wheat,3714,inputs,530,CNY/mu,0,no,x,2025-01-01\nwinter_wheat,3714,harvest,60,CNY/mu,8,yes,x,2025-01-01\n",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A workspace filled through its doors; field and estimate as their own commands would leave them."""
    place = tmp_path / "bank"
    run("init", "--home", str(place))
    policy_file = Path(__file__).parents[2] / "data" / "catalogues" / "policy.toml"
    run("import", "policy", str(policy_file), "--since", "2025-01-01", home=place)
    for noun, text in TABLES.items():
        (tmp_path / f"{noun}.csv").write_text(text, "utf-8")
        run("import", noun, str(tmp_path / f"{noun}.csv"), home=place)
    months = [f"{1995 + month // 12}-{month % 12 + 1:02d},{100 + month * 7 % 11}" for month in range(361)]
    (tmp_path / "world.csv").write_text("month,wheat\n" + "\n".join(months), "utf-8")
    series = ("--series", "wheat", "--crop", "winter_wheat", "--unit", "USD/t")
    run("import", "prices", str(tmp_path / "world.csv"), *series, home=place)
    ParquetFields(folder=place / "fields").add([register_field()])
    ParquetEstimates(folder=place / "estimates").write("r1", [estimate()])
    for name, role, branch in (("li", "officer", "north"), ("zhao", "approver", "north")):
        add = ("users", "add", name, "--role", role, "--name", name, "--branch", branch, "--password-stdin")
        run(*add, home=place, input="correct horse battery\n")
    return place


def run(*command: str, home: Path | None = None, expect: int = 0, **more: Any) -> str:
    where = [] if home is None else ["--home", str(home)]
    done = CliRunner().invoke(app, [*command, *where], catch_exceptions=False, **more)
    assert done.exit_code == expect, done.output
    return done.output


def test_a_case_goes_from_its_tables_to_a_booked_loan_on_the_command_line(home, monkeypatch):
    on = ("--as-of", "2025-04-01")
    offer = json.loads(run("loans", "size", "A1", *on, "--json", home=home))
    assert float(offer["amount"]["amount"]) > 5000
    assert "quantile" in run("loans", "size", "A1", *on, home=home)
    assert "1 sized, 0 refused" in run("loans", "size", "--all", *on, home=home)
    assert "same bytes, from 12 cited versions" in run("loans", "replay", offer["id"], home=home)
    run("loans", "decide", "A1", "--by", "li", "--outcome", "accept", home=home)
    done = run("loans", "decide", "A1", "--by", "zhao", "--step", "approve", "--json", home=home)
    assert json.loads(done)["step"] == "approve"
    monkeypatch.setattr("cropcredit.adapters.clock.SystemClock.now", lambda _: TODAY)
    loan = json.loads(run("loans", "book", "A1", "--by", "li", "--json", home=home))
    assert loan["principal"] == offer["amount"]


def test_an_offer_that_was_changed_in_the_store_is_told_apart(home):
    offer = json.loads(run("loans", "size", "A1", "--as-of", "2025-04-01", "--json", home=home))
    facts = open_app(home).facts
    stored = facts.get(Offer, offer["id"])
    facts.add(replace(stored, apr=0.01, known_at=stored.known_at + timedelta(days=1)))
    assert "offer.apr: 0.01 ->" in run("loans", "replay", offer["id"], home=home, expect=1)


def test_a_batch_names_what_is_missing_and_says_so_with_its_exit_code(home):
    told = run("loans", "size", "--all", "--as-of", "2025-03-01", home=home, expect=1)
    assert "no offer: planting PL1: no farm-gate price of winter_wheat for 371425; import prices FILE" in told


def test_one_case_without_evidence_is_refused_on_the_command_line(home):
    with pytest.raises(MissingEvidence, match="no farm-gate price"):
        run("loans", "size", "A1", "--as-of", "2025-03-01", home=home)
    with pytest.raises(MalformedInput, match="name one application, or give --all"):
        run("loans", "size", home=home)
    with pytest.raises(MalformedInput, match="'much' is not an amount"):
        run("loans", "decide", "A1", "--by", "li", "--outcome", "accept", "--amount", "much", home=home)
    with pytest.raises(MalformedInput, match=r"100\.005 is finer than the smallest coin of CNY"):
        run("loans", "decide", "A1", "--by", "li", "--outcome", "accept", "--amount", "100.005", home=home)
    with pytest.raises(MalformedInput, match="--series needs --crop and --unit"):
        run("import", "prices", "x.csv", "--series", "wheat", home=home)
    with pytest.raises(MalformedInput, match="belong to --series"):
        run("import", "prices", "x.csv", "--crop", "maize", home=home)


def test_the_help_of_a_door_documents_its_columns():
    told = " ".join(run("import", "tenures", "--help").split())
    assert "registered_area (optional): area in the certificate or contract" in told


def test_a_workspace_in_another_currency_is_told_that_it_has_no_policy_yet(tmp_path):
    assert "bring one: cropcredit import policy" in run("init", "--home", str(tmp_path / "ke"), "--currency", "KES")
