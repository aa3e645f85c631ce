"""What an adapter is asked for and what it found, before a use case has judged it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput, SwappedAxes
from cropcredit.model.scenes import Band, Grid, Offset

Box = tuple[float, float, float, float]
"""(west, south, east, north), degrees; west beyond east: across the 180th meridian."""
POLE, MERIDIAN = 90.0, 180.0
EVERYWHERE: Box = (-MERIDIAN, -POLE, MERIDIAN, POLE)


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
    note: str = ""
    """What is worth a word to the person who adds it."""
    problem: str = ""
    """Why its own description cannot be used; empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneQuery:
    """What to look for in a catalogue of scenes."""

    catalogue: str
    """URL, or path of a file."""
    since: datetime
    until: datetime
    """Last instant of acquisition, inclusive."""
    collections: tuple[str, ...] = ()
    """Empty: all that a static catalogue holds; an API wants to be told."""
    bbox: Box = EVERYWHERE
    product: str = ""
    """Empty: told from the names of collection and assets."""
    max_cloud_pct: float = 100.0
    """Of the whole scene; one whose archive counts no clouds is kept."""
    limit: int = 0
    """Most scenes to find; 0: all."""

    def __post_init__(self) -> None:
        _check(self.bbox)
        if self.since > self.until:
            raise MalformedInput(f"{self.since.date()}/{self.until.date()} ends before it begins")

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The box, or its two halves where it crosses the 180th meridian.

        Examples
        --------
        >>> at = datetime(2025, 6, 1)
        >>> SceneQuery(catalogue="x", since=at, until=at, bbox=(177, -19, -179, -16)).boxes
        ((177, -19, 180.0, -16), (-180.0, -19, -179, -16))
        """
        return halves(self.bbox)


def halves(box: Box) -> tuple[Box, ...]:
    """Cut a box at the 180th meridian, where it crosses it."""
    west, south, east, north = box
    if west <= east:
        return (box,)
    return (west, south, MERIDIAN, north), (-MERIDIAN, south, east, north)


def _check(bbox: Box) -> None:
    west, south, east, north = bbox
    spot, order = ",".join(f"{degrees:g}" for degrees in bbox), "write west,south,east,north in degrees"
    furthest_x, furthest_y = max(abs(west), abs(east)), max(abs(south), abs(north))
    if furthest_x <= POLE < furthest_y <= MERIDIAN:
        raise SwappedAxes(f"{spot} names latitude first", cure=order)
    if furthest_x > MERIDIAN or furthest_y > POLE:
        raise MalformedInput(f"{spot} lies off the Earth", cure=order)
    if south > north or 0 < west - east < MERIDIAN:
        raise MalformedInput(f"the corners of {spot} are exchanged", cure=order)
