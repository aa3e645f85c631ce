"""Batches of observations: as-of safe, resumable, equal for equal inputs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from cropcredit.errors import EmptyInput, MalformedInput, RadiometryError, RefusedInput, UnknownRecord
from cropcredit.fields import boundary_version
from cropcredit.model import Band, Field, Grid, Offset, Scene
from cropcredit.usecases.ndvi_plan import NdviConfig
from cropcredit.usecases.refresh_ndvi import RefreshNdvi, latest_run
from tests.fakes import FakeCache, FakeClock, FakeFacts, FakeFields, FakeObservations, FakeRasters, FakeRuns
from tests.rasterfiles import square

FINE = Grid("EPSG:32650", (10, 0, 500_000, 0, -10, 4_000_000), (40, 40))
COARSE = Grid("EPSG:32650", (20, 0, 500_000, 0, -20, 4_000_000), (20, 20))
NOW = datetime(2025, 7, 1, tzinfo=UTC)


def field(name, left=50.0, top=50.0, size=100.0, *, crop="wheat", known=datetime(2024, 9, 1, tzinfo=UTC)):
    boundary = square(left, top, size)
    return Field(id=name, collection="toy", boundary=boundary, area_ha=1, perimeter_m=400, crop_code=crop,
                 boundary_version=boundary_version(boundary), known_at=known)  # fmt: skip


def scene(day, *, month=6, tile="t", lag_hours=12, baseline="05.10", suffix="", product="s2-l2a"):
    acquired = datetime(2025, month, day, 3, tzinfo=UTC)
    available = acquired + timedelta(hours=lag_hours)
    name = f"{tile}-{month:02}{day:02}{suffix}"
    bands = (Band("red", f"{name}-red"), Band("nir", f"{name}-nir"), Band("scl", f"{name}-scl"))
    return Scene(id=name, known_at=available, product=product, tile=tile, acquired_at=acquired,
                 available_at=available, grid=FINE, bands=bands, processing_baseline=baseline,
                 offset=Offset.AUTO, content_hash=name)  # fmt: skip


def pixels(of, ndvi=0.5, scl=4):
    """Give a scene's three files: red reflectance 0.1, nir as the NDVI asks, one scene class."""
    nir = round(1000 * (1 + ndvi) / (1 - ndvi)) + 1000
    return {
        f"{of.id}-red": (FINE, np.full((40, 40), 2000, dtype=np.uint16), 0.0),
        f"{of.id}-nir": (FINE, np.full((40, 40), nir, dtype=np.uint16), 0.0),
        f"{of.id}-scl": (COARSE, np.full((20, 20), scl, dtype=np.uint8), None),
    }


def line(*scenes, fields=(), ndvi=None):
    """Wire the run to fakes; ``ndvi`` names the value of each scene that is not 0.5."""
    files: dict[str, Any] = {}
    for each in scenes:
        files |= pixels(each, (ndvi or {}).get(each.id, 0.5))
    return RefreshNdvi(
        facts=FakeFacts(*scenes),
        fields=FakeFields(*(fields or (field("f1"),))),
        rasters=FakeRasters(**files),
        cache=FakeCache(),
        observations=FakeObservations(),
        runs=FakeRuns(),
        clock=FakeClock(NOW),
    )


def counts(**given):
    names = ("observed", "outside_every_scene", "no_data", "never_clear", "only_on_scenes_held_back", "partly_outside")
    return dict.fromkeys(names, 0) | given


def test_each_scene_gives_each_field_its_mean():
    run = line(scene(1), scene(6), ndvi={"t-0606": 0.7})
    found = run(as_of=NOW)
    series = run.observations.series("NDVI", found.units)
    assert series.acquired_at.astype(str).tolist() == ["2025-06-01", "2025-06-06"]
    assert series.mean == pytest.approx(np.array([[0.5, 0.7]]), abs=1e-3)
    assert found.outcomes == counts(observed=1)


def test_a_scene_counts_only_if_acquired_and_available_by_then():
    late = scene(6, lag_hours=72)
    run = line(scene(1), late)
    assert len(run(as_of=late.acquired_at + timedelta(hours=71)).units) == 1
    assert len(run(as_of=late.available_at).units) == 2


@pytest.mark.parametrize("name", ["known_at", "available_at"])
def test_neither_a_late_record_nor_a_late_file_reaches_back(name):
    late = replace(scene(6), **{name: NOW})
    run = line(scene(1), late)
    assert len(run(as_of=NOW - timedelta(days=1)).units) == 1
    assert len(run(as_of=NOW).units) == 2


def test_adding_later_scenes_changes_no_byte_of_an_earlier_date():
    early = line(scene(1), scene(6))
    both = line(scene(1), scene(6), scene(11), ndvi={"t-0611": 0.1})
    as_of = datetime(2025, 6, 8, tzinfo=UTC)
    first, second = early(as_of=as_of), both(as_of=as_of)
    assert first == second
    assert early.runs.manifests() == both.runs.manifests()


