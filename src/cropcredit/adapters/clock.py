"""The wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Clock of this machine; in a made season, moved to that season's present."""

    shift: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Give the present instant, UTC."""
        return datetime.now(UTC) + self.shift
