"""What is noteworthy of each planting, as of an instant: warmth, anomalies, events and water, each with its evidence.

=========================  ============================================================================================
``calendar_because``       meaning
=========================  ============================================================================================
``no_base_temperature``    the catalogue does not know the crop's base temperature
``no_weather``             no station or trusted device stands for the field
``weather_gap``            more than three days in a row of the season, or the last ten, have no temperature
``no_normal_weather``      fewer than three earlier years tell what warmth is still to come
=========================  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.anomalies import OwnHistory, ranks
from cropcredit.agronomy.season_clock import SeasonClock, season_integrals
from cropcredit.errors import EmptyInput, UnknownRecord
from cropcredit.model import Field, FieldSeries, Installation, Planting, RegionSeries, WeatherSeries, YieldLabel
from cropcredit.ports import Catalogues, FactStore, FieldStore, ObservationStore, RunStore
from cropcredit.usecases.daily_weather import DailyWeather, DeviceDays, lay_out, trusted_days, with_devices
from cropcredit.usecases.field_events import FieldEvent, Sky, drought_events, neighbour_z, sky_events
from cropcredit.usecases.field_seasons import Grid, earlier_seasons, histories, lay_grid
from cropcredit.usecases.field_warmth import Warmth, clock_of, lay_warmth, missing_days, warmth_so_far, why_calendar
from cropcredit.usecases.field_water import PlantingWater, planting_water
from cropcredit.usecases.refresh_ndvi import latest_run
from cropcredit.usecases.telemetry import SensorSummary
from cropcredit.usecases.yield_data import region_of

PAST = timedelta(days=365)
"""Plantings harvested longer ago than this are not looked at again."""
PADDY_CROPS = ("rice",)
"""Crops that stand under water by intent."""


class Sensors(Protocol):
    """Sums up and grades what the sensors at a field said."""

    def __call__(self, *, field_id: str, as_of: datetime, days: int) -> SensorSummary: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFeatures:
    """One planting as of a day; None: not known."""

    planting_id: str
    field_id: str
    crop: str
    season_id: str
    stage: float
    """Share of the season passed, below 0 before sowing."""
    clock: str
    """``thermal`` or ``calendar``: what the season goes by."""
    calendar_because: str
    """Why not by warmth; empty where it is."""
    gdd_c_day: float | None
    """Growing degree days since sowing, °C day."""
    missing_days: int
    """Days of the season so far without a measured temperature: interpolated where they are up to three in a row,
    expected as in years before where they are the last ten, else the reason for the calendar."""
    integrals: tuple[float | None, ...]
    """Index summed over sixths of the season: index times °C day, or times day by calendar."""
    history_years: int
    """Earlier seasons of the crop on the field that were seen; with fewer than three there is no anomaly."""
    own_difference: float | None
    """Mean index since the start of season, minus that of the field's own years at the same phase, index units."""
    own_z: float | None
    own_percentile: float | None
    neighbour_z: float | None
    """Robust z of the last look among the fields of crop and administrative unit that day."""
    region_percentile: float | None
    """Rank of the mean index since the start of season among the fields of crop, region and season, (0, 100)."""
    events: tuple[FieldEvent, ...]
    water: PlantingWater | None
    devices_refused: tuple[str, ...] = ()
    """Devices at the field whose evidence grade is below B: nothing of theirs was used."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """What an estimate may name: kinds of confirmed events, in the order in which they happened."""
        return tuple(dict.fromkeys(event.kind.value for event in self.events if event.confirmed))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFields:
    """Look at all plantings known at an instant."""

    facts: FactStore
    fields: FieldStore
    observations: ObservationStore
    runs: RunStore
    catalogues: Catalogues
    zone: str
    """IANA zone of the lender's days."""
    sensors: Sensors | None = None
    """None: devices are not asked."""

    def __call__(self, *, as_of: datetime) -> list[FieldFeatures]:
        """Measure every planting of a known crop and field whose harvest is not longer than a year past.

        Raises
        ------
        EmptyInput
            If there are none.
        """
        day = as_of.astimezone(ZoneInfo(self.zone)).date()
        fields = {field.id: field for field in self.fields.read(as_of=as_of)}
        known = {crop.code for crop in self.catalogues.crops()}
        plantings = [
            planting
            for planting in self.facts.find(Planting, as_of=as_of)
            if planting.harvest_on >= day - PAST and planting.field_id in fields and planting.crop in known
        ]
        if not plantings:
            raise EmptyInput(f"no planting is known as of {as_of.isoformat()}", cure="cropcredit import plantings FILE")
        return self.of(plantings, fields, as_of=as_of)

    def of(self, plantings: Sequence[Planting], fields: Mapping[str, Field], *, as_of: datetime) -> list[FieldFeatures]:
        """Measure some plantings, in their order; nothing known or measured later than ``as_of`` counts.

        Parameters
        ----------
        plantings : sequence of Planting
            Of crops in the catalogue, on fields of ``fields``.
        fields : mapping of field id to Field
        """
        if not plantings:
            return []
        day = as_of.astimezone(ZoneInfo(self.zone)).date()
        ids = sorted({planting.field_id for planting in plantings})
        crops = {code: self.catalogues.crop(code) for code in {planting.crop for planting in plantings}}
        series, sky = self._sky(ids, as_of)
        grid = lay_grid(series, {name: fields[name].admin_unit for name in ids}, plantings, day)
        devices, textures = self._devices(plantings, as_of, day)
        weather, place_of = self._weather({name: fields[name] for name in ids}, devices, as_of, day)
        place = np.array([place_of[planting.field_id] for planting in plantings], dtype=int)
        past = earlier_seasons(plantings, self.facts.find(Planting, as_of=as_of))
        length = max(grid.day(p.harvest_on) for p in plantings) + 1
        pairs = {(int(at), p.crop) for at, p in zip(place, plantings, strict=True)}
        warmth = lay_warmth(grid, weather, crops, pairs, max(length, grid.until + 1))
        rows = warmth.rows(place, plantings)
        clock = clock_of(plantings, grid, warmth, rows)
        past_clock = clock_of(past.plantings, grid, warmth, rows[past.owner])
        of_field = {name: row for row, name in enumerate(series.field_ids)}
        field = np.array([of_field[p.field_id] for p in plantings], dtype=int)
        history = histories(grid, field, clock, past, past_clock)
        water = planting_water(
            plantings,
            clock,
            weather,
            place,
            needs={code: crop.water for code, crop in crops.items()},
            latitude=np.array([fields[p.field_id].boundary.centroid.y for p in plantings]),
            devices=devices,
            textures=textures,
            origin=grid.origin,
        )
        group = np.array([f"{p.crop}/{fields[p.field_id].admin_unit}" for p in plantings], dtype=np.str_)
        paddy = np.array([p.crop in PADDY_CROPS for p in plantings])
        abrupt = sky_events(series, sky, grid, field, clock, group, paddy)
        slow = drought_events(history, grid, group, abrupt, [w.stress if w else None for w in water])
        return _told(
            plantings,
            grid,
            _Measured(
                clock=clock,
                warmth=warmth,
                rows=rows,
                because=why_calendar(clock, place, rows, warmth, crops, plantings, grid),
                missing=missing_days(weather, place, clock, grid),
                integrals=season_integrals(grid.values, clock, until=grid.until, rows=field),
                own=history.held(),
                neighbours=neighbour_z(series, grid, field, clock, group),
                region=ranks(history.present(), self._regions(plantings, fields, as_of)),
                events=[a + s for a, s in zip(abrupt, slow, strict=True)],
                water=water,
                refused=[devices[p.field_id].refused if p.field_id in devices else () for p in plantings],
            ),
        )

    def _sky(self, ids: Sequence[str], as_of: datetime) -> tuple[FieldSeries, Sky]:
        """Read index and radar of the runs that count at the instant; without a run nothing was seen."""
        try:
            run = latest_run(self.runs, as_of)
            series = self.observations.series("NDVI", run.units, ids)
        except UnknownRecord:
            return _nothing_seen(ids), Sky()
        return series, Sky.of(self.facts, self.observations, self.runs, run, ids, as_of)

    def _devices(
        self, plantings: Sequence[Planting], as_of: datetime, day: date
    ) -> tuple[dict[str, DeviceDays], dict[str, str]]:
        """Ask the devices on fields of plantings that are growing; and give the soil that their installers named."""
        if self.sensors is None:
            return {}, {}
        sown: dict[str, date] = {}
        for planting in plantings:
            if planting.sowing_on <= day:
                sown[planting.field_id] = min(planting.sowing_on, sown.get(planting.field_id, day))
        placed = [one for one in self.facts.find(Installation, as_of=as_of) if one.field_id in sown]
        found = {
            name: trusted_days(self.sensors(field_id=name, as_of=as_of, days=(day - sown[name]).days + 1))
            for name in sorted({one.field_id for one in placed})
        }
        return found, {one.field_id: one.soil_texture for one in placed if one.soil_texture}

    def _weather(
        self, fields: Mapping[str, Field], devices: Mapping[str, DeviceDays], as_of: datetime, day: date
    ) -> tuple[DailyWeather, dict[str, int]]:
        """Lay out the weather, and give the row that stands for each field: its own devices', else its station's."""
        stations = lay_out(self.facts.find(WeatherSeries, as_of=as_of), day)
        units = {field.admin_unit: region_of(field.admin_unit, stations.names) for field in fields.values()}
        number = {name: row for row, name in enumerate(stations.names)}
        place = {name: number.get(units[field.admin_unit], -1) for name, field in fields.items()}
        own = {name: found for name, found in devices.items() if found.temperature or found.rain_mm}
        weather = with_devices(stations, [(name, place[name], found) for name, found in own.items()])
        return weather, place | {name: len(stations.names) + i for i, name in enumerate(own)}

    def _regions(self, plantings: Sequence[Planting], fields: Mapping[str, Field], as_of: datetime) -> NDArray[np.str_]:
        """Give crop, region and season of each planting; regions are those that yields or an index are known of."""
        names: dict[str, list[str]] = {}
        for code in {planting.crop for planting in plantings}:
            labels = self.facts.find(YieldLabel, as_of=as_of, crop=code)
            months = self.facts.find(RegionSeries, as_of=as_of, crop=code)
            names[code] = sorted({one.region for one in labels if not one.planting_id} | {one.region for one in months})
        return np.array(
            [f"{p.crop}/{region_of(fields[p.field_id].admin_unit, names[p.crop])}/{p.season_id}" for p in plantings],
            dtype=np.str_,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Measured:
    """Everything found, by planting."""

    clock: SeasonClock
    warmth: Warmth
    rows: NDArray[np.int_]
    because: list[str]
    missing: NDArray[np.int_]
    integrals: NDArray[np.float64]
    own: OwnHistory
    neighbours: NDArray[np.float64]
    region: NDArray[np.float64]
    events: list[list[FieldEvent]]
    water: list[PlantingWater | None]
    refused: list[tuple[str, ...]]


def _told(plantings: Sequence[Planting], grid: Grid, found: _Measured) -> list[FieldFeatures]:
    stage = found.clock.share(np.full(len(plantings), grid.until))
    warm = warmth_so_far(found.clock, found.warmth, found.rows, grid.until)
    return [
        FieldFeatures(
            planting_id=planting.id,
            field_id=planting.field_id,
            crop=planting.crop,
            season_id=planting.season_id,
            stage=float(stage[row]),
            clock="thermal" if found.clock.thermal[row] else "calendar",
            calendar_because=found.because[row],
            gdd_c_day=_maybe(warm[row]),
            missing_days=int(found.missing[row]),
            integrals=tuple(_maybe(value) for value in found.integrals[row]),
            history_years=int(found.own.years[row]),
            own_difference=_maybe(found.own.difference[row]),
            own_z=_maybe(found.own.z[row]),
            own_percentile=_maybe(found.own.percentile[row]),
            neighbour_z=_maybe(found.neighbours[row]),
            region_percentile=_maybe(100 * found.region[row]),
            events=tuple(sorted(found.events[row], key=lambda event: (event.on, event.kind))),
            water=found.water[row],
            devices_refused=found.refused[row],
        )
        for row, planting in enumerate(plantings)
    ]


def _maybe(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _nothing_seen(ids: Sequence[str]) -> FieldSeries:
    blank = np.empty((len(ids), 0))
    return FieldSeries(
        index="NDVI",
        field_ids=tuple(ids),
        acquired_at=np.empty(0, dtype="datetime64[D]"),
        mean=blank,
        clear_fraction=blank,
        mixed_pixel=np.zeros(len(ids), dtype=bool),
    )
