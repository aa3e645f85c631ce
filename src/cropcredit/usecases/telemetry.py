"""What the officer and the operator want to know about readings: summary and grade, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from cropcredit.errors import MalformedInput
from cropcredit.model import Installation, instant, microseconds
from cropcredit.ports import Clock, FactStore, ReadingStore
from cropcredit.telemetry import (
    Around,
    Course,
    Day,
    Evidence,
    Gap,
    Heard,
    Track,
    daily,
    find_gaps,
    grade_window,
    heard,
    resets,
    silent_since,
)
from cropcredit.telemetry.around import NOTHING
from cropcredit.telemetry.messages import boots_crossed, missing_between
from cropcredit.units import Quantity
from cropcredit.usecases.standing import Series, days_standing, depth_cm, offset_s, series_of, spans, within


class Surroundings(Protocol):
    """Gathers what one device's window can be compared with."""

    def __call__(
        self,
        device_id: str,
        places: Sequence[Installation],
        tracks: Sequence[Track],
        *,
        window: tuple[datetime, datetime],
        at: datetime,
    ) -> Around: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSeries:
    """One quantity of one sensor at a place, over the window."""

    device_id: str
    channel: str
    quantity: Quantity
    """With its unit (UCUM) and its names in Chinese and English."""
    depth_cm: float | None
    soil_moisture_kind: str
    """``volumetric``, ``saturation``, ``tension``, or empty where it is not soil moisture or nobody said."""
    days: tuple[Day, ...]
    """Local days with a measurement, ascending; a day that is absent was not measured."""
    last_value: float
    last_at: datetime
    total_rise: float | None
    """What a counter gained over the window, resets taken into account; None for what is no counter."""
    resets: int
    """How often the counter started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvidence:
    """How far one device at the place can be trusted over the window."""

    device_id: str
    evidence: Evidence
    """Grade A-D, with reasons as codes and facts."""
    readings: int
    """Messages held, those without measurements included."""
    missing: int
    """Messages the device made between the first and the last one held, and that are not held."""
    last_seen: datetime | None
    """When the last message known at ``as_of`` arrived."""
    silent_since: datetime | None
    """Set when the device has been silent longer than it declared to be normal: a matter of maintenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSummary:
    """What the sensors at one field or store said, as of an instant."""

    place: str
    """Field or store id."""
    since: datetime
    as_of: datetime
    zone: str
    """IANA zone of the days."""
    series: tuple[SensorSeries, ...]
    """By device, quantity and channel."""
    devices: tuple[DeviceEvidence, ...]
    """Every device installed at the place, also one that never spoke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummariseSensors:
    """Sum up and grade what the sensors at a place said; nothing is left out silently."""

    facts: FactStore
    readings: ReadingStore
    clock: Clock
    quantities: Mapping[str, Quantity]
    zone: str
    surroundings: Surroundings | None = None
    """None: a device is judged by itself alone."""

    def __call__(
        self,
        *,
        field_id: str = "",
        store_id: str = "",
        as_of: datetime | None = None,
        until: datetime | None = None,
        days: int = 30,
    ) -> SensorSummary:
        """Look at one place.

        Parameters
        ----------
        field_id, store_id : str
            Exactly one of them.
        as_of : datetime, optional
            Only what was known then counts; None: now.
        until : datetime, optional
            End of the window; None: ``as_of``. What is known of it is what was known at ``as_of``.
        days : int
            Length of the window.
        """
        if bool(field_id) == bool(store_id):
            raise MalformedInput("sensors stand at one field or one store", cure="give one of the two ids")
        at = as_of or self.clock.now()
        end = min(until or at, at)
        since = end - timedelta(days=days)
        key = {"field_id": field_id} if field_id else {"store_id": store_id}
        places = [p for p in self.facts.find(Installation, as_of=at, **key) if p.from_at <= end]
        places = [p for p in places if p.to_at is None or p.to_at > since]
        said = self._heard(places, since, end, at)
        series = series_of(said, places)
        return SensorSummary(
            place=field_id or store_id,
            since=since,
            as_of=at,
            zone=self.zone,
            series=tuple(self._summary(key, course, places) for key, course in sorted(series.items())),
            devices=self._evidence(said, series, places, (since, end), at),
        )

    def _heard(self, places: Sequence[Installation], since: datetime, end: datetime, at: datetime) -> dict[str, Heard]:
        """Give what each device said in the window while it stood here."""
        devices = sorted({place.device_id for place in places})
        boots = self.readings.boots(devices)
        found = {}
        for device_id, messages in self.readings.messages(devices, since=since, until=end, known_by=at).items():
            here = [place for place in places if place.device_id == device_id]
            told = {boot: about for (device, boot), about in boots.items() if device == device_id}
            said = heard(messages, told, not_before=min(place.from_at for place in here))
            found[device_id] = said.where(within(said.at_us, spans(here)) & (said.at_us < microseconds(end)))
        return found

    def _summary(self, key: tuple[str, str, str], course: Course, places: Sequence[Installation]) -> SensorSeries:
        device_id, name, channel = key
        quantity = self.quantities[name]
        days = tuple(daily(course, quantity, self.zone))
        last_at = instant(int(course.at_us[-1]))
        place = next(p for p in places if p.device_id == device_id and p.covers(channel, last_at))
        return SensorSeries(
            device_id=device_id,
            channel=channel,
            quantity=quantity,
            depth_cm=depth_cm(channel, place),
            soil_moisture_kind=place.soil_moisture_kind if name == "soil.moisture" else "",
            days=days,
            last_value=float(course.values[-1]),
            last_at=last_at,
            total_rise=sum(day.rise or 0.0 for day in days) if quantity.cumulative else None,
            resets=resets(course.values) if quantity.cumulative else 0,
        )

    def _evidence(
        self,
        heard: Mapping[str, Heard],
        series: Series,
        places: Sequence[Installation],
        window: tuple[datetime, datetime],
        at: datetime,
    ) -> tuple[DeviceEvidence, ...]:
        since, end = window
        states = self.readings.states(sorted(heard))
        found = []
        for device_id, said in heard.items():
            here = [place for place in places if place.device_id == device_id]
            tracks = self._tracks(device_id, series, here)
            missing = missing_between(said.messages)
            last_seen = instant(int(said.messages.received_us.max())) if len(said) else None
            interval_s = states[device_id].interval_s if device_id in states else None
            days = max(days_standing(place, since, end) for place in here)
            found.append(
                DeviceEvidence(
                    device_id=device_id,
                    evidence=grade_window(
                        said,
                        tracks,
                        missing=missing,
                        days=days,
                        interval_s=interval_s,
                        around=self._around(device_id, said, here, tracks, window, at),
                        since=since,
                        until=end,
                        offset_s=offset_s(since, self.zone),
                    ),
                    readings=len(said),
                    missing=missing,
                    last_seen=last_seen,
                    silent_since=silent_since(last_seen, interval_s, at) if end == at else None,
                )
            )
        return tuple(found)

    def _tracks(self, device_id: str, series: Series, here: Sequence[Installation]) -> list[Track]:
        tracks = []
        for (device, quantity, channel), course in sorted(series.items()):
            if device == device_id:
                place = next(p for p in here if p.covers(channel, instant(int(course.at_us[-1]))))
                soil = quantity.startswith("soil.")
                tracks.append(
                    Track(
                        quantity=quantity,
                        channel=channel,
                        at_s=course.at_us / 1e6,
                        values=course.values,
                        depth_cm=depth_cm(channel, place) if soil else None,
                        texture=place.soil_texture if soil else "",
                        kind=place.soil_moisture_kind if quantity == "soil.moisture" else "",
                        cumulative=self.quantities[quantity].cumulative,
                    )
                )
        return tracks

    def _around(
        self,
        device_id: str,
        said: Heard,
        here: Sequence[Installation],
        tracks: Sequence[Track],
        window: tuple[datetime, datetime],
        at: datetime,
    ) -> Around:
        """Gather what the window is held against, and whether another device speaks with the same key."""
        forks = len(self.readings.conflicts([device_id], since=window[0], known_by=at))
        around = NOTHING
        if self.surroundings is not None and tracks:
            around = self.surroundings(device_id, here, tracks, window=window, at=at)
        return replace(around, forks=forks, boots_crossed=boots_crossed(said))


@dataclass(frozen=True, slots=True, kw_only=True)
class FindGaps:
    """Tell which messages are missing, per device and boot."""

    readings: ReadingStore

    def __call__(self, device_ids: Sequence[str] | None = None) -> list[Gap]:
        """Give the gaps of these devices (None: of all)."""
        found = find_gaps(
            self.readings.spans(device_ids), self.readings.boots(device_ids), self.readings.states(device_ids)
        )
        return sorted(found, key=lambda gap: (gap.device_id, gap.boot, gap.first))
