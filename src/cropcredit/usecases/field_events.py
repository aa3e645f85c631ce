"""Events of plantings with their dates, from the looks of satellites and, where it was there, radar.

=========================  =============================================================================================
reason                     meaning
=========================  =============================================================================================
``crop_damage``            the living crop lost 0.2 of its index or more within half a month, and did not recover
``flood``                  water stood where it should not: by radar, by class, or where everything fell and stayed down
``drought``                since the start of season the index is far below the field's own years, slowly, with the soil
                           or most neighbours to confirm it
=========================  =============================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.anomalies import against_neighbours
from cropcredit.agronomy.event_signs import EventKind, Looks, Witnesses
from cropcredit.agronomy.events import Event, find_droughts, find_events
from cropcredit.agronomy.season_clock import SeasonClock
from cropcredit.agronomy.series import usable
from cropcredit.errors import UnknownRecord
from cropcredit.model import FieldSeries, Scene
from cropcredit.ports import FactStore, ObservationStore, RunStore
from cropcredit.usecases.field_seasons import Grid, Histories
from cropcredit.usecases.refresh_ndvi import NdviRun, latest_run

Ints = NDArray[np.int_]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEvent:
    """An event of a planting: what, when, how deep, at which stage, told by what."""

    kind: EventKind
    after_on: date
    """Last day on which all was well."""
    on: date
    """First day on which it shows."""
    depth: float
    """Index units lost; of a flood seen by radar, dB; of a drought, share of the usual index sum that is lacking."""
    stage: float
    """Share of the season passed."""
    clock: str
    """``thermal`` or ``calendar``."""
    evidence: tuple[str, ...]
    neighbours: float | None
    """Share of neighbouring fields of the crop that show the same; None: fewer than five were seen."""
    confirmed: bool
    z: float | None = None
    percentile: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sky:
    """What was seen beside the index."""

    vv: FieldSeries | None = None
    """Mean VV backscatter, linear power; None: no radar run."""
    collapsed_on: frozenset[date] = field(default_factory=frozenset)
    """Days of scenes on which everything fell and stayed down."""

    @classmethod
    def of(
        cls,
        facts: FactStore,
        observations: ObservationStore,
        runs: RunStore,
        run: NdviRun,
        ids: Sequence[str],
        as_of: datetime,
    ) -> Sky:
        """Read the latest radar run and the scenes that the index run calls events."""
        collapsed = frozenset(facts.get(Scene, name, as_of=as_of).acquired_at.date() for name in run.events)
        try:
            radar = latest_run(runs, as_of, index="VV")
        except UnknownRecord:
            return cls(collapsed_on=collapsed)
        return cls(vv=observations.series("VV", radar.units, ids), collapsed_on=collapsed)


def sky_events(
    series: FieldSeries,
    sky: Sky,
    grid: Grid,
    of_field: Ints,
    clock: SeasonClock,
    group: NDArray[np.str_],
    paddy: NDArray[np.bool_],
) -> list[list[FieldEvent]]:
    """Find damage and floods of each planting until the last day of the grid.

    Parameters
    ----------
    of_field : ndarray of int, shape (plantings,)
        Row of the series of each planting.
    group : ndarray of str, shape (plantings,)
        Crop and administrative unit.
    """
    looks = _looks(series, grid, of_field)
    collapsed = np.array([grid.date(int(day)) in sky.collapsed_on for day in looks.day], dtype=bool)
    witnesses = Witnesses(vv_db=_radar(sky.vv, grid, of_field), collapsed=collapsed, paddy=paddy)
    return _dated(find_events(looks, clock, group, witnesses=witnesses), grid, len(of_field))


def drought_events(
    history: Histories,
    grid: Grid,
    group: NDArray[np.str_],
    abrupt: Sequence[Sequence[FieldEvent]],
    stress: Sequence[float | None],
) -> list[list[FieldEvent]]:
    """Find droughts of plantings that nothing abrupt befell."""
    found = find_droughts(
        history.now,
        history.past,
        history.shares,
        history.clock,
        group,
        abrupt=np.array([bool(events) for events in abrupt], dtype=bool),
        stress=np.array([np.nan if value is None else value for value in stress], dtype=float),
    )
    return _dated(found, grid, len(group))


def neighbour_z(
    series: FieldSeries, grid: Grid, of_field: Ints, clock: SeasonClock, group: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Hold the last look of each planting's season against its neighbours that day; NaN: none, or too few."""
    looks = _looks(series, grid, of_field)
    if not len(looks.day):
        return np.full(len(of_field), np.nan)
    in_season = (
        looks.keep
        & grid.observed[of_field[:, None], looks.day]
        & (looks.day >= clock.start[:, None])
        & (looks.day <= clock.end[:, None])
    )
    z = against_neighbours(np.where(in_season, looks.value, np.nan), group)
    last = looks.keep.shape[1] - 1 - in_season[:, ::-1].argmax(axis=1)
    return np.where(in_season.any(axis=1), z[np.arange(len(z)), last], np.nan)


def _looks(series: FieldSeries, grid: Grid, of_field: Ints) -> Looks:
    """Give the clear looks at each planting's field until the last day of the grid."""
    day = (series.acquired_at.astype("datetime64[D]") - grid.origin).astype(int)
    seen = (day >= 0) & (day <= grid.until)
    value = series.mean[:, seen]
    keep = usable(value, series.clear_fraction[:, seen])
    return Looks(day=day[seen], value=value[of_field], keep=keep[of_field])


def _radar(vv: FieldSeries | None, grid: Grid, of_field: Ints) -> Looks | None:
    if vv is None:
        return None
    day = (vv.acquired_at.astype("datetime64[D]") - grid.origin).astype(int)
    seen = (day >= 0) & (day <= grid.until)
    power = vv.mean[:, seen]
    keep = usable(power, vv.clear_fraction[:, seen]) & (np.nan_to_num(power) > 0)
    decibel = np.where(keep, 10 * np.log10(np.where(keep, power, 1.0)), np.nan)
    return Looks(day=day[seen], value=decibel[of_field], keep=keep[of_field]) if seen.any() else None


def _dated(found: Sequence[Event], grid: Grid, count: int) -> list[list[FieldEvent]]:
    out: list[list[FieldEvent]] = [[] for _ in range(count)]
    for event in found:
        out[event.row].append(
            FieldEvent(
                kind=event.kind,
                after_on=grid.date(event.after_day),
                on=grid.date(event.day),
                depth=event.depth,
                stage=event.stage,
                clock="thermal" if event.thermal else "calendar",
                evidence=event.evidence,
                neighbours=None if np.isnan(event.neighbours) else event.neighbours,
                confirmed=event.confirmed,
                z=None if np.isnan(event.z) else event.z,
                percentile=None if np.isnan(event.percentile) else event.percentile,
            )
        )
    return out
