"""One unit of work of the NDVI run: one acquisition of one tile over the fields that live there.

A unit is named by everything that its numbers depend on, so a finished one is never computed again, a killed run goes
on where it was, and two runs of the same inputs write the same bytes. It runs in any process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cropcredit.imagery import (
    Coverage,
    Layers,
    Piece,
    Sample,
    bands_for,
    cover,
    layers,
    observe,
    plan,
    product_of,
    united,
    widened,
)
from cropcredit.model import Band, Grid, RasterInfo, Scene
from cropcredit.ports import CoverageCache, ObservationStore, RasterReader


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitJob:
    """What one unit needs; small enough to be sent to another process."""

    unit: str
    """``tile/month/key``: its name in the observation store."""
    parts: tuple[Scene, ...]
    """Scenes of one acquisition on one grid: where the first has no data, the next one counts."""
    coverage: str
    """Key of the coverage matrix in the cache."""
    indices: tuple[str, ...]
    """What to compute; empty: what is usual for the product."""
    cloud_margin_m: float
    """How far clouds and their shadows reach beyond their pixels, m."""
    quantiles: tuple[float, ...] = ()

    @property
    def scene(self) -> Scene:
        """The part that gives the acquisition its name."""
        return self.parts[0]


class Wanted(Protocol):
    """Cells of a scene's grid that are to be read."""

    @property
    def cells(self) -> NDArray[np.int64]:
        """Give the cells, ascending: row * columns + column."""
        ...

    def plan(self, scene: Scene, info: RasterInfo, halo: int, *, where: str) -> list[Piece]:
        """Plan the reading of a band."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileMatrix:
    """The coverage of one grid, with the names of its rows."""

    coverage: Coverage
    field_ids: NDArray[np.str_]
    wet: NDArray[np.bool_]
    plans: dict[tuple[RasterInfo, int], list[Piece]] = field(default_factory=dict)
    """Reading plans made so far: the scenes of a tile are cut alike."""

    @property
    def cells(self) -> NDArray[np.int64]:
        """Give the cells that any field touches."""
        return self.coverage.cells

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Flatten for the cache."""
        return {**self.coverage.to_arrays(), "field_ids": self.field_ids, "wet": self.wet}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> TileMatrix:
        """Rebuild from :meth:`to_arrays`."""
        return cls(coverage=Coverage.from_arrays(arrays), field_ids=arrays["field_ids"], wet=arrays["wet"])

    def plan(self, scene: Scene, info: RasterInfo, halo: int, *, where: str) -> list[Piece]:
        """Plan the reading of a band, or remember the plan."""
        key = (info, halo)
        if key not in self.plans:
            self.plans[key] = plan(self.cells, scene.grid, info, halo=halo, where=where)
        return self.plans[key]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CoverJob:
    """What the coverage matrix of one grid needs."""

    key: str
    """Its name in the cache."""
    grid: Grid
    boundaries: NDArray[np.object_]
    """Shapely polygons, EPSG:4326."""
    field_ids: NDArray[np.str_]
    wet: NDArray[np.bool_]


def run_cover(job: CoverJob, *, cache: CoverageCache) -> str:
    """Compute a coverage matrix and put it into the cache; returns its key."""
    matrix = TileMatrix(coverage=cover(job.boundaries, job.grid), field_ids=job.field_ids, wet=job.wet)
    cache.save(job.key, matrix.to_arrays())
    return job.key


def run_unit(job: UnitJob, *, rasters: RasterReader, cache: CoverageCache, observations: ObservationStore) -> str:
    """Read a scene where fields lie, compute its statistics per field and write them; returns the unit's name."""
    matrix = _coverage(cache, job.coverage)
    read = united([_layers(rasters, scene, matrix, job) for scene in job.parts])
    seen = observe(job.scene, read, matrix.coverage, matrix.field_ids, wet=matrix.wet, quantiles=job.quantiles)
    observations.write(job.unit, seen)
    return job.unit


def _layers(rasters: RasterReader, scene: Scene, matrix: TileMatrix, job: UnitJob) -> Layers:
    bands = bands_for(scene, job.indices)
    return layers(scene, samples(rasters, scene, bands, matrix, margin_m=job.cloud_margin_m), job.indices)


def samples(
    rasters: RasterReader, scene: Scene, bands: Sequence[Band], wanted: Wanted, *, margin_m: float
) -> dict[str, Sample]:
    """Read the digital numbers of some bands, by name."""
    return {band.name: sample(rasters, scene, band, wanted, margin_m=margin_m) for band in bands}


def sample(rasters: RasterReader, scene: Scene, band: Band, wanted: Wanted, *, margin_m: float = 0) -> Sample:
    """Read the digital numbers of one band at the wanted cells; in a mask, clouds reach further."""
    info = rasters.info(band.href, band=band.band)
    product = product_of(scene.product)
    widen = product.cloudy is not None and band.name == product.mask
    halo = ceil(margin_m / info.grid.transform[0]) if widen else 0
    pieces = wanted.plan(scene, info, halo, where=f"{scene.id} {band.name}")
    windows = rasters.read(band.href, [piece.window for piece in pieces], band=band.band)
    dn: NDArray[Any] | None = None
    for piece, pixels in zip(pieces, windows, strict=True):
        found = pixels.take(piece.places)
        if halo and product.cloudy is not None:
            found[widened(product.cloudy(pixels), halo).take(piece.places)] = product.cloud
        if dn is None:
            dn = np.empty(len(wanted.cells), dtype=found.dtype)
        dn[piece.cells] = found
    return Sample(dn=np.empty(0) if dn is None else dn, nodata=info.nodata)


_LOADED: dict[str, TileMatrix] = {}
"""The matrix in use in this process: consecutive units share it. Its key tells its content, so it cannot go stale."""


def _coverage(cache: CoverageCache, key: str) -> TileMatrix:
    if key not in _LOADED:
        arrays = cache.load(key)
        assert arrays is not None, "the run puts every matrix into the cache before its units start"
        _LOADED.clear()
        _LOADED[key] = TileMatrix.from_arrays(arrays)
    return _LOADED[key]
