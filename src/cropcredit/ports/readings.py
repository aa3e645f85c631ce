"""Readings of devices: their store, their roll-ups, their archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from cropcredit.model import (
    Ack,
    Added,
    Boot,
    Conflict,
    DeviceState,
    Quarantined,
    Reading,
    Refusals,
    Rejection,
)
from cropcredit.telemetry.heard import Messages
from cropcredit.telemetry.rollup import Rollup
from cropcredit.telemetry.tracks import HourlyCourse


class ReadingStore(Protocol):
    """Durable readings, quarantine and what each device may forget."""

    def add(
        self,
        readings: Sequence[tuple[Reading, bytes]],
        rejections: Sequence[Rejection],
        *,
        received_at: datetime,
        known_at: datetime | None = None,
        tied: bool = False,
    ) -> Added:
        """Commit readings (with their received bytes) and rejections in one transaction.

        A reading already held under its identity with equal content is passed over; with other content it is kept as
        a conflict. Raises StoreUnavailable and stores nothing when the store cannot commit.

        Parameters
        ----------
        received_at : datetime
            When they arrived: what dates readings whose own clock does not.
        known_at : datetime, optional
            When the readings became known, if that is later than their arrival: they had been refused, and passed only
            when they were tried again. No computation for an earlier instant sees them.
        tied : bool
            The broker ties user names to topics: it is certain who sent the rejected messages.
        """
        ...

    def settled(self, boots: Iterable[tuple[str, int]]) -> list[Ack]:
        """Tell, for each (device, boot), which seqs are stored, rejected or in conflict."""
        ...

    def save_states(self, states: Sequence[DeviceState]) -> None:
        """Append device states."""
        ...

    def states(self, device_ids: Sequence[str] | None = None) -> dict[str, DeviceState]:
        """Give the latest state of each of these devices (None: of all); absent: it never told one."""
        ...

    def readings(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        known_by: datetime | None = None,
    ) -> Iterator[tuple[Reading, datetime]]:
        """Iterate over (reading, received_at) in order of device, boot and seq.

        Parameters
        ----------
        since, until : datetime, optional
            Only what was measured from ``since`` on and before ``until``: by the device's own clock where that can be
            right (it neither runs ahead nor was reset), else by the start of its boot, else by its arrival.
        known_by : datetime, optional
            Only what was known then: what had arrived, and had passed if it was refused at first.
        """
        ...

    def messages(
        self, device_ids: Sequence[str], *, since: datetime, until: datetime, known_by: datetime | None = None
    ) -> dict[str, Messages]:
        """Give the readings of a window as columns, by device, in order of boot and seq: quick for whole months.

        The window as in :meth:`readings`; a device without readings has no lines.
        """
        ...

    def latest(self, device_ids: Sequence[str]) -> dict[str, tuple[Reading, datetime]]:
        """Give the reading each device measured last, and when it arrived; absent: none.

        Within a boot that is the highest seq, among boots the latest date: boot numbers need not be in order.
        """
        ...

    def spans(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], list[tuple[int, int]]]:
        """Give the settled seq ranges per (device, boot), ascending and disjoint: gaps are what lies between."""
        ...

    def boots(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], Boot]:
        """Give what the devices' states told about each (device, boot)."""
        ...

    def highest_boots(self, device_ids: Sequence[str]) -> dict[str, int]:
        """Give the highest boot ever seen of each device; absent: none."""
        ...

    def quarantine(
        self,
        *,
        device_id: str = "",
        reason: str = "",
        since: datetime | None = None,
        open_only: bool = False,
        after: int | None = None,
        limit: int = 1000,
    ) -> list[Quarantined]:
        """Read refused messages, those that arrived last first.

        Parameters
        ----------
        device_id, reason : str, optional
            Only those of this device, and only those that were refused for this reason when they were tried last.
        since : datetime, optional
            Only those that arrived since.
        open_only : bool
            Only those that never passed.
        after : int, optional
            Only those with a greater number, in the order of their numbers.
        """
        ...

    def quarantined_by_reason(self, *, device_id: str = "", since: datetime | None = None) -> dict[str, int]:
        """Count the refused messages that never passed, by the reason they were refused for last."""
        ...

    def refusals(self, *, since: datetime) -> dict[str, Refusals]:
        """Sum up, by device, the refused messages that arrived since and never passed; absent: none."""
        ...

    def replayed(self, outcomes: Mapping[int, str], *, at: datetime) -> None:
        """Note what became of refused messages, by number, when they were tried again."""
        ...

    def conflicts(
        self,
        device_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        known_by: datetime | None = None,
    ) -> list[Conflict]:
        """Give what contradicted a stored reading and arrived since, by device, boot, seq and arrival."""
        ...

    def counts(self) -> dict[str, int]:
        """Count readings, measurements, conflicts and quarantined messages."""
        ...


class RollupStore(Protocol):
    """What was measured in each hour and day of the local clock; right whatever the order of arrival."""

    def stale(self) -> list[str]:
        """Name the devices whose roll-ups do not hold all of their readings."""
        ...

    def refresh(self, device_ids: Sequence[str], *, done: Callable[[int], None] = ...) -> int:
        """Bring the roll-ups of these devices up to date; gives the number of readings that were new to them.

        ``done`` is called with the number of devices that were finished since. May be killed and repeated at will.
        """
        ...

    def rollups(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        hours: Literal[1, 24] = 24,
        known_by: datetime | None = None,
    ) -> list[Rollup]:
        """Give the windows that begin in [since, until), by device, quantity, channel and time, up to date.

        ``known_by``: as they were known then, whatever has arrived since.
        """
        ...

    def hourly(
        self,
        device_ids: Sequence[str],
        quantities: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        known_by: datetime | None = None,
    ) -> list[HourlyCourse]:
        """Give the hours of some quantities as columns, by device, quantity and channel: quick for whole months."""
        ...


class ReadingArchive(Protocol):
    """Where old readings go; whoever reads them does not see that they moved."""

    def retain(self, *, before: datetime, now: datetime, done: Callable[[int], None] = ...) -> int:
        """Move what was measured in the calendar months (UTC) that end before; gives the number of readings.

        The last reading of each boot stays. What roll-ups do not hold yet is not moved. ``done`` is called with the
        number of readings that were moved since. May be killed and repeated at will: at every instant a reading is in
        exactly one place.
        """
        ...
