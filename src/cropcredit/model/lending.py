"""What is asked, what it costs and sells for, what is offered, decided and booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from cropcredit.errors import MalformedInput
from cropcredit.model.money import Money
from cropcredit.model.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Record):
    """A household asks for a season's credit; amounts cover the season from sowing to sale."""

    KEYS: ClassVar[tuple[str, ...]] = ("party_id", "branch")

    party_id: str
    planting_ids: tuple[str, ...]
    branch: str
    requested: Money
    due_on: date
    """When the loan is to be repaid: after the last harvest is sold."""
    own_funds: Money
    """The household's own money for inputs."""
    off_farm_income: Money
    household_draw: Money
    """What the household lives on until ``due_on``."""
    debt_service: Money
    """Existing debts due until ``due_on``."""
    purpose: str = "inputs"
    pledged: Money | None = None
    """Appraised value of what is pledged; None for an unsecured loan."""
    synthetic: bool = False

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        amounts = [self.requested, self.own_funds, self.off_farm_income, self.household_draw, self.debt_service]
        amounts += [self.pledged] if self.pledged else []
        if len({amount.currency for amount in amounts}) != 1:
            raise MalformedInput(f"application {self.id!r} mixes currencies {sorted({a.currency for a in amounts})}")
        if any(amount.minor < 0 for amount in amounts):
            raise MalformedInput(f"application {self.id!r} has a negative amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmGatePrice(Record):
    """What a buyer paid at the farm gate: the dated local anchor of every price law."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop", "region")

    crop: str
    region: str
    per_kg: Decimal
    currency: str
    dated_on: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries(Record):
    """A monthly price series; only its relative changes are used, so its unit and currency need not be ours."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop",)

    crop: str
    source: str
    unit: str
    """As published, e.g. ``USD/t``."""
    first_month: date
    """First day of the first month; months are consecutive."""
    values: tuple[float, ...]
    publication_lag_days: int
    """Days after the end of a month until its value is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostItem:
    """One input of a crop's cost sheet."""

    name: str
    """``seed``, ``fertiliser``, ``pesticide``, ``water``, ``machinery``, ``labour``, ``rent``, ``harvest`` …"""
    per_ha: Money
    months_after_sowing: int
    """When it falls due; harvest costs are paid from the harvest and are not financed."""
    at_harvest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSheet(Record):
    """Costs of growing a crop in a region."""

    KEYS: ClassVar[tuple[str, ...]] = ("crop", "region")

    crop: str
    region: str
    currency: str
    items: tuple[CostItem, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A named scenario of the policy: factors on median yield, price and cost."""

    name: str
    yield_factor: float
    price_factor: float
    cost_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTier:
    """Up to this amount, this role of this reach may approve; above all tiers nobody may."""

    up_to: Money
    approver_branch: str
    """``own``: an approver of the case's branch; ``*``: only an approver of the head office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingPolicy(Record):
    """The lender's rules, versioned; every offer names the version it was made under."""

    currency: str
    alpha: float
    """Accepted probability that the harvest cannot repay."""
    dscr_min: float
    product_cap: Money
    minimum: Money
    round_to: Money
    draws: int
    """Simulated seasons per sizing."""
    seed: int
    yield_price_correlation: float
    """Between the shared part of yield and price; 0 unless estimated."""
    price_horizon_floor_months: int
    stresses: tuple[Stress, ...]
    tiers: tuple[ApprovalTier, ...]
    funding_rate: float
    capital_ratio: float
    capital_return: float
    operating_rate: float
    lgd: float
    """Loss given default, share of exposure."""
    collateral_advance: float
    """Share of pledged value that may be lent against; 0: unsecured product, the cap does not apply."""


@dataclass(frozen=True, slots=True)
class InputRef:
    """One piece of evidence an offer was computed from."""

    kind: str
    """Class name of the record."""
    id: str
    sha256: str
    """Hash of the very version that was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """One ceiling on the amount; the smallest one binds."""

    rule: str
    """``need``, ``quantile``, ``dscr``, ``stress``, ``collateral``, ``policy``, ``requested``."""
    amount: Money
    basis: str
    """The facts behind it, machine-readable ``key=value`` pairs for the words on the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One instalment."""

    due_on: date
    principal: Money
    interest: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the amount is what it is, and what would change it."""

    code: str
    """Key of the screen's catalogue of words, e.g. ``yield_spread_wide``."""
    facts: tuple[tuple[str, str], ...]
    """Named facts that the words are filled with."""
    change: str
    """Code of what would change it, e.g. ``field_visit``, ``smaller_area``, ``insurance``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Record):
    """The computed limit with everything needed to explain and replay it, byte for byte."""

    KEYS: ClassVar[tuple[str, ...]] = ("application_id",)

    application_id: str
    as_of: datetime
    amount: Money
    needed: Money
    """Input costs less own funds."""
    gap: Money
    """Needed less offered: what the family would have to find elsewhere."""
    binding: str
    """Rule of the cap that binds."""
    caps: tuple[Cap, ...]
    shortfall_at_offer: float
    """P(cash flow available for debt service < debt service) at the offered amount."""
    shortfall_at_need: float
    viable_at_need: bool
    cash_quantiles: tuple[tuple[float, Money], ...]
    """(probability, cash flow available for debt service)."""
    financed_area_ha: tuple[tuple[str, float], ...]
    """Per planting: min(declared, registered, geometry, planted), hectares."""
    apr: float
    """Yearly rate offered, simple."""
    price_parts: tuple[tuple[str, float], ...]
    """Named components of the rate."""
    schedule: tuple[Due, ...]
    reasons: tuple[Reason, ...]
    """At most four."""
    inputs: tuple[InputRef, ...]
    model_ids: tuple[str, ...]
    policy_id: str
    code_version: str
    synthetic: bool = False


class Step(StrEnum):
    """What a person did with an offer."""

    RECOMMEND = "recommend"
    APPROVE = "approve"
    RETURN = "return"
    """The second person sends it back to the officer."""


class Outcome(StrEnum):
    """What is recommended for the applicant."""

    ACCEPT = "accept"
    REDUCE = "reduce"
    REFER = "refer"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """One person's step; ids count up per application, so two people cannot both be first."""

    KEYS: ClassVar[tuple[str, ...]] = ("application_id",)

    application_id: str
    offer_id: str
    offer_sha256: str
    step: Step
    outcome: Outcome
    amount: Money
    reasons: tuple[str, ...]
    """Reason codes chosen by the person."""
    note: str
    by: str
    """Username."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan(Record):
    """A booked loan; later versions under the same id carry what happened to it."""

    KEYS: ClassVar[tuple[str, ...]] = ("application_id", "party_id")

    application_id: str
    offer_id: str
    decision_id: str
    party_id: str
    principal: Money
    apr: float
    schedule: tuple[Due, ...]
    booked_on: date
    booked_by: str
    status: str = "booked"
    """``booked``, ``paid``, ``extended``, ``renewed``, ``written_off``."""
    actual_harvest_t: float | None = None
