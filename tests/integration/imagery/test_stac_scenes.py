"""scenes search, as an agronomist types it: from a catalogue to the NDVI of fields, over files and over HTTP."""

import json

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from cropcredit.fields import reproject
from cropcredit.model import Offset, Scene
from tests.integration.imagery.stac_world import (
    COLLECTION,
    band_assets,
    file_server,
    item,
    remote_assets,
    stac_api,
    write_items,
)
from tests.rasterfiles import CRS, NORTH, WEST, square, write_raster, write_scene

JUNE = "2025-06-01/2025-06-30"


@pytest.fixture
def find(cropcredit):
    """Give a function that searches a catalogue for June."""

    def search(catalogue, *words, dates=JUNE):
        return cropcredit("scenes", "search", "--stac", catalogue, "--dates", dates, *words)

    return search


@pytest.fixture
def ndvi(cropcredit, workspace):
    """Give a function that runs the NDVI of fields and gives their values, one row per field."""

    def run(*names):
        said = cropcredit("ndvi", "run", "--as-of", "2025-06-30", "--json")
        assert said.code == 0, said.err
        series = workspace.refresh_ndvi.observations.series("NDVI", json.loads(said.out)["units"], names)
        return series.mean

    return run


def one_line(said):
    return said.err.strip().splitlines()[-1] if said.err.count("\n") == 1 else said.err


def cells(said):
    return [[cell.strip() for cell in line.split("│")] for line in said.out.splitlines()]


def uri(day="20250601", *, baseline="0510", made="150000"):
    return f"S2A_MSIL2A_{day}T030000_N{baseline}_R075_T50SMJ_{day}T{made}.SAFE"


def test_what_an_api_names_is_shown_then_added_and_gives_the_index_of_its_pixels(
    cropcredit, draw, find, ndvi, tmp_path
):
    draw(f1=square(50, 50, 100))
    for day, value in (("2025-06-01", 0.3), ("2025-06-06", 0.6)):
        write_scene(tmp_path / "archive", day=day, ndvi=value)
    near = [item(day, assets=band_assets(f"{tmp_path.as_uri()}/archive/S2_50SMJ_{day.replace('-', '')}"))
            for day in ("2025-06-06", "2025-06-01")]  # fmt: skip
    with stac_api(tmp_path, *near, item("2025-06-11", name="far", bbox=[10, 50, 11, 51])) as url:
        shown = find(url, "--collection", COLLECTION)
        assert (shown.code, shown.err) == (0, "")
        assert "2 scenes found" in shown.out
        assert ["S2A_50SMJ_20250601_0_L2A", "2025-06-01 03:00", "50SMJ", "10", "05.10", ""] in cells(shown)
        assert shown.out.index("20250601") < shown.out.index("20250606")
        assert "say the same with --add" in shown.out
        assert cropcredit("ndvi", "run").code == 2
        assert "2 added, 0 unchanged, 0 refused" in find(url, "--collection", COLLECTION, "--add").out
        assert "0 added, 2 unchanged, 0 refused" in find(url, "--collection", COLLECTION, "--add").out
    assert ndvi("f1") == pytest.approx(np.array([[0.3, 0.6]]), abs=1e-3)


def test_scenes_on_a_server_are_added_unread_and_read_in_ranges_by_the_run(draw, find, ndvi, tmp_path):
    draw(f1=square(50, 50, 100))
    write_scene(tmp_path / "archive", day="2025-06-01", ndvi=0.4)
    with file_server(tmp_path / "archive") as (url, asked):
        catalogue = write_items(tmp_path / "items.json", item(assets=remote_assets(url, "S2_50SMJ_20250601")))
        assert "1 added" in find(catalogue, "--add").out
        assert asked == []
        assert ndvi("f1") == pytest.approx(np.array([[0.4]]), abs=1e-3)
        assert {line.split()[0].rpartition("/")[2] for line in asked} == {"B04.tif", "B08.tif", "SCL.tif"}


def test_a_file_server_that_is_busy_is_asked_again(draw, find, ndvi, tmp_path):
    draw(f1=square(50, 50, 100))
    write_scene(tmp_path / "archive", day="2025-06-01", ndvi=0.4)
    with file_server(tmp_path / "archive", 503) as (url, asked):
        catalogue = write_items(tmp_path / "items.json", item(assets=remote_assets(url, "S2_50SMJ_20250601")))
        assert find(catalogue, "--add").code == 0
        assert ndvi("f1") == pytest.approx(np.array([[0.4]]), abs=1e-3)
    assert asked[0] == "503"


