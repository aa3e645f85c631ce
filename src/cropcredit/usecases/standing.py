"""Which readings belong to a place: those of a device while it stood there, on the channels that stood there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cropcredit.model import Installation
from cropcredit.telemetry import Dated

FOREVER = datetime.max.replace(tzinfo=UTC)
Series = dict[tuple[str, str, str], list[tuple[datetime, float]]]
"""Samples per (device, quantity, channel), in the order of measurement."""


def series_of(dated: Mapping[str, Sequence[Dated]], places: Sequence[Installation]) -> Series:
    """Give the samples per device, quantity and channel that an installation covers."""
    found: defaultdict[tuple[str, str, str], list[tuple[datetime, float]]] = defaultdict(list)
    for device_id, readings in dated.items():
        here = [place for place in places if place.device_id == device_id]
        stood: dict[str, list[tuple[datetime, datetime]]] = {}
        for one in readings:
            at = one.at
            for measured in one.reading.measurements:
                channel = measured.channel
                if channel not in stood:
                    stood[channel] = spans(place for place in here if place.channel in ("*", channel))
                for first, end in stood[channel]:
                    if first <= at < end:
                        found[device_id, measured.quantity, channel].append((at, measured.value))
                        break
    return dict(found)


def spans(places: Iterable[Installation]) -> list[tuple[datetime, datetime]]:
    """Give from when until when each of these stood: asked once per channel, not once per value."""
    return [(place.from_at, place.to_at or FOREVER) for place in places]


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
