"""Readings, quarantine and what each device may forget, as they are read back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import compress

import msgspec
from sqlalchemy import Connection, func, select

from cropcredit.adapters.database import settled
from cropcredit.adapters.database.arrivals import Arrivals
from cropcredit.adapters.database.bodies import read_said
from cropcredit.adapters.database.dialects import chunks, device_keys
from cropcredit.adapters.database.engine import reading
from cropcredit.adapters.database.ledger import (
    UNCOUNTED,
    Kept,
    all_kept,
    dated,
    dates,
    hours_between,
    kept,
    last_of_boots,
    read_ledger,
    spread,
    together,
)
from cropcredit.adapters.database.refused import Refused
from cropcredit.adapters.database.tables import ARCHIVE_FILE, CONFLICT, DEVICE_KEY, DEVICE_STATE, QUARANTINE, READING
from cropcredit.model import Boot, DeviceState, Reading, instant, microseconds
from cropcredit.telemetry.heard import Messages, messages_of
from cropcredit.telemetry.ranges import Range


class DatabaseReadings(Arrivals, Refused):
    """ReadingStore on SQLite or PostgreSQL: what arrived is committed by one part and read back by the others."""

    def states(self, device_ids: Sequence[str] | None = None) -> dict[str, DeviceState]:
        """Give the latest state of each device; a device has thousands, so only the index is asked for the last one."""
        own = DEVICE_STATE.c.device == DEVICE_KEY.c.key
        last = select(func.max(DEVICE_STATE.c.row)).where(own).correlate(DEVICE_KEY).scalar_subquery()
        query = (
            select(DEVICE_STATE.c.body).join(DEVICE_KEY, DEVICE_STATE.c.row == last).order_by(DEVICE_KEY.c.device_id)
        )
        wanted = [None] if device_ids is None else chunks(sorted(set(device_ids)))
        with reading(self._engine) as connection:
            states = [
                msgspec.json.decode(body, type=DeviceState)
                for some in wanted
                for body in connection.scalars(query if some is None else query.where(DEVICE_KEY.c.device_id.in_(some)))
            ]
        return {state.device_id: state for state in states}

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
        bounds = tuple(None if at is None else microseconds(at) for at in (since, until, known_by))
        with reading(self._engine) as connection:
            for device_id, key in sorted(device_keys(connection, set(device_ids)).items()):
                for row in _window(connection, key, device_id, *bounds):
                    yield row.reading(device_id), instant(row.received_at)

    def messages(
        self, device_ids: Sequence[str], *, since: datetime, until: datetime, known_by: datetime | None = None
    ) -> dict[str, Messages]:
        """Read a window as columns; see :class:`cropcredit.ports.ReadingStore`."""
        known = None if known_by is None else microseconds(known_by)
        with reading(self._engine) as connection:
            keys = device_keys(connection, set(device_ids))
            rows = {
                device_id: _window(connection, key, device_id, microseconds(since), microseconds(until), known)
                for device_id, key in keys.items()
            }
        return {device_id: _columns(rows.get(device_id, [])) for device_id in device_ids}

    def latest(self, device_ids: Sequence[str]) -> dict[str, tuple[Reading, datetime]]:
        """Give the last reading of each device; see :class:`cropcredit.ports.ReadingStore`."""
        with reading(self._engine) as connection:
            keys = device_keys(connection, set(device_ids))
            return {
                device_id: (last.reading(device_id), instant(last.received_at))
                for device_id, key in sorted(keys.items())
                if (last := _last(connection, key, device_id)) is not None
            }

    def spans(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], list[Range]]:
        """Give the settled ranges per (device, boot)."""
        with reading(self._engine) as connection:
            keys = device_keys(connection, None if device_ids is None else set(device_ids))
            names = {key: device for device, key in keys.items()}
            found = settled.load_devices(connection, sorted(names))
        return {(names[key], boot): ranges for (key, boot), ranges in sorted(found.items())}

    def counts(self) -> dict[str, int]:
        """Count readings and measurements (moved ones too), conflicts and quarantined messages (equal ones once)."""
        queries = {
            "readings": select(func.count()).select_from(READING),
            "measurements": select(func.sum(READING.c.measurements)),
            "conflicts": select(func.count()).select_from(CONFLICT),
            "quarantined": select(func.count()).select_from(QUARANTINE),
        }
        with reading(self._engine) as connection:
            found = {name: int(connection.scalar(query) or 0) for name, query in queries.items()}
            for name in ("readings", "measurements"):
                found[name] += int(connection.scalar(select(func.sum(ARCHIVE_FILE.c[name]))) or 0)
            return found


def _window(
    connection: Connection, key: int, device_id: str, since: int | None, until: int | None, known_by: int | None
) -> list[Kept]:
    """Read what is dated in the window: through the hours of the ledger, and among all that it does not hold yet."""
    ledger = read_ledger(connection, key)
    if since is None and until is None:
        rows = list(all_kept(connection, key))
    else:
        there = hours_between(connection, key, since, until)
        rows = list(kept(connection, key, together(spread(there), spread(ledger.unrolled))))
    if known_by is not None:
        rows = [row for row in rows if row.known_at <= known_by]
    if rows and (since is not None or until is not None):
        first, end = since if since is not None else -math.inf, until if until is not None else math.inf
        at = dates(rows, device_id, ledger)
        rows = list(compress(rows, ((first <= at) & (at < end)).tolist()))
    return sorted(rows)  # by boot and seq, which no two share


def _columns(rows: Sequence[Kept]) -> Messages:
    boot, seq, key_id, claimed_us, received_us, _, body = zip(*rows, strict=True) if rows else ((),) * 7
    return messages_of(
        [read_said(one) for one in body],
        boot=boot,
        seq=seq,
        claimed_us=claimed_us,
        received_us=received_us,
        signed=[bool(one) for one in key_id],
    )


def _last(connection: Connection, key: int, device_id: str) -> Kept | None:
    """Give the reading measured last: within a boot the highest seq, among boots by date; their numbers may jump."""
    ledger = read_ledger(connection, key)
    ends = last_of_boots(connection, key, {*ledger.rolled, *ledger.unrolled, UNCOUNTED})
    rows = kept(connection, key, {boot: [(seq, seq)] for boot, seq in ends.items()})
    return max(rows, key=lambda row: (dated(row, device_id, ledger), row.received_at, row.boot), default=None)
