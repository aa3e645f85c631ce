"""Bring a version of the lending policy into the workspace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cropcredit.credit.policy import policy_from
from cropcredit.model import LendingPolicy
from cropcredit.ports import Clock, FactStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPolicy:
    """Read a policy file, check it, and let it be in force from now on."""

    facts: FactStore
    clock: Clock
    read: Callable[[Path], dict[str, Any]]
    """Reads a TOML file."""

    def __call__(self, file: Path, *, known_at: datetime | None = None) -> LendingPolicy:
        """Import a policy; its form is that of ``data/catalogues/policy.toml``.

        Parameters
        ----------
        file : Path
            TOML; a new version under the same ``id`` replaces the old one for all later sizings.
        known_at : datetime, optional
            Since when it is in force; now, if not given.

        Raises
        ------
        MalformedInput
            Naming the value that is missing, unknown or impossible; the policy in force stays.
        """
        policy = policy_from(self.read(file), known_at=known_at or self.clock.now(), where=str(file))
        self.facts.add(policy)
        return policy

    def currency_of(self, file: Path) -> str:
        """Read in which currency a policy file lends; empty where it does not say."""
        return str(self.read(file).get("currency", ""))
