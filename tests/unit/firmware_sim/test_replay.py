"""Real readings from CSV: grouping, exact decimals, missing cells, resuming, refusals by line."""

from __future__ import annotations

import gzip

import pytest

from firmware_sim.errors import BadInput
from firmware_sim.replay import Replay, read_mapping

LONG = """device,time,quantity,channel,value
a,2012-05-01,soil.moisture,d30,23.40
a,2012-05-01,soil.temperature,d30,NA
a,2012-05-01,soil.temperature,d60,0
a,2012-05-01T06:00:00Z,soil.moisture,d30,23.1
b,2012-05-01T08:00:00+08:00,,,
"""
MAPPING = """
device = "station"
time = "day"
time_format = "%d.%m.%Y"
prefix = "farm-"
missing = ["", "-99"]
[[column]]
name = "vw"
quantity = "soil.moisture"
channel = "d30"
scale = 100
[[column]]
name = "f"
quantity = "air.temperature"
scale = 0.5
offset = -16
"""


def written(tmp_path, text, name="readings.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def everything(replay):
    return replay.take(1000, now_ms=0)


def test_consecutive_rows_of_a_device_and_time_are_one_message(tmp_path):
    readings = everything(Replay(written(tmp_path, LONG)))
    assert [(r.device_id, r.values) for r in readings] == [
        ("a", (("soil.moisture", "23.4", "d30"), ("soil.temperature", "0", "d60"))),
        ("a", (("soil.moisture", "23.1", "d30"),)),
        ("b", ()),
    ]


def test_times_are_utc_unless_they_say_otherwise(tmp_path):
    midnight = 1_335_830_400_000
    times = [r.at_ms for r in everything(Replay(written(tmp_path, LONG)))]
    assert times == [midnight, midnight + 6 * 3_600_000, midnight]


def test_a_wide_table_is_read_through_its_mapping(tmp_path):
    table = written(tmp_path, "day,station,vw,f,notes\n01.05.2012,1,0.278,82,dry\n02.05.2012,1,-99,,\n")
    readings = everything(Replay(table, mapping=read_mapping(written(tmp_path, MAPPING, "map.toml"))))
    assert [(r.device_id, r.values) for r in readings] == [
        ("farm-1", (("soil.moisture", "27.8", "d30"), ("air.temperature", "25", ""))),
        ("farm-1", ()),
    ]


def test_decimals_are_scaled_without_binary_noise(tmp_path):
    table = written(tmp_path, "day,station,vw,f\n" + "".join(f"01.05.2012,1,0.{n:03d},\n" for n in range(1000)))
    readings = everything(Replay(table, mapping=read_mapping(written(tmp_path, MAPPING, "map.toml"))))
    assert [float(r.values[0][1]) for r in readings] == [n / 10 for n in range(1000)]


def test_a_gzipped_file_is_the_same_file(tmp_path):
    packed = tmp_path / "readings.csv.gz"
    packed.write_bytes(gzip.compress(LONG.encode()))
    assert everything(Replay(packed)) == everything(Replay(written(tmp_path, LONG)))


def test_a_later_run_skips_what_was_recorded(tmp_path):
    replay = Replay(written(tmp_path, LONG))
    replay.skip(2)
    assert [r.device_id for r in everything(replay)] == ["b"]
    assert replay.exhausted


def test_taking_piece_by_piece_gives_everything_once(tmp_path):
    replay, taken = Replay(written(tmp_path, LONG)), []
    while not replay.exhausted:
        taken += replay.take(1, now_ms=0)
    assert taken == everything(Replay(written(tmp_path, LONG)))


def test_another_mapping_is_another_source(tmp_path):
    table = written(tmp_path, "day,station,vw,f\n01.05.2012,1,0.278,82\n")
    first = Replay(table, mapping=read_mapping(written(tmp_path, MAPPING, "a.toml")))
    second = Replay(table, mapping=read_mapping(written(tmp_path, MAPPING.replace("100", "1"), "b.toml")))
    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "no column device", id="empty file"),
        pytest.param(LONG.splitlines()[0], "holds no reading", id="header alone"),
        pytest.param("device,time,value\n", "no column quantity, channel", id="missing columns"),
        pytest.param(LONG + "a,2012-05-02,soil.moisture,d30,wet\n", "line 7: 'wet' is not a number", id="text"),
        pytest.param(LONG + "a,2012-05-02,soil.moisture,d30,Infinity\n", "line 7: 'Infinity' is not finite", id="inf"),
        pytest.param(LONG + "a,2012-05-02,,d30,1\n", "line 7: a value '1' of no quantity", id="no quantity"),
        pytest.param(LONG + "a,yesterday,soil.moisture,d30,1\n", "line 7: time 'yesterday'", id="no time"),
        pytest.param(LONG + "a,2012-05-02\n", "line 7: 2 cells where the header has 5", id="short row"),
        pytest.param(LONG + "z,2012-05-02,soil.moisture,,1\n", "line 7: device 'z' is not in", id="unknown device"),
        pytest.param(
            LONG + "a,2012-05-02,soil.moisture,d30,1\na,2012-05-02,soil.moisture,d30,2\n",
            "line 8: one quantity",
            id="twice",
        ),
    ],
)
def test_a_bad_line_is_refused_by_its_number(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        everything(Replay(written(tmp_path, text), known=("a", "b")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('device = "d"', "not a mapping", id="no time"),
        pytest.param('device = "d"\ntime = "t"', "maps no", id="no column"),
        pytest.param(MAPPING.replace("quantity", "kind"), "not a mapping", id="unknown word"),
        pytest.param(MAPPING.replace("100", '"many"'), "not a mapping", id="scale is text"),
        pytest.param("device", "not a mapping", id="not TOML"),
    ],
)
def test_a_bad_mapping_is_refused(tmp_path, text, message):
    with pytest.raises(BadInput, match=message):
        read_mapping(written(tmp_path, text, "map.toml"))


def test_a_mapping_that_names_absent_columns_is_refused(tmp_path):
    mapping = read_mapping(written(tmp_path, MAPPING, "map.toml"))
    with pytest.raises(BadInput, match="no column f"):
        Replay(written(tmp_path, "day,station,vw\n01.05.2012,1,0.2\n"), mapping=mapping)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        Replay(tmp_path / "absent.csv")
