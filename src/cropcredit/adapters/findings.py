"""What the doctor found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the doctor looked at."""

    name: str
    ok: bool
    found: str
    cure: str = ""
    """What to do when it is not well."""
