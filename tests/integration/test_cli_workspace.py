"""init and doctor, as a newcomer types them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.adapters.clock import SystemClock
from cropcredit.adapters.findings import Finding
from cropcredit.adapters.health import examine
from cropcredit.adapters.health_http import answering
from cropcredit.adapters.line_health import look_at_broker, look_at_certificates, look_at_ingest, look_at_secrets
from cropcredit.config import Settings
from cropcredit.errors import StoreUnavailable


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
    named = {finding["name"]: finding["found"] for finding in findings}
    assert named["database"] == f"sqlite:///{home / 'cropcredit.db'}"
    assert set(named) == {
        "clock", "disk", "database", "broker", "ingest", "certificates", "secrets", "fonts"
    }  # fmt: skip


def test_init_that_gets_no_database_leaves_nothing_and_may_be_repeated(tmp_path, monkeypatch):
    home = tmp_path / "bank"
    monkeypatch.setenv("CROPCREDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'no-folder' / 'x.db'}")
    refused = cropcredit("init", "--home", home)
    assert refused.returncode == 2
    assert "the database did not answer" in refused.stderr
    assert not (home / "cropcredit.toml").exists()
    monkeypatch.delenv("CROPCREDIT_DATABASE_URL")
    assert cropcredit("init", "--home", home).returncode == 0


def test_init_says_that_a_database_of_the_environment_is_not_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("CROPCREDIT_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")
    made = cropcredit("init", "--home", tmp_path / "bank")
    assert "every later command needs it" in " ".join(made.stdout.split())


def test_the_settings_file_is_its_owner_s_alone_since_a_password_may_stand_in_it(tmp_path):
    Settings(home=tmp_path).save()
    assert (tmp_path / "cropcredit.toml").stat().st_mode & 0o077 == 0


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
            for f in examine(
                tmp_path,
                database="sqlite:///x.db",
                broker=server.getsockname(),
                holder=str,
                now=now - timedelta(days=1),
                released_on=now,
            )
        }
    assert found["broker"].ok
    assert not found["clock"].ok
    assert "set the clock" in found["clock"].cure


def found(home: Path, look: Callable[..., Finding], *more: object) -> tuple[bool, str]:
    finding = look(home, *more)
    return finding.ok, finding.found


def test_doctor_says_who_ingests_and_how_it_fares(tmp_path):
    assert found(tmp_path, look_at_ingest, str) == (False, "nobody ingests")
    assert found(tmp_path, look_at_ingest, lambda: "process 7") == (True, "process 7: well")
    problems: list[str] = []

    def report() -> dict[str, object]:
        return {"ok": not problems, "problems": problems}

    with answering("127.0.0.1", 0, report=report, metrics=bytes, content_type="") as url:
        (tmp_path / "ingest.json").write_text(json.dumps({"http": url}))
        assert found(tmp_path, look_at_ingest, lambda: "process 7") == (True, "process 7: well")
        problems.append("disk full")
        assert found(tmp_path, look_at_ingest, lambda: "process 7") == (False, "process 7: disk full")
    ok, said = found(tmp_path, look_at_ingest, lambda: "process 7")
    assert (ok, "does not tell its health" in said) == (False, True)

    def fails() -> str:
        raise StoreUnavailable("the database did not answer")

    assert found(tmp_path, look_at_ingest, fails) == (False, "the database did not answer")


def test_doctor_says_what_kind_of_broker_answers(tmp_path):
    (tmp_path / "broker").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for record, said in {
            "": "not started from this workspace: only signed messages count",
            '{"kind": "iotcore", "acl": false}': "iotcore: no access lists, so only signed messages count",
            '{"kind": "mosquitto", "acl": true, "door": {"tls": "password", "host": "h", "port": 8883}}': (
                "mosquitto: user names are tied to topics; encrypted (password) at h:8883"
            ),
        }.items():
            (tmp_path / "broker" / "broker.json").write_text(record)
            ok, told = found(tmp_path, look_at_broker, *server.getsockname())
            assert (ok, told.partition(", ")[2]) == (True, said)


def test_doctor_warns_of_certificates_that_end_and_of_secrets_that_lie_open(tmp_path):
    authority, now = CertificateAuthority(tmp_path / "tls"), datetime.now(UTC)
    assert look_at_certificates(authority, now).found == "none: devices log in with passwords"
    authority.make()
    authority.issue("a")
    assert look_at_certificates(authority, now).ok
    late = look_at_certificates(authority, now + timedelta(days=5 * 365 - 20))
    assert (late.ok, late.found.startswith("1 of 2 end soon, the first ends on"), "(a)" in late.found) == (
        False,
        True,
        True,
    )
    home = tmp_path / "bank"
    Settings.checked(home, {}, where="test").save()
    assert found(home, look_at_secrets) == (True, "the workspace is closed to other users")
    home.chmod(0o755)
    (home / "cropcredit.toml").chmod(0o644)  # as somebody's copy or editor leaves it
    assert found(home, look_at_secrets) == (False, "others may read cropcredit.toml")
    (home / "cropcredit.toml").chmod(0o600)
    assert found(home, look_at_secrets) == (True, "for their owner alone")


def test_a_table_that_is_not_there_is_not_blamed_on_its_encoding(tmp_path):
    assert cropcredit("init", "--home", tmp_path / "bank").returncode == 0
    for path, said in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        done = cropcredit("import", "parties", path, "--home", tmp_path / "bank")
        assert done.returncode == 2
        assert done.stderr == f"cropcredit: {path}: cannot be read: {said}\n"
