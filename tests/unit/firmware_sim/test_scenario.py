"""Who plays what: shares, patterns, files; what makes no sense is refused by name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from firmware_sim.clock import DeviceClock
from firmware_sim.device import Habits
from firmware_sim.errors import BadInput
from firmware_sim.farm import APPLIES, CHANGES
from firmware_sim.faults import Faults
from firmware_sim.plan import Character
from firmware_sim.scenario import Group, Role, cast, shares
from firmware_sim.scenario_file import read_scenario

SCENARIOS = Path(__file__).parents[3] / "firmware_sim" / "scenarios"
NAMES = [f"sim-{i:03d}" for i in range(100)]
USUAL = Character(habits=Habits(), faults=Faults(duplicate=0.5), clock=DeviceClock())


def given(*groups: Group, seed: int = 0):
    return cast(NAMES, groups, climate="monsoon", usual=Role(), applies=APPLIES, seed=seed)


def written(tmp_path, text: str):
    (tmp_path / "scenario.toml").write_text(text)
    return read_scenario(tmp_path / "scenario.toml", usual=USUAL, known=CHANGES)


def test_kinds_share_the_fleet_and_the_rest_is_as_usual():
    roles = given(Group(kind="grain", share=0.2), Group(kind="weather", share=0.3)).roles
    assert Counter(role.kind for role in roles.values()) == {"soil": 50, "weather": 30, "grain": 20}


def test_a_change_falls_on_its_share_of_the_devices_it_fits():
    roles = given(Group(kind="grain", share=0.2), Group(change="stones", share=0.5), Group(change="bucket", share=0.1))
    stones = [role for role in roles.roles.values() if role.change == "stones"]
    assert [role.kind for role in stones] == ["grain"] * 10
    assert Counter(role.change for role in roles.roles.values()) == {"": 82, "stones": 10, "bucket": 8}


def test_two_changes_never_fall_on_one_device():
    roles = given(Group(change="bucket", share=0.5), Group(change="copied", share=0.5)).roles
    assert Counter(role.change for role in roles.values()) == {"bucket": 50, "copied": 50}


def test_the_lot_depends_on_the_seed_alone():
    def drawn(seed):
        return {n for n, r in given(Group(change="bucket", share=0.3), seed=seed).roles.items() if r.change}

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_file_gives_groups_their_parts(tmp_path):
    climate, groups = written(
        tmp_path,
        'climate = "dry"\n[[group]]\ndevices = ["sim-00*", "sim-099"]\nkind = "grain"\nageing = "creep"\nbegins = 0.5\n'
        'clock = "1970"\nrate = 2\nignore_cmd = true\n[group.faults]\noutage = "60:10"\nmalformed_kinds = ["nan"]\n'
        '[[group]]\nshare = 0.1\nattack = "bucket"\n',
    )
    made = given(*groups)
    assert climate == "dry"
    chosen = [name for name, role in made.roles.items() if role.change == "creep"]
    assert chosen == [*NAMES[:10], "sim-099"]
    assert made.roles["sim-003"] == Role(kind="grain", change="creep", begins=0.5)
    own = made.special["sim-003"]
    assert (own.clock.zero_after_ms, own.habits.rate, own.habits.obeys) == (0, 2.0, False)
    assert (own.faults.outage_s, own.faults.outage_lasts_s, own.faults.malformed_kinds) == (60, 10, ("nan",))
    assert own.faults.duplicate == 0.5, "what the group does not name stays as the options say"
    assert sum(role.change == "bucket" for role in made.roles.values()) == 9
    assert set(made.special) == set(chosen)


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.toml")), ids=lambda file: file.stem)
def test_a_scenario_that_ships_can_be_played(file):
    climate, groups = read_scenario(file, usual=USUAL, known=CHANGES)
    roles = cast(NAMES, groups, climate=climate, usual=Role(), applies=APPLIES, seed=1).roles
    assert len({role.kind for role in roles.values()}) == 3
    assert len({role.change for role in roles.values()}) == 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("climate = ", "not a scenario", id="no TOML"),
        pytest.param("weather = 1", "'weather' is not known there; known: climate, group", id="another key"),
        pytest.param('[[group]]\nshare=1\ncolour="red"', "group 1: 'colour' is not known there", id="key of a group"),
        pytest.param('[[group]]\nshare=1\nattack="magic"', "'magic' is neither attack nor ageing", id="no such attack"),
        pytest.param('[[group]]\nkind="soil"', "give either devices or share", id="of whom"),
        pytest.param("[[group]]\nshare=2", "2 is not a share between 0 and 1", id="more than all"),
        pytest.param("[[group]]\nshare=1\n[group.faults]\nfire=1", "faults: 'fire' is not known there", id="fault"),
        pytest.param('[[group]]\nshare=1\n[group.faults]\noutage="x"', "'x' are no seconds", id="no seconds"),
        pytest.param('[[group]]\nshare=1\n[group.faults]\nmalformed_kinds=["x"]', "'x' is not known", id="broken kind"),
        pytest.param('[[group]]\nshare=1\nclock="sun"', "clock 'sun' is not known", id="clock"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        written(tmp_path, text)


def test_a_pattern_that_names_nobody_is_refused():
    with pytest.raises(BadInput, match=r"no device is left that 'st-\*' would name"):
        given(Group(patterns=("st-*",)))


def test_stones_on_a_soil_probe_make_no_sense():
    with pytest.raises(BadInput, match="'stones' makes no sense on soil device sim-007"):
        given(Group(patterns=("sim-007",), change="stones"))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("magic:0.1", "attack 'magic' is not known; known: bucket"),
        ("bucket:2", "'2' is not a share"),
        ("bucket:x", "'x'"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(option, said):
    with pytest.raises(BadInput, match=said):
        shares([option], what="attack", known=CHANGES)
