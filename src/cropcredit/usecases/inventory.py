"""What lies in the stores: inspected quantities, lowered by what the sensors saw, with the alarms beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from cropcredit.errors import UnknownRecord
from cropcredit.model import GrainLot, GrainMovement, StoreInspection, end_of_day
from cropcredit.ports import Catalogues, Clock, FactStore
from cropcredit.telemetry import stored_grain
from cropcredit.telemetry.grade import Grade
from cropcredit.telemetry.stored_grain import Alarm, LotQuantity, StoreWatch
from cropcredit.usecases.telemetry import DeviceEvidence, SensorSummary, SummariseSensors

SaidT = TypeVar("SaidT", StoreInspection, GrainMovement)
LONGEST_WATCH = timedelta(days=400)
FRESH_DAYS = 3
"""Days without a value after which a store counts as not watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLot:
    """One lot as it can be counted on at an instant."""

    lot: GrainLot
    inspection: StoreInspection | None
    """The last one."""
    quantity: LotQuantity
    alarms: tuple[Alarm, ...]
    devices: tuple[DeviceEvidence, ...]
    """The sensors that watch its store, with their grades; one of grade D is shown and not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStock:
    """Count the lots of stores; sensors may only lower what a person has inspected."""

    facts: FactStore
    summarise: SummariseSensors
    catalogues: Catalogues
    clock: Clock
    zone: str

    def __call__(self, *, store_id: str = "", party_id: str = "", as_of: datetime | None = None) -> list[StoredLot]:
        """Count, as known at ``as_of``.

        Parameters
        ----------
        store_id, party_id : str
            Only the lots of this store, of this owner; both empty: all.
        as_of : datetime, optional
            None: now.

        Raises
        ------
        UnknownRecord
            If a store is named that has no lot.
        """
        at = as_of or self.clock.now()
        keys = {name: value for name, value in (("store_id", store_id), ("party_id", party_id)) if value}
        lots = self.facts.find(GrainLot, as_of=at, **keys)
        if store_id and not lots:
            raise UnknownRecord("store", store_id, cure="bring its lots in: import lots FILE")
        return [
            stored
            for store in sorted({lot.store_id for lot in lots})
            for stored in self._store(store, at)
            if stored.lot in lots
        ]

    def strays(self, *, as_of: datetime | None = None) -> list[str]:
        """Name lots that inspections or movements speak of and nobody has brought in: nothing of them is counted."""
        at = as_of or self.clock.now()
        known = {lot.id for lot in self.facts.find(GrainLot, as_of=at)}
        spoken = {one.lot_id for one in self.facts.find(StoreInspection, as_of=at)}
        spoken |= {one.lot_id for one in self.facts.find(GrainMovement, as_of=at)}
        return sorted(spoken - known)

    def _store(self, store_id: str, at: datetime) -> list[StoredLot]:
        book = _Book(self.facts, store_id, at, self.zone)
        begun = min((i.at for i in book.last.values() if i), default=at)
        days = max(1, min(at - begun, LONGEST_WATCH).days + 1)
        seen = self.summarise(store_id=store_id, as_of=at, days=days)
        watch = _watch(seen, book.moved_on)
        expected = {day: book.expected_kg(day) for day in watch.weight_kg}
        carried = {day: book.carried_kg(day) for day in watch.weight_kg}
        return [self._lot(lot, book, watch, expected, carried, seen.devices, at) for lot in book.lots]

    def _lot(
        self,
        lot: GrainLot,
        book: _Book,
        watch: StoreWatch,
        expected: dict[date, float],
        carried: dict[date, float],
        devices: tuple[DeviceEvidence, ...],
        at: datetime,
    ) -> StoredLot:
        inspection = book.last[lot.id]
        since = inspection.at.astimezone(ZoneInfo(self.zone)).date() if inspection else date.min
        missing = stored_grain.missing_share(watch, expected, carried, since) if inspection else 0.0
        counted = stored_grain.quantity(
            lot.crop,
            self.catalogues.crop(lot.crop).standard_moisture_pct,
            inspection,
            book.movements[lot.id],
            missing=missing,
            watch=watch,
        )
        alarms = [
            *_inspection_alarms(inspection, at),
            *_ahead_alarms(book.ahead[lot.id], self.zone),
            *stored_grain.book_alarms(inspection, book.movements[lot.id]),
            *_watch_alarms(watch, at.astimezone(ZoneInfo(self.zone)).date()),
            *([Alarm(code="shortfall", facts=(("share", round(missing, 3)),))] if missing else []),
            *stored_grain.weight_alarms(watch, expected, carried),
            *stored_grain.heating_alarms(watch),
        ]
        if counted.moisture_pct is not None:
            alarms += stored_grain.climate_alarms(lot.crop, counted.moisture_pct, watch)
        return StoredLot(lot=lot, inspection=inspection, quantity=counted, alarms=tuple(alarms), devices=devices)


class _Book:
    """What people said about one store, as known at an instant."""

    def __init__(self, facts: FactStore, store_id: str, at: datetime, zone: str) -> None:
        self._at, self._zone = at, zone
        self.lots = facts.find(GrainLot, as_of=at, store_id=store_id)
        inspected = {lot.id: facts.find(StoreInspection, as_of=at, lot_id=lot.id) for lot in self.lots}
        moved = {lot.id: facts.find(GrainMovement, as_of=at, lot_id=lot.id) for lot in self.lots}
        self.inspections = {lot_id: _until(found, at) for lot_id, found in inspected.items()}
        self.movements = {lot_id: _until(found, at) for lot_id, found in moved.items()}
        said = {lot_id: [i.at for i in found] + [m.at for m in moved[lot_id]] for lot_id, found in inspected.items()}
        self.ahead = {lot_id: sorted(moment for moment in moments if moment > at) for lot_id, moments in said.items()}
        self.last = {lot_id: max(found, key=lambda i: i.at, default=None) for lot_id, found in self.inspections.items()}

    @property
    def moved_on(self) -> set[date]:
        """Days on which something was carried or inspected."""
        moments = [one.at for found in self.inspections.values() for one in found]
        moments += [one.at for found in self.movements.values() for one in found]
        return {at.astimezone(ZoneInfo(self._zone)).date() for at in moments}

    def expected_kg(self, day: date) -> float:
        """Give what should lie in the store at the end of a day."""
        end = min(self._at, end_of_day(day, self._zone))
        return sum(stored_grain.book_kg(self.inspections[lot.id], self.movements[lot.id], end) for lot in self.lots)

    def carried_kg(self, day: date) -> float:
        """Give what was carried into the store, less what was carried out, until the end of a day."""
        end = min(self._at, end_of_day(day, self._zone))
        return sum(one.weight_kg for found in self.movements.values() for one in found if one.at <= end)


def _until(found: Sequence[SaidT], at: datetime) -> list[SaidT]:
    return sorted((one for one in found if one.at <= at), key=lambda one: one.at)


def _watch(seen: SensorSummary, moved_on: set[date]) -> StoreWatch:
    """Put together the sensors that can be believed: grade D is shown beside, and changes nothing."""
    believed = {device.device_id for device in seen.devices if device.evidence.grade is not Grade.D}
    scales: dict[str, dict[date, float]] = {}
    wetness: defaultdict[date, list[float]] = defaultdict(list)
    probes: dict[str, dict[date, float]] = {}
    for one in seen.series:
        if one.device_id not in believed:
            continue
        name, means = f"{one.device_id}/{one.channel}".rstrip("/"), {day.on: day.mean for day in one.days}
        match one.quantity.name:
            case "store.weight":
                scales[name] = means
            case "store.grainMoisture":
                for day, mean in means.items():
                    wetness[day].append(mean)
            case "store.grainTemperature":
                probes[name] = means
            case _:
                pass
    shared = set.intersection(*(set(means) for means in scales.values())) if scales else set()
    return StoreWatch(
        weight_kg={day: sum(means[day] for means in scales.values()) for day in shared - moved_on},
        moisture_pct={day: sum(values) / len(values) for day, values in wetness.items()},
        probes_c=probes,
    )


def _inspection_alarms(inspection: StoreInspection | None, at: datetime) -> list[Alarm]:
    if inspection is None:
        return [Alarm(code="not_inspected")]
    days = (at - inspection.at).days
    return [Alarm(code="stale_inspection", facts=(("days", float(days)),))] if days > stored_grain.STALE_DAYS else []


def _ahead_alarms(ahead: Sequence[datetime], zone: str) -> list[Alarm]:
    """Say that something of the book does not count yet: a bare date means its end, also today's."""
    since = [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for at in ahead[:1]]
    return [Alarm(code="lies_ahead", facts=(("since", at),)) for at in since]


def _watch_alarms(watch: StoreWatch, today: date) -> list[Alarm]:
    """Say that nobody watches: a matter of maintenance, which takes nothing off."""
    last = max(watch.weight_kg, default=None)
    return [Alarm(code="not_watched")] if last is None or (today - last).days > FRESH_DAYS else []
