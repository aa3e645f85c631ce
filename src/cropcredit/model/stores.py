"""Stored grain: lots by name and owner, what an inspector found, and what was carried in and out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cropcredit.errors import MalformedInput
from cropcredit.model.records import Record

ALL_PCT = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrainLot(Record):
    """A heap of one crop of one owner in one store: what a pledge names."""

    KEYS: ClassVar[tuple[str, ...]] = ("store_id", "party_id")

    store_id: str
    party_id: str
    """The owner; a store may hold lots of several."""
    crop: str
    harvest_year: int
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInspection(Record):
    """What a person weighed and tested: the only thing that gives a lot a quantity."""

    KEYS: ClassVar[tuple[str, ...]] = ("lot_id",)

    lot_id: str
    at: datetime
    weight_kg: float
    """As it lay there, water and dirt included."""
    moisture_pct: float
    """Wet basis."""
    inspector: str
    impurity_pct: float = 0.0

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if self.weight_kg < 0 or not (0 <= self.moisture_pct < ALL_PCT and 0 <= self.impurity_pct < ALL_PCT):
            raise MalformedInput(
                f"weight {self.weight_kg:g} kg, moisture {self.moisture_pct:g} %, impurity {self.impurity_pct:g} % "
                "cannot be of grain",
                where=f"inspection {self.id}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrainMovement(Record):
    """Grain carried into a lot (positive) or out of it (negative), as its owner or the storekeeper says."""

    KEYS: ClassVar[tuple[str, ...]] = ("lot_id",)

    lot_id: str
    at: datetime
    weight_kg: float
    document: str = ""
    """Delivery note, invoice, release by the lender."""
