"""Boundaries: repair, area, core, overlaps, identity, home tile. Geometry in, geometry and facts out; no files."""

from cropcredit.fields.axes import Region, check_axes
from cropcredit.fields.boundary import Repair, boundary_version, distances_m, field_set_hash, measure, repair
from cropcredit.fields.core import inward
from cropcredit.fields.home import NO_TILE, home_tiles
from cropcredit.fields.meridian import parted
from cropcredit.fields.overlaps import Overlap, OverlapKind, find_overlaps
from cropcredit.fields.projection import EQUAL_AREA, WGS84, reproject

__all__ = [
    "EQUAL_AREA",
    "NO_TILE",
    "WGS84",
    "Overlap",
    "OverlapKind",
    "Region",
    "Repair",
    "boundary_version",
    "check_axes",
    "distances_m",
    "field_set_hash",
    "find_overlaps",
    "home_tiles",
    "inward",
    "measure",
    "parted",
    "repair",
    "reproject",
]
