"""Twelve real monthly composites over Belgian farmland, of which December and January are wholly without data.

They are filled with 65535 while the file's own tag says 32769: taken for reflectance, both bands would be equal and the
index of the empty months exactly zero. Radar saw the ground in all twelve months.
"""

import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from shapely import box

from cropcredit.fields import reproject
from cropcredit.model import Offset, Scene
from cropcredit.usecases.add_scenes import Declared

pytestmark = pytest.mark.real_data
MONTHS = [f"{2020 + (10 + k) // 12}-{(10 + k) % 12 + 1:02}-01" for k in range(12)]
EMPTY = ["month_2020-12-01", "month_2021-01-01"]
UTM = "EPSG:32631"
WEST, NORTH = 664_000.0, 5_612_120.0
RADAR_DB_ZERO = 83.0
"""Radar digital numbers are written so that decibels are 20·log10(DN) - 83."""
AFTER = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.fixture
def cube(real_data):
    return real_data / "rasters" / "worldcereal" / "worldcereal_preprocessed_inputs.nc"


@pytest.fixture
def blocks(draw):
    """Import four fields of 200 x 200 m."""
    corners = {"nw": (200, 200), "ne": (600, 200), "sw": (200, 600), "se": (600, 600)}
    draw(**{name: reproject(block(*corner), UTM, "EPSG:4326") for name, corner in corners.items()})


def block(left, top, size=200):
    return box(WEST + left, NORTH - top - size, WEST + left + size, NORTH - top)


def months(cube, folder, bands, decode=lambda dn: dn):
    """Write one raster of named bands per month, as the composites would be delivered; the wrong nodata tag stays."""
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        layers = {name: rasterio.open(f"netcdf:{cube}:{source}") for name, source in bands.items()}
    for number, month in enumerate(MONTHS, start=1):
        pixels = {name: decode(raster.read(number)) for name, raster in layers.items()}
        profile = next(iter(layers.values())).profile | {"driver": "GTiff", "count": len(pixels)}
        profile |= {"dtype": next(iter(pixels.values())).dtype}
        with rasterio.open(folder / f"month_{month}.tif", "w", **profile) as raster:
            for band, (name, values) in enumerate(pixels.items(), start=1):
                raster.write(values, band)
                raster.set_band_description(band, name)
    for raster in layers.values():
        raster.close()
    return folder


def power(dn):
    return (10 ** ((20 * np.log10(np.maximum(dn, 1).astype(np.float32)) - RADAR_DB_ZERO) / 10)).astype(np.float32)


@pytest.mark.usefixtures("blocks")
def test_the_empty_months_are_named_and_never_zero(workspace, cropcredit, measure, cube, tmp_path):
    months(cube, tmp_path / "s2", {"B04": "S2-L2A-B04", "B08": "S2-L2A-B08"})
    declared = Declared(tile="31UFS", offset=Offset.APPLIED)
    workspace.add_scenes([str(tmp_path / "s2")], product="s2-l2a", declared=declared)
    said = cropcredit("ndvi", "run", "--as-of", "2022-01-01")
    assert [line for line in said.out.splitlines() if line.startswith("no data")] == [
        f"no data: {scene} (empty over every field of its tile)" for scene in EMPTY
    ]
    assert (said.code, "4 observed" in said.out) == (0, True)
    run, seen = measure()
    assert list(run.without_data) == EMPTY
    empty = [scene.id in EMPTY for scene in sorted(workspace.facts.find(Scene), key=lambda scene: scene.acquired_at)]
    for look, nothing in zip(seen, empty, strict=True):
        means, data = ([getattr(field, name) for field in look.values()] for name in ("mean", "data"))
        assert np.isnan(means).tolist() == [nothing] * 4
        assert data == pytest.approx([0 if nothing else 1] * 4)
    series = workspace.refresh_ndvi.observations.series("NDVI", run.units)
    assert series.mean[:, ~np.array(empty)].min() > 0.1
    assert series.clear_fraction[:, empty].tolist() == [[0, 0]] * 4


@pytest.mark.usefixtures("blocks")
def test_in_the_full_months_a_field_has_the_mean_of_its_four_hundred_pixels(workspace, measure, cube, tmp_path):
    """Against plain slices of the arrays: rows 20 to 39 and columns 60 to 79 of the north-eastern block."""
    folder = months(cube, tmp_path / "s2", {"B04": "S2-L2A-B04", "B08": "S2-L2A-B08"})
    full = [path for path in sorted(folder.iterdir()) if path.stem not in EMPTY]
    declared = Declared(tile="31UFS", offset=Offset.APPLIED)
    workspace.add_scenes([str(path) for path in full], product="s2-l2a", declared=declared)
    run, seen = measure()
    assert (len(seen), run.without_data) == (10, ())
    for look, path in zip(seen, full, strict=True):
        with rasterio.open(path) as raster:
            red, nir = raster.read()[:, 20:40, 60:80].astype(float)
        assert (look["ne"].mean, look["ne"].pixels) == pytest.approx(
            (((nir - red) / (nir + red)).mean(), 400), rel=1e-4
        )


@pytest.mark.usefixtures("blocks")
def test_a_field_known_only_in_the_empty_months_says_why_it_has_nothing(workspace, measure, cube, tmp_path):
    months(cube, tmp_path / "s2", {"B04": "S2-L2A-B04", "B08": "S2-L2A-B08"})
    declared = Declared(tile="31UFS", offset=Offset.APPLIED)
    paths = [str(tmp_path / "s2" / f"{name}.tif") for name in EMPTY]
    outcomes = workspace.add_scenes(paths, product="s2-l2a", declared=declared)
    assert [outcome.reason for outcome in outcomes] == ["", f"same pixels as {EMPTY[0]}"]
    run, _ = measure()
    assert run.unobserved == tuple((name, "no_data") for name in ("ne", "nw", "se", "sw"))


@pytest.mark.usefixtures("blocks")
def test_radar_saw_the_ground_in_the_months_that_are_empty(workspace, cropcredit, measure, cube, tmp_path):
    """Farmland in winter: VV near -9 dB, VH some 6 to 9 dB below."""
    bands = {"VV": "S1-SIGMA0-VV", "VH": "S1-SIGMA0-VH"}
    raw = months(cube, tmp_path / "raw", bands)
    workspace.add_scenes([str(raw / "month_2020-12-01.tif")], product="sentinel-1-rtc", declared=Declared(tile="raw"))
    said = cropcredit("ndvi", "run", "--as-of", "2022-01-01")
    assert "month_2020-12-01: median VV of 37 dB is no backscatter of land; calibrate" in said.err
    decoded = months(cube, tmp_path / "s1", bands, power)
    workspace.add_scenes([str(decoded)], product="sentinel-1-rtc", declared=Declared(tile="31UFS"))
    run, vv = measure("VV")
    _, vh = measure("VH")
    assert (run.without_data, run.unobserved, len(vv)) == ((), (), 12)
    for over, across in zip(vv, vh, strict=True):
        level = [10 * np.log10(np.mean([field.mean for field in look.values()])) for look in (over, across)]
        assert -15 < level[0] < -5
        assert 4 < level[0] - level[1] < 12
