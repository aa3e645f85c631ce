"""What an adapter found in a file, before a use case has judged it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.model.scenes import Band, Grid, Offset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorTable:
    """Features of a vector file, untouched: geometries in the file's own coordinate system, columns by name."""

    path: str
    crs: str
    """``EPSG:…`` or WKT."""
    geometries: NDArray[np.object_]
    """Shapely geometries or None, x before y."""
    columns: dict[str, Sequence[Any]]
    """Attributes; None where the file has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneDraft:
    """What a scene's files, their names or a catalogue say; empty where they do not say it."""

    id: str
    path: str
    bands: tuple[Band, ...]
    product: str = ""
    tile: str = ""
    acquired_at: datetime | None = None
    available_at: datetime | None = None
    processing_baseline: str = ""
    offset: Offset | None = None
    datatake: str = ""
    relative_orbit: int = 0
    grid: Grid | None = None
    """Grid of the finest band, where a catalogue tells it; else the files are asked."""
    content_hash: str = ""
    """What a catalogue says that names the pixels; else the files are hashed."""
    cloud_pct: float | None = None
    """Share of the scene under cloud as its archive counts it, per cent; it never decides what is clear."""
    synthetic: bool = False
    problem: str = ""
    """Why its own description cannot be used; empty where it can."""
