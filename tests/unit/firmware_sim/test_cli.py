"""What the simulator's command line refuses."""

from __future__ import annotations

import pytest

from firmware_sim.cli import main


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
