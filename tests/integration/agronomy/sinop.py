"""Eighteen labelled points in Mato Grosso through the whole line: MOD13Q1 scenes, index per field, cube, seasons."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd

from cropcredit.bootstrap import build
from cropcredit.config import Settings
from cropcredit.usecases.import_fields import FieldForm


def sinop_cube(real_data: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """Write the cube of the twelve scenes as a notebook would get it; give its file and the label of each field."""
    source = real_data / "rasters" / "sinop-modis"
    settings = Settings.checked(folder / "bank", {"time_zone": "UTC"}, where="test")
    settings.save()
    app = build(settings)
    points = pd.read_csv(source / "samples_sinop_crop.csv")
    squares = gpd.GeoDataFrame(
        {"id": [f"p{number:02}" for number in points["id"]], "crop": points["label"]},
        geometry=gpd.points_from_xy(points["longitude"], points["latitude"]),
        crs="EPSG:4326",
    ).to_crs("EPSG:32721")
    squares["geometry"] = squares.buffer(250, cap_style="square")
    squares.to_file(folder / "sinop.gpkg")
    form = FieldForm(crop_column="crop", known_at=datetime(2013, 1, 1, tzinfo=UTC))
    app.import_fields(str(folder / "sinop.gpkg"), form)
    app.add_scenes([str(source / "mod13q1")], product="mod13q1")
    run = app.refresh_ndvi(as_of=datetime(2014, 12, 31, tzinfo=UTC))
    app.export_cube(run, str(folder / "sinop.nc"))
    return folder / "sinop.nc", dict(zip(squares["id"], squares["crop"], strict=True))


def season_counts(seasons: pd.DataFrame, labels: dict[str, str]) -> dict[str, dict[int, int]]:
    """Count for each label how many fields show how many seasons."""
    shown = seasons.groupby("field")["season"].max()
    tally = pd.crosstab(pd.Series(labels).loc[shown.index], shown)
    return {
        str(label): {int(count): int(row[count]) for count in tally.columns if row[count]}
        for label, row in tally.iterrows()
    }
