from __future__ import annotations

from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.errors import ContractError, MalformedInput
from cropcredit.wire.decoders import DecodedField, Decoder, measure, model_key
from cropcredit.wire.measured import stated

CATALOGUES = Path(__file__).parents[3] / "data" / "catalogues"
QUANTITIES = load_quantities(CATALOGUES / "quantities.toml")
PROBE = """
[[decoder]]
model = "Acme Probe"
[[decoder.field]]
name = "t"
quantity = "soil.temperature"
unit = "Cel"
"""


def _profile(**more):
    field = {"name": "t", "quantity": "soil.temperature", "unit": "Cel"} | more
    return Decoder(model="probe", fields=(DecodedField(**field),))


def test_the_profiles_that_ship_are_sound_and_say_where_they_come_from():
    decoders = load_decoders(CATALOGUES / "decoders.toml", QUANTITIES)
    assert all(decoder.source for decoder in decoders.values())
    assert set(decoders) == {model_key(decoder.model) for decoder in decoders.values()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(PROBE + PROBE, "stands twice", id="a model twice"),
        pytest.param(PROBE.replace("Cel", "degC"), "unknown unit 'degC'", id="an unknown unit"),
        pytest.param(PROBE.replace("Cel", "hPa"), "hPa cannot be converted to Cel", id="a unit of another quantity"),
        pytest.param(PROBE.replace("soil.temperature", "soil.warmth"), "unknown quantity", id="an unknown quantity"),
        pytest.param(PROBE + 'channel = "depth 30"', "channel 'depth 30'", id="a channel that is none"),
        pytest.param(PROBE + "scale = 10", "unknown members", id="a member of its own invention"),
        pytest.param('[[decoder]]\nmodel = "x"\n', "names no field", id="no field"),
        pytest.param("[[decoder]]\n", "'model'", id="no model"),
        pytest.param(PROBE.replace('name = "t"\n', ""), "missing required field `name`", id="a field without a name"),
    ],
)
def test_a_broken_profile_is_refused_by_name(tmp_path, text, said):
    file = tmp_path / "decoders.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedInput, match=said):
        load_decoders(file, QUANTITIES)


def test_a_value_that_means_no_probe_is_absent_and_others_are_not():
    profile = _profile(absent=(-327.68,))
    assert measure({"t": -327.68}, profile, QUANTITIES).measurements == ()
    assert measure({"t": 0}, profile, QUANTITIES).measurements[0].value == 0.0


def test_absent_is_not_zero():
    for nothing in ({"t": None}, {"t": ""}, {"t": {"value": None, "unit": "°C"}}):
        assert measure(nothing, _profile(), QUANTITIES).measurements == ()


def test_members_of_members_are_found_by_their_path():
    profile = _profile(name="probes.deep.t", channel="d90")
    (found,) = measure({"probes": {"deep": {"t": 11}}}, profile, QUANTITIES).measurements
    assert (found.value, found.channel) == (11.0, "d90")
    with pytest.raises(ContractError, match="names none of the fields probes"):
        measure({"probes": {"shallow": {"t": 11}}}, profile, QUANTITIES)


def test_a_unit_that_stands_with_the_value_counts_before_the_profiles():
    (found,) = measure({"t": {"value": 300.15, "unit": "K"}}, _profile(), QUANTITIES).measurements
    assert found.value == 27.0


@pytest.mark.parametrize("value", [True, "NULL", "1,5", "12 34", [1], {"v": 1}, "9" * 400, float("inf"), 10**400])
def test_what_is_no_number_is_no_number(value):
    with pytest.raises(ContractError):
        stated(value, what="x")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, (0.0, "")),
        ("-0.50 °C", (-0.5, "Cel")),
        ("23%", (23.0, "%")),
        (" 1e2 uS/cm ", (100.0, "uS/cm")),
        ({"value": "7.1", "unit": "µS⋅cm⁻¹"}, (7.1, "uS/cm")),
    ],
)
def test_numbers_are_read_as_codecs_write_them(value, said):
    assert stated(value, what="x") == said
