"""Readings, quarantine and what each device may forget, as they are read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Select, func, or_, select

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.arrivals import Arrivals
from cropcredit.adapters.database.bodies import instant, microseconds, read_body
from cropcredit.adapters.database.dialects import device_keys
from cropcredit.adapters.database.engine import reading
from cropcredit.adapters.database.tables import CONFLICT, DEVICE_STATE, QUARANTINE, READING
from cropcredit.model import Boot, DeviceState, Reading, Rejection
from cropcredit.telemetry.ranges import Range


class DatabaseReadings(Arrivals):
    """ReadingStore on SQLite or PostgreSQL: what arrived is committed by the one half and read by this one."""

    def states(self) -> dict[str, DeviceState]:
        """Give the latest state of each device."""
        latest = select(func.max(DEVICE_STATE.c.row)).group_by(DEVICE_STATE.c.device)
        with reading(self._engine) as connection:
            bodies = connection.scalars(select(DEVICE_STATE.c.body).where(DEVICE_STATE.c.row.in_(latest)))
            states = [msgspec.json.decode(body, type=DeviceState) for body in bodies]
        return {state.device_id: state for state in sorted(states, key=lambda state: state.device_id)}

    def boots(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], Boot]:
        """Give what the devices' states told about each (device, boot)."""
        with reading(self._engine) as connection:
            keys = device_keys(connection, None if device_ids is None else set(device_ids))
            names = {key: device for device, key in keys.items()}
            found = settled.load_boots(connection, sorted(names))
        return {(names[key], boot): told for (key, boot), told in sorted(found.items())}

    def highest_boots(self, device_ids: Sequence[str]) -> dict[str, int]:
        """Give the highest boot ever seen of each device; absent: none."""
        with reading(self._engine) as connection:
            names = {key: device for device, key in device_keys(connection, set(device_ids)).items()}
            found = settled.highest_boots(connection, sorted(names))
        return {names[key]: boot for key, boot in found.items()}

    def readings(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        known_by: datetime | None = None,
    ) -> Iterator[tuple[Reading, datetime]]:
        """Iterate over readings; see :class:`cropcredit.ports.ReadingStore`."""
        with reading(self._engine) as connection:
            names = {key: device for device, key in device_keys(connection, set(device_ids)).items()}
            for key in sorted(names, key=lambda key: names[key]):
                for row in connection.execute(_window(key, since, until, known_by)):
                    yield read_body(row.body, names[key], row.boot, row.seq, row.key_id), instant(row.received_at)

    def latest(self, device_ids: Sequence[str]) -> dict[str, tuple[Reading, datetime]]:
        """Give the last reading of each device, by boot and seq; see :class:`cropcredit.ports.ReadingStore`."""
        found = {}
        with reading(self._engine) as connection:
            for device, key in device_keys(connection, set(device_ids)).items():
                last = _window(key, None, None, None).order_by(None)
                last = last.order_by(READING.c.boot.desc(), READING.c.seq.desc()).limit(1)
                for row in connection.execute(last):
                    message = read_body(row.body, device, row.boot, row.seq, row.key_id)
                    found[device] = (message, instant(row.received_at))
        return found

    def spans(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], list[Range]]:
        """Give the settled ranges per (device, boot)."""
        with reading(self._engine) as connection:
            keys = device_keys(connection, None if device_ids is None else set(device_ids))
            names = {key: device for device, key in keys.items()}
            found = settled.load_devices(connection, sorted(names))
        return {(names[key], boot): ranges for (key, boot), ranges in sorted(found.items())}

    def quarantine(self, *, limit: int = 1000) -> list[tuple[datetime, Rejection]]:
        """Read the latest rejections, newest first, with the instant they last arrived."""
        query = select(QUARANTINE).order_by(QUARANTINE.c.last_at.desc(), QUARANTINE.c.row.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [
                (
                    instant(row.last_at),
                    Rejection(
                        topic=row.topic,
                        payload=row.payload,
                        reason=row.reason,
                        detail=row.detail,
                        device_id=row.device_id,
                        boot=row.boot,
                        seq=row.seq,
                    ),
                )
                for row in connection.execute(query)
            ]

    def counts(self) -> dict[str, int]:
        """Count readings, measurements, conflicts and quarantined messages (equal ones once)."""
        queries = {
            "readings": select(func.count()).select_from(READING),
            "measurements": select(func.coalesce(func.sum(READING.c.measurements), 0)),
            "conflicts": select(func.count()).select_from(CONFLICT),
            "quarantined": select(func.count()).select_from(QUARANTINE),
        }
        with reading(self._engine) as connection:
            return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}


def _window(
    key: int, since: datetime | None, until: datetime | None, known_by: datetime | None
) -> Select[int, int, str, int, bytes]:
    """Select one device's readings; one without a clock was measured before it arrived, so only that bounds it."""
    columns = (READING.c.boot, READING.c.seq, READING.c.key_id, READING.c.received_at, READING.c.body)
    query = select(*columns).where(READING.c.device == key).order_by(READING.c.boot, READING.c.seq)
    if since is not None:
        query = query.where(func.coalesce(READING.c.observed_at, READING.c.received_at) >= microseconds(since))
    if until is not None:
        query = query.where(or_(READING.c.observed_at.is_(None), READING.c.observed_at < microseconds(until)))
    if known_by is not None:
        query = query.where(READING.c.received_at <= microseconds(known_by))
    return query