def test_a_file_server_that_is_gone_is_named(cropcredit, draw, find, tmp_path):
    draw(f1=square(50, 50, 100))
    with file_server(tmp_path) as (url, _):
        pass
    catalogue = write_items(tmp_path / "items.json", item(assets=remote_assets(url, "S2_50SMJ_20250601")))
    assert "1 added" in find(catalogue, "--add").out
    gone = cropcredit("ndvi", "run", "--as-of", "2025-06-30")
    assert gone.code == 2
    assert one_line(gone).startswith(f"cropcredit: {url}/S2_50SMJ_20250601/B0")
    assert one_line(gone).endswith("; see that its server answers, without asking who you are, and in byte ranges")


def test_scenes_on_a_server_that_do_not_tell_their_grid_are_asked_when_they_are_added(draw, find, ndvi, tmp_path):
    draw(f1=square(50, 50, 100))
    write_scene(tmp_path / "archive", day="2025-06-01", ndvi=0.4)
    with file_server(tmp_path / "archive") as (url, asked):
        entries = [
            item(assets=band_assets(f"{url}/S2_50SMJ_20250601")),
            item("2025-06-06", assets=band_assets(f"{url}/x")),
        ]
        said = find(write_items(tmp_path / "items.json", *entries), "--add")
        assert "1 added, 0 unchanged, 1 refused" in said.out
        assert f"{url}/x/B04.tif: the raster cannot be read: HTTP response code: 404; see that its server" in said.err
        assert len(asked) > 0
        assert ndvi("f1") == pytest.approx(np.array([[0.4]]), abs=1e-3)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        pytest.param({"earthsearch__boa_offset_applied": True}, Offset.APPLIED, id="taken out"),
        pytest.param({"earthsearch__boa_offset_applied": False}, Offset.NOT_APPLIED, id="left in"),
        pytest.param({}, Offset.AUTO, id="silent"),
    ],
)
def test_what_a_catalogue_says_about_the_offset_is_kept_with_the_scene(find, workspace, tmp_path, declared, expected):
    write_scene(tmp_path, day="2025-06-01")
    assert find(write_items(tmp_path / "items.json", item(**declared)), "--bbox", "116,36,118,37", "--add").code == 0
    [scene] = workspace.facts.find(Scene)
    assert scene.offset is expected


@pytest.mark.parametrize(
    ("said", "complaint", "truth"),
    [
        pytest.param(True, "the offset is still in the numbers", "not_applied", id="said to be out, but in"),
        pytest.param(False, "the offset was taken out twice", "applied", id="said to be in, but out"),
    ],
)
def test_a_catalogue_that_is_wrong_about_the_offset_is_caught_by_the_run_and_overruled(
    cropcredit, draw, find, ndvi, tmp_path, said, complaint, truth
):
    red_dn = 1500 if said else 500
    draw(f1=square(10, 10, 380))
    scene = write_scene(tmp_path, day="2025-06-01", ndvi=0.5)  # of red 500 and nir 1500, beside the offset of 1000
    for name, dn in (("B04", red_dn), ("B08", red_dn + 1000)):
        write_raster(scene / f"{name}.tif", np.full((40, 40), dn, dtype=np.uint16), nodata=0)
    catalogue = write_items(tmp_path / "items.json", item(earthsearch__boa_offset_applied=said))
    assert find(catalogue, "--add").code == 0
    ran = cropcredit("ndvi", "run", "--as-of", "2025-06-30")
    assert (ran.code, complaint in one_line(ran)) == (2, True)
    assert f"--offset {truth}" in ran.err
    assert find(catalogue, "--add", "--offset", truth).code == 0
    assert ndvi("f1") == pytest.approx(np.array([[0.5]]), abs=1e-3)


