"""fields, scenes, ndvi, runs, as an agronomist types them; what is refused gets one clear line."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr

from tests.rasterfiles import square, write_raster, write_scene

BOW_TIE = shapely.Polygon([(117.0001, 36.1441), (117.0012, 36.1434), (117.0012, 36.1441), (117.0001, 36.1434)])


@pytest.fixture
def register(tmp_path):
    """Write a file of fields on the grid of the toy scenes."""

    def write(name="fields.gpkg", crs="EPSG:4326", **shapes):
        path = tmp_path / name
        gpd.GeoDataFrame({"id": list(shapes)}, geometry=list(shapes.values()), crs=crs).to_file(path)
        return path

    return write


def one_line(said):
    return said.err.strip().splitlines()[-1] if said.err.count("\n") == 1 else said.err


@pytest.mark.parametrize("form", ["nc", "zarr"])
def test_the_whole_line_from_boundaries_and_scenes_to_a_cube(cropcredit, register, tmp_path, form):
    imported = cropcredit("fields", "import", register(f1=square(50, 50, 100)), "--known-at", "2025-01-01")
    assert imported.code == 0
    assert "1 rows, 1 stored, 0 unchanged, 0 repaired, 0 refused; 1.00 ha" in imported.out
    for day, ndvi in (("2025-06-01", 0.3), ("2025-06-06", 0.6)):
        write_scene(tmp_path / "scenes", day=day, ndvi=ndvi)
    assert "2 added" in cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a").out
    path = tmp_path / f"cube.{form}"
    ran = cropcredit("ndvi", "run", "--as-of", "2025-06-30", "--quantile", 0.5, "--cube", path)
    assert ran.code == 0
    assert "2 scenes, 2 computed, 0 finished before; fields: 1 observed" in ran.out
    with xr.open_dataset(path) as cube:
        assert cube["ndvi_mean"].sel(field="f1").values == pytest.approx([0.3, 0.6], abs=1e-3)
        assert cube["ndvi_q50"].sel(field="f1").values == pytest.approx([0.3, 0.6], abs=1e-3)
        assert (cube.attrs["Conventions"], cube["time"].attrs["standard_name"]) == ("CF-1.11", "time")
        assert cube["time"].values.astype("datetime64[s]").astype(str).tolist() == [
            "2025-06-01T03:00:00",
            "2025-06-06T03:00:00",
        ]
    [run] = json.loads(cropcredit("runs", "list", "--kind", "ndvi", "--json").out)
    assert run["outcomes"]["observed"] == 1
    assert "ndvi" in cropcredit("runs", "list").out


def test_json_tells_the_same_as_the_tables(cropcredit, register, tmp_path):
    report = json.loads(cropcredit("fields", "import", register(f1=square(50, 50, 100)), "--json").out)
    assert (report["stored"], report["refused"]) == (1, [])
    write_scene(tmp_path / "scenes", day="2025-06-01")
    [outcome] = json.loads(cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a", "--json").out)
    assert outcome["outcome"] == "added"
    run = json.loads(cropcredit("ndvi", "run", "--json").out)
    assert len(run["units"]) == run["computed"] == 1


def test_shared_ground_is_reported(cropcredit, register):
    cropcredit("fields", "import", register(f1=square(50, 50, 100), f2=square(60, 50, 100)))
    said = cropcredit("fields", "check")
    assert "1 pairs share ground, 0 of them across parties" in said.out
    [found] = json.loads(cropcredit("fields", "check", "--json").out)
    assert found["shared"]["overlap"]["kind"] == "review"


def test_a_self_crossing_boundary_is_repaired_and_shown(cropcredit, register):
    said = cropcredit("fields", "import", register(f1=BOW_TIE))
    assert said.code == 0
    assert "1 repaired" in said.out
    assert "Self-intersection" in said.out


def test_a_row_without_boundary_is_refused_by_name_and_the_others_stay(cropcredit, register):
    said = cropcredit("fields", "import", register(f1=square(50, 50, 100), f2=None))
    assert said.code == 1
    assert "1 stored" in said.out
    assert one_line(said).endswith("fields.gpkg f2: the field has no boundary; draw one")


@pytest.mark.parametrize(
    ("shape", "crs", "drop", "message"),
    [
        pytest.param(square(0, 0, 100), "EPSG:4326", "prj", "does not say in which coordinate system", id="no CRS"),
        pytest.param(shapely.box(36.1, 117.0, 36.11, 117.01), "EPSG:4326", "", "x and y are exchanged", id="swapped"),
        pytest.param(shapely.box(5e5, 4e6, 5.1e5, 4.1e6), "EPSG:4326", "", "lie outside the area", id="metres"),
    ],
)
def test_a_file_that_cannot_lie_where_it_says_is_refused_whole(cropcredit, register, shape, crs, drop, message):
    path = register("fields.shp", crs=crs, f1=shape)
    if drop:
        path.with_suffix(f".{drop}").unlink()
    said = cropcredit("fields", "import", path)
    assert said.code == 2
    assert message in one_line(said)
    assert "fields.shp" in one_line(said)


def test_an_empty_file_is_refused(cropcredit, tmp_path):
    (tmp_path / "empty.gpkg").write_bytes(b"")
    said = cropcredit("fields", "import", tmp_path / "empty.gpkg")
    assert (said.code, one_line(said)) == (2, f"cropcredit: {tmp_path}/empty.gpkg: the file is empty")


def test_an_unknown_product_is_refused(cropcredit, tmp_path):
    said = cropcredit("scenes", "add", tmp_path, "--product", "landsat")
    assert said.code == 2
    assert "unknown product 'landsat'; known: s2-l2a, landsat-c2-l2, sentinel-1-rtc" in one_line(said)


def test_a_raster_cut_short_is_refused_and_the_other_scene_is_added(cropcredit, tmp_path):
    write_scene(tmp_path / "scenes", day="2025-06-01")
    broken = write_scene(tmp_path / "scenes", day="2025-06-06") / "B04.tif"
    write_raster(broken, np.random.default_rng(0).integers(1, 9999, (40, 40), dtype=np.uint16))
    broken.write_bytes(broken.read_bytes()[:1500])
    said = cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a")
    assert said.code == 2
    assert "1 added, 0 unchanged, 1 refused" in said.out
    assert "the raster cannot be read" in one_line(said)


def test_a_field_outside_every_scene_is_named_and_the_others_are_observed(cropcredit, register, tmp_path):
    cropcredit("fields", "import", register(f1=square(50, 50, 100), far=square(90_000, 0, 100)))
    write_scene(tmp_path / "scenes", day="2025-06-01")
    cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a")
    said = cropcredit("ndvi", "run")
    assert said.code == 1
    assert "1 observed, 1 outside every scene, 0 no data" in said.out
    assert said.err.strip().endswith("field far: outside every scene; add scenes of its tile")


def test_an_offset_declared_wrongly_stops_the_run_and_says_the_cure(cropcredit, register, tmp_path):
    cropcredit("fields", "import", register(f1=square(50, 50, 100)))
    scene = write_scene(tmp_path / "scenes", day="2025-06-01")
    write_raster(scene / "B04.tif", np.full((40, 40), 500, dtype=np.uint16), nodata=0)
    cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a")
    said = cropcredit("ndvi", "run")
    assert said.code == 2
    assert "the offset was taken out twice; add the scene again with --offset applied" in said.err
    cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a", "--offset", "applied")
    assert cropcredit("ndvi", "run").code == 0


def test_a_cube_into_no_folder_is_refused_before_any_work(cropcredit, tmp_path):
    said = cropcredit("ndvi", "run", "--cube", tmp_path / "no" / "cube.nc")
    assert said.code == 2
    assert "cube.nc: there is no folder for it; make the folder first" in one_line(said)
