"""Runs that are killed, and scenes that come later: not one byte may differ."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.fields import boundary_version
from cropcredit.model import Field
from tests.benchmarks.report import Row, at_least, at_most
from tests.rasterfiles import square, write_scene

KILLS = 20
SCENES = 12
SIZE = 1200
FIRST = date(2025, 5, 28)
LAST = "2025-12-31"


def interrupted(folder: Path, command: str) -> list[Row]:
    """Kill at random moments and resume; add later scenes to an earlier as-of; count what differs."""
    rng = np.random.default_rng(20)
    bank = workspace(folder / "small", rng)
    straight = shutil.copytree(bank, folder / "straight")
    seconds = run(straight)
    wanted = written(straight)
    same, killed_in_work = 0, 0
    for number in range(KILLS):
        home = shutil.copytree(bank, folder / f"killed{number}")
        killed_in_work += kill(home, rng.uniform(0.2, 1) * seconds)
        run(home)
        same += written(home) == wanted
        shutil.rmtree(home)
    changed = sum(later_scenes(bank, folder, k) for k in range(1, SCENES))
    return [
        Row(bar=f"SIGKILL at {KILLS} random moments, then resume: runs with the same bytes", value=same, unit="runs",
            target=at_least(same, KILLS)[0], ok=same == KILLS, command=command),
        Row(bar="  of them killed after the first unit was written", value=killed_in_work, unit="runs", target="",
            ok=True, command=command),
        Row(bar=f"as-of: files that {SCENES - 1} later scenes, one by one, changed", value=changed, unit="files",
            target=at_most(changed, 0)[0], ok=changed == 0, command=command),
    ]  # fmt: skip


def workspace(home: Path, rng: np.random.Generator) -> Path:
    """Make a workspace with 2,500 fields; its scenes lie inside, so that it can be copied."""
    settings = Settings.checked(home, {"time_zone": "UTC"}, where="benchmark")
    settings.save()
    app = build(settings)
    known = datetime(2025, 1, 1, tzinfo=UTC)
    boundaries = [square(20 + 235 * (k % 50), 20 + 235 * (k // 50), 200) for k in range(2500)]
    app.import_fields.fields.add(
        [
            Field(id=f"f{k:04}", collection="made", boundary=b, area_ha=4.0, perimeter_m=800.0,
                  boundary_version=boundary_version(b), known_at=known)
            for k, b in enumerate(boundaries)
        ]
    )  # fmt: skip
    for number in range(SCENES):
        day = FIRST + timedelta(days=5 * number)
        write_scene(home / "scenes", day=day.isoformat(), ndvi=rng.uniform(0.2, 0.8, (SIZE, SIZE)), size=SIZE)
    app.add_scenes([str(home / "scenes")], product="s2-l2a")
    return home


def run(home: Path, as_of: str = LAST) -> float:
    """Run to the end; returns the seconds it took."""
    begun = time.monotonic()
    subprocess.run(words(home, as_of), check=True, capture_output=True)
    return time.monotonic() - begun


def kill(home: Path, after_s: float) -> bool:
    """Start a run and kill it after some seconds; returns whether a unit had been written and another was not."""
    process = subprocess.Popen(words(home, LAST), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return 0 < len(list(home.glob("observations/**/*.parquet"))) < SCENES


def later_scenes(bank: Path, folder: Path, known: int) -> int:
    """Run for an instant when ``known`` scenes were there, in a workspace with only those and in one with all."""
    as_of = (FIRST + timedelta(days=5 * (known - 1), hours=24)).isoformat()
    few, all_of_them = folder / "few", shutil.copytree(bank, folder / "all")
    Settings.checked(few, {"time_zone": "UTC"}, where="benchmark").save()
    app = build(Settings.load(few))
    shutil.copytree(bank / "fields", few / "fields")
    for scene in sorted((bank / "scenes").iterdir())[:known]:
        shutil.copytree(scene, few / "scenes" / scene.name)
    app.add_scenes([str(few / "scenes")], product="s2-l2a")
    for home in (few, all_of_them):
        run(home, as_of)
    one, other = written(few), written(all_of_them)
    shutil.rmtree(few)
    shutil.rmtree(all_of_them)
    return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())


def words(home: Path, as_of: str) -> list[str]:
    return [sys.executable, "-m", "cropcredit", "ndvi", "run", "--as-of", as_of, "--home", str(home)]


def written(home: Path) -> dict[str, bytes]:
    """Read all that a run leaves, but for its log and cache."""
    files = [*home.glob("observations/**/*.parquet"), *home.glob("runs/*/*.json"), *home.glob("runs/*/*.csv")]
    return {str(path.relative_to(home)): path.read_bytes() for path in files}
