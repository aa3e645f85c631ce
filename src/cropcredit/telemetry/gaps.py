"""What is missing: seqs that never came, whether they still may, and devices that have fallen silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from cropcredit.model import FIRST_SESSION, Boot, DeviceState
from cropcredit.telemetry.ranges import Range, between

SILENT_AFTER = 3
"""Intervals without a sign of life before silence is no longer normal."""
SHORTEST_SILENCE = timedelta(minutes=20)
"""Two heartbeats of a device's state (every 10 minutes)."""


class GapKind(StrEnum):
    """What may still become of a gap."""

    OPEN = "open"
    """The device may still hold these and send them."""
    LOST = "lost"
    """The device has said that it no longer holds them, or a network server speaks for it, which resends nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Consecutive seqs of one boot that the store does not hold."""

    device_id: str
    boot: int
    first: int
    last: int
    kind: GapKind

    @property
    def size(self) -> int:
        """How many messages are missing."""
        return self.last - self.first + 1


def find_gaps(
    spans: Mapping[tuple[str, int], Sequence[Range]],
    boots: Mapping[tuple[str, int], Boot],
    states: Mapping[str, DeviceState],
) -> list[Gap]:
    """Find what is missing from each boot of each device.

    A seq counts as missing when a later one of the same boot has arrived, or the device has said that it made it.
    What lies below the device's ``low`` is lost there; the rest may still come. The session of a network server begins
    with the first frame that is held: nobody knows how old it was when it was first heard here.

    Parameters
    ----------
    spans : mapping
        Settled ranges per (device, boot), ascending and disjoint.
    boots : mapping
        What the device's states told about (device, boot).
    states : mapping
        Latest state per device: its ``next_seq`` closes the present boot.

    Examples
    --------
    >>> find_gaps({("a", 1): [(3, 4), (6, 6)]}, {("a", 1): Boot(low=3)}, {})  # doctest: +NORMALIZE_WHITESPACE
    [Gap(device_id='a', boot=1, first=1, last=2, kind=<GapKind.LOST: 'lost'>),
     Gap(device_id='a', boot=1, first=5, last=5, kind=<GapKind.OPEN: 'open'>)]
    """
    gaps = []
    for device_id, boot in sorted(spans.keys() | boots.keys()):
        ranges = spans.get((device_id, boot), ())
        if boot >= FIRST_SESSION:
            gaps += [_gap(device_id, boot, before + 1, after - 1, GapKind.LOST) for before, after in _breaks(ranges)]
            continue
        low = boots.get((device_id, boot), Boot()).low
        made = max(ranges[-1][1] if ranges else 0, low - 1, _made(states.get(device_id), boot))
        for first, last in between(ranges, start=1, end=made):
            if first < low:
                gaps.append(_gap(device_id, boot, first, min(last, low - 1), GapKind.LOST))
            if last >= low:
                gaps.append(_gap(device_id, boot, max(first, low), last, GapKind.OPEN))
    return gaps


def silent_since(last_seen: datetime | None, interval_s: int | None, now: datetime) -> datetime | None:
    """Tell since when a device has been silent longer than it declared to be normal; None while all is normal.

    A device that never declared its interval, or was never heard, is not called silent.

    Examples
    --------
    >>> noon = datetime(2026, 5, 1, 12)
    >>> silent_since(noon, 3600, noon + timedelta(hours=2))
    >>> silent_since(noon, 3600, noon + timedelta(hours=4))
    datetime.datetime(2026, 5, 1, 12, 0)
    """
    if last_seen is None or interval_s is None:
        return None
    return last_seen if now - last_seen > max(SILENT_AFTER * timedelta(seconds=interval_s), SHORTEST_SILENCE) else None


def _breaks(ranges: Sequence[Range]) -> list[tuple[int, int]]:
    """Give (last held, first held again) of every break between ranges."""
    return [(before[1], after[0]) for before, after in pairwise(ranges)]


def _made(state: DeviceState | None, boot: int) -> int:
    """Last seq of that boot that the device says it has made."""
    return state.next_seq - 1 if state is not None and state.boot == boot and state.next_seq is not None else 0


def _gap(device_id: str, boot: int, first: int, last: int, kind: GapKind) -> Gap:
    return Gap(device_id=device_id, boot=boot, first=first, last=last, kind=kind)
