"""One unit of work of the NDVI run: one scene of one tile over the fields that live there.

A unit is named by everything that its numbers depend on, so a finished one is never computed again, a killed run goes
on where it was, and two runs of the same inputs write the same bytes. It runs in any process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.imagery import Coverage, Sample, coarse_cells, layers, observe, refinement, strips, widen_clouds
from cropcredit.model import Band, Scene
from cropcredit.ports import CoverageCache, ObservationStore, RasterReader


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitJob:
    """What one unit needs; small enough to be sent to another process."""

    unit: str
    """``tile/month/key``: its name in the observation store."""
    scene: Scene
    coverage: str
    """Key of the coverage matrix in the cache."""
    cloud_margin_px: int
    """How far clouds reach beyond their pixels, in pixels of the scene classification."""


def run_unit(job: UnitJob, *, rasters: RasterReader, cache: CoverageCache, observations: ObservationStore) -> str:
    """Read a scene where fields lie, compute its statistics per field and write them; returns the unit's name."""
    matrix = _coverage(cache, job.coverage)
    samples = {
        band.name: sample(rasters, job.scene, band, matrix.coverage.cells, margin=job.cloud_margin_px)
        for band in job.scene.bands
    }
    seen = observe(job.scene, layers(job.scene, samples), matrix.coverage, matrix.field_ids, wet=matrix.wet)
    observations.write(job.unit, seen)
    return job.unit


def sample(rasters: RasterReader, scene: Scene, band: Band, cells: NDArray[np.int64], *, margin: int = 0) -> Sample:
    """Read the digital numbers of one band at some cells of the scene's grid, strip by strip.

    A coarser band (scene classes, red edge: 20 m over 10 m) gives each fine cell the value of the cell above it: the
    nearest, never a mixture.
    """
    grid = rasters.grid(band.href)
    factor = refinement(scene.grid, grid, where=f"{scene.id} {band.name}")
    wanted = coarse_cells(cells, scene.grid, grid, factor)
    nodata = rasters.nodata(band.href, band=band.band)
    if band.name == "scl" and margin:
        classes = widen_clouds(rasters.read(band.href, band=band.band), margin)
        return Sample(dn=classes.ravel()[wanted], nodata=nodata)
    parts: list[NDArray[Any]] = []
    for part, (rows, cols) in strips(wanted, grid.shape[1]):
        pixels = rasters.read(band.href, band=band.band, rows=rows, cols=cols)
        row, column = np.divmod(wanted[part], grid.shape[1])
        parts.append(pixels[row - rows[0], column - cols[0]])
    return Sample(dn=np.concatenate(parts), nodata=nodata)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileMatrix:
    """The coverage of one grid, with the names of its rows."""

    coverage: Coverage
    field_ids: NDArray[np.str_]
    wet: NDArray[np.bool_]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Flatten for the cache."""
        return {**self.coverage.to_arrays(), "field_ids": self.field_ids, "wet": self.wet}


_LOADED: dict[str, TileMatrix] = {}
"""The matrix in use in this process: consecutive units share it. Its key tells its content, so it cannot go stale."""


def _coverage(cache: CoverageCache, key: str) -> TileMatrix:
    if key not in _LOADED:
        arrays = cache.load(key)
        assert arrays is not None, "the run puts every matrix into the cache before its units start"
        _LOADED.clear()
        _LOADED[key] = TileMatrix(
            coverage=Coverage.from_arrays(arrays), field_ids=arrays["field_ids"], wet=arrays["wet"]
        )
    return _LOADED[key]
