"""One reading in, grade and roll-ups out, after ten million readings in the store; on SQLite and on PostgreSQL.

A thousand devices on fields of one county have each sent a reading every quarter of an hour for 104 days; their
rows lie in the order of arrival, as in life. They are written in bulk and rolled up once. Then, five hundred times, one
device sends its next reading: it is committed by the store's own ``add``, and its daily roll-ups and the grade of its
last thirty days (with neighbours, past and all) are computed by the use cases of the desk.
"""

from __future__ import annotations

import gc
import math
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, event, text

from cropcredit.adapters.database.bulk import insert_new
from cropcredit.adapters.database.dialects import device_keys
from cropcredit.adapters.database.engine import open_database, writing
from cropcredit.adapters.database.reading_rows import Row as Stored
from cropcredit.adapters.database.reading_rows import row_of
from cropcredit.adapters.database.tables import READING, SETTLED
from cropcredit.adapters.parquet import ParquetFields
from cropcredit.bootstrap import App, build
from cropcredit.cli import YOUNG_OBJECTS
from cropcredit.config import Settings
from cropcredit.model import Clock, Device, Installation, Measurement, Reading, microseconds
from tests.benchmarks.report import Row, at_most
from tests.benchmarks.telemetry_throughput import fresh, postgres
from tests.builders import square

DEVICES, READINGS_EACH, QUESTIONS = 1000, 10_000, 500
START = datetime(2026, 1, 1, tzinfo=UTC)
EVERY = timedelta(minutes=15)
IN_FLIGHT = timedelta(seconds=2)
ACROSS = 32
"""Fields in a row, 600 m from one to the next."""
LIMIT_MS = 100.0
COMMAND = "make bench NAME=telemetry ARGS=store"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured on one database."""

    waits_ms: list[float]
    cpu_ms: list[float]
    """What the process itself computed for each; the rest are disk, server and whoever else uses the machine."""
    load_s: float
    roll_us: float
    """CPU time of rolling up one reading of the bulk."""
    gigabytes: float


def rows() -> list[Row]:
    """Measure both databases, one after the other."""
    found: list[Row] = []
    for name in ("SQLite", "PostgreSQL"):
        with tempfile.TemporaryDirectory(prefix="bench-store-") as folder, ExitStack() as stack:
            home = Path(folder)
            url = fresh(stack.enter_context(postgres())) if name == "PostgreSQL" else f"sqlite:///{home / 'store.db'}"
            found += _rows(name, measured(home, url))
    return found


def measured(home: Path, url: str, *, devices: int = DEVICES, each: int = READINGS_EACH) -> Measured:
    """Fill a store and ask it."""
    app = build(Settings.checked(home, {"database_url": url, "lender": "bench"}, where="the benchmark"))
    engine = open_database(url)
    register(app, home, devices)
    begun = time.perf_counter()
    fill(engine, devices, each)
    settle(engine)
    load_s, begun = time.perf_counter() - begun, time.process_time()
    rolled = app.refresh_rollups()
    roll_us = 1e6 * (time.process_time() - begun) / rolled
    assert rolled == devices * each
    settle(engine)
    waits, spent = asked(app, devices, each)
    assert app.summarise_sensors.readings.counts()["readings"] == devices * each + QUESTIONS
    return Measured(waits_ms=waits, cpu_ms=spent, load_s=load_s, roll_us=roll_us, gigabytes=size_of(engine))


def register(app: App, home: Path, devices: int) -> None:
    """Put every device on a field of its own."""
    known_at = START - timedelta(days=1)
    places = [square(f"f{n:04d}", east_m=600.0 * (n % ACROSS), side_m=100.0) for n in range(devices)]
    ParquetFields(folder=home / "fields").add(places)
    for n in range(devices):
        app.facts.add(
            Device(id=name_of(n), known_at=known_at),
            Installation(
                id=f"{name_of(n)}/*", known_at=known_at, device_id=name_of(n), channel="*", from_at=known_at,
                field_id=f"f{n:04d}", depth_cm=30.0, soil_texture="loam", soil_moisture_kind="volumetric",
            ),
        )  # fmt: skip


def fill(engine: Engine, devices: int, each: int) -> None:
    """Write the readings of every device, in the order of arrival; what is safe on disk when does not matter here."""
    if engine.dialect.name == "sqlite":
        engine.dispose()
        event.listen(engine, "connect", _hasty)
    with writing(engine) as connection:
        keys = device_keys(connection, {name_of(n) for n in range(devices)}, create=True)
        insert_new(
            connection, SETTLED, ("device", "boot", "first", "last"), [(key, 1, 1, each) for key in keys.values()]
        )
    for some in _pieces(devices, each, keys):
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            insert_new(connection, READING, Stored.__struct_fields__, some)


def settle(engine: Engine) -> None:
    """Do what PostgreSQL does by itself while readings come in over months, and not in the minute after ten million."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))


