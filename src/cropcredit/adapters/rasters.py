"""Rasters through GDAL: RasterReader over rasterio."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from cropcredit.adapters import hdf4
from cropcredit.errors import MalformedInput, MissingCRS
from cropcredit.model import Grid, RasterInfo, Window

GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # a folder of a thousand scenes is not listed for each of them
    "GDAL_PAM_ENABLED": "NO",  # never write .aux.xml files beside somebody's data
    "GDAL_CACHEMAX": 256,  # megabytes
    "GDAL_HTTP_MAX_RETRY": "3",
    "GDAL_HTTP_RETRY_DELAY": "1",  # seconds, longer each time
    "GDAL_HTTP_CONNECTTIMEOUT": "30",  # seconds
    "GDAL_HTTP_LOW_SPEED_TIME": "60",  # seconds without a byte a second: the server is gone
    "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
}
HASH_BLOCK = 1 << 20
SERVER = "see that its server answers, without asking who you are, and in byte ranges"


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterioReader:
    """RasterReader on files and on whatever else GDAL opens; may be sent to another process."""

    root: Path
    """Folder that relative hrefs start from: the workspace."""

    def info(self, href: str, *, band: int = 1) -> RasterInfo:
        """Ask a band for its grid, nodata and blocks; one without coordinate system, or rotated, is refused."""
        if hdf4.is_hdf4(href):
            return hdf4.info(self._path(href), hdf4.split_href(href)[1])
        with self._open(href) as raster:
            if raster.crs is None:
                raise MissingCRS("the raster has no coordinate system", where=href, cure="gdal_edit.py -a_srs EPSG:…")
            epsg = raster.crs.to_epsg()
            crs = f"EPSG:{epsg}" if epsg else raster.crs.to_wkt()
            grid = Grid(crs, tuple(raster.transform)[:6], raster.shape)
            return RasterInfo(grid, raster.nodatavals[band - 1], raster.block_shapes[band - 1])

    def read(self, href: str, windows: Iterable[Window], *, band: int = 1) -> Iterator[NDArray[Any]]:
        """Read windows at full resolution; overviews are never used."""
        if hdf4.is_hdf4(href):
            yield from hdf4.read(self._path(href), hdf4.split_href(href)[1], windows)
            return
        with self._open(href) as raster:
            for rows, cols in windows:
                yield raster.read(band, window=(rows, cols))

    def content_hash(self, hrefs: Sequence[str]) -> str:
        """Hash the bytes of all files, each once, in the order given."""
        sha = hashlib.sha256()
        for path in dict.fromkeys(self._path(href) for href in hrefs):
            try:
                with path.open("rb") as file:
                    while block := file.read(HASH_BLOCK):
                        sha.update(block)
            except OSError as error:
                raise MalformedInput(f"cannot be read: {error.strerror}", where=str(path)) from None
        return sha.hexdigest()

    def _path(self, href: str) -> Path:
        return self.root / (hdf4.split_href(href)[0] if hdf4.is_hdf4(href) else href)

    @contextmanager
    def _open(self, href: str) -> Iterator[Any]:
        source = href if is_remote(href) else str(self._path(href))
        try:
            with rasterio.Env(**GDAL), rasterio.open(source) as raster:
                yield raster
        except RasterioError as error:
            reason = str(error.__cause__ or error).split("\n", 1)[0].rstrip(".")
            cure = SERVER if is_remote(href) else "it may be cut short: fetch it again"
            raise MalformedInput(f"the raster cannot be read: {reason}", where=href, cure=cure) from error


def is_remote(href: str) -> bool:
    """Say whether an href names something that is not a file on this machine."""
    return "://" in href or href.startswith("/vsi")


def described_bands(file: Path) -> dict[str, int]:
    """Give the number of each band by what the file calls it: its description, else the tag DESCRIPTION."""
    try:
        with rasterio.Env(**GDAL), rasterio.open(file) as raster:
            texts = [raster.descriptions[k - 1] or raster.tags(k).get("DESCRIPTION", "") for k in raster.indexes]
    except RasterioError as error:
        raise MalformedInput(f"the raster cannot be read: {error}", where=str(file)) from error
    return {text: number for number, text in enumerate(texts, start=1) if text}
