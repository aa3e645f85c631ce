"""init and doctor, as a newcomer types them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.health import examine
from cropcredit.config import Settings


def cropcredit(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cropcredit", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def test_init_makes_a_workspace_once_and_doctor_looks_at_it(tmp_path):
    home = tmp_path / "bank"
    assert cropcredit("init", "--home", home).returncode == 0
    again = cropcredit("init", "--home", home)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "is a workspace already; nothing was changed" in again.stderr
    findings = json.loads(cropcredit("doctor", "--home", home, "--json").stdout)
    assert {finding["name"] for finding in findings} == {"clock", "disk", "broker", "fonts"}


def test_a_workspace_for_made_data_starts_on_the_day_of_its_season(tmp_path):
    home = tmp_path / "bank"
    done = cropcredit("init", "--home", home, "--synthetic-today", "2026-08-25")
    assert done.returncode == 0, done.stderr
    settings = Settings.load(home)
    assert settings.synthetic
    today = SystemClock(timedelta(seconds=settings.clock_shift_s)).now().astimezone(ZoneInfo("Asia/Shanghai"))
    assert today.date() == date(2026, 8, 25)


def test_a_command_outside_a_workspace_says_how_to_make_one(tmp_path):
    done = cropcredit("doctor", "--home", tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(f"is not a workspace; make one: cropcredit init --home {tmp_path}")


def test_doctor_sees_a_broker_that_answers_and_a_clock_that_went_back(tmp_path):
    (tmp_path / "cropcredit.db").touch()
    now = datetime.now(UTC)
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = {
            f.name: f
            for f in examine(tmp_path, broker=server.getsockname(), now=now - timedelta(days=1), released_on=now)
        }
    assert found["broker"].ok
    assert not found["clock"].ok
    assert "set the clock" in found["clock"].cure


def test_a_table_that_is_not_there_is_not_blamed_on_its_encoding(tmp_path):
    assert cropcredit("init", "--home", tmp_path / "bank").returncode == 0
    for path, said in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        done = cropcredit("import", "parties", path, "--home", tmp_path / "bank")
        assert done.returncode == 2
        assert done.stderr == f"cropcredit: {path}: cannot be read: {said}\n"
