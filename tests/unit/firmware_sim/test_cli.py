"""What the simulator's command line refuses."""

from __future__ import annotations

import pytest

from firmware_sim.ageing import AGEING
from firmware_sim.attacks import ATTACKS
from firmware_sim.cli import _parser, main
from firmware_sim.clock import CLOCKS
from firmware_sim.malformed import BROKEN, POISON
from firmware_sim.soil import SITES, TEXTURES
from firmware_sim.weather import CLIMATES


@pytest.mark.parametrize(
    "broker", ["somewhere", ":1883", "localhost:", "localhost:x", "localhost:0", "localhost:99999"]
)
def test_a_broker_that_is_no_host_and_port_is_refused_at_once(broker, tmp_path, capsys):
    keys = tmp_path / "keys.csv"
    assert main(["keygen", "a", "--out", str(keys)]) == 0
    assert main(["run", "--devices", str(keys), "--journal", str(tmp_path / "j.db"), "--broker", broker]) == 2
    assert f"{broker!r} is not HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--seconds", "--duplicate"])
def test_an_option_that_wants_a_number_says_so(option, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--devices", "keys.csv", option, "x"])
    assert "'x' is not a number" in capsys.readouterr().err


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys.csv"
    assert main(["keygen", "--count", "4", "--out", str(file)]) == 0
    return str(file)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["--attack", "magic:0.1"], "attack or ageing 'magic' is not known; known: bucket", id="attack"),
        pytest.param(["--kind", "cow"], "kind 'cow' is not known; known: soil, weather, grain", id="kind"),
        pytest.param(["--climate", "lunar"], "climate 'lunar' is not known", id="climate"),
        pytest.param(["--malformed-kinds", "x"], "broken message 'x' is not known; known: truncated", id="broken"),
        pytest.param(["--outage", "60:soon"], "'soon' are no seconds", id="outage"),
        pytest.param(["--cert-dir", "certs"], "--cert-dir needs --ca", id="certificates without CA"),
        pytest.param(["--ca", "absent.crt"], "absent.crt: no CA certificate can be read there", id="no CA"),
        pytest.param(["--bearer", "pigeon"], "bearer 'pigeon' is not known; known: nb-iot", id="bearer"),
        pytest.param(["--scenario", "absent.toml"], "absent.toml: not a scenario", id="no scenario"),
        pytest.param(["--truth", "absent/truth.csv"], "absent/truth.csv: ", id="nowhere to write"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(options, said, keys, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--devices", keys, *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_writing_says_what_its_start_should_look_like(keys, tmp_path, capsys):
    assert main(["write", "--devices", keys, "--out", str(tmp_path / "x.csv"), "--start", "May"]) == 2
    assert "--start 'May' is not ISO 8601, for example 2026-05-01" in capsys.readouterr().err


def test_modes_lists_every_attack_fault_clock_and_soil(capsys):
    assert main(["modes"]) == 0
    words = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    for names in (ATTACKS, AGEING, BROKEN, POISON, CLOCKS, CLIMATES, TEXTURES, SITES):
        assert words >= set(names)


@pytest.mark.parametrize("command", ["", "run", "replay", "write", "ledger", "modes", "keygen"])
def test_help_fits_a_terminal_and_explains_itself(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*command.split(), "--help"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 120
    assert "usage: python -m firmware_sim" in said


def test_the_examples_of_the_help_are_commands_that_exist(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    lines = [line.partition("#")[0] for line in capsys.readouterr().out.splitlines() if "-m firmware_sim " in line]
    examples = [line.split("-m firmware_sim ")[1].split() for line in lines if line.startswith("  python")]
    assert len(examples) >= 6
    for example in examples:
        assert _parser().parse_args(example).command
