"""Hourly and daily roll-ups, brought up to date in a quiet moment rather than by the first who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cropcredit.ports import Progress, RollupStore
from cropcredit.usecases.progress import quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRollups:
    """Roll up what has arrived since; needless for being right, since whoever reads roll-ups brings them up to date."""

    rollups: RollupStore

    def __call__(
        self, device_ids: Sequence[str] | None = None, *, most: int | None = None, progress: Progress = quiet
    ) -> int:
        """Give the number of readings that were rolled up; may be killed and repeated at will.

        Parameters
        ----------
        device_ids : sequence of str, optional
            Only these devices; None: all that lack something.
        most : int, optional
            At most so many devices: a short piece of work for a quiet moment.
        """
        wanted = (self.rollups.stale() if device_ids is None else list(device_ids))[:most]
        with progress("roll up", len(wanted)) as advance:
            return self.rollups.refresh(wanted, done=advance)
