"""Old readings leave the database for Parquet; roll-ups, gaps and every question about them stay answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cropcredit.errors import MalformedInput
from cropcredit.ports import Clock, Progress, ReadingArchive, RollupStore
from cropcredit.usecases.progress import quiet

SHORTEST = timedelta(days=31)
"""What is younger is still being sent by devices that were offline, and asked for every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What was moved."""

    readings: int
    before: datetime
    """Whole calendar months (UTC) that end before this were moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainReadings:
    """Keep young readings in the database and move old ones to Parquet."""

    archive: ReadingArchive
    rollups: RollupStore
    clock: Clock

    def __call__(self, *, older_than: timedelta, progress: Progress = quiet) -> Retained:
        """Move what is older; may be killed and repeated at will.

        Raises
        ------
        MalformedInput
            If that is less than a month.
        """
        if older_than < SHORTEST:
            raise MalformedInput(
                f"readings of the last {SHORTEST.days} days stay in the database",
                cure=f"ask for {SHORTEST.days}d or more",
            )
        now = self.clock.now()
        stale = self.rollups.stale()
        with progress("roll up", len(stale)) as advance:
            self.rollups.refresh(stale, done=advance)
        before = now - older_than
        with progress("move", 0) as advance:
            moved = self.archive.retain(before=before, now=now, done=advance)
        return Retained(readings=moved, before=before)
