"""Hourly and daily roll-ups: brought up to date when they are read, or in a quiet moment; ingest knows nothing of them.

A window is always computed whole, from the readings themselves, so late readings, repetitions and crashes cannot spoil
it. The computing happens outside the transaction that writes; a version per device tells whether somebody was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, Engine, delete, select, text, update

from cropcredit.adapters.database.dialects import device_keys, insert_into
from cropcredit.adapters.database.engine import reading, writing
from cropcredit.adapters.database.ledger import UNCOUNTED, read_ledger
from cropcredit.adapters.database.rolling import Pass, next_pass
from cropcredit.adapters.database.rollup_view import HOUR, View, courses
from cropcredit.adapters.database.rollup_write import write_passes
from cropcredit.adapters.database.tables import ARCHIVED, READING, ROLLED, ROLLED_DEVICE, ROLLED_HOUR, ROLLUP, UNROLLED
from cropcredit.model import instant, microseconds
from cropcredit.telemetry.rollup import LocalHours, Rollup, Window, gains
from cropcredit.telemetry.tracks import HourlyCourse

TOGETHER = 50
"""Devices that are brought up to date by one transaction."""

_STALE = """
SELECT device_id, key FROM device_key WHERE key IN (
  SELECT settled.device FROM settled LEFT JOIN rolled
      ON rolled.device = settled.device AND rolled.boot = settled.boot
     AND rolled.first <= settled.first AND rolled.last >= settled.last
   WHERE rolled.device IS NULL AND {settled}
  UNION SELECT device FROM unrolled WHERE {unrolled}
  UNION SELECT rolled.device FROM rolled LEFT JOIN held ON held.device = rolled.device AND held.boot = rolled.boot
   WHERE rolled.leans_on <> COALESCE(held.started_at - held.started_at % 60000000, 0) AND {rolled}
  UNION SELECT device FROM rolled_device WHERE zone <> :zone AND {rolled_device}
) ORDER BY device_id"""


class DatabaseRollups:
    """RollupStore on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine, *, zone: str) -> None:
        self._engine = engine
        self._clock = LocalHours(zone)

    def stale(self) -> list[str]:
        """Name the devices whose roll-ups lack something."""
        with reading(self._engine) as connection:
            return list(_stale(connection, None, self._clock.zone).values())

    def refresh(self, device_ids: Sequence[str], *, done: Callable[[int], None] = lambda _: None) -> int:
        """Bring the roll-ups of these devices up to date; see :class:`cropcredit.ports.RollupStore`."""
        rolled, wanted = 0, sorted(set(device_ids))
        for some in (wanted[start : start + TOGETHER] for start in range(0, len(wanted), TOGETHER)):
            with reading(self._engine) as connection:
                open_ = _stale(connection, device_keys(connection, set(some)).values(), self._clock.zone)
            while open_:
                passes = self._passes(open_)
                rolled += self._write(passes)
                open_ = {work.device: open_[work.device] for work in passes}
            done(len(some))
        return rolled

    def rollups(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        hours: Literal[1, 24] = 24,
        known_by: datetime | None = None,
    ) -> list[Rollup]:
        """Read windows; see :class:`cropcredit.ports.RollupStore`."""
        self.refresh(device_ids)
        bounds = (microseconds(since), microseconds(until))
        known = None if known_by is None else microseconds(known_by)
        with reading(self._engine) as connection:
            keys = device_keys(connection, set(device_ids))
            return [
                rollup
                for device_id, key in sorted(keys.items())
                for rollup in self._device(connection, key, device_id, bounds, hours, known)
            ]

    def hourly(
        self,
        device_ids: Sequence[str],
        quantities: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        known_by: datetime | None = None,
    ) -> list[HourlyCourse]:
        """Read hours as columns; see :class:`cropcredit.ports.RollupStore`."""
        self.refresh(device_ids)
        low, high = microseconds(since), microseconds(until)
        known = None if known_by is None else microseconds(known_by)
        found: list[HourlyCourse] = []
        with reading(self._engine) as connection:
            for device_id, key in sorted(device_keys(connection, set(device_ids)).items()):
                view = View(connection, key, device_id, self._clock, known)
                found += courses(device_id, view.columns(set(quantities), low, high))
        return found

    def _passes(self, devices: Mapping[int, str]) -> list[Pass]:
        found = []
        for device, device_id in sorted(devices.items()):
            with reading(self._engine) as connection:
                ledger = read_ledger(connection, device)
                if ledger.zone in ("", self._clock.zone):
                    work = next_pass(connection, device, device_id, ledger, self._clock)
                    found += [work] if work else []
                    continue
            self._start_again(device)
            found += self._passes({device: device_id})
        return found

    def _write(self, passes: Sequence[Pass]) -> int:
        """Write what was computed, but for devices that somebody else has rolled up meanwhile."""
        if not passes:
            return 0
        with writing(self._engine) as connection:
            return sum(work.readings for work in write_passes(connection, passes, self._clock.zone))

    def _start_again(self, device: int) -> None:
        """Forget every roll-up of a device: the workspace has moved to another zone."""
        with writing(self._engine) as connection:
            for table in (ROLLUP, ROLLED_HOUR, ROLLED):
                connection.execute(delete(table).where(table.c.device == device))
            for table, seq in ((READING, READING.c.seq), (ARCHIVED, ARCHIVED.c.first)):
                uncounted = select(table.c.device, table.c.boot, seq).where(table.c.device == device)
                uncounted = uncounted.where(table.c.boot == UNCOUNTED)
                again = insert_into(connection, UNROLLED).from_select(["device", "boot", "seq"], uncounted)
                connection.execute(again.on_conflict_do_nothing())
            moved = update(ROLLED_DEVICE).where(ROLLED_DEVICE.c.device == device)
            connection.execute(moved.values(version=ROLLED_DEVICE.c.version + 1, zone=self._clock.zone))

    def _device(
        self,
        connection: Connection,
        device: int,
        device_id: str,
        bounds: tuple[int, int],
        hours: Literal[1, 24],
        known: int | None,
    ) -> Iterator[Rollup]:
        since, until = bounds
        dawn = self._clock.day(since)
        view = View(connection, device, device_id, self._clock, known)
        found = view.hours(dawn, until) if hours == HOUR else view.days(dawn, until)
        before = view.last_before(dawn)
        series: dict[tuple[str, str], list[tuple[int, Window]]] = {}
        for (start, quantity, channel), window in sorted(found.items()):
            series.setdefault((quantity, channel), []).append((start, window))
        for (quantity, channel), parts in sorted(series.items()):
            gained = gains((window for _, window in parts), before.get((quantity, channel)))
            for (start, window), (rise, resets) in zip(parts, gained, strict=True):
                if start >= since:
                    yield _rollup(device_id, quantity, channel, (start, hours), window, rise, resets)


def _stale(connection: Connection, devices: Iterable[int] | None, zone: str) -> dict[int, str]:
    """Give those of these devices (None: of all) whose roll-ups lack something: their keys and ids."""
    among = None if devices is None else ",".join(map(str, sorted(devices))) or "NULL"
    tables = ("settled", "unrolled", "rolled", "rolled_device")
    own = {table: "TRUE" if among is None else f"{table}.device IN ({among})" for table in tables}
    return {row.key: row.device_id for row in connection.execute(text(_STALE.format(**own)), {"zone": zone})}


def _rollup(
    device_id: str, quantity: str, channel: str, span: tuple[int, int], window: Window, rise: float, resets: int
) -> Rollup:
    return Rollup(
        device_id=device_id,
        quantity=quantity,
        channel=channel,
        start=instant(span[0]),
        hours=span[1],
        count=window.samples,
        low=window.low,
        mean=window.total / window.samples,
        high=window.high,
        first=window.first,
        last=window.last,
        rise=rise,
        resets=resets,
    )
