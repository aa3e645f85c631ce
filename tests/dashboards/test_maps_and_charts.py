from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from cropcredit.usecases.case_evidence import curves_of
from cropcredit.usecases.cases import total_due
from dashboards import charts, maps
from dashboards.formats import Formats
from dashboards.words import Words
from tests import builders, lending

EN, FORMATS = Words("en"), Formats("en", "Asia/Shanghai")


def drawn(*fields: str) -> Any:
    squares = [builders.square(name, east_m=140 * place) for place, name in enumerate(fields)]
    return json.loads(maps.field_map(squares, list(fields), [0] * len(fields)).to_json())


def test_the_map_asks_nobody_for_tiles() -> None:
    style = drawn("F1")["mapStyle"]
    kind, _, body = style.partition(",")
    assert kind == "data:application/json"
    assert json.loads(unquote(body))["sources"] == {}
    assert "http" not in json.dumps(drawn("F1", "F2"))


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    west, east = maps.scale_bar(116.5, 36.4, 100, 36.4)
    assert (east[0] - west[0]) * 89_700 == pytest.approx(100, rel=0.01)


def test_the_map_shows_all_fields_on_a_phone() -> None:
    view = drawn("F1", "F2", "F3")["initialViewState"]
    visible_deg = 360 * maps.PIXELS / 512 / 2 ** view["zoom"]
    assert visible_deg * 89_700 > 3 * 140
    assert view["bearing"] == view["pitch"] == 0


def layers(chart) -> Any:
    """Give the rows that each layer of a chart draws."""
    made = chart.to_dict()
    return [made["datasets"][layer["data"]["name"]] for layer in made["layer"]]


def test_every_observation_stands_in_the_curve_with_its_clear_share() -> None:
    curve = curves_of(builders.series("F1"))["F1"]
    rules, names, line, points = layers(charts.ndvi_curve(curve, lending.planting(), EN, FORMATS))
    assert [row["clear"] for row in points] == [point.clear_fraction for point in curve.points]
    assert {row["kept"] for row in points} == {"used", "passed over"}
    assert len(line) == len(curve.line)
    assert [row["what"] for row in rules] == [row["what"] for row in names] == ["sowing", "harvest"]


def test_the_binding_cap_stands_out_in_the_ladder_and_a_far_ceiling_is_pale() -> None:
    offer = lending.Lender().size("A1")
    bars, limit, _ = layers(charts.ladder(offer.caps, offer.binding, offer.amount, EN, FORMATS))
    rows = {row["rule"]: row for row in bars}
    assert [row["rule"] for row in bars if row["binds"]] == [EN(f"rule.name.{offer.binding}")]
    assert rows["Policy"]["far"]
    assert not rows["Need"]["far"]
    assert limit == [{"amount": float(offer.amount.major)}]


def test_the_interval_reaches_from_the_fifth_to_the_ninety_fifth_percentile() -> None:
    outer, _, _, baseline = layers(charts.yield_interval(lending.estimate(), EN))
    assert (outer[0]["low"], outer[0]["high"]) == (lending.T_HA[0], lending.T_HA[-1])
    assert baseline[0]["low"] == 5.8


def test_only_seasons_that_fall_short_stand_out() -> None:
    offer = lending.Lender().size("A1")
    due = total_due(offer)
    bars, line = layers(charts.cash(offer, due, EN, FORMATS))
    assert [row["short"] for row in bars] == [cash < due for _, cash in offer.cash_quantiles]
    assert line == [{"amount": float(due.major)}]