def test_of_a_scene_processed_again_the_latest_baseline_is_used(cropcredit, draw, find, ndvi, tmp_path):
    draw(f1=square(50, 50, 100))
    entries = []
    for second, (baseline, value) in enumerate((("0510", 0.7), ("0400", 0.2))):
        write_scene(tmp_path / baseline, day="2025-06-01", ndvi=value)
        told = {"s2__product_uri": uri(baseline=baseline), "s2__processing_baseline": f"{baseline[:2]}.{baseline[2:]}",
                "datetime": f"2025-06-01T03:00:0{second}Z"}  # fmt: skip
        assets = band_assets(f"{baseline}/S2_50SMJ_20250601")
        entries.append(item(name=f"of-{baseline}", assets=assets, **told))
    assert "2 added" in find(write_items(tmp_path / "items.json", *entries), "--add").out
    assert ndvi("f1") == pytest.approx(np.array([[0.7]]), abs=1e-3)
    [run] = json.loads(cropcredit("runs", "list", "--kind", "ndvi", "--json").out)
    assert run["superseded"] == ["of-0400"]


def test_two_datastrips_of_one_pass_are_one_look(draw, find, ndvi, tmp_path):
    draw(west=square(20, 50, 100), seam=square(150, 50, 100), east=square(280, 50, 100))
    entries = []
    for part, value, half in (("150000", 0.3, slice(20, 40)), ("151514", 0.6, slice(0, 20))):
        scene = write_scene(tmp_path / part, day="2025-06-01", ndvi=value)
        for name in ("B04", "B08"):
            with rasterio.open(scene / f"{name}.tif") as raster:
                pixels = raster.read(1)
            pixels[:, half] = 0
            write_raster(scene / f"{name}.tif", pixels, nodata=0)
        assets, seen = band_assets(f"{part}/S2_50SMJ_20250601"), f"2025-06-01T03:00:{part[-2:]}Z"
        entries.append(item(name=f"strip-{part}", assets=assets, s2__product_uri=uri(made=part), datetime=seen))
    assert "2 added" in find(write_items(tmp_path / "items.json", *entries), "--add").out
    assert ndvi("west", "seam", "east") == pytest.approx(np.array([[0.3], [0.45], [0.6]]), abs=1e-3)


def test_where_tiles_of_two_zones_overlap_a_field_is_seen_once_in_the_tile_that_covers_it(draw, find, ndvi, tmp_path):
    draw(inside=square(300, 50, 80), rim=square(380, 50, 80))
    write_scene(tmp_path, day="2025-06-01", ndvi=0.3)
    beside = write_scene(tmp_path / "51SMJ", day="2025-06-01", ndvi=0.6)
    [(x, y)] = shapely.get_coordinates(reproject(shapely.Point(WEST + 380, NORTH), CRS, "EPSG:32651")).tolist()
    for name, pixel_m in (("B04", 10), ("B08", 10), ("SCL", 20)):
        with rasterio.open(beside / f"{name}.tif", "r+") as raster:
            raster.crs, raster.transform = "EPSG:32651", Affine(pixel_m, 0, x, 0, -pixel_m, y)
    told = {"s2__product_uri": uri().replace("50SMJ", "51SMJ"), "grid__code": "MGRS-51SMJ"}
    neighbour = item(name="zone-51", assets=band_assets("51SMJ/S2_50SMJ_20250601"), **told)
    assert "2 added" in find(write_items(tmp_path / "items.json", item(), neighbour), "--add").out
    assert ndvi("inside", "rim") == pytest.approx(np.array([[0.3], [0.6]]), abs=1e-3)


def test_scenes_that_cannot_be_used_say_why_and_the_others_are_added(find, tmp_path):
    write_scene(tmp_path, day="2025-06-01")
    bands = band_assets("S2_50SMJ_20250601")
    entries = [
        item(),
        item("2025-06-02", assets={"red": bands["red"]}),
        item("2025-06-03", assets=bands, s2__product_uri=None, grid__code=None),
        item("2025-06-04", assets=bands, s2__product_uri=None, s2__processing_baseline=None),
        item("2025-06-05", assets=bands, collection="photos") | {"assets": {"red": bands["red"]}},
        item("2025-06-06", assets=band_assets("nowhere")),
        item("2025-06-07", eo__cloud_cover="many"),
        item("2025-06-08", assets=bands) | {"id": None},
        item("2025-06-09", assets=bands) | {"id": None},
    ]
    catalogue = write_items(tmp_path / "items.json", *entries)
    shown = find(catalogue, "--bbox", "116,36,118,37")
    assert shown.code == 0
    assert "has no band nir" in shown.out
    assert "items.json" not in shown.out
    said = find(catalogue, "--bbox", "116,36,118,37", "--add")
    assert said.code == 2
    assert "1 added, 0 unchanged, 8 refused" in said.out
    refused = dict(line.removeprefix(f"refused: {catalogue} ").split(": ", 1) for line in said.err.splitlines())
    for day, reason in {
        2: "has no band nir",
        3: "tile '' is not a name; say it: --tile 50SMJ",
        4: "offset 'auto' needs a processing baseline and there is none; declare --offset applied",
        5: "does not tell its product; say it: --product s2-l2a",
        7: "the item cannot be understood: could not convert string to float: 'many'",
    }.items():
        assert refused[f"S2A_50SMJ_2025060{day}_0_L2A"].startswith(reason)
    assert said.err.count(f"refused: {catalogue}: the item has no 'id'") == 2
    assert f"{tmp_path}/nowhere/B04.tif: the raster cannot be read" in said.err


