"""The devices file, and the keys made for it."""

from __future__ import annotations

import pytest

from firmware_sim.cli import main
from firmware_sim.errors import BadInput
from firmware_sim.identity import new_devices, read_devices
from firmware_sim.message import Key

SECRET = "0f" * 32


def written(tmp_path, text):
    path = tmp_path / "devices.csv"
    path.write_text(text)
    return path


def test_a_devices_file_gives_keys_and_passwords(tmp_path):
    text = f"device,kid,secret,password\na,k1,{SECRET},\nb,k2,{SECRET},open sesame\nc,,,\n"
    devices = read_devices(written(tmp_path, text))
    assert devices["a"].login() == Key("k1", bytes.fromhex(SECRET)).password()
    assert devices["b"].login() == "open sesame"
    assert (devices["c"].key, devices["c"].login()) == (None, "")


def test_made_keys_can_be_read_and_differ(tmp_path):
    devices = read_devices(written(tmp_path, new_devices(["a", "b"], kid="k7")))
    keys = [one.key for one in devices.values() if one.key]
    assert [key.kid for key in keys] == ["k7", "k7"]
    assert keys[0].secret != keys[1].secret


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no column 'device'", id="empty"),
        pytest.param("device\n", "names no device", id="header alone"),
        pytest.param("device\na b\n", "line 2: 'a b' cannot be a device id", id="blank in the id"),
        pytest.param("device\na\na\n", "line 3: device a stands there twice", id="twice"),
        pytest.param("device,kid,secret\na,k1,\n", "kid and secret belong together", id="half a key"),
        pytest.param("device,kid,secret\na,k1,0f\n", "not 64 hex digits", id="short secret"),
    ],
)
def test_a_bad_devices_file_is_refused(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        read_devices(written(tmp_path, text))


def test_keygen_writes_a_private_file_once(tmp_path, capsys):
    out = tmp_path / "devices.csv"
    assert main(["keygen", "gate", "--count", "2", "--prefix", "farm-", "--out", str(out)]) == 0
    assert list(read_devices(out)) == ["gate", "farm-0001", "farm-0002"]
    assert out.stat().st_mode & 0o077 == 0
    assert main(["keygen", "gate", "--out", str(out)]) == 2
    assert "never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["keygen"], "name at least one device", id="nobody"),
        pytest.param(["keygen", "a", "a"], "named twice", id="twice"),
        pytest.param(["keygen", "a/b"], "cannot be a device id", id="slash"),
        pytest.param(["run", "--devices", "/nowhere/devices.csv"], "cannot be read", id="no file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(arguments, message, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
