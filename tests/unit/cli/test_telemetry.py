"""devices and telemetry, as the person who puts probes into fields types them."""

from __future__ import annotations

import csv
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.adapters.mqtt import Health
from cropcredit.bootstrap import App, build
from cropcredit.cli import app, telemetry
from cropcredit.config import Settings
from cropcredit.errors import MalformedInput, RefusedInput, StateConflict, UnknownRecord
from cropcredit.service import health_line
from cropcredit.usecases.decoding import Message


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert run("init", home=tmp_path / "desk").exit_code == 0
    return tmp_path / "desk"


def run(*words: object, home: Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--home", str(home)])


def opened(home: Path) -> App:
    return build(Settings.load(home))


def test_a_device_gets_its_key_once_in_the_form_that_devices_files_have(home: Path):
    printed = run("devices", "add", "probe-1", "--model", "soil", home=home).stdout.splitlines()
    assert printed[0] == "device,kid,secret,password"
    device, kid, secret, password = printed[1].split(",")
    assert (device, kid, len(secret), len(password)) == ("probe-1", "k1", 64, 64)
    listed = run("devices", "list", "--json", home=home).stdout
    assert json.loads(listed)[0]["keys"] == ["k1"]
    assert secret not in listed
    assert "probe-1" in run("devices", "list", home=home).stdout


def test_keys_told_as_json_are_whole_where_no_file_takes_them(home: Path, tmp_path: Path):
    (told,) = json.loads(run("devices", "add", "a", "--json", home=home).stdout)
    assert (told["device"], told["kid"], len(told["secret"]), len(told["password"])) == ("a", "k1", 64, 64)
    (changed,) = json.loads(run("devices", "rotate", "a", "--json", home=home).stdout)
    assert changed["kid"] == "k2"
    assert changed["secret"] != told["secret"]
    filed = run("devices", "rotate", "a", "--json", "--keys", tmp_path / "keys.csv", home=home).stdout
    assert json.loads(filed) == [{"device": "a", "kid": "k3"}], "shown once, and that is in the file"
    assert json.loads(run("devices", "revoke", "a", "--json", home=home).stdout) == {"revoked": "a"}


@pytest.mark.parametrize("command", ["gaps", "conflicts", "rollup"])
def test_a_device_that_nobody_registered_is_named_instead_of_found_faultless(home: Path, command: str):
    run("devices", "add", "a", home=home)
    assert run("telemetry", command, "a", home=home).exit_code == 0
    refused = run("telemetry", command, "a", "b", home=home)
    assert isinstance(refused.exception, UnknownRecord)
    assert refused.exception.record_id == "b"


def test_many_devices_come_from_a_table_and_their_keys_go_into_a_file_for_one_person(home: Path, tmp_path: Path):
    table, keys = tmp_path / "devices.csv", tmp_path / "keys.csv"
    table.write_text("device_id,model,synthetic\na,probe,yes\nb,probe,no\n")
    assert run("devices", "add", "--from", table, "--keys", keys, home=home).stdout.startswith("registered 2 devices")
    with keys.open() as file:
        assert [row["device"] for row in csv.DictReader(file)] == ["a", "b"]
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    again = run("devices", "add", "--from", table, "--keys", keys, home=home)
    assert isinstance(again.exception, RefusedInput), "a file that is there is never overwritten"


def test_a_key_file_that_cannot_be_filled_is_not_left_behind(home: Path, tmp_path: Path):
    run("devices", "add", "a", home=home)
    refused = run("devices", "add", "a", "--keys", tmp_path / "keys.csv", home=home)
    assert isinstance(refused.exception, StateConflict)
    assert not (tmp_path / "keys.csv").exists()
    assert run("devices", "add", "a", "--rotate", home=home).stdout.splitlines()[1].startswith("a,k2,")


def test_a_key_is_changed_with_time_to_change_over(home: Path, tmp_path: Path):
    run("devices", "add", "a", home=home)
    printed = run("devices", "rotate", "a", "--grace", "3d", home=home).stdout.splitlines()
    assert printed[1].startswith("a,k2,")
    assert "k1 until 20" in run("devices", "list", home=home).stdout
    assert "only the newest key of a" in run("devices", "rotate", "a", "--finish", home=home).stdout
    (listed,) = json.loads(run("devices", "list", "--json", home=home).stdout)
    assert (listed["keys"], listed["ending"]) == (["k2"], {})
    keys = tmp_path / "keys.csv"
    said = run("devices", "rotate", "a", "--grace", "0", "--keys", keys, home=home).stdout
    assert said == f"changed the key of 1 device; keys in {keys}\n"
    assert [row["kid"] for row in csv.DictReader(keys.read_text().splitlines())] == ["k3"]
    refused = run("devices", "rotate", "a", "--grace", "soon", home=home)
    assert isinstance(refused.exception, MalformedInput)
    assert "write 7d, 12h, 30m or 0" in str(refused.exception)


def test_certificates_come_in_a_folder_with_the_one_by_which_the_broker_is_known(home: Path, tmp_path: Path):
    folder = tmp_path / "certificates"
    refused = run("devices", "add", "a", "--certificates", folder, home=home)
    assert isinstance(refused.exception, RefusedInput)
    assert "start cropcredit broker --tls certificates" in str(refused.exception)
    assert run("devices", "list", "--json", home=home).stdout == "[]\n", "no key that nobody was shown"
    CertificateAuthority(home / "broker" / "tls").make()
    run("devices", "add", "b", "--certificates", folder, home=home)
    assert {file.name for file in folder.iterdir()} == {"ca.crt", "b.crt", "b.key"}
    assert stat.S_IMODE((folder / "b.key").stat().st_mode) == 0o600
    run("devices", "revoke", "b", home=home)
    assert len(CertificateAuthority(home / "broker" / "tls").revoked()) == 1


def test_devices_are_placed_by_hand_or_from_a_table(home: Path, tmp_path: Path):
    run("devices", "add", "a", home=home)
    assert run("devices", "place", "a", "--store", "s1", "--since", "2026-04-01", home=home).exit_code == 0
    table = tmp_path / "places.csv"
    table.write_text("device_id,store_id,from_at\na,s2,2026-05-01\n")
    placed = json.loads(run("devices", "place", "--from", table, "--json", home=home).stdout)
    assert placed[0]["store_id"] == "s2"
    assert "s2:*" in run("devices", "list", home=home).stdout
    nowhere = run("devices", "place", "a", "--field", "f9", home=home)
    assert isinstance(nowhere.exception, UnknownRecord)


@pytest.mark.parametrize(
    "words", [("devices", "add"), ("devices", "place"), ("devices", "add", "a", "--from", "x.csv")]
)
def test_one_device_or_a_table_must_be_named(home: Path, words: tuple[str, ...]):
    refused = run(*words, home=home)
    assert isinstance(refused.exception, MalformedInput)
    assert "one device, or a table" in str(refused.exception)


def test_revoke_takes_the_key_away(home: Path):
    run("devices", "add", "a", home=home)
    assert run("devices", "revoke", "a", home=home).stdout == "revoked a\n"
    assert "revoked" in run("devices", "list", home=home).stdout
    assert "a:" not in (home / "broker" / "passwords").read_text()


def test_gaps_and_quarantine_are_shown(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    run("devices", "add", "a", home=home)
    ingest = opened(home).ingest_messages
    said = [json.dumps({"v": 1, "boot": 1, "seq": seq, "clk": "none", "up": 1, "m": []}).encode() for seq in (1, 4)]
    ingest([Message("farm/v1/a/up", payload) for payload in (*said, b"{\xff")])
    (gap,) = json.loads(run("telemetry", "gaps", "--json", home=home).stdout)
    assert (gap["first"], gap["last"], gap["size"], gap["kind"]) == (2, 3, 2, "open")
    assert "2 messages in 1 gap\n" in run("telemetry", "gaps", "a", home=home).stdout
    (refused,) = json.loads(run("telemetry", "quarantine", "--json", home=home).stdout)
    assert (refused["reason"], refused["payload"]) == ("utf8", "{\\xff")
    assert "1 utf8" in run("telemetry", "quarantine", home=home).stdout
    assert json.loads(run("telemetry", "quarantine", "--reason", "range", "--json", home=home).stdout) == []


def test_quarantine_is_replayed_when_what_was_wrong_is_put_right(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    said = json.dumps({"v": 1, "boot": 1, "seq": 1, "clk": "none", "up": 1, "m": []}).encode()
    opened(home).ingest_messages([Message("farm/v1/a/up", said), Message("farm/v1/a/up", b"{")])
    run("devices", "add", "a", home=home)
    told = run("telemetry", "replay", "--dry-run", home=home).stdout
    assert "1 would pass, of 1 device; still refused: 1 json" in told
    done = json.loads(run("telemetry", "replay", "--reason", "unknown", "--json", home=home).stdout)
    assert done == {"dry_run": False, "passed": 1, "refused": {"json": 1}, "states": 0}
    assert opened(home).ingest_messages.store.counts()["readings"] == 1
    assert "then json" in run("telemetry", "quarantine", home=home).stdout


def test_units_in_brackets_are_shown_and_not_taken_for_markup(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    run("devices", "add", "a", home=home)
    pack = b'[{"n":"x/soil.moisture","u":"furlong","v":7,"bt":1.7e9}]'
    opened(home).ingest_messages([Message("farm/v1/a/senml", pack)])
    assert "[pH]" in run("telemetry", "quarantine", home=home).stdout


def test_a_model_that_no_profile_describes_is_said_where_it_matters(home: Path):
    added = run("devices", "add", "a8404194a1875ff3", "--model", "Bogus 9", home=home)
    assert "a8404194a1875ff3: model 'Bogus 9' has no profile" in added.stderr
    assert "dragino-lse01" in added.stderr
    assert len(added.stdout.splitlines()) == 2, "keys alone, for whoever reads them from there"
    for known in (("a8404194a1875ff4", "--model", "Dragino LSE01"), ("probe", "--model", "of our own make")):
        assert run("devices", "add", *known, home=home).stderr == ""


def test_conflicts_are_shown_with_what_stands(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    run("devices", "add", "a", home=home)
    wet = {"v": 1, "boot": 1, "seq": 1, "clk": "none", "up": 1, "m": [{"q": "soil.moisture", "v": 20, "c": "d30"}]}
    dry = wet | {"m": [{"q": "soil.moisture", "v": 5, "c": "d30"}]}
    opened(home).ingest_messages([Message("farm/v1/a/up", json.dumps(said).encode()) for said in (wet, dry)])
    (found,) = json.loads(run("telemetry", "conflicts", "--json", home=home).stdout)
    assert (found["stands"][0]["value"], found["said"][0]["value"]) == (20.0, 5.0)
    shown = run("telemetry", "conflicts", "a", home=home).stdout
    assert "soil.moisture d30 5" in shown
    assert "devices rotate" in shown
    assert "0 conflicts" in run("telemetry", "conflicts", "--since", "2100-01-01", home=home).stdout


def test_values_are_exported_with_unit_instant_and_signature(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    run("devices", "add", "a", home=home)
    wet = {"v": 1, "boot": 1, "seq": 1, "clk": "none", "up": 1, "m": [{"q": "soil.moisture", "v": 20, "c": "d30"}]}
    opened(home).ingest_messages([Message("farm/v1/a/up", json.dumps(wet).encode())])
    assert "1 value in" in run("telemetry", "export", home / "values.csv", home=home).stdout
    (row,) = csv.DictReader((home / "values.csv").read_text("utf-8").splitlines())
    assert (row["quantity"], row["unit"], float(row["value"]), row["dated_by"]) == ("soil.moisture", "%", 20, "arrival")
    told = run("telemetry", "export", home / "v.parquet", "--device", "a", "--until", "2020-01-01", "--json", home=home)
    assert json.loads(told.stdout)["values"] == 0
    today = datetime.now(UTC).date()
    for day, count in ((today - timedelta(days=1), "1 value"), (today + timedelta(days=2), "0 values")):
        assert f"{count} in" in run("telemetry", "export", home / "v.csv", "--since", day, home=home).stdout
    assert isinstance(run("telemetry", "export", home / "v.xlsx", home=home).exception, RefusedInput)
    assert isinstance(run("telemetry", "export", home / "v.csv", "--device", "z", home=home).exception, UnknownRecord)


def test_old_readings_are_moved_on_demand(home: Path):
    assert json.loads(run("telemetry", "retain", "--json", home=home).stdout)["readings"] == 0
    assert "0 readings moved" in run("telemetry", "retain", "--older-than", "90d", home=home).stdout
    refused = run("telemetry", "retain", "--older-than", "a year", home=home)
    assert "400d" in str(refused.exception)


def test_roll_ups_are_brought_up_to_date_on_demand(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    run("devices", "add", "a", home=home)
    said = json.dumps({"v": 1, "boot": 1, "seq": 1, "clk": "none", "up": 1, "m": []}).encode()
    opened(home).ingest_messages([Message("farm/v1/a/up", said)])
    assert json.loads(run("telemetry", "rollup", "--json", home=home).stdout) == {"readings": 1}
    assert "0 readings rolled up" in run("telemetry", "rollup", "a", home=home).stdout


def test_ingest_of_a_made_season_says_what_becomes_of_live_devices(home: Path, tmp_path: Path, monkeypatch, caplog):
    monkeypatch.setattr(telemetry, "serve_ingest", lambda *_, **__: None)
    assert run("ingest", home=home).exit_code == 0
    assert "made season" not in caplog.text
    assert run("init", "--synthetic-today", "2026-08-25", home=tmp_path / "made").exit_code == 0
    assert run("ingest", home=tmp_path / "made").exit_code == 0
    assert "a made season (2026-08-25)" in caplog.text


def test_the_list_says_what_was_refused_of_a_device_that_was_never_heard(home: Path):
    (home / "broker").mkdir()
    (home / "broker" / "broker.json").write_text('{"acl": true}')
    for device in ("a", "b"):
        run("devices", "add", device, home=home)
    said = {"v": 1, "boot": 1, "seq": 1, "clk": "none", "up": 1, "m": []}
    sound, other = (json.dumps(said | {"up": up}).encode() for up in (1, 2))
    topics = {"a": (b"{",), "b": (b"{", b"[", sound, other)}
    opened(home).ingest_messages(
        [Message(f"farm/v1/{d}/up", one) for d, payloads in topics.items() for one in payloads]
    )
    a, b = (line for line in run("devices", "list", home=home).stdout.splitlines() if line[:2] in ("a ", "b "))
    assert "heard, but refused: 1 message, last 20" in a
    assert "cloned? 1 contradiction; refused: 2 messages, last 20" in b


def test_the_health_line_says_what_is_wrong():
    health = Health(connected=True, received=7, readings=5, refused=2, last_commit=10.0, trouble="disk full")
    line = health_line(health, now=12.4)
    assert "connected=yes received=7 readings=5" in line
    assert "last_commit=2 s ago" in line
    assert line.endswith("trouble=disk full")
    assert "last_commit=never" in health_line(Health(), now=0.0)


def test_the_clock_of_the_workspace_dates_what_is_registered(home: Path):
    before = datetime.now(UTC)
    run("devices", "add", "a", home=home)
    (status,) = opened(home).list_devices()
    assert before <= status.device.known_at <= datetime.now(UTC)
