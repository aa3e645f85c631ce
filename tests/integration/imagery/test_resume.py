"""A run that is killed goes on where it was, and ends with the bytes of a run that was not."""

import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.fields import boundary_version
from cropcredit.model import Field
from tests.rasterfiles import square, write_scene

AS_OF = "2025-07-31"
KNOWN = datetime(2025, 1, 1, tzinfo=UTC)
SCENES = 12


@pytest.fixture
def bank(tmp_path):
    """Give a function that makes one more workspace with the same fields and scenes."""
    rng = np.random.default_rng(7)
    days = [date(2025, 5, 28) + timedelta(days=5 * k) for k in range(SCENES)]
    for day in days:
        write_scene(tmp_path / "scenes", day=day.isoformat(), ndvi=rng.uniform(0.2, 0.8, (200, 200)), size=200)

    def make(name, *, opened=False):
        settings = Settings.checked(tmp_path / name, {"time_zone": "UTC"}, where="test")
        settings.save()
        app = build(settings)
        boundaries = [square(20 + 95 * (k % 20), 20 + 95 * (k // 20), 90) for k in range(400)]
        app.import_fields.fields.add(
            [
                Field(id=f"f{k:03}", collection="toy", boundary=b, area_ha=0.81, perimeter_m=360.0,
                      boundary_version=boundary_version(b), known_at=KNOWN)
                for k, b in enumerate(boundaries)
            ]
        )  # fmt: skip
        app.add_scenes([str(tmp_path / "scenes")], product="s2-l2a")
        return app if opened else settings.home

    return make


def command(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "cropcredit", "ndvi", "run", "--as-of", AS_OF, "--home", str(home), *words]


def run(home: Path, *words: str) -> None:
    done = subprocess.run(command(home, *words), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr


def written(home: Path) -> dict[str, bytes]:
    """Read all that a run leaves, but for its log and cache."""
    files = [*home.glob("observations/**/*.parquet"), *home.glob("runs/*/manifest.json")]
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


DEADLY = """
import os, signal, sys
from pathlib import Path

rename, left = Path.replace, int(sys.argv.pop(1))

def dying(self, target):
    global left
    if str(target).endswith(".parquet"):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)

Path.replace = dying
from cropcredit.cli import main
main()
"""
"""A run that is killed at the worst moment: a unit is written, but does not bear its name yet."""


def kill_after(home: Path, units: int) -> int:
    """Let a run finish some units and kill it in the middle of the next; returns how many are finished in all."""
    deadly = [sys.executable, "-c", DEADLY, str(units), *command(home)[3:]]
    done = subprocess.run(deadly, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert list(home.glob("observations/**/.*.partial"))
    return len(list(home.glob("observations/**/*.parquet")))


def test_a_killed_run_resumes_and_leaves_the_same_bytes(bank):
    straight, killed = bank("straight"), bank("killed")
    run(straight)
    assert kill_after(killed, 2) == 2
    assert kill_after(killed, 3) == 5
    run(killed)
    assert written(killed) == written(straight)
    assert len(written(straight)) == SCENES + 1


def test_two_processes_leave_the_bytes_of_one(bank):
    one, two = bank("one"), bank("two")
    run(one)
    run(two, "--workers", "2")
    assert written(two) == written(one)


def children(pid: int) -> list[Path]:
    """Give the processes that a process started and that are still there."""
    found = [Path("/proc") / number for number in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [process for process in found if "spawn_main" in (process / "cmdline").read_text()]


def test_the_processes_of_a_killed_run_end_with_it(bank):
    home = bank("orphans")
    parent = subprocess.Popen(command(home, "--workers", "2"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(home.glob("observations/**/*.parquet")):
        assert parent.poll() is None
        time.sleep(0.005)
    workers = children(parent.pid)
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while any(worker.exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker goes on without a parent"
        time.sleep(0.05)