def test_a_boundary_drawn_later_does_not_reach_back():
    run = line(scene(1), fields=[field("f1"), field("f2", left=200, known=datetime(2025, 6, 20, tzinfo=UTC))])
    assert run(as_of=datetime(2025, 6, 8, tzinfo=UTC)).outcomes["observed"] == 1
    assert run(as_of=NOW).outcomes["observed"] == 2


def test_finished_units_are_skipped_and_read_no_pixel():
    run = line(scene(1), scene(6))
    assert run(as_of=NOW).computed == 2
    run.rasters.reads.clear()
    assert run(as_of=NOW).computed == 0
    assert run.rasters.reads == []


def test_what_a_killed_run_finished_is_kept():
    run = line(scene(1), scene(6))
    broken = run.rasters.files.pop("t-0606-nir")
    with pytest.raises(KeyError):
        run(as_of=NOW)
    assert len(run.observations.units) == 1
    run.rasters.files["t-0606-nir"] = broken
    assert run(as_of=NOW).computed == 1


def test_another_configuration_is_other_work():
    run = line(scene(1))
    assert run(as_of=NOW).units != run(as_of=NOW, config=NdviConfig(cloud_margin_m=0)).units


def test_clouds_with_a_margin_reach_into_the_field():
    run = line(scene(1))
    run.rasters.files["t-0601-scl"][1][1, 1] = 9
    far, near = (run(as_of=NOW, config=NdviConfig(cloud_margin_m=margin)) for margin in (40, 0))
    shares = [run.observations.read(found.units)[0].clear_fraction[0] for found in (far, near)]
    assert shares[0] < shares[1] == pytest.approx(1.0)


def test_what_is_asked_for_is_computed_with_ndvi_and_quantiles():
    run = line(scene(1))
    found = run(as_of=NOW, config=NdviConfig(indices=("EVI2",), quantiles=(0.1,)))
    assert found.indices == ("NDVI", "EVI2")
    evi2, ndvi = run.observations.read(found.units)
    assert (evi2.index, ndvi.index) == ("EVI2", "NDVI")
    assert ndvi.quantiles["core_q10"] == pytest.approx(ndvi.core_mean)


def test_of_two_processings_of_one_acquisition_the_newer_counts():
    run = line(scene(1, baseline="04.00", suffix="-old"), scene(1, baseline="05.10", suffix="-new"))
    run(as_of=NOW)
    [manifest] = run.runs.manifests("ndvi")
    assert [line["id"] for line in manifest["scenes"]] == ["t-0601-new"]
    assert manifest["superseded"] == ["t-0601-old"]


def test_a_field_outside_every_scene_is_named_and_stops_nobody():
    found = line(scene(1), fields=[field("f1"), field("far", left=90_000)])(as_of=NOW)
    assert found.outside == ("far",)
    assert found.outcomes == counts(observed=1, outside_every_scene=1)


def test_a_field_hanging_over_the_rim_is_counted_as_partly_outside():
    assert line(scene(1), fields=[field("rim", left=350)])(as_of=NOW).outcomes["partly_outside"] == 1


def test_a_field_under_cloud_all_season_was_never_clear():
    run = line(scene(1))
    run.rasters.files |= pixels(scene(1), scl=9)
    assert run(as_of=NOW).outcomes["never_clear"] == 1


def test_a_field_that_every_scene_passes_over_without_data_is_told_from_one_under_cloud():
    run = line(scene(1))
    run.rasters.files |= {
        name: (FINE, np.zeros((40, 40), dtype=np.uint16), 0.0) for name in ("t-0601-red", "t-0601-nir")
    }
    found = run(as_of=NOW)
    assert found.outcomes == counts(no_data=1)
    assert found.unobserved == (("f1", "no_data"),)


def test_a_field_seen_only_where_everything_collapsed_is_told_so():
    row = [field(f"f{k}", left=48 * k, size=40) for k in range(8)]
    run = line(scene(1), scene(6), scene(11), fields=row, ndvi={"t-0606": 0.05})
    clouds = np.full((20, 20), 4, dtype=np.uint8)
    clouds[:, :2] = 9
    run.rasters.files |= {f"{day}-scl": (COARSE, clouds, None) for day in ("t-0601", "t-0611")}
    found = run(as_of=NOW, config=NdviConfig(cloud_margin_m=0))
    assert [held.scene for held in found.held_back] == ["t-0606"]
    assert found.unobserved == (("f0", "only_on_scenes_held_back"),)


def test_water_counts_over_paddy():
    run = line(scene(1), fields=[field("dry"), field("paddy", left=200, crop="rice")])
    run.rasters.files |= pixels(scene(1), scl=6)
    assert run(as_of=NOW).outcomes == counts(observed=1, never_clear=1)


