"""When a reading was measured, and how far that instant can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cropcredit.model import Boot, Clock, Reading

AHEAD = timedelta(minutes=10)
"""A reading measured later than this after it arrived comes from a clock that runs ahead."""


class Dating(StrEnum):
    """Where the instant of a reading comes from, best first."""

    NETWORK = "network"
    """The device's clock, synchronised over the network within a day."""
    CLOCK = "clock"
    """The device's own clock."""
    BOOT = "boot"
    """The server's clock: the start of the boot plus the device's uptime."""
    ARRIVAL = "arrival"
    """The server's clock, when the message arrived: the measurement is older by an unknown time."""
    WRONG = "wrong"
    """The device's clock, which ran ahead or stood before the device was installed; dated by arrival or boot."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A reading with the instant it is taken to stand for."""

    reading: Reading
    at: datetime
    dating: Dating
    received_at: datetime


def date_reading(
    reading: Reading, received_at: datetime, boots: Mapping[tuple[str, int], Boot], *, not_before: datetime
) -> Dated:
    """Date a reading; the device's claim is kept in the reading whatever comes of it.

    Parameters
    ----------
    reading : Reading
        As decoded.
    received_at : datetime
        When it arrived.
    boots : mapping
        What the device's states told about (device, boot).
    not_before : datetime
        Nothing was measured before this: the device's first installation.
    """
    claimed = reading.observed_at
    if claimed is not None and not_before <= claimed <= received_at + AHEAD:
        return Dated(reading, claimed, Dating.NETWORK if reading.clock is Clock.NTP else Dating.CLOCK, received_at)
    started_at = boots.get((reading.device_id, reading.boot), Boot()).started_at
    by_boot = None if started_at is None else started_at + timedelta(milliseconds=reading.up_ms)
    at = received_at if by_boot is None else min(by_boot, received_at)
    if claimed is not None:
        return Dated(reading, at, Dating.WRONG, received_at)
    return Dated(reading, at, Dating.ARRIVAL if by_boot is None else Dating.BOOT, received_at)
