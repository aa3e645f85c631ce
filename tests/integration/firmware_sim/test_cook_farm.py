"""The Cook Agronomy Farm's real station-days through a real broker, value by value."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from firmware_sim.identity import new_devices
from tests.integration.firmware_sim.operator import ROOT, Simulator, ended
from tests.integration.firmware_sim.peer import Peer

pytestmark = [pytest.mark.debian, pytest.mark.real_data]
KINDS = {"VW": ("soil.moisture", 100), "C": ("soil.temperature", 1), "EC": ("soil.ec", 1)}
DEPTHS_CM = (30, 60, 90, 120, 150)


def measured(row: dict[str, str]) -> set[tuple[str, str, float]]:
    """Give the (quantity, channel, value) that a row of the table holds, in the catalogue's units."""
    cells = [
        (quantity, f"d{depth_cm}", row[f"Port{port}{name}"], scale)
        for port, depth_cm in enumerate(DEPTHS_CM, start=1)
        for name, (quantity, scale) in KINDS.items()
    ]
    return {(q, channel, float(Decimal(cell) * scale)) for q, channel, cell, scale in cells if cell not in ("", "NA")}


def test_all_station_days_arrive_with_every_value_as_measured(real_data: Path, simulator: Simulator, peer: Peer):
    table = real_data / "telemetry" / "cookfarm" / "readings.csv.gz"
    with gzip.open(table, "rt") as lines:
        rows = list(csv.DictReader(lines))
    simulator.devices.write_text(new_devices(sorted({row["SOURCEID"] for row in rows})))
    mapping = ROOT / "firmware_sim" / "mappings" / "cook-farm.toml"
    code, summary, _ = ended(simulator.start("replay", table, "--mapping", mapping), within_s=240)
    assert code == 0
    assert (summary["readings"], summary["acked"]) == (30_504, 30_504)
    said = [(device, json.loads(payload)) for (device, _, _), payload in peer.kept.items()]
    arrived = {(device, one["ts"]): {(m["q"], m["c"], m["v"]) for m in one["m"]} for device, one in said}
    assert len(arrived) == len(rows)
    for row in rows:
        assert arrived[row["SOURCEID"], _midnight_ms(row["Date"])] == measured(row)


def _midnight_ms(day: str) -> int:
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