def test_a_cloud_that_the_mask_missed_is_held_back_and_before_it_is_known_it_is_not_believed():
    six = [field(f"f{k}", left=10 + 60 * k, size=50) for k in range(6)]
    run = line(scene(1), scene(6), scene(11), fields=six, ndvi={"t-0606": 0.1})
    soon = run(as_of=datetime(2025, 6, 8, tzinfo=UTC))
    later = run(as_of=NOW)
    assert [(held.scene, held.verdict) for held in soon.held_back] == [("t-0606", "unconfirmed")]
    assert [(held.scene, held.verdict) for held in later.held_back] == [("t-0606", "missed_cloud")]
    assert len(later.units) == 2


def test_a_harvest_stays_in_the_series_and_is_named_as_an_event():
    six = [field(f"f{k}", left=10 + 60 * k, size=50) for k in range(6)]
    found = line(scene(1), scene(6), scene(11), fields=six, ndvi={"t-0606": 0.1, "t-0611": 0.1})(as_of=NOW)
    assert (found.events, found.held_back, len(found.units)) == (("t-0606",), (), 3)


def test_a_field_in_two_tiles_is_observed_in_its_home_tile_only():
    run = line(scene(1, tile="a"), scene(1, tile="b"))
    found = run(as_of=NOW)
    assert [unit.split("/")[0] for unit in found.units] == ["a"]


def test_wrong_radiometry_stops_the_run():
    run = line(scene(1))
    run.rasters.files["t-0601-red"][1][:] = 700
    with pytest.raises(RadiometryError, match="t-0601: 100% of clear field pixels have negative red"):
        run(as_of=NOW)


def test_a_band_off_the_grid_stops_the_run():
    run = line(scene(1))
    shifted = Grid("EPSG:32650", (20, 0, 500_010, 0, -20, 4_000_000), (20, 20))
    run.rasters.files["t-0601-scl"] = (shifted, np.full((20, 20), 4, dtype=np.uint8), None)
    with pytest.raises(MalformedInput, match="t-0601 scl: a band on grid"):
        run(as_of=NOW)


def test_without_scenes_or_fields_there_is_nothing_to_run():
    with pytest.raises(EmptyInput, match="no scene is known as of 2025-06-01T00:00:00"):
        line(scene(1))(as_of=datetime(2025, 6, 1, tzinfo=UTC))
    with pytest.raises(EmptyInput, match="no field is known as of"):
        line(scene(1), fields=[field("f1", known=NOW + timedelta(days=1))])(as_of=NOW)


def test_two_products_are_never_mixed():
    other = scene(2, product="ndvi", suffix="-ready")
    run = line(scene(1), other)
    with pytest.raises(RefusedInput, match="there are scenes of ndvi, s2-l2a; name one with --product"):
        run(as_of=NOW)
    assert run(as_of=NOW, product="s2-l2a").product == "s2-l2a"
    with pytest.raises(EmptyInput, match="no mod13q1 is known"):
        run(as_of=NOW, product="mod13q1")


def test_the_latest_run_for_an_instant_never_saw_more_than_that_instant():
    run = line(scene(1), scene(11))
    june, july = run(as_of=datetime(2025, 6, 8, tzinfo=UTC)), run(as_of=NOW)
    assert latest_run(run.runs, NOW).run_id == july.run_id
    assert latest_run(run.runs, NOW - timedelta(seconds=1)).run_id == june.run_id
    with pytest.raises(UnknownRecord, match=r"no NDVI run with id 'as of .*cropcredit ndvi run --as-of"):
        latest_run(run.runs, datetime(2025, 6, 7, tzinfo=UTC))


def test_of_two_runs_for_one_instant_the_one_that_finished_last_counts():
    run = line(scene(1))
    run(as_of=NOW)
    run.fields.add([field("f2", left=200)])
    run.clock.instant += timedelta(hours=1)
    second = run(as_of=NOW)
    assert latest_run(run.runs, NOW, "s2-l2a").run_id == second.run_id


def test_the_manifest_cites_what_the_numbers_depend_on_and_the_clock_stands_in_the_log():
    run = line(scene(1))
    run(as_of=NOW)
    [(manifest, [log])] = run.runs.rows.values()
    assert manifest["config"] == {
        "indices": (), "quantiles": (), "cloud_margin_m": 40.0, "wet_crops": ("rice", "paddy")
    }  # fmt: skip
    assert manifest["scenes"][0]["content_hash"] == "t-0601"
    assert len(manifest["config_hash"]) == len(manifest["field_set"]) == 64
    assert log == {"started_at": NOW.isoformat(), "finished_at": NOW.isoformat(),
                   "units_computed": 1, "units_skipped": 0}  # fmt: skip
