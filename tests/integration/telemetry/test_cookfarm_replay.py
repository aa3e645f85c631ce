"""Two real years of 42 stations, through a real broker into the store, while ingest and broker are killed."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from cropcredit.adapters.broker import Kind
from tests.integration.telemetry.line import ROOT, Line, report_of, until

pytestmark = [pytest.mark.real_data, pytest.mark.debian]

STATION_DAYS, VALUES, WITHOUT_VALUES = 30_504, 326_476, 6_623
KINDS = {"VW": ("soil.moisture", 100), "C": ("soil.temperature", 1), "EC": ("soil.ec", 1)}
DEPTHS_CM = (30, 60, 90, 120, 150)

Measured = frozenset[tuple[str, str, float]]


def measured(row: dict[str, str]) -> Measured:
    """Give the (quantity, channel, value) of one row in the catalogue's units; a missing value is no measurement."""
    cells = [
        (quantity, f"d{depth_cm}", row[f"Port{port}{name}"], scale)
        for port, depth_cm in enumerate(DEPTHS_CM, start=1)
        for name, (quantity, scale) in KINDS.items()
    ]
    return frozenset((q, channel, float(Decimal(cell) * scale)) for q, channel, cell, scale in cells if cell)


def farm(real_data: Path) -> tuple[Path, dict[tuple[str, datetime], Measured]]:
    """Give the table and what it says per station and day."""
    table = real_data / "telemetry" / "cookfarm" / "readings.csv.gz"
    with gzip.open(table, "rt", newline="") as lines:
        rows = list(csv.DictReader(lines))
    days = {(row["SOURCEID"], datetime.fromisoformat(row["Date"]).replace(tzinfo=UTC)): measured(row) for row in rows}
    return table, days


def reached(line: Line, share: float) -> bool:
    """Say whether the store holds that share of the table."""
    return line.stored() >= share * STATION_DAYS


def replay_through_faults(line: Line, table: Path) -> dict[str, object]:
    """Replay the table; SIGKILL ingest after 15, 50 and 80 % of the readings, and the broker after 30 %."""
    mapping = ROOT / "firmware_sim" / "mappings" / "cook-farm.toml"
    simulator = line.simulator("replay", table, "--mapping", mapping, "--resend-after", "1", "--quiet")
    ingest = line.ingest()
    for share, victim in ((0.15, "ingest"), (0.30, "broker"), (0.50, "ingest"), (0.80, "ingest")):
        until(partial(reached, line, share))
        if victim == "broker":
            line.broker.kill()
            line.broker.start()
        else:
            ingest.kill()
            ingest.wait()
            ingest = line.ingest()
    report = report_of(simulator, within_s=240)
    ingest.terminate()
    assert ingest.wait(timeout=60) == 0, "SIGTERM is a clean stop"
    return report


def test_every_real_station_day_is_stored_once_whatever_is_killed(
    real_data: Path, make_line: Callable[[Kind], Line], debian_tool: Callable[[str], Path]
):
    debian_tool("mosquitto")
    line = make_line("mosquitto")
    table, days = farm(real_data)
    line.register(sorted({station for station, _ in days}))
    line.broker.start()
    report = replay_through_faults(line, table)

    store = line.app.ingest_messages.store
    kept = [reading for reading, _ in store.readings(sorted({station for station, _ in days}))]
    found = {
        (reading.device_id, reading.observed_at): frozenset(
            (m.quantity, m.channel, m.value) for m in reading.measurements
        )
        for reading in kept
    }
    assert len(kept) == len(found) == len(days) == STATION_DAYS, "none twice, none lost"
    assert found == days, "every value as measured"
    assert sum(not values for values in found.values()) == WITHOUT_VALUES, "a day without a value is no zero"
    assert store.counts() == {
        "readings": STATION_DAYS, "measurements": VALUES, "conflicts": 0, "quarantined": 0,
    }  # fmt: skip
    assert line.app.find_gaps() == []
    assert all(reading.key_id for reading in kept), "each was signed by its device"
    assert report["acked"] == STATION_DAYS
