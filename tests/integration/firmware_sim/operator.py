"""The simulator as an operator starts it: a process with files and options."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.identity import new_devices
from tests.integration.firmware_sim.peer import Mosquitto

ROOT = Path(__file__).parents[3]
STATIONS = tuple(f"st-{i:02d}" for i in range(1, 7))


class Simulator:
    """``python -m firmware_sim`` as an operator starts it."""

    def __init__(self, broker: Mosquitto, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.devices, self.readings = folder / "devices.csv", folder / "readings.csv"

    def prepare(self, days: int, stations: tuple[str, ...] = STATIONS) -> int:
        """Write keys and ``days`` readings per station, of two values each; returns how many messages that makes."""
        self.devices.write_text(new_devices(stations))
        rows = ["device,time,quantity,channel,value"]
        for station in stations:
            for day in range(days):
                time = f"2012-01-01T{day // 3600:02d}:{day // 60 % 60:02d}:{day % 60:02d}"
                rows += [f"{station},{time},soil.moisture,d30,{day % 50}.5", f"{station},{time},soil.temperature,d30,0"]
        self.readings.write_text("\n".join(rows) + "\n")
        return days * len(stations)

    def start(self, *arguments: str | Path, journal: str = "journal") -> subprocess.Popen[str]:
        options = ["--devices", self.devices, "--journal", self.folder / journal, "--resend-after", "1"]
        broker = f"127.0.0.1:{self.broker.port}"
        command = [sys.executable, "-m", "firmware_sim", *arguments, *options, "--broker", broker]
        return subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def replay(self, *options: str, journal: str = "journal") -> subprocess.Popen[str]:
        return self.start("replay", self.readings, *options, journal=journal)


def ended(process: subprocess.Popen[str], within_s: float = 180) -> tuple[int, dict[str, Any], str]:
    """Wait for the end; gives exit code, summary, stderr."""
    try:
        out, err = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"the simulator did not end: {process.communicate()[1][-500:]}")
    return process.returncode, json.loads(out) if out else {}, err
