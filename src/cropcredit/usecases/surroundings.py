"""What a device's window is held against: neighbours, its own past, weather, satellites, the book of its store.

Everything is bounded: a few nearest devices, by the hour; a hundred and fifty days of its own past, by the day. Who
stands where is looked up once an hour, as it was known at the full hour before: the same question has the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cropcredit.model import Field as Land
from cropcredit.model import GrainLot, GrainMovement, Installation, Planting, StoreInspection, WeatherSeries
from cropcredit.ports import FactStore, FieldStore, ObservationStore, RollupStore, RunStore
from cropcredit.telemetry.around import Around, Neighbour, PastDays, WeatherDays
from cropcredit.telemetry.rollup import Rollup
from cropcredit.telemetry.tracks import DAY_S, HOUR_S, HourlyCourse, Track
from cropcredit.units import Quantity
from cropcredit.usecases.daily_weather import DailyWeather, lay_out
from cropcredit.usecases.seen_water import water_seen
from cropcredit.usecases.standing import depth_cm
from cropcredit.usecases.yield_data import region_of

NEAR_KM = 20.0
"""Weather, and rain on most days, reach so far."""
MOST_NEIGHBOURS = 4
COMPARED = ("air.temperature", "soil.temperature", "soil.moisture", "weather.rain", "air.relativeHumidity")
"""Quantities that neighbours are asked for, as far as the device measures them."""
YEAR_AGO = (timedelta(days=400), timedelta(days=330))
"""Of its past a device is held against these days and its last two months."""
LATELY = timedelta(days=60)
FLOODED_CROPS = ("rice",)
EARTH_KM = 111.2
"""Kilometres per degree of latitude."""

Place = tuple[float, float]
"""(longitude, latitude), degrees."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Village:
    """Who stands where, and the weather, as known at an instant."""

    fields: Mapping[str, Land]
    places: Mapping[str, Place]
    """Middle of each field with a device, by field id."""
    standing: tuple[Installation, ...]
    weather: DailyWeather
    water: Mapping[str, tuple[float, ...]]
    """Days on which satellites saw open water, by field id; seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherSurroundings:
    """Gather what one device's window can be compared with."""

    facts: FactStore
    fields: FieldStore
    rollups: RollupStore
    runs: RunStore
    observations: ObservationStore
    quantities: Mapping[str, Quantity]
    zone: str
    seen: dict[datetime, Village] = field(default_factory=dict, compare=False, repr=False)
    """The village of the last hour asked for."""

    def __call__(
        self,
        device_id: str,
        places: Sequence[Installation],
        tracks: Sequence[Track],
        *,
        window: tuple[datetime, datetime],
        at: datetime,
    ) -> Around:
        """Gather, as known at ``at``.

        Parameters
        ----------
        device_id : str
            The device to be graded.
        places : sequence of Installation
            Where it stood in the window, all at one field or store.
        tracks : sequence of Track
            What it measured in the window.
        window : tuple of datetime
            Its beginning and its end.
        at : datetime
            What was known then counts.
        """
        village = self._village(at)
        fields, stores = ({getattr(p, name) for p in places} - {""} for name in ("field_id", "store_id"))
        here = next(iter(sorted(fields)), "")
        moves, taken = self._book(next(iter(sorted(stores)), ""), at)
        return Around(
            neighbours=self._neighbours(device_id, here, tracks, village, window, at),
            past=self._past(device_id, tracks, window, at),
            weather=self._weather(here, village),
            moves=moves,
            stock_taken_s=taken,
            water_seen_s=village.water.get(here, ()),
            flooded=self._flooded(here, window, at),
        )

    def _village(self, at: datetime) -> Village:
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour not in self.seen:
            standing = tuple(one for one in self.facts.find(Installation, as_of=hour) if one.field_id)
            ids = sorted({one.field_id for one in standing})
            fields = {one.id: one for one in self.fields.read(as_of=hour, ids=ids)} if ids else {}
            middles = {name: one.boundary.centroid for name, one in fields.items()}
            day = at.astimezone(ZoneInfo(self.zone)).date()
            village = Village(
                fields=fields,
                places={name: (middle.x, middle.y) for name, middle in middles.items()},
                standing=standing,
                weather=lay_out(self.facts.find(WeatherSeries, as_of=hour), day),
                water=water_seen(self.runs, self.observations, ids, as_of=hour) if ids else {},
            )
            self.seen.clear()
            self.seen[hour] = village
        return self.seen[hour]

    def _neighbours(
        self,
        device_id: str,
        here: str,
        tracks: Sequence[Track],
        village: Village,
        window: tuple[datetime, datetime],
        at: datetime,
    ) -> tuple[Neighbour, ...]:
        since, end = window
        measured = {track.quantity for track in tracks}
        asked = [name for name in COMPARED if name in measured]
        if here not in village.places or not asked:
            return ()
        near: dict[str, tuple[float, list[Installation]]] = {}
        for one in village.standing:
            gone = one.to_at is not None and one.to_at <= since
            if one.device_id == device_id or one.field_id not in village.places or gone or one.from_at >= end:
                continue
            away = distance_km(village.places[here], village.places[one.field_id])
            if away <= NEAR_KM:
                near.setdefault(one.device_id, (away, []))[1].append(one)
        order = sorted(near, key=lambda name: (near[name][0], name))
        found: list[Neighbour] = []
        for first in range(0, min(len(order), 4 * MOST_NEIGHBOURS), MOST_NEIGHBOURS):
            some = order[first : first + MOST_NEIGHBOURS]
            courses = self.rollups.hourly(some, asked, since=since, until=end, known_by=at)
            for name in some:
                mine = [self._track(one, near[name][1]) for one in courses if one.device_id == name]
                kept = tuple(track for track in mine if track is not None)
                found += [Neighbour(device_id=name, tracks=kept)] if kept else []
            if len(found) >= MOST_NEIGHBOURS:
                break
        return tuple(found[:MOST_NEIGHBOURS])

    def _track(self, course: HourlyCourse, places: Sequence[Installation]) -> Track | None:
        """Turn hours into a track, where an installation covers the channel."""
        place = next((one for one in places if one.channel in ("*", course.channel)), None)
        if place is None:
            return None
        counter = self.quantities[course.quantity].cumulative
        return Track(
            quantity=course.quantity,
            channel=course.channel,
            at_s=course.start_s + HOUR_S / 2,
            values=course.last if counter else course.mean,
            depth_cm=depth_cm(course.channel, place),
            cumulative=counter,
        )

    def _past(
        self, device_id: str, tracks: Sequence[Track], window: tuple[datetime, datetime], at: datetime
    ) -> tuple[PastDays, ...]:
        since, end = window
        earliest, latest = (since - ago for ago in YEAR_AGO)
        spans = ((earliest, latest + (end - since)), (since - LATELY, since))
        days = self.rollups.rollups([device_id], since=earliest, until=since, known_by=at)
        wanted = {(track.quantity, track.channel) for track in tracks if not track.cumulative}
        parts: dict[tuple[str, str], list[Rollup]] = {}
        for day in days:
            near = any(begin <= day.start < stop for begin, stop in spans)
            if near and (day.quantity, day.channel) in wanted:
                parts.setdefault((day.quantity, day.channel), []).append(day)
        return tuple(_past_days(name, found) for name, found in sorted(parts.items()))

    def _weather(self, here: str, village: Village) -> WeatherDays | None:
        if here not in village.fields or not village.weather.names:
            return None
        region = region_of(village.fields[here].admin_unit, village.weather.names)
        if region not in village.weather.names:
            return None
        row = village.weather.names.index(region)
        first = datetime.fromisoformat(str(village.weather.first_on)).replace(tzinfo=ZoneInfo(self.zone))
        mean = (village.weather.t_min_c[row] + village.weather.t_max_c[row]) / 2
        return WeatherDays(start_s=first.timestamp(), rain_mm=village.weather.rain_mm[row], mean_c=mean)

    def _book(self, store_id: str, at: datetime) -> tuple[tuple[tuple[float, float], ...] | None, tuple[float, ...]]:
        """Give what was carried in and out, and when somebody took stock; None: no book was begun."""
        lots = self.facts.find(GrainLot, as_of=at, store_id=store_id) if store_id else []
        if not lots:
            return None, ()
        moved = [one for lot in lots for one in self.facts.find(GrainMovement, as_of=at, lot_id=lot.id)]
        seen = [one for lot in lots for one in self.facts.find(StoreInspection, as_of=at, lot_id=lot.id)]
        if not seen:
            return None, ()
        moves = sorted((one.at.timestamp(), one.weight_kg) for one in moved)
        return tuple(moves), tuple(sorted(one.at.timestamp() for one in seen))

    def _flooded(self, here: str, window: tuple[datetime, datetime], at: datetime) -> bool:
        """Say whether a crop grew there that stands under water by intent."""
        plantings = self.facts.find(Planting, as_of=at, field_id=here) if here else []
        first, last = (moment.astimezone(ZoneInfo(self.zone)).date() for moment in window)
        return any(p.crop in FLOODED_CROPS and p.sowing_on <= last and p.harvest_on >= first for p in plantings)


def distance_km(one: Place, other: Place) -> float:
    """Distance on a plane about the two: good to a part in a thousand over tens of kilometres.

    Examples
    --------
    >>> round(distance_km((0.0, 60.0), (0.1, 60.0)), 2), round(distance_km((0.0, 0.0), (0.0, 0.1)), 2)
    (5.56, 11.12)
    """
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return EARTH_KM * math.hypot(east, other[1] - one[1])


def _past_days(name: tuple[str, str], days: Sequence[Rollup]) -> PastDays:
    """Lay days out on an unbroken row; what lies between is NaN."""
    start_s = days[0].start.timestamp()
    rows = [round((day.start.timestamp() - start_s) / DAY_S) for day in days]
    low, mean, high = (np.full(rows[-1] + 1, np.nan) for _ in range(3))
    low[rows], mean[rows], high[rows] = ([getattr(day, part) for day in days] for part in ("low", "mean", "high"))
    return PastDays(quantity=name[0], channel=name[1], start_s=start_s, low=low, mean=mean, high=high)
