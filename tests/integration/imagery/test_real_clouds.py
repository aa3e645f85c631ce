"""Two and a half years over Slovenian parcels with a truth about clouds: how many get through, and what it costs.

The truth is the mask that a detector made from whole time series; the mask in the scenes comes from single dates, as in
any product that is delivered with one. A cloudy look is one that the truth covers by half, a clear one is free of it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from exactextract import exact_extract
from numpy.typing import NDArray

from cropcredit.agronomy import despike, usable
from cropcredit.usecases.add_scenes import Declared
from cropcredit.usecases.import_fields import FieldForm

pytestmark = pytest.mark.real_data
LATER = datetime(2019, 1, 1, tzinfo=UTC)
TILE = "33TVM"
NIR = 5000
CLEAR, CLOUD = 4, 9


@dataclass(frozen=True)
class Sky:
    """What was seen of 1 km² on 68 days, and the parcels there."""

    folder: Path
    days: list[datetime]
    ndvi: NDArray[np.float32]
    mask: NDArray[np.bool_]
    truth: NDArray[np.bool_]

    @property
    def profile(self) -> dict[str, Any]:
        """Describe the grid, EPSG:32633."""
        ring = np.array(json.loads((self.folder / "bbox.geojson").read_text())["coordinates"][0])
        (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
        rows, columns = self.ndvi.shape[1:]
        transform = Affine((east - west) / columns, 0, west, 0, (south - north) / rows, north)
        return {"driver": "GTiff", "crs": "EPSG:32633", "transform": transform, "height": rows, "width": columns}

    def write(self, path, pixels):
        """Write one band, or several."""
        bands = pixels if pixels.ndim == 3 else pixels[None]
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(path, "w", **self.profile, count=len(bands), dtype=bands.dtype) as raster:
            raster.write(bands)


@pytest.fixture(scope="module")
def sky(real_data):
    folder = real_data / "rasters" / "slovenia-s2" / "TestEOPatch"
    days = [
        datetime.fromisoformat(day).replace(tzinfo=UTC) for day in json.loads((folder / "timestamps.json").read_text())
    ]
    ndvi, mask, truth = (
        np.load(folder / f"{name}.npy")[..., 0] for name in ("data/NDVI", "mask/CLM_S2C", "mask/CLM_MULTI")
    )
    return Sky(folder, days, ndvi, mask, truth)


@pytest.fixture
def parcels(workspace, sky, tmp_path):
    """Import the parcels; give them in the order of their names."""
    found = gpd.read_file(sky.folder / "vector_timeless" / "LULC.gpkg")
    named = gpd.GeoDataFrame({"id": [f"p{k:02}" for k in range(len(found))]}, geometry=found.geometry)
    named.to_file(tmp_path / "parcels.gpkg")
    form = FieldForm(known_at=datetime(2014, 1, 1, tzinfo=UTC))
    assert workspace.import_fields(str(tmp_path / "parcels.gpkg"), form).stored == 88
    return named


def outcomes(workspace, sky, parcels, folder):
    """Count cloudy looks, those that get through; clear looks, those that are lost to the mask, and as spikes."""
    run = workspace.refresh_ndvi(as_of=LATER)
    series = workspace.refresh_ndvi.observations.series("NDVI", run.units, list(parcels["id"]))
    used = usable(series.mean, series.clear_fraction)
    final = despike(series.mean, used, series.acquired_at.astype("datetime64[D]").astype(int))
    days = sorted({day.date() for day in sky.days})
    column = np.searchsorted(np.array(days, dtype="datetime64[D]"), series.acquired_at)
    through_mask, through = np.zeros((2, len(parcels), len(days)), dtype=bool)
    through_mask[:, column], through[:, column] = used, final
    first = [next(k for k, seen in enumerate(sky.days) if seen.date() == day) for day in days]  # one day was seen twice
    sky.write(folder / "truth.tif", sky.truth[first].astype(np.float32))
    found = exact_extract(str(folder / "truth.tif"), parcels, ["mean"], output="pandas").to_numpy()
    cloudy, clear = found >= 0.5, found == 0
    return {
        "held back": len(run.held_back),
        "cloudy": int(cloudy.sum()),
        "through the mask": int((cloudy & through_mask).sum()),
        "get through": int((cloudy & through).sum()),
        "clear": int(clear.sum()),
        "lost to the mask": int((clear & ~through_mask).sum()),
        "lost as spikes": int((clear & through_mask & ~through).sum()),
    }


def test_with_a_mask_one_cloudy_look_in_twenty_gets_through(workspace, sky, parcels, tmp_path):
    for number, day in enumerate(sky.days):
        scene = tmp_path / "scenes" / f"S2_{TILE}_{number:02}"
        red = NIR * (1 - sky.ndvi[number]) / (1 + sky.ndvi[number])
        sky.write(scene / "B04.tif", np.round(red).astype(np.uint16))
        sky.write(scene / "B08.tif", np.full(red.shape, NIR, dtype=np.uint16))
        sky.write(scene / "SCL.tif", np.where(sky.mask[number], CLOUD, CLEAR).astype(np.uint8))
        said = {"id": scene.name, "tile": TILE, "acquired_at": day.isoformat(), "available_at": day.isoformat()}
        (scene / "scene.json").write_text(json.dumps(said | {"processing_baseline": "02.04", "offset": "applied"}))
    workspace.add_scenes([str(tmp_path / "scenes")], product="s2-l2a")
    assert outcomes(workspace, sky, parcels, tmp_path) == pytest.approx(
        {
            "held back": 0,
            "cloudy": 2507,
            "through the mask": 161,
            "get through": 148,
            "clear": 3301,
            "lost to the mask": 152,
            "lost as spikes": 74,
        },
        abs=3,
    )


def test_without_a_mask_most_clouds_get_through(workspace, sky, parcels, tmp_path):
    for number, day in enumerate(sky.days):
        sky.write(tmp_path / "ndvi" / f"NDVI_{number:02}_{day:%Y-%m-%d}.tif", sky.ndvi[number])
    workspace.add_scenes([str(tmp_path / "ndvi")], product="ndvi", declared=Declared(tile=TILE))
    assert outcomes(workspace, sky, parcels, tmp_path) == pytest.approx(
        {
            "held back": 6,
            "cloudy": 2507,
            "through the mask": 1979,
            "get through": 1831,
            "clear": 3301,
            "lost to the mask": 0,
            "lost as spikes": 42,
        },
        abs=3,
    )
