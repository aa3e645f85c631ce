"""Pictures and GeoTIFFs of scenes, contact sheets of fields: what an agronomist sees is what the run counted."""

import json
import resource
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy import ndimage

from cropcredit.adapters.pictures import draw_sheet
from cropcredit.adapters.pictures.canvas import EDGE, text
from cropcredit.adapters.pictures.colours import ALARM, DROPPED, HATCH, LINES, MISSING, ramp, range_of
from cropcredit.imagery import Verdict
from cropcredit.usecases import quicklook
from tests.rasterfiles import CRS, NORTH, WEST, square, write_raster, write_scene

ZOOM = 30
"""Pixels of the picture per pixel of a scene of 40 x 40."""
DAY = "2025-06-01"
NAME = "S2_50SMJ_20250601"
SUMMER = ("2025-06-01", "2025-06-06", "2025-06-11")


@pytest.fixture
def add(cropcredit, tmp_path):
    """Write one scene per day, and add all that are written."""

    def add(*days, **said):
        for day in days:
            write_scene(tmp_path / "scenes", day=day, **said)
        assert cropcredit("scenes", "add", tmp_path / "scenes", "--product", "s2-l2a").code == 0

    return add


@pytest.fixture
def run(cropcredit):
    """Compute the observations of the summer."""
    return lambda *options: cropcredit("ndvi", "run", "--as-of", "2025-06-30", *options)


@pytest.fixture
def look(cropcredit, tmp_path):
    """Look at the first scene, of 40 x 40 pixels, as a picture; gives its ground."""

    def look(*options):
        said = cropcredit("scenes", "look", NAME, "--out", tmp_path / "scene.png", *options)
        assert said.code == 0, said.err
        with Image.open(tmp_path / "scene.png") as image:
            assert image.width == 40 * ZOOM + 2 * EDGE
            return np.asarray(image)[-EDGE - 40 * ZOOM : -EDGE, EDGE:-EDGE]

    return look


@pytest.fixture
def sheet(workspace):
    """Give the contact sheet of a field as it goes to the one who draws it."""

    def sheet(field):
        drawn = []

        def draw(seen, _):
            drawn.append(seen)
            return 1, 1

        replace(workspace.look_at_field, draw=draw)(field, Path("unused.png"), as_of=datetime(2025, 7, 1, tzinfo=UTC))
        return drawn[0]

    return sheet


