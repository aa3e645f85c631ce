"""Who: parties, their consents, and the people who work at the lender."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from cropcredit.model.records import Record


class PartyKind(StrEnum):
    """Who can borrow."""

    HOUSEHOLD = "household"  # 农户
    FAMILY_FARM = "family_farm"  # 家庭农场
    COOPERATIVE = "cooperative"  # 合作社
    COMPANY = "company"
    LIABILITY_GROUP = "liability_group"  # joint liability, with its members


@dataclass(frozen=True, slots=True, kw_only=True)
class Party(Record):
    """A possible borrower."""

    KEYS: ClassVar[tuple[str, ...]] = ("branch",)

    kind: PartyKind
    name: str
    branch: str
    """Branch of the lender that serves the party; officers see only their own."""
    admin_unit: str = ""
    """Code of the township or village."""
    identity_hash: str = ""
    """Keyed hash of the identity number; the number itself is never stored."""
    identity_last4: str = ""
    members: tuple[str, ...] = ()
    """Party ids of a joint-liability group or cooperative."""
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Record):
    """What a party allowed us to look at, for which purpose; withdrawing is a later version."""

    KEYS: ClassVar[tuple[str, ...]] = ("party_id",)

    party_id: str
    purpose: str
    """``credit_assessment`` is the purpose that sizing asks for."""
    data_kinds: tuple[str, ...]
    """Of ``satellite``, ``sensors``, ``finance``, ``identity``."""
    language: str
    text_version: str
    given_at: datetime
    witness: str = ""
    withdrawn_at: datetime | None = None

    def allows(self, purpose: str, data_kind: str, at: datetime) -> bool:
        """Say whether this consent covers looking at ``data_kind`` for ``purpose`` at that instant."""
        stands = self.given_at <= at and (self.withdrawn_at is None or at < self.withdrawn_at)
        return stands and purpose == self.purpose and data_kind in self.data_kinds


class Role(StrEnum):
    """What an account of the lender may do."""

    OFFICER = "officer"
    """Works the queue of one branch and recommends."""
    APPROVER = "approver"
    """Approves, reduces, refers or returns what somebody else recommended."""
    AGRONOMIST = "agronomist"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person who signs in at the desk; the password hash stays in the store."""

    username: str
    full_name: str
    role: Role
    branch: str
    """Branch whose cases the person sees; ``*`` sees all."""
    language: str = "zh"
    active: bool = True

    def sees(self, branch: str) -> bool:
        """Say whether cases of that branch are this person's to see."""
        return self.branch in ("*", branch)