def _hasty(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in ("synchronous = OFF", "cache_size = -400000", "wal_autocheckpoint = 50000"):
        connection.execute(f"PRAGMA {pragma}")


def _pieces(devices: int, each: int, keys: dict[str, int]) -> Iterator[list[tuple[object, ...]]]:
    numbers = np.random.default_rng(7)
    level, phase = numbers.uniform(15, 35, devices), numbers.uniform(0, 1, devices)
    piece: list[tuple[object, ...]] = []
    for seq in range(1, each + 1):
        wet = level + 3 * np.sin(seq / 900 + 6 * phase) + numbers.normal(0, 0.2, devices)
        warm = 14 + 6 * math.sin(2 * math.pi * seq / 96) + 2 * phase + numbers.normal(0, 0.2, devices)
        for n, (moisture, celsius) in enumerate(zip(wet.round(2).tolist(), warm.round(2).tolist(), strict=True)):
            reading, payload = said(n, seq, START + seq * EVERY, moisture, celsius)
            received_at = microseconds(START + seq * EVERY + IN_FLIGHT)
            row = row_of(keys[name_of(n)], reading, payload, received_at=received_at, known_at=None)
            piece.append(tuple(getattr(row, name) for name in Stored.__struct_fields__))
        if len(piece) >= 50_000:
            yield piece
            piece = []
    yield piece


def said(n: int, seq: int, at: datetime, moisture: float, celsius: float) -> tuple[Reading, bytes]:
    """One signed message, as decoded and as received."""
    reading = Reading(
        device_id=name_of(n), boot=1, seq=seq, clock=Clock.NTP, up_ms=900_000 * seq, observed_at=at,
        measurements=(Measurement("soil.moisture", moisture, "d30"), Measurement("soil.temperature", celsius, "d30")),
        battery_v=3.61, signal_dbm=-71.0, key_id="k1",
    )  # fmt: skip
    payload = (
        f'{{"v":1,"boot":1,"seq":{seq},"ts":{microseconds(at) // 1000},"clk":"ntp","up":{900_000 * seq},"bat":3.61,'
        f'"sig":-71,"m":[{{"q":"soil.moisture","v":{moisture},"c":"d30"}},'
        f'{{"q":"soil.temperature","v":{celsius},"c":"d30"}}],"kid":"k1","mac":"{"0" * 64}"}}'
    ).encode()
    return reading, payload


def asked(app: App, devices: int, each: int) -> tuple[list[float], list[float]]:
    """Send one reading and ask for roll-ups and grade, over and over; gives ms each took: by the wall, and of CPU."""
    dice, waits, spent = random.Random(11), [], []
    store, at = app.ingest_messages.store, START + each * EVERY + EVERY / 2
    sent = dict.fromkeys(range(devices), each)
    gc.set_threshold(YOUNG_OBJECTS, 50, 50)  # as every command does
    for _ in range(QUESTIONS):
        n, at = dice.randrange(devices), at + timedelta(seconds=1)
        sent[n] += 1
        new = said(n, sent[n], at, 22.5, 15.5)
        received_at = at + IN_FLIGHT
        begun, used = time.perf_counter(), time.process_time()
        store.add([new], [], received_at=received_at)
        days = app.rollups.rollups([name_of(n)], since=received_at - timedelta(days=30), until=received_at)
        grade = app.summarise_sensors(field_id=f"f{n:04d}", as_of=received_at)
        waits.append(1000 * (time.perf_counter() - begun))
        spent.append(1000 * (time.process_time() - used))
        assert sum(day.count for day in days) >= 2 * 29 * 96
        (device,) = grade.devices
        assert device.readings >= 30 * 96
        assert grade.series[0].last_value == 22.5
    return waits, spent


def size_of(engine: Engine) -> float:
    """Disk that the store takes, GB."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()) / 1e9
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one()) / 1e9


def name_of(n: int) -> str:
    return f"dev-{n:04d}"


def _rows(name: str, found: Measured) -> list[Row]:
    parts = statistics.quantiles(found.waits_ms, n=100)
    target, ok = at_most(parts[94], LIMIT_MS)

    def shown(bar: str, value: float, unit: str) -> Row:
        return Row(bar=f"{bar}, {name}", value=value, unit=unit, target="", ok=True, command=COMMAND)

    return [
        Row(
            bar=f"one reading in, grade and roll-ups out, 10^7 readings held: p95, {name}",
            value=parts[94], unit="ms", target=target, ok=ok, command=COMMAND,
        ),
        shown("the same: median", parts[49], "ms"),
        shown("the same: p99", parts[98], "ms"),
        shown("the same: CPU, median", statistics.median(found.cpu_ms), "ms"),
        shown("the same: CPU, p95", statistics.quantiles(found.cpu_ms, n=100)[94], "ms"),
        shown("store of 10^7 readings on disk", found.gigabytes, "GB"),
        shown("rolling up in bulk: CPU", found.roll_us, "us/reading"),
        shown("writing 10^7 readings in bulk", found.load_s, "s"),
    ]  # fmt: skip
