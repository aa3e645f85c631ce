"""What the satellite looks down on: which pixel sees how much of which plot, and the land between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage, sparse

from cropcredit.demo.land import BACKGROUND_PLOTS, Plots, Village
from cropcredit.demo.parameters import Region

FINE = 4
"""Parcels are drawn at a quarter of a pixel (2.5 m) and counted."""
TRACK, VILLAGE, ROAD, TREES, WATER = range(5)
COVERS = ((0.17, 0.25), (0.19, 0.24), (0.14, 0.17), (0.045, 0.32), (0.035, 0.02))
"""Red and near-infrared reflectance of track, village, road, trees and water (chosen)."""
CELL_M = (55.0, 130.0)
"""Size of the unregistered parcels of the background."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """Mixing of plots and fixed covers in every pixel of the tile."""

    mixing: sparse.csr_array
    """Shape (pixels, plots + covers): share of each pixel, rows sum to 1."""
    shape: tuple[int, int]
    texture: NDArray[np.float32]
    """Lasting unevenness within fields, mean 0, s.d. 1."""


def lay_ground(region: Region, villages: list[Village], plots: Plots) -> Ground:
    """Draw the tile once; every date then costs one product with the reflectance of plots and covers."""
    size, dice = region.tile.size_px, region.dice("ground")
    below = _background(region, villages, len(plots.boundary), dice)
    fine = _parcels(region, villages, plots)
    n_columns = len(plots.cotton) + len(COVERS)
    blocks = fine.reshape(size, FINE, size, FINE).swapaxes(1, 2).reshape(size * size, FINE * FINE)
    touched = np.flatnonzero((blocks >= 0).any(axis=1))
    whole = np.setdiff1d(np.arange(size * size), touched, assume_unique=True)
    seen = np.where(blocks[touched] >= 0, blocks[touched], below.ravel()[touched, None])
    rows = np.concatenate([np.repeat(touched, FINE * FINE), whole])
    columns = np.concatenate([seen.ravel(), below.ravel()[whole]])
    share = np.concatenate([np.full(seen.size, 1 / FINE**2, dtype=np.float32), np.ones(len(whole), dtype=np.float32)])
    mixing = sparse.coo_array((share, (rows, columns)), shape=(size * size, n_columns)).tocsr()
    smooth = ndimage.gaussian_filter(dice.standard_normal((size, size), dtype=np.float32), 2.5)
    return Ground(mixing=mixing, shape=(size, size), texture=smooth / smooth.std())


def _parcels(region: Region, villages: list[Village], plots: Plots) -> NDArray[np.int32]:
    """Label a 2.5 m raster with parcels and the tracks around them; -1 elsewhere."""
    step = region.tile.pixel_m / FINE
    transform = Affine(step, 0, region.tile.west_m, 0, -step, region.tile.north_m)
    blocks = [
        shapely.buffer(shapely.convex_hull(shapely.union_all(plots.boundary[plots.village == v])), 4.0)
        for v in range(len(villages))
    ]
    track = len(plots.cotton) + TRACK
    shapes = [(block, track) for block in blocks] + [(parcel, i) for i, parcel in enumerate(plots.boundary)]
    size = region.tile.size_px * FINE
    return np.asarray(rasterize(shapes, out_shape=(size, size), transform=transform, fill=-1, dtype="int32"))


def _background(region: Region, villages: list[Village], n_parcels: int, dice: np.random.Generator) -> NDArray[np.int_]:
    """Fill the tile with unregistered cropland, villages, roads, trees and a river; labels are columns of mixing."""
    size, pixel = region.tile.size_px, region.tile.pixel_m
    y, x = (np.mgrid[0:size, 0:size] + 0.5) * pixel
    angle = np.radians(12.0)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    cell = (np.floor(along / CELL_M[0]) + size).astype(int) * 100_003 + (np.floor(across / CELL_M[1]) + size).astype(
        int
    )
    label = n_parcels + (cell * 2_654_435_761 % 2**32 >> 7) % BACKGROUND_PLOTS
    covers = n_parcels + BACKGROUND_PLOTS
    copse = (np.floor(along / 210) + size).astype(int) * 7_919 + (np.floor(across / 260) + size).astype(int)
    label[(copse * 2_654_435_761 % 2**32 >> 9) % 37 == 0] = covers + TREES
    label[(np.abs(along % 2200 - 1100) < 9) | (np.abs(across % 2600 - 1300) < 9)] = covers + ROAD  # noqa: PLR2004 - half widths, m
    middle = size * pixel * 0.27 + 420 * np.sin(x / 1700) + 150 * np.sin(x / 610)
    label[np.abs(y - middle) < 34] = covers + WATER  # noqa: PLR2004 - half the river's width, m
    for village in villages:
        vx, vy = village.centre[0] - region.tile.west_m, region.tile.north_m - village.centre[1]
        beside = np.radians(village.angle_deg + dice.choice([0.0, 180.0]))
        vx, vy = vx + 420 * np.cos(beside), vy - 420 * np.sin(beside)
        label[np.hypot((x - vx) / 1.2, y - vy) < dice.uniform(150, 230)] = covers + VILLAGE
    return np.asarray(label)
