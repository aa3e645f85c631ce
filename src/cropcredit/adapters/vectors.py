"""Vector files of any format and coordinate system: VectorFiles over pyogrio and geopandas."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cropcredit.errors import EmptyInput, MalformedInput, MissingCRS, UnknownName
from cropcredit.model import VectorTable

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

PARQUET = (".parquet", ".geoparquet")


class VectorReader:
    """VectorFiles over every format that GDAL and pyarrow read."""

    def read(self, path: str, *, crs: str = "", encoding: str = "", layer: str = "") -> VectorTable:
        """Read all features; see :class:`cropcredit.ports.VectorFiles`."""
        file = Path(path)
        if not file.exists():
            raise MalformedInput("there is no such file", where=path)
        if file.is_file() and file.stat().st_size == 0:
            raise EmptyInput("the file is empty", where=path)
        frame = _read_parquet(file) if file.suffix.lower() in PARQUET else _read_ogr(file, encoding, layer)
        if frame.empty:
            raise EmptyInput("holds no features", where=path)
        return VectorTable(
            path=path,
            crs=_crs(frame, crs, path),
            geometries=np.asarray(frame.geometry.to_numpy(), dtype=object),
            columns={str(name): _plain(frame[name]) for name in frame.columns if name != frame.geometry.name},
        )


def _read_parquet(file: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - slow to import, and most commands read no vector file

    try:
        return gpd.read_parquet(file)
    except (ValueError, OSError) as error:
        raise MalformedInput(f"is no GeoParquet: {error}", where=str(file)) from error


def _read_ogr(file: Path, encoding: str, layer: str) -> gpd.GeoDataFrame:
    import geopandas as gpd  # noqa: PLC0415 - slow to import, and most commands read no vector file
    import pyogrio  # noqa: PLC0415 - imports geopandas
    from pyogrio.errors import DataSourceError  # noqa: PLC0415 - as above

    try:
        with warnings.catch_warnings():
            # Remarks on column widths and measures along lines: neither concerns a boundary.
            warnings.filterwarnings("ignore", category=RuntimeWarning, module="pyogrio")
            warnings.filterwarnings("ignore", "Measured", UserWarning)
            frame = pyogrio.read_dataframe(file, layer=_layer(file, layer), encoding=encoding or None)
    except (DataSourceError, UnicodeDecodeError, LookupError) as error:
        text = isinstance(error, UnicodeDecodeError | LookupError)
        cure = "try --encoding" if text else "unpack it first" if file.suffix.lower() == ".zip" else ""
        raise MalformedInput(f"cannot be read: {error}", where=str(file), cure=cure) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise MalformedInput("has no geometry column", where=str(file))
    return frame


def _layer(file: Path, wanted: str) -> str:
    import pyogrio  # noqa: PLC0415 - imports geopandas

    layers = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
    if not layers:
        raise MalformedInput("has no layer with geometry", where=str(file))
    if wanted and wanted not in layers:
        raise UnknownName("layer", wanted, tuple(layers), where=str(file))
    if len(layers) > 1 and not wanted:
        raise MalformedInput(f"has {len(layers)} layers", where=str(file), cure=f"--layer one of {', '.join(layers)}")
    return wanted or layers[0]


def _crs(frame: gpd.GeoDataFrame, declared: str, path: str) -> str:
    if frame.crs is None:
        if not declared:
            raise MissingCRS("does not say in which coordinate system it is", where=path, cure="say it: --crs EPSG:…")
        return declared
    epsg = frame.crs.to_epsg()
    return f"EPSG:{epsg}" if epsg else str(frame.crs.to_wkt())


def _plain(column: pd.Series[Any]) -> list[Any]:
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]
