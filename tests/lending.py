"""One small household as the lender sees it: records, stores and the desk's people, for the tests of credit."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import shapely

from cropcredit.credit.cashflow import Household, Line
from cropcredit.credit.policy import policy_from
from cropcredit.credit.sampling import PRICE_TAIL, YIELD_TAIL, QuantileLaw, Risk
from cropcredit.credit.sizing import Ask
from cropcredit.model import (
    PROBABILITIES,
    Account,
    Application,
    Consent,
    CostItem,
    CostSheet,
    FarmGatePrice,
    Field,
    LendingPolicy,
    Money,
    Party,
    PartyKind,
    Planting,
    PriceSeries,
    Record,
    Role,
    Tenure,
    YieldEstimate,
)
from cropcredit.usecases.decide import Decide
from cropcredit.usecases.size_loan import SizeLoan
from tests.fakes import FakeAccounts, FakeCatalogues, FakeClock, FakeEstimates, FakeFacts, FakeFields

SPRING = datetime(2025, 3, 1, tzinfo=UTC)
TODAY = datetime(2025, 4, 1, 4, tzinfo=UTC)
DUE = date(2025, 8, 1)
POLICY_FILE = Path(__file__).parents[1] / "data" / "catalogues" / "policy.toml"
T_HA = (4.0, 4.5, 5.3, 6.0, 6.6, 7.1, 7.4)
BRANCH = "north"


def cny(amount: float) -> Money:
    return Money.of(amount, "CNY")


def policy(**changes: Any) -> LendingPolicy:
    made = policy_from(tomllib.loads(POLICY_FILE.read_text("utf-8")), known_at=SPRING)
    return replace(made, **({"draws": 4000} | changes))


def application(**changes: Any) -> Application:
    details: dict[str, Any] = {
        "party_id": "P1",
        "planting_ids": ("PL1",),
        "branch": BRANCH,
        "requested": cny(9000),
        "due_on": DUE,
        "own_funds": cny(1000),
        "off_farm_income": cny(2000),
        "household_draw": cny(5000),
        "debt_service": cny(500),
    }
    return Application(id="A1", known_at=SPRING, **(details | changes))


def planting(**changes: Any) -> Planting:
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "PL1",
        "field_id": "F1",
        "season_id": "2025-winter",
        "crop": "winter_wheat",
        "declared_area_ha": 1.0,
        "sowing_on": date(2024, 10, 10),
        "harvest_on": date(2025, 6, 10),
    }
    return Planting(**(details | changes))


def estimate(t_ha: tuple[float, ...] = T_HA, **changes: Any) -> YieldEstimate:
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "Y1",
        "planting_id": "PL1",
        "as_of": SPRING,
        "crop": "winter_wheat",
        "region": "3714",
        "season_id": "2025-winter",
        "model_id": "m1",
        "t_ha": t_ha,
        "shared_share": 0.5,
        "baseline": "average",
        "baseline_t_ha": 5.8,
        "skill": 0.2,
        "qa_flag": 9,
        "growth_percentile": 60.0,
    }
    return YieldEstimate(**(details | changes))


def register_field(field_id: str = "F1", area_ha: float = 1.0) -> Field:
    return Field(
        id=field_id,
        collection="toy",
        boundary=shapely.box(116.5, 36.4, 116.501, 36.401),
        area_ha=area_ha,
        perimeter_m=400.0,
        boundary_version="0" * 16,
        known_at=SPRING,
        admin_unit="371425",
    )


def party(party_id: str = "P1", **changes: Any) -> Party:
    details: dict[str, Any] = {"kind": PartyKind.HOUSEHOLD, "name": "王建国", "branch": BRANCH, "admin_unit": "371425"}
    return Party(id=party_id, known_at=SPRING, **(details | changes))


def consent(**changes: Any) -> Consent:
    details: dict[str, Any] = {
        "party_id": "P1",
        "purpose": "credit_assessment",
        "data_kinds": ("satellite",),
        "language": "zh",
        "text_version": "1",
        "given_at": SPRING,
    }
    return Consent(id="C1", known_at=SPRING, **(details | changes))


def tenure(**changes: Any) -> Tenure:
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "T1",
        "party_id": "P1",
        "field_id": "F1",
        "role": "operator",
        "right": "contract",
        "from_on": date(2000, 1, 1),
    }
    return Tenure(**(details | changes))


def price(**changes: Any) -> FarmGatePrice:
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "winter_wheat/3714/2025-03-01",
        "crop": "winter_wheat",
        "region": "3714",
        "per_kg": Decimal("2.5"),
        "currency": "CNY",
        "dated_on": date(2025, 3, 1),
        "source": "buyers",
    }
    return FarmGatePrice(**(details | changes))


def series(swing: float = 0.1, **changes: Any) -> PriceSeries:
    """Thirty years in which the price moves from March to June by up to ``swing`` either way."""
    values = tuple(
        100 * (1 + swing * ((year * 7) % 11 - 5) / 5 * (month > 2)) for year in range(30) for month in range(12)
    )
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "winter_wheat/world",
        "crop": "winter_wheat",
        "source": "toy",
        "unit": "USD/t",
        "first_month": date(1995, 1, 1),
        "values": values,
        "publication_lag_days": 10,
    }
    return PriceSeries(**(details | changes))


def costs(**changes: Any) -> CostSheet:
    details: dict[str, Any] = {
        "known_at": SPRING,
        "id": "winter_wheat/3714",
        "crop": "winter_wheat",
        "region": "3714",
        "currency": "CNY",
        "items": (
            CostItem(name="fertiliser", per_ha=cny(8000), months_after_sowing=0),
            CostItem(name="harvest", per_ha=cny(1000), months_after_sowing=8, at_harvest=True),
        ),
        "source": "survey",
    }
    return CostSheet(**(details | changes))


def records(**changed: Record | None) -> list[Record]:
    """Everything that sizing A1 needs; give a name another record, or None to leave it out."""
    whole: dict[str, Record | None] = {
        "application": application(),
        "party": party(),
        "consent": consent(),
        "planting": planting(),
        "tenure": tenure(),
        "price": price(),
        "series": series(),
        "costs": costs(),
        "policy": policy(),
    }
    return [record for record in (whole | changed).values() if record is not None]


def people() -> FakeAccounts:
    """The desk: two officers and two approvers of the branch, one approver of the head office, one elsewhere."""
    accounts = FakeAccounts()
    for username, role, branch in (
        ("li", Role.OFFICER, BRANCH),
        ("wu", Role.OFFICER, BRANCH),
        ("zhao", Role.APPROVER, BRANCH),
        ("qian", Role.APPROVER, BRANCH),
        ("sun", Role.APPROVER, "*"),
        ("far", Role.OFFICER, "south"),
    ):
        account = Account(username=username, full_name=username.title(), role=role, branch=branch)
        accounts.save(account, "plain:x")
    return accounts


@dataclass
class Lender:
    """A workspace in memory."""

    facts: Any = field(default_factory=lambda: FakeFacts(*records()))
    fields: FakeFields = field(default_factory=lambda: FakeFields(register_field()))
    estimates: FakeEstimates = field(default_factory=lambda: FakeEstimates(estimate()))
    accounts: Any = field(default_factory=people)
    catalogues: FakeCatalogues = field(default_factory=FakeCatalogues)
    clock: FakeClock = field(default_factory=lambda: FakeClock(TODAY))

    @property
    def size(self) -> SizeLoan:
        return SizeLoan(
            facts=self.facts,
            fields=self.fields,
            estimates=self.estimates,
            catalogues=self.catalogues,
            clock=self.clock,
        )

    @property
    def decide(self) -> Decide:
        return Decide(facts=self.facts, accounts=self.accounts, clock=self.clock)


FLAT_PRICE = QuantileLaw((0.05, 0.5, 0.95), (2.5, 2.5, 2.5), PRICE_TAIL)


def line(t_ha: tuple[float, ...] = T_HA, **changes: Any) -> Line:
    details: dict[str, Any] = {
        "planting_id": "PL1",
        "area_ha": 1.0,
        "yield_law": QuantileLaw(PROBABILITIES, t_ha, YIELD_TAIL),
        "price_law": FLAT_PRICE,
        "risk": Risk(group="winter_wheat|3714|2025-winter", shared_share=0.5),
        "saleable": 1.0,
        "input_cost_ha": 8000.0,
        "harvest_cost_ha": 0.0,
        "sold_on": date(2025, 6, 10),
    }
    return Line(**(details | changes))


def ask(*lines: Line, requested: float = 1e6, pledged: float | None = None, years: float = 0.5, **changes: Any) -> Ask:
    details: dict[str, Any] = {
        "own_funds": 0.0,
        "off_farm_income": 0.0,
        "household_draw": 0.0,
        "debt_service": 0.0,
    }
    household = Household(lines=lines or (line(),), **(details | changes))
    return Ask(
        household=household,
        requested=cny(requested),
        pledged=None if pledged is None else cny(pledged),
        years=years,
        declared_ha=tuple(each.area_ha for each in household.lines),
    )
