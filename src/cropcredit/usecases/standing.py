"""Which readings belong to a place: those of a device while it stood there, on the channels that stood there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import Installation, microseconds
from cropcredit.telemetry import Course, Heard
from cropcredit.telemetry.tracks import Ints

FOREVER_US = 2**62
Spans = Sequence[tuple[int, int]]
"""From when until when, microseconds since 1970."""
Series = dict[tuple[str, str, str], Course]
"""What was measured, by (device, quantity, channel)."""


def series_of(heard: Mapping[str, Heard], places: Sequence[Installation]) -> Series:
    """Give what was measured per device, quantity and channel, as far as an installation covers it."""
    found: Series = {}
    for device_id, messages in heard.items():
        here = [place for place in places if place.device_id == device_id]
        for (quantity, channel), course in messages.courses().items():
            stood = spans(place for place in here if place.channel in ("*", channel))
            covered = course.where(within(course.at_us, stood))
            if len(covered.at_us):
                found[device_id, quantity, channel] = covered
    return found


def spans(places: Iterable[Installation]) -> Spans:
    """Give from when until when each of these stood."""
    return [(microseconds(place.from_at), microseconds(place.to_at) if place.to_at else FOREVER_US) for place in places]


def within(at_us: Ints, stood: Spans) -> NDArray[np.bool_]:
    """Say which instants lie in one of the spans."""
    inside = np.zeros(len(at_us), np.bool_)
    for first, end in stood:
        inside |= (at_us >= first) & (at_us < end)
    return inside


def days_standing(place: Installation, since: datetime, at: datetime) -> int:
    """Count the whole days of the window in which the device stood there."""
    return max(0, (min(at, place.to_at or at) - max(since, place.from_at)).days)


def offset_s(at: datetime, zone: str) -> float:
    """Give local time minus UTC, seconds."""
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    return offset.total_seconds() if offset else 0.0


def depth_cm(channel: str, place: Installation) -> float | None:
    """Give the depth: as that very channel was installed, else as it says itself (``d30``), else as its device was.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> since = datetime(2026, 5, 1, tzinfo=UTC)
    >>> place = Installation(id="i", known_at=since, device_id="p", channel="*", from_at=since, depth_cm=20.0)
    >>> depth_cm("d60", place), depth_cm("", place)
    (60.0, 20.0)
    """
    if place.channel == channel and place.depth_cm is not None:
        return place.depth_cm
    return float(channel[1:]) if channel.startswith("d") and channel[1:].isdigit() else place.depth_cm
