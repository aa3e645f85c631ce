"""The demo region as a whole: same seed, same bytes; its statistics stay what they were unless somebody says why."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio

from cropcredit.demo.generate import MANIFEST, generate
from cropcredit.demo.parameters import Region, load_region

GOLDEN = json.loads(Path(__file__).with_name("demo_region.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def region() -> Region:
    """The whole region under only its last three scenes: the others are made the same way."""
    made = load_region()
    return replace(made, sky=replace(made.sky, first_on=date(2025, 10, 2), every_days=150))


@pytest.fixture(scope="module")
def folder(region, tmp_path_factory) -> Path:
    return generate(region, tmp_path_factory.mktemp("demo") / "region")


def test_the_same_seed_gives_the_same_bytes(region, folder, tmp_path):
    again = generate(region, tmp_path / "region")
    assert (again / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()


def test_a_finished_region_is_left_as_it_is(region, folder):
    before = (folder / MANIFEST).stat().st_mtime_ns
    generate(region, folder)
    assert (folder / MANIFEST).stat().st_mtime_ns == before


@pytest.mark.parametrize("crop", ["winter_wheat", "maize", "cotton"])
def test_true_yields_keep_their_distribution(folder, crop):
    with (folder / "truth" / "plantings.csv").open(encoding="utf-8") as file:
        yields = [float(row["yield_t_ha"]) for row in csv.DictReader(file) if row["crop"] == crop]
    expected = GOLDEN["true_yield_t_ha"][crop]
    assert len(yields) == pytest.approx(expected["count"], abs=GOLDEN["tolerance"]["count"])
    found = np.quantile(yields, GOLDEN["quantiles"])
    assert found == pytest.approx(expected["at"], abs=GOLDEN["tolerance"]["yield_t_ha"])


def test_every_table_keeps_its_rows(folder):
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) - 1 for path in folder.glob("*.csv")}
    assert lines == pytest.approx(GOLDEN["rows"], rel=GOLDEN["tolerance"]["rows"])


def test_a_scene_is_a_sentinel_2_folder_with_offset_nodata_and_classes_at_20_m(folder):
    scene = min((folder / "scenes").iterdir())
    assert scene.name == "S2_50S-DEMO_20251002"
    with rasterio.open(scene / "B08.tif") as nir, rasterio.open(scene / "SCL.tif") as classes:
        assert (nir.crs.to_epsg(), nir.res, nir.nodata, nir.dtypes[0]) == (32650, (10, 10), 0, "uint16")
        assert (classes.res, classes.dtypes[0], classes.bounds == nir.bounds) == ((20, 20), "uint8", True)
        pixels = nir.read(1)
        assert np.median(pixels[pixels > 0]) == pytest.approx(GOLDEN["scene_nir_median_dn"], abs=40)
    about = json.loads((scene / "scene.json").read_text(encoding="utf-8"))
    assert (about["synthetic"], about["processing_baseline"], about["offset"]) == (True, "05.11", "auto")