def test_what_a_catalogue_does_not_tell_may_be_said(find, workspace, tmp_path):
    write_scene(tmp_path, day="2025-06-01")
    silent = item(collection="drone", s2__product_uri=None, grid__code=None, s2__processing_baseline=None)
    del silent["assets"]["scl"]
    words = ("--product", "s2-l2a", "--tile", "farm-7", "--baseline", "05.10", "--bbox", "116,36,118,37")
    assert "1 added" in find(write_items(tmp_path / "items.json", silent), *words, "--add").out
    [scene] = workspace.facts.find(Scene)
    assert (scene.tile, scene.processing_baseline, scene.product) == ("farm-7", "05.10", "s2-l2a")


def test_json_tells_what_was_found_and_what_became_of_it(find, tmp_path):
    write_scene(tmp_path, day="2025-06-01")
    catalogue = write_items(tmp_path / "items.json", item())
    words = (catalogue, "--bbox", "116,36,118,37", "--json")
    [found] = json.loads(find(*words).out)
    assert (found["id"], found["tile"], found["cloud_pct"], found["problem"]) == (item()["id"], "50SMJ", 10, "")
    [outcome] = json.loads(find(*words, "--add").out)
    assert (outcome["id"], outcome["outcome"]) == (item()["id"], "added")
    for more in ((), ("--add",)):
        none = find(*words, *more, dates="2024-01-01")
        assert (none.code, json.loads(none.out)) == (1, [])


def test_without_a_box_the_fields_say_where_and_without_fields_it_must_be_said(draw, find, tmp_path):
    catalogue = write_items(tmp_path / "items.json", item())
    said = find(catalogue)
    cure = "cropcredit fields import FILE, or say where: --bbox WEST,SOUTH,EAST,NORTH"
    assert (said.code, one_line(said)) == (2, f"cropcredit: there is no field to search scenes for; {cure}")
    draw(f1=square(50, 50, 100))
    assert "1 scenes found" in find(catalogue).out


def test_a_day_is_the_day_of_the_workspace_and_an_open_end_is_now(find, tmp_path):
    catalogue = write_items(tmp_path / "items.json", item("2025-06-01"), item("2025-06-02"), item("2025-06-03"))
    where = ("--bbox", "116,36,118,37")
    assert "1 scenes found" in find(catalogue, *where, dates="2025-06-02").out
    assert "2 scenes found" in find(catalogue, *where, dates="2025-06-02/..").out
    assert "2 scenes found" in find(catalogue, *where, dates="2025-06-01T03:00:00Z/2025-06-02T03:00:00Z").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--bbox", "36,117,37,118"), "36,117,37,118 names latitude first; write west,", id="swapped"),
        pytest.param(("--bbox", "here"), "--bbox 'here' is not four numbers; write west,south,east,north", id="no box"),
        pytest.param(("--dates", "June"), "'June' is not an instant; write 2025-06-01", id="no dates"),
        pytest.param(("--dates", "2025-07-01/2025-06-01"), "2025-06-01 ends before it begins", id="backwards"),
        pytest.param(("--stac", "nowhere.json"), "nowhere.json: cannot be read: No such file", id="no catalogue"),
        pytest.param(("--product", "mod99"), "unknown product 'mod99'; known: s2-l2a", id="no product"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_gets_one_line(find, tmp_path, words, message):
    said = find(write_items(tmp_path / "items.json", item()), "--bbox", "116,36,118,37", *words)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert message in said.err


def test_a_search_that_finds_nothing_says_how_to_find_more(find, tmp_path):
    said = find(write_items(tmp_path / "items.json", item()), "--bbox", "0,0,1,1", "--add")
    assert (said.code, one_line(said).strip()) == (1, "no scene fits: widen --dates, --bbox or --max-cloud")
