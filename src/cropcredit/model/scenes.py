"""What the sky saw: rasters on their grid, scenes, observations of fields, series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput
from cropcredit.model.records import Record

Window = tuple[tuple[int, int], tuple[int, int]]
"""((first row, row after the last), (first column, column after the last)) of a raster."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A raster grid: where each pixel lies. North-up, square pixels or not, never rotated."""

    crs: str
    """``EPSG:32650`` or WKT."""
    transform: tuple[float, float, float, float, float, float]
    """Affine (a, b, c, d, e, f): x = a·col + c, y = e·row + f; b = d = 0."""
    shape: tuple[int, int]
    """(rows, columns)."""

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.transform
        if b or d or a <= 0 or e >= 0:
            raise MalformedInput(f"grid with transform {self.transform} is rotated or not north-up")


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """What one band of a raster file says about itself."""

    grid: Grid
    nodata: float | None
    """Digital number that means no data; None where the file names none (NaN may stand beside it)."""
    block: tuple[int, int]
    """(rows, columns) that are compressed, and so read, together."""


class Offset(StrEnum):
    """What the source declares about the additive radiometric offset."""

    APPLIED = "applied"
    """The archive already added it: digital numbers are reflectance times scale."""
    NOT_APPLIED = "not_applied"
    """We must add it, where the processing baseline says there is one."""
    AUTO = "auto"
    """By the processing baseline in the metadata, checked against the pixels."""


@dataclass(frozen=True, slots=True)
class Band:
    """One raster file of a scene."""

    name: str
    """Core name: ``red``, ``nir``, ``scl``, ``ndvi``, ``vv`` … (:mod:`cropcredit.imagery.products`)."""
    href: str
    """Path relative to the workspace, or absolute, or a URL that GDAL opens."""
    band: int = 1
    """Band number in the file, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Record):
    """One acquisition on one grid; counts only if acquired and available by the as-of instant (``known_at``)."""

    KEYS: ClassVar[tuple[str, ...]] = ("product", "tile")

    product: str
    """A name of :data:`cropcredit.imagery.PRODUCTS`: ``s2-l2a``, ``landsat-c2-l2`` …"""
    tile: str
    """MGRS tile or the like; the partition of the observation dataset."""
    acquired_at: datetime
    available_at: datetime
    grid: Grid
    """Grid of the finest band."""
    bands: tuple[Band, ...]
    processing_baseline: str = ""
    """As in the metadata, e.g. ``05.10``; decides scale and offset, the date never does."""
    offset: Offset = Offset.AUTO
    content_hash: str = ""
    """SHA-256 over the bytes of all bands; of what a catalogue says about them where they lie elsewhere."""
    datatake: str = ""
    """Which pass of which satellite, e.g. ``S2A_20250601T025551``: scenes of one tile and datatake are processings or
    parts of one acquisition. Empty where nothing says it; then the instant decides."""
    relative_orbit: int = 0
    """Repeating ground track, which fixes the angle of view; 0 where nothing says it."""
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldObservations:
    """One scene over many fields, by column; every array has one entry per field.

    Whole-field and core statistics stand side by side; NaN where no clear pixel was covered.
    """

    scene_id: str
    tile: str
    acquired_at: datetime
    index: str
    """``NDVI``, ``EVI2`` …"""
    field_ids: NDArray[np.str_]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    clear_fraction: NDArray[np.float64]
    """Clear covered area over covered area, [0, 1]."""
    covered_pixels: NDArray[np.float64]
    """Sum of pixel coverage fractions."""
    core_mean: NDArray[np.float64]
    core_std: NDArray[np.float64]
    core_clear_fraction: NDArray[np.float64]
    core_pixels: NDArray[np.float64]
    core_buffer_m: NDArray[np.float64]
    """Inward buffer used for the core: 10, 5 or 0 m."""
    mixed_pixel: NDArray[np.bool_]
    """True where the core is the whole field because too few full pixels remain."""
    flagged: NDArray[np.bool_]
    """True where doubtful classes (SCL 7) were kept."""
    data_fraction: NDArray[np.float64]
    """Share of the whole field for which the scene has data, be it of a cloud, [0, 1]: what the sensor passed over."""
    quantiles: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Asked for: ``q10`` of the whole field, ``core_q10`` of its core …"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldSeries:
    """The observations of one index over time for many fields, on common dates."""

    index: str
    field_ids: tuple[str, ...]
    acquired_at: NDArray[np.datetime64]
    """Dates (day resolution), ascending, length T."""
    mean: NDArray[np.float64]
    """Shape (fields, T); core mean; NaN where nothing was seen."""
    clear_fraction: NDArray[np.float64]
    """Shape (fields, T); 0 where nothing was seen."""
    mixed_pixel: NDArray[np.bool_]
    """Shape (fields,)."""
    std: NDArray[np.float64] | None = None
    """Shape (fields, T); standard deviation over the pixels of the core; None where it was not asked for."""