def cloud_at(row, column, size=40):
    """Give a scene classification, 20 m, of vegetation with one cloud."""
    classes = np.full((size // 2, size // 2), 4, dtype=np.uint8)
    classes[row, column] = 9
    return classes


def noise(seed):
    return np.random.default_rng(seed).uniform(0.2, 0.8, (40, 40))


def shade(ndvi):
    return ramp(np.array(ndvi), "NDVI").tolist()


def colours_in(block):
    return {tuple(colour) for colour in block.reshape(-1, 3).tolist()}


def frames(path):
    """Find the thumbnails of a sheet: for each the colour of its frame and what it frames."""
    with Image.open(path) as image:
        drawn = np.asarray(image)
    found = []
    for colour in (LINES, ALARM):
        parts, _ = ndimage.label((drawn == colour).all(axis=-1))
        for place in ndimage.find_objects(parts):
            block = drawn[place]
            if min(block.shape[:2]) > 100:
                found.append((place[0].start, place[1].start, colour, block))
    return [(colour, block) for _, _, colour, block in sorted(found, key=lambda each: each[:2])]


def test_a_picture_of_a_scene_shows_its_pixels_in_the_colours_of_the_ramp(add, look):
    add(DAY, ndvi=np.repeat([0.2, 0.5, 0.88], (14, 12, 14))[None].repeat(40, axis=0))
    ground = look()
    for column, ndvi in ((0, 0.2), (13, 0.2), (14, 0.5), (25, 0.5), (26, 0.88), (39, 0.88)):
        block = ground[:, column * ZOOM : (column + 1) * ZOOM]
        np.testing.assert_allclose(block, np.broadcast_to(shade(ndvi), block.shape), atol=2)


def test_what_the_mask_drops_is_hatched_with_its_margin_and_no_data_is_blank(add, look, tmp_path):
    red = np.full((40, 40), 1500, dtype=np.uint16)
    red[:3, :5] = 0
    folder = write_scene(tmp_path / "scenes", day=DAY, scl=cloud_at(10, 10))
    write_raster(folder / "B04.tif", red, nodata=0)
    add()
    ground = look()
    assert colours_in(ground[: 3 * ZOOM, : 5 * ZOOM]) == {MISSING}
    cloud = ground[16 * ZOOM : 26 * ZOOM, 16 * ZOOM : 26 * ZOOM]
    assert colours_in(cloud) == {DROPPED, HATCH}
    assert (cloud == HATCH).all(axis=-1).mean() == pytest.approx(1 / 6, abs=0.01)
    beside = [ground[16 * ZOOM - 1, 20 * ZOOM], ground[26 * ZOOM, 20 * ZOOM], ground[20 * ZOOM, 26 * ZOOM]]
    np.testing.assert_allclose(beside, [shade(0.5)] * 3, atol=2)


def test_fields_are_outlined_where_they_lie_and_nothing_else_is_dark(add, look, draw):
    draw(f1=square(100, 50, 200), beyond=square(5000, 5000, 100))
    add(DAY, ndvi=0)
    dark = look().mean(axis=-1) < 150
    rows, columns = np.nonzero(dark)
    top, left, side = 5 * ZOOM, 10 * ZOOM, 20 * ZOOM
    assert (
        np.abs([rows.min() - top, rows.max() - top - side, columns.min() - left, columns.max() - left - side]).max() < 3
    )
    inside = dark[top + 3 : top + side - 3, left + 3 : left + side - 3]
    assert not inside.any()
    assert dark[:, left - 3 : left + 3].any(axis=1)[top + 3 : top + side - 3].all(), "a line, unbroken"


def test_fields_too_small_to_be_seen_are_not_outlined(cropcredit, add, draw, tmp_path, monkeypatch):
    monkeypatch.setattr(quicklook, "LONGEST", 10)  # one of 4 x 4 pixels is shown: 40 m
    draw(large=square(100, 150, 160), small=square(100, 50, 150))
    add(DAY)
    said = cropcredit("scenes", "look", NAME, "--out", tmp_path / "scene.png")
    assert said.out.endswith(", 1 fields outlined\n")


def test_the_ramp_darkens_all_the_way_so_that_it_reads_without_hue():
    for index in ("NDVI", "NDMI"):
        shades = ramp(np.linspace(*range_of(index), 41)[None], index)
        grey = np.asarray(Image.fromarray(shades).convert("L"), dtype=int)[0]
        assert (np.diff(grey) < 0).all(), index
        assert grey[0] - grey[-1] > 180, index


@pytest.mark.parametrize(
    ("bands", "names"),
    [
        pytest.param(("B02", "B03"), ["red", "green", "blue"], id="true colour"),
        pytest.param(("B03",), ["nir", "red", "green"], id="false colour"),
    ],
)
def test_colours_are_those_of_the_bands_there_are(cropcredit, look, add, tmp_path, bands, names):
    folder = write_scene(tmp_path / "scenes", day=DAY)
    for band in bands:
        write_raster(folder / f"{band}.tif", np.full((40, 40), 1000, dtype=np.uint16), nodata=0)
    add()
    light = look("--rgb")[5, 5].tolist()
    assert light[names.index("red")] == pytest.approx(255 * (0.05 / 0.25) ** (1 / 1.5), abs=1)
    assert light[names.index("green")] == 0, "a digital number of 1000 is a reflectance of nothing"
    said = json.loads(cropcredit("scenes", "look", NAME, "--out", tmp_path / "c.png", "--rgb", "--json").out)
    assert said["shown"] == names


class TestARasterOfAScene:
    """1,100 x 1,100 pixels: two strips, nine blocks; a cloud just above the seam of the strips."""

    NDVI = np.repeat([0.2, 0.88], (552, 548))[None].repeat(1100, axis=0)
    NDVI[1060:, ::2] = 0.4
    NDVI[1060:, 1::2] = 0.6

    @pytest.fixture
    def raster(self, cropcredit, add, tmp_path):
        folder = write_scene(tmp_path / "scenes", day=DAY, ndvi=self.NDVI, size=1100)
        classes = cloud_at(510, 200, size=1100)  # in blocks of 256: row 512, which begins a strip, begins a block too
        write_raster(folder / "SCL.tif", classes, pixel_m=20, tiled=True, blockxsize=256, blockysize=256)
        add()
        said = cropcredit("scenes", "look", NAME, "--out", tmp_path / "scene.tif")
        assert said.code == 0, said.err
        with rasterio.open(tmp_path / "scene.tif") as opened:
            yield opened

    def test_is_a_cloud_optimised_geotiff_where_the_scene_lies(self, raster):
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (raster.shape, raster.dtypes, raster.block_shapes) == ((1100, 1100), ("float32",), [(512, 512)])
        assert raster.overviews(1) == [2, 4]
        assert np.isnan(raster.nodata)
        assert raster.crs == rasterio.CRS.from_string(CRS)
        assert (raster.transform.c, raster.transform.f, raster.transform.a) == (WEST, NORTH, 10)
        assert raster.descriptions == ("NDVI",)
        told = {"scene": NAME, "product": "s2-l2a", "cloud_margin_m": "40", "synthetic": "true"}
        assert told.items() <= raster.tags().items()

    def test_holds_the_index_and_nothing_where_the_mask_drops_across_the_seam_of_strips(self, raster):
        expected = self.NDVI.copy()
        expected[1016:1026, 396:406] = np.nan
        np.testing.assert_allclose(raster.read(1), expected, atol=3e-4)

    def test_shows_the_same_from_afar(self, raster):
        small = raster.read(1, out_shape=(275, 275))
        assert np.unique(small[:200].round(3)).tolist() == pytest.approx([0.2, 0.88], abs=1e-3)
        assert np.isnan(small[255, 100])
        np.testing.assert_allclose(small[265:], 0.5, atol=1e-3, err_msg="the mean, not one of every four")


def test_a_raster_of_colours_has_a_band_of_reflectance_for_each(cropcredit, add, tmp_path):
    folder = write_scene(tmp_path / "scenes", day=DAY, ndvi=0.5)
    write_raster(folder / "B03.tif", np.full((40, 40), 1800, dtype=np.uint16), nodata=0)
    add()
    assert cropcredit("scenes", "look", NAME, "--out", tmp_path / "c.tif", "--rgb").code == 0
    with rasterio.open(tmp_path / "c.tif") as raster:
        assert raster.descriptions == ("nir", "red", "green")
        np.testing.assert_allclose(raster.read()[:, 7, 7], [0.15, 0.05, 0.08], rtol=3e-4)


def test_a_sheet_shows_the_pixels_whose_mean_the_run_stored(workspace, add, draw, run, sheet):
    draw(f1=square(100, 200, 100))
    for seed, day in enumerate(SUMMER):
        add(day, ndvi=noise(seed), scl=cloud_at(12, 9) if seed else None)
    assert run().code == 0
    drawn = sheet("f1")
    [stored] = workspace.look_at_field.observations.series("NDVI", drawn.run.units).mean
    assert [shot.seen.core_mean for shot in drawn.thumbnails] == stored.tolist()
    for shot in drawn.thumbnails:
        (top, _), (left, _) = shot.pixels.view.window
        core = np.s_[21 - top : 29 - top, 11 - left : 19 - left]
        clear = shot.pixels.clear[core]
        assert clear.mean() == pytest.approx(shot.seen.core_clear_fraction)
        assert shot.pixels.values[core][clear].mean() == pytest.approx(shot.seen.core_mean, abs=1e-5)
    assert [shot.seen.core_clear_fraction for shot in drawn.thumbnails] == pytest.approx([1, 3 / 8, 3 / 8])


def test_a_sheet_has_a_thumbnail_per_date_outlined_and_hatched(cropcredit, add, draw, run, tmp_path):
    draw(f1=square(100, 200, 50))
    add(*SUMMER[:2], ndvi=0)
    add(SUMMER[2], scl=cloud_at(11, 6))
    assert run().code == 0
    said = cropcredit("ndvi", "sheet", "f1", "--as-of", "2025-06-30", "--out", tmp_path / "f1.png")
    assert said.code == 0, said.err
    assert "f1 on 3 dates; run" in said.out
    shots = frames(tmp_path / "f1.png")
    assert [colour for colour, _ in shots] == [LINES] * 3
    clear, cloudy = shots[0][1], shots[2][1]
    assert clear.shape == (13 * 13 + 6, 13 * 13 + 6, 3), "13 x 13 pixels, each 13 large, in a frame of 3"
    assert {tuple(shade(0)), LINES} < colours_in(clear)
    assert HATCH not in colours_in(clear)
    assert {DROPPED, HATCH} < colours_in(cloudy)
    middle = clear[clear.shape[0] // 2].mean(axis=-1)
    [west, east] = 3 + 4 * 13, 3 + 9 * 13
    assert [middle[edge - 2 : edge + 2].min() < 110 for edge in (west, east)] == [True, True], "the outline is dark"
    assert np.delete(middle, np.r_[west - 4 : west + 4, east - 4 : east + 4]).min() > 150, "and nothing else is"


@pytest.fixture
def six_fields(draw):
    """Import enough fields to tell a collapse of all from one of a few."""
    places = [(left, top) for left in (50, 150, 250) for top in (50, 200)]
    draw(**{f"f{number}": square(*place, 60) for number, place in enumerate(places)})


@pytest.mark.parametrize(
    ("after", "verdict", "frame"),
    [
        pytest.param(0.8, Verdict.CLOUD, ALARM, id="what has recovered since was a cloud, and is held back"),
        pytest.param(0.3, Verdict.EVENT, LINES, id="what stayed down was an event, and counts"),
    ],
)
@pytest.mark.usefixtures("six_fields")
def test_a_collapse_is_marked_in_the_colour_of_alarm(cropcredit, add, run, sheet, tmp_path, after, verdict, frame):
    for day, ndvi in zip(SUMMER, (0.8, 0.3, after), strict=True):
        add(day, ndvi=ndvi)
    run()
    assert [shot.seen.verdict for shot in sheet("f3").thumbnails] == [Verdict.ORDINARY, verdict, Verdict.ORDINARY]
    said = cropcredit("ndvi", "sheet", "f3", "--as-of", "2025-06-30", "--out", tmp_path / "f3.png", "--json")
    told = json.loads(said.out)
    assert (told["field"], told["scenes"], told["held_back"], told["without_data"]) == ("f3", 3, int(frame == ALARM), 0)
    assert [colour for colour, _ in frames(tmp_path / "f3.png")] == [LINES, frame, LINES]
    with Image.open(tmp_path / "f3.png") as image:
        drawn = np.asarray(image).astype(int)
    assert drawn.shape == (told["rows"], told["columns"], 3)
    captions = drawn[np.flatnonzero((drawn == LINES).all(axis=-1).any(axis=1))[-1] + 1 :]
    coloured = np.ptp(captions, axis=-1) > 60
    assert coloured.any(), "beside grey letters, those of the verdict"


def test_the_core_is_dashed_within_the_outline(add, draw, run, sheet, tmp_path):
    draw(f1=square(100, 200, 100))
    add(DAY, ndvi=0.25)
    assert run().code == 0
    drawn = sheet("f1")
    [ring] = drawn.thumbnails[0].core
    np.testing.assert_allclose([ring.min(axis=0), ring.max(axis=0)], [(5, 5), (13, 13)], atol=0.01)
    draw_sheet(drawn, tmp_path / "f1.png")
    [(_, shot)] = frames(tmp_path / "f1.png")
    zoom = (shot.shape[0] - 6) // 18
    along = shot[3 + 6 * zoom : 3 + 12 * zoom, 3 + 5 * zoom - 1 : 3 + 5 * zoom + 1].mean(axis=(1, 2))
    assert 0.3 < (along < 150).mean() < 0.7, "dark half of its way"
    assert along.max() > 220, "and light between"


def test_dates_without_data_are_counted_and_not_shown(cropcredit, add, draw, run, tmp_path):
    draw(f1=square(100, 200, 50), f2=square(300, 50, 50))
    add(SUMMER[0])
    red = np.full((40, 40), 1500, dtype=np.uint16)
    red[15:, :20] = 0
    folder = write_scene(tmp_path / "scenes", day=SUMMER[1])
    write_raster(folder / "B04.tif", red, nodata=0)
    add()
    assert run().code == 0
    said = cropcredit("ndvi", "sheet", "f1", "--as-of", "2025-06-30", "--out", tmp_path / "f1.png")
    assert "f1 on 1 dates, 1 without data here" in said.out
    assert len(frames(tmp_path / "f1.png")) == 1


def test_two_halves_of_one_pass_are_one_thumbnail(cropcredit, draw, run, sheet, tmp_path):
    draw(f1=square(150, 200, 100))
    for half, columns, ndvi in (("west", np.s_[:, 20:], 0.2), ("east", np.s_[:, :20], 0.6)):
        red = np.full((40, 40), 1500, dtype=np.uint16)
        red[columns] = 0
        folder = write_scene(tmp_path / half, day=DAY, ndvi=ndvi, id=half)
        write_raster(folder / "B04.tif", red, nodata=0)
        assert cropcredit("scenes", "add", folder, "--product", "s2-l2a").code == 0
    assert run().code == 0
    [shot] = sheet("f1").thumbnails
    assert shot.seen.core_mean == pytest.approx(0.4, abs=1e-3)
    row = shot.pixels.values[9, :, 0]
    np.testing.assert_allclose(row, np.repeat([0.2, 0.6], [9, len(row) - 9]), atol=1e-3)


def test_at_the_edge_of_its_tile_a_field_is_shown_as_far_as_there_are_pixels(add, draw, run, sheet, tmp_path):
    draw(f1=square(350, 350, 100))
    add(DAY, ndvi=0)
    run()
    drawn = sheet("f1")
    [shot] = drawn.thumbnails
    assert shot.pixels.view.window == ((31, 40), (31, 40))
    draw_sheet(drawn, tmp_path / "edge.png")
    [(_, block)] = frames(tmp_path / "edge.png")
    assert tuple(shade(0)) == tuple(block[6, 6])


def test_a_later_boundary_does_not_change_the_sheet_of_an_earlier_run(add, draw, run, sheet, cropcredit, tmp_path):
    draw(f1=square(100, 200, 100))
    add(DAY)
    assert run().code == 0
    path = tmp_path / "moved.gpkg"
    gpd.GeoDataFrame({"id": ["f1"]}, geometry=[square(0, 0, 50)], crs="EPSG:4326").to_file(path)
    assert cropcredit("fields", "import", path, "--collection", "fields", "--known-at", "2025-08-01").code == 0
    [shot] = sheet("f1").thumbnails
    assert shot.pixels.view.window == ((16, 34), (6, 24))


def test_a_scene_corrected_since_the_run_is_not_shown_beside_its_old_numbers(cropcredit, add, draw, run, tmp_path):
    draw(f1=square(100, 200, 100))
    add(DAY)
    assert run().code == 0
    add(DAY, ndvi=0.7)
    said = cropcredit("ndvi", "sheet", "f1", "--as-of", "2025-06-30", "--out", tmp_path / "f1.png")
    assert f"scene {NAME} has changed since run" in said.err
    assert "run cropcredit ndvi run again" in said.err


def test_a_paddy_under_water_is_seen_on_its_sheet(add, run, sheet, tmp_path, cropcredit):
    path = tmp_path / "paddy.gpkg"
    shapes = {"geometry": [square(100, 200, 100), square(100, 50, 100)], "crs": "EPSG:4326"}
    gpd.GeoDataFrame({"id": ["paddy", "wheat"], "crop": ["rice", "winter_wheat"]}, **shapes).to_file(path)
    assert cropcredit("fields", "import", path, "--crop-column", "crop", "--known-at", "2025-01-01").code == 0
    add(DAY, scl=np.full((20, 20), 6, dtype=np.uint8))
    run()
    [[paddy], [wheat]] = sheet("paddy").thumbnails, sheet("wheat").thumbnails
    assert (paddy.pixels.dropped.any(), wheat.pixels.dropped.all()) == (False, True)
    assert (paddy.seen.core_clear_fraction, wheat.seen.core_clear_fraction) == pytest.approx((1, 0))


@pytest.mark.parametrize("name", ["out.png", "out.tif"])
def test_a_scene_whose_offset_was_taken_out_twice_is_not_shown_as_if_it_were_right(cropcredit, add, tmp_path, name):
    folder = write_scene(tmp_path / "scenes", day=DAY, offset="not_applied")
    write_raster(folder / "B04.tif", np.full((40, 40), 900, dtype=np.uint16), nodata=0)
    add()
    said = cropcredit("scenes", "look", NAME, "--out", tmp_path / name)
    assert (said.code, said.err.count("\n")) == (2, 1), said.err
    assert "negative red reflectance: the offset was taken out twice" in said.err
    assert not (tmp_path / name).exists()


@pytest.fixture
def seen_once(add, draw, run):
    """Give a workspace with one scene, one field on it, one beyond it, and a run."""
    draw(f1=square(100, 200, 100), beyond=square(5000, 5000, 100))
    add(DAY)
    assert run().code == 1


@pytest.mark.usefixtures("seen_once")
def test_what_cannot_be_shown_is_told_in_one_line_with_the_next_step(cropcredit, tmp_path):
    for words, message in {
        ("scenes", "look", "S2_50SMJ_20250610"): f"there are {NAME}",
        ("scenes", "look", "B04"): "no scene with id 'B04'; cropcredit scenes add",
        ("scenes", "look", NAME, "--index", "NDXI"): "unknown index 'NDXI'; known: NDVI",
        ("scenes", "look", NAME, "--index", "NDRE"): "has no band",
        ("scenes", "look", NAME, "--rgb"): "add scenes with these bands, or leave out --rgb",
        ("ndvi", "sheet", "f9"): "no field with id 'f9'; cropcredit fields import",
        ("ndvi", "sheet", "beyond"): "did not see it; add scenes of its tile, then run again",
        ("ndvi", "sheet", "f1", "--index", "NDWI"): "--index NDWI",
        ("ndvi", "sheet", "f1", "--product", "ndvi"): "--product ndvi",
        ("ndvi", "sheet", "f1", "--as-of", "2025-05-01"): "cropcredit ndvi run --as-of 2025-05-01",
        ("ndvi", "sheet", "f1", "--rgb"): "leave out --rgb",
    }.items():
        said = cropcredit(*words, "--out", tmp_path / "out.png")
        assert (said.code, said.err.count("\n")) == (2, 1), (words, said.err)
        assert message in said.err, words
        assert not (tmp_path / "out.png").exists()


@pytest.mark.usefixtures("seen_once")
def test_a_path_that_cannot_be_written_is_refused_first(cropcredit, tmp_path):
    for words in (("scenes", "look", "no such scene"), ("ndvi", "sheet", "no such field")):
        for name, message in (("out.jpg", "name it so"), ("nowhere/out.png", "there is no folder for it; make the")):
            said = cropcredit(*words, "--out", tmp_path / name)
            assert (said.code, said.err.count("\n")) == (2, 1), (words, said.err)
            assert f"{tmp_path / name}: " in said.err
            assert message in said.err, words


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        pytest.param("out.png", 0.5, id="a picture"),
        pytest.param("out.tif", 0.7, id="while strips are written"),
        pytest.param("out.tif", 0.1, id="while it is made a COG, with a reason"),
        pytest.param("out.tif", 0.08, id="while it is made a COG, without one"),
        pytest.param("out.tif", 0.02, id="at its end, of which GDAL says nothing"),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing_behind(cropcredit, add, tmp_path, name, missing):
    add(DAY, ndvi=np.random.default_rng(1).uniform(0, 0.9, (1100, 1100)), size=1100)
    out = tmp_path / name
    assert cropcredit("scenes", "look", NAME, "--out", out).code == 0
    room = int(out.stat().st_size * (1 - missing))
    out.unlink()
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        said = cropcredit("scenes", "look", NAME, "--out", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said.code == 2
    assert f"cropcredit: {out} cannot be written" in said.err.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


def test_chinese_names_are_written_where_the_system_has_chinese_letters():
    if not list(Path("/usr/share/fonts").rglob("NotoSansCJK-Regular.ttc")):
        pytest.skip("Debian package with NotoSansCJK-Regular.ttc is not installed")
    assert text("田").tobytes() != text("块").tobytes(), "not the box that stands for any letter a typeface lacks"
    assert text("田块-001").width > text("001").width


def test_the_longest_name_makes_the_sheet_wider_and_is_not_cut(add, draw, run, sheet, tmp_path):
    name = "village-committee-register-of-2025/" + "7" * 60
    draw(**{name: square(100, 200, 100)})
    add(DAY)
    assert run().code == 0
    columns, _ = draw_sheet(sheet(name), tmp_path / "long.png")
    assert columns >= text(name, size=20).width + 2 * EDGE
