"""Features of plantings from stores: warmth, own years, neighbours, events, water; and what is missing is named."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cropcredit.errors import EmptyInput
from cropcredit.model import CropWater, Grid, Installation, Planting, Scene, WeatherSeries
from cropcredit.telemetry import Day, Evidence, Grade
from cropcredit.units import Quantity
from cropcredit.usecases.field_features import MeasureFields
from cropcredit.usecases.telemetry import DeviceEvidence, SensorSeries, SensorSummary
from tests.fakes import FakeCatalogues
from tests.unit.usecases.yield_world import HARVEST, LONG_AGO, SOWING, World, end_of, label, planted, world

AFTER = datetime(2025, 6, 30, tzinfo=UTC)
YEARS = (2021, 2022, 2023, 2024)
HEIGHTS = [0.50, 0.52, 0.54, 0.56, 0.58, 0.60]


class WarmCatalogues(FakeCatalogues):
    """Crops that know what warmth and water they ask for."""

    def __init__(self) -> None:
        super().__init__()
        water = CropWater(kc=(0.4, 1.15, 0.25), stages=(30, 140, 40, 30), root_m=1.2, depletion=0.55)
        self._crops = {
            code: replace(crop, base_temp_c=0.0, ceiling_temp_c=26.0, water=water) for code, crop in self._crops.items()
        }


def weather(first: date, days: int, *, region: str = "T1", rain_mm: float = 1.5) -> list[WeatherSeries]:
    """Seasons of a temperate plain, with the same rain every day, one record a year."""
    found = []
    for year in range(first.year, (first + timedelta(days - 1)).year + 1):
        start = max(first, date(year, 1, 1))
        span = (min(first + timedelta(days), date(year + 1, 1, 1)) - start).days
        middle = [
            13 - 14 * math.cos(2 * math.pi * ((start + timedelta(n)).timetuple().tm_yday - 15) / 365)
            for n in range(span)
        ]
        found.append(
            WeatherSeries(
                id=f"{region}/s/{start}",
                known_at=LONG_AGO,
                region=region,
                source="s",
                first_on=start,
                rain_mm=(rain_mm,) * span,
                t_min_c=tuple(m - 5 for m in middle),
                t_max_c=tuple(m + 6 for m in middle),
            )
        )
    return found


FIVE_YEARS = weather(date(2020, 9, 1), 1764)


def farm_years(*records, heights: Iterable[float] = HEIGHTS, since: float = 1.0, from_day: date | None = None) -> World:
    """Wheat on every field for five years, looked at every ten days; this season lower by ``since`` after a day."""
    made = world(*records)
    for number in range(6):
        made.facts.add(*(earlier(number, year) for year in YEARS))
    made.catalogues = WarmCatalogues()
    for n in range(175):
        day = date(2020, 9, 20) + timedelta(10 * n)
        if day > HARVEST + timedelta(10):
            break
        wiggle = 0.03 * ((day.year + (day.month > 8)) % 3 - 1)
        low = since if from_day is not None and day >= from_day else 1.0
        made.look(day, [(h + wiggle) * (low if i == 2 else 1.0) for i, h in enumerate(heights)])
    return made


def earlier(number: int, year: int) -> Planting:
    dates: dict[str, Any] = {"sowing_on": SOWING.replace(year=year - 1), "harvest_on": HARVEST.replace(year=year)}
    return replace(planted(number, season_id=f"{year}-winter", **dates), id=f"P{number}/{year}")


def measure(made: World, *, as_of: datetime = AFTER, **extra) -> dict[str, Any]:
    use = MeasureFields(
        facts=made.facts,
        fields=made.fields,
        observations=made.observations,
        runs=made.runs,
        catalogues=made.catalogues,
        zone="Asia/Shanghai",
        **extra,
    )
    return {found.planting_id: found for found in use(as_of=as_of)}


@pytest.fixture(scope="module")
def grown() -> World:
    return farm_years(*FIVE_YEARS)


def test_a_season_goes_by_warmth_where_it_is_known(grown):
    found = measure(grown)["P2"]

    assert (found.clock, found.calendar_because, found.missing_days) == ("thermal", "", 0)
    assert found.gdd_c_day == pytest.approx(2150, abs=250)
    assert all(part is not None and part > 0 for part in found.integrals)
    assert found.stage > 1


def test_a_season_is_held_against_its_own_years_and_its_neighbours(grown):
    found = measure(grown)

    assert found["P2"].history_years == 4
    assert abs(found["P2"].own_z) < 2
    assert found["P5"].neighbour_z > 0 > found["P0"].neighbour_z
    assert found["P5"].region_percentile == pytest.approx(100 * 5.5 / 6)
    assert all(not one.events for one in found.values())
    assert found["P2"].reasons == ()


def test_in_season_the_warmth_to_come_is_expected_as_in_years_before(grown):
    found = measure(grown, as_of=end_of(date(2025, 3, 1)))["P2"]

    assert found.clock == "thermal"
    assert 0.15 < found.stage < 0.45  # by calendar 0.58: the winter was cold
    assert found.integrals[0] is not None
    assert found.integrals[-1] is None


def test_hail_is_an_event_with_its_days_and_its_stage():
    made = farm_years(*FIVE_YEARS, since=0.3, from_day=date(2025, 4, 18))

    found = measure(made)["P2"]

    (event,) = found.events
    assert (event.kind, event.confirmed) == ("crop_damage", True)
    assert date(2025, 4, 8) <= event.after_on < event.on <= date(2025, 4, 28)
    assert event.depth > 0.25
    assert event.clock == "thermal"
    assert 0.4 < event.stage < 0.7
    assert event.neighbours == 0
    assert found.reasons == ("crop_damage",)


def test_what_comes_later_changes_nothing_before(grown):
    early = end_of(date(2025, 4, 12))
    other = farm_years(*FIVE_YEARS, since=0.3, from_day=date(2025, 4, 18))
    other.facts.add(*weather(date(2025, 4, 13), 60, rain_mm=9.0, region="T9"))

    assert measure(grown, as_of=early) == measure(other, as_of=early)


def test_a_slow_deficit_is_a_drought_where_the_soil_does_not_speak_against_it():
    rainless = [replace(one, rain_mm=tuple(0.0 for _ in one.rain_mm)) for one in FIVE_YEARS]
    made = farm_years(*rainless, since=0.55, from_day=date(2025, 2, 10))

    found = measure(made)["P2"]

    assert [event.kind for event in found.events] == ["drought"]
    (drought,) = found.events
    assert drought.evidence == ("index_deficit", "water_balance")
    assert drought.confirmed
    assert drought.z < -1.5
    assert drought.percentile == pytest.approx(10)
    assert found.water.stress < 0.6


@pytest.mark.parametrize(
    ("records", "because"),
    [
        pytest.param([], "no_weather", id="no station"),
        pytest.param(weather(date(2024, 9, 1), 330), "", id="a season that is over needs no normal years"),
        pytest.param(
            [*weather(date(2024, 9, 1), 100), *weather(date(2024, 12, 16), 240)], "weather_gap", id="a week is missing"
        ),
        pytest.param(
            [*weather(date(2024, 9, 1), 100), *weather(date(2024, 12, 13), 240)], "", id="three days are missing"
        ),
    ],
)
def test_a_season_that_goes_by_the_calendar_says_why(records, because):
    found = measure(farm_years(*records))["P2"]

    assert found.calendar_because == because
    assert found.clock == ("calendar" if because else "thermal")


def test_days_that_were_filled_are_counted():
    gap = [*weather(date(2024, 9, 1), 100), *weather(date(2024, 12, 13), 240)]

    assert measure(farm_years(*gap))["P2"].missing_days == 3


@pytest.mark.parametrize(("late", "clock"), [(10, "thermal"), (11, "calendar")])
def test_days_that_are_not_published_yet_are_expected_as_usual(late, clock):
    until = date(2025, 4, 20)
    known = weather(date(2020, 9, 1), (until - date(2020, 9, 1)).days + 1 - late)

    found = measure(farm_years(*known), as_of=end_of(until - timedelta(1)))["P2"]  # ends on 20 April in Shanghai

    assert (found.clock, found.missing_days) == (clock, late)
    assert found.calendar_because == ("" if clock == "thermal" else "weather_gap")


def test_without_earlier_years_of_weather_a_season_under_way_goes_by_the_calendar():
    found = measure(farm_years(*weather(date(2024, 9, 1), 330)), as_of=end_of(date(2025, 3, 1)))["P2"]

    assert (found.clock, found.calendar_because) == ("calendar", "no_normal_weather")
    assert found.gdd_c_day > 100


def test_a_crop_without_base_temperature_goes_by_the_calendar():
    made = farm_years(*FIVE_YEARS)
    made.catalogues = FakeCatalogues()

    found = measure(made)["P2"]

    assert (found.clock, found.calendar_because, found.water) == ("calendar", "no_base_temperature", None)


def test_before_sowing_and_without_history_nothing_is_made_up():
    made = world(*FIVE_YEARS)
    made.facts.add(replace(planted(2), known_at=LONG_AGO))
    made.catalogues = WarmCatalogues()
    made.look(date(2024, 9, 1), HEIGHTS)

    (found,) = measure(made, as_of=end_of(date(2024, 10, 1))).values()

    assert found.stage < 0
    assert (found.history_years, found.own_z, found.neighbour_z, found.region_percentile) == (0, None, None, None)
    assert found.integrals == (None,) * 6
    assert (found.events, found.water, found.gdd_c_day) == ((), None, None)


def test_without_any_run_the_weather_still_speaks():
    made = world(*FIVE_YEARS)
    made.catalogues = WarmCatalogues()

    found = measure(made)["P2"]

    assert (found.clock, found.own_z, found.events) == ("thermal", None, ())
    assert found.gdd_c_day > 1800
    assert found.water.rain_mm == pytest.approx(1.5 * 242)
    assert (found.water.rain_from, found.water.temperature_from, found.water.moisture_from) == (
        "weather",
        "weather",
        "",
    )
    assert found.water.texture_assumed


def test_nothing_known_is_refused():
    with pytest.raises(EmptyInput, match="no planting is known as of 2010"):
        measure(world(), as_of=datetime(2010, 1, 1, tzinfo=UTC))


def test_weather_that_ended_long_ago_gives_no_balance():
    made = world(*weather(date(2024, 9, 1), 200))
    made.catalogues = WarmCatalogues()

    assert measure(made)["P2"].water is None


RAIN = Quantity(name="weather.rain", unit="mm", low=0, high=1e5, cumulative=True)
AIR = Quantity(name="air.temperature", unit="Cel", low=-60, high=70)
SOIL = Quantity(name="soil.moisture", unit="%", low=0, high=100)
PLACED = Installation(
    id="i", known_at=LONG_AGO, device_id="d", channel="*", from_at=LONG_AGO, field_id="F2", soil_texture="silt loam"
)


def sensed(quantity: Quantity, days: dict[date, tuple[float, float]], **extra) -> SensorSeries:
    """One series: per day the low and the high (of rain, what it rose by)."""
    told = tuple(
        Day(on=on, count=24, low=low, mean=(low + high) / 2, high=high, rise=high if quantity.cumulative else None)
        for on, (low, high) in days.items()
    )
    details = {"depth_cm": None, "soil_moisture_kind": "", "total_rise": None} | extra
    return SensorSeries(
        device_id="d",
        channel="",
        quantity=quantity,
        days=told,
        last_value=0.0,
        last_at=AFTER,
        resets=0,
        **details,
    )


def sensors(grade: Grade, *series: SensorSeries):
    def ask(*, field_id: str, as_of: datetime, days: int) -> SensorSummary:
        assert field_id == "F2"
        assert days == (as_of.date() - SOWING).days + 1
        device = DeviceEvidence(
            device_id="d",
            evidence=Evidence(grade=grade, reasons=()),
            readings=1,
            missing=0,
            last_seen=None,
            silent_since=None,
        )
        return SensorSummary(
            place=field_id, since=AFTER, as_of=as_of, zone="UTC", series=tuple(series), devices=(device,)
        )

    return ask


def season_days(**skip: date) -> list[date]:
    return [
        SOWING + timedelta(n) for n in range((HARVEST - SOWING).days + 1) if SOWING + timedelta(n) not in skip.values()
    ]


def test_a_trusted_device_is_used_before_the_station(grown):
    gone = date(2025, 3, 3)
    days = season_days(gone=gone)
    rain = sensed(RAIN, dict.fromkeys(days, (0.0, 3.0)))
    air = sensed(AIR, dict.fromkeys(season_days(), (8.0, 18.0)))
    grown.facts.add(PLACED)

    found = measure(grown, sensors=sensors(Grade.B, rain, air))

    water = found["P2"].water
    assert (water.rain_from, water.temperature_from, water.moisture_from) == ("device", "device", "")
    assert water.rain_mm == pytest.approx(3.0 * len(days))  # what fell on the day without readings stands on the next
    assert (water.texture, water.texture_assumed) == ("silt loam", False)
    assert found["P2"].gdd_c_day == pytest.approx(13 * 242)
    assert found["P2"].devices_refused == ()
    assert found["P3"].water.rain_from == "weather"


def test_a_doubtful_device_is_named_and_not_used(grown):
    rain = sensed(RAIN, dict.fromkeys(season_days(), (0.0, 3.0)))
    grown.facts.add(PLACED)

    found = measure(grown, sensors=sensors(Grade.C, rain))["P2"]

    assert found.devices_refused == ("d",)
    assert found.water.rain_from == "weather"


def test_a_device_that_came_late_is_helped_by_the_station(grown):
    late = [on for on in season_days() if on >= date(2025, 1, 1)]
    grown.facts.add(PLACED)

    found = measure(grown, sensors=sensors(Grade.A, sensed(RAIN, dict.fromkeys(late, (0.0, 3.0)))))["P2"]

    assert found.water.rain_from == "device+weather"
    assert found.water.rain_mm == pytest.approx(3.0 * len(late) + 1.5 * (242 - len(late)))
    assert found.water.temperature_from == "weather"


@pytest.mark.parametrize(
    ("depth", "kind", "used"),
    [
        pytest.param(80.0, "volumetric", True, id="among the roots"),
        pytest.param(30.0, "volumetric", False, id="too shallow for grown roots"),
        pytest.param(80.0, "tension", False, id="not a share of volume"),
        pytest.param(None, "volumetric", False, id="nobody knows how deep"),
    ],
)
def test_soil_moisture_moves_the_balance_where_it_stands_for_the_roots(grown, depth, kind, used):
    late = {on: (20.0, 24.0) for on in season_days() if on >= date(2025, 5, 1)}
    grown.facts.add(PLACED)
    moisture = sensed(SOIL, late, depth_cm=depth, soil_moisture_kind=kind)

    water = measure(grown, sensors=sensors(Grade.A, moisture))["P2"].water

    assert water.moisture_from == ("device" if used else "")
    assert (water.adjustment_mm != 0) == used
    if used:  # silt loam holds 0.29 at field capacity; 0.22 was measured over 1.2 m of roots
        assert water.depletion_mm == pytest.approx(1000 * (0.29 - 0.22) * 1.2)


def test_of_two_sources_of_a_region_the_longer_one_counts():
    short = [
        replace(one, id=f"{one.id}/x", source="x", t_max_c=tuple(t + 9 for t in one.t_max_c)) for one in FIVE_YEARS[:1]
    ]
    made = farm_years(*FIVE_YEARS, *short)

    assert measure(made)["P2"].gdd_c_day == measure(farm_years(*FIVE_YEARS))["P2"].gdd_c_day


def test_an_estimate_names_what_befell_its_planting():
    made = farm_years(*FIVE_YEARS, label("T1", 2024, 5.0), since=0.3, from_day=date(2025, 4, 18))
    features = MeasureFields(
        facts=made.facts,
        fields=made.fields,
        observations=made.observations,
        runs=made.runs,
        catalogues=made.catalogues,
        zone="Asia/Shanghai",
    )

    run = replace(made.estimate(), features=features)(as_of=AFTER)

    reasons = {estimate.planting_id: estimate.reasons for estimate in run.estimates}
    assert "crop_damage" in reasons["P2"]
    assert "crop_damage" not in reasons["P3"]
    assert run.outcomes["crop_damage"] == 1


def pass_of_radar(made: World, day: date, power: list[float]) -> None:
    """One pass of Sentinel-1 over F0, F1 …, and its run."""
    made.look(day, HEIGHTS)  # borrowed for its shape
    (seen,) = made.observations.units.pop(f"tile/{day:%Y-%m}/{day}")
    manifest, _ = made.runs.rows.pop(f"R{day}")
    values = np.array(power)
    unit = f"radar/{day:%Y-%m}/{day}"
    made.observations.write(unit, [replace(seen, index="VV", mean=values, core_mean=values)])
    units = sorted(name for name in made.observations.units if name.startswith("radar"))
    manifest |= {"run_id": f"V{day}", "product": "sentinel-1-rtc", "indices": ["VV"], "units": units}
    made.runs.write(f"V{day}", manifest, {"finished_at": end_of(day).isoformat()})


def test_radar_tells_a_flood_in_decibels():
    made = farm_years(*FIVE_YEARS)
    for n in range(8):
        day = date(2025, 3, 1) + timedelta(12 * n)
        pass_of_radar(made, day, [0.1, 0.1, 0.01 if n in {3, 4} else 0.1, 0.1, 0.1, 0.1])

    found = measure(made)

    (event,) = found["P2"].events
    assert (event.kind, event.on, event.after_on) == ("flood", date(2025, 4, 6), date(2025, 3, 25))
    assert event.depth == pytest.approx(10.0)
    assert event.evidence == ("vv_drop",)
    assert event.confirmed
    assert found["P3"].events == ()


def test_a_scene_that_the_run_calls_an_event_is_a_flood_where_no_radar_looked():
    made = farm_years(*FIVE_YEARS)
    gone = date(2025, 4, 22)
    for n in range(6):
        made.look(gone + timedelta(5 * n), [0.1] * 6)
    made.facts.add(
        Scene(
            id="S-flood",
            known_at=end_of(gone),
            product="s2-l2a",
            tile="tile",
            acquired_at=end_of(gone),
            available_at=end_of(gone),
            grid=Grid(crs="EPSG:32650", transform=(10, 0, 0, 0, -10, 0), shape=(10, 10)),
            bands=(),
        )
    )
    last = gone + timedelta(25)
    made.runs.rows[f"R{last}"][0]["events"] = ["S-flood"]

    found = measure(made, as_of=end_of(last))

    for number in range(6):
        one = found[f"P{number}"]
        assert [(e.kind, e.on, e.neighbours) for e in one.events] == [("flood", gone, 1.0)]
        assert one.reasons == ("flood",)


def test_a_first_look_after_sowing_stands_for_a_month_before_it_and_no_more():
    near, far = world(*FIVE_YEARS), world(*FIVE_YEARS)
    for made, first in ((near, SOWING + timedelta(25)), (far, SOWING + timedelta(40))):
        made.catalogues = WarmCatalogues()
        day = first
        while day <= HARVEST:
            made.look(day, HEIGHTS)
            day += timedelta(10)

    assert None not in measure(near)["P2"].integrals
    assert measure(far)["P2"].integrals == (None,) * 6


def test_weather_that_is_all_still_to_come_is_no_weather():
    assert measure(farm_years(*weather(date(2025, 7, 5), 20)))["P2"].calendar_because == "no_weather"
