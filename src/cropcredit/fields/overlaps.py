"""Fields that lie on one another: the same ground may be financed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.fields.projection import EQUAL_AREA, WGS84, reproject
from cropcredit.model import Field

SAME_IOU = 0.95
REVIEW_IOU = 0.5
OVERLAP_SHARE = 0.10


class OverlapKind(StrEnum):
    """How much of the ground two fields share."""

    SAME = "same"
    """Intersection over union of at least 0.95: one field under two names."""
    REVIEW = "review"
    """0.5 to 0.95: perhaps one field, drawn twice."""
    OVERLAP = "overlap"
    """More than a tenth of either field's own area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two fields and the ground they share."""

    left: str
    right: str
    kind: OverlapKind
    iou: float
    """Intersection over union, [0, 1]."""
    left_share: float
    """Shared area over the left field's own area, [0, 1]."""
    right_share: float
    shared_ha: float


def find_overlaps(fields: Sequence[Field]) -> list[Overlap]:
    """Find all pairs of fields that share ground worth reporting, by id.

    Areas are compared in an equal-area projection. Neighbours that merely touch, or whose drawn borders cross by less
    than a tenth of either area, are not reported.
    """
    if not fields:
        return []
    flat = reproject(np.array([f.boundary for f in fields], dtype=object), WGS84, EQUAL_AREA)
    left, right = shapely.STRtree(flat).query(flat, predicate="intersects")
    once = left < right
    left, right = left[once], right[once]
    area = shapely.area(flat)
    shared = shapely.area(shapely.intersection(flat[left], flat[right]))
    iou = shared / (area[left] + area[right] - shared)
    worth = (iou >= REVIEW_IOU) | (shared > OVERLAP_SHARE * np.minimum(area[left], area[right]))
    found = [
        _overlap(fields, area, int(i), int(j), float(s), float(u))
        for i, j, s, u in zip(left[worth], right[worth], shared[worth], iou[worth], strict=True)
    ]
    return sorted(found, key=lambda o: (o.left, o.right))


def _overlap(fields: Sequence[Field], area: NDArray[np.float64], i: int, j: int, shared: float, iou: float) -> Overlap:
    if fields[j].id < fields[i].id:
        i, j = j, i
    kind = OverlapKind.SAME if iou >= SAME_IOU else OverlapKind.REVIEW if iou >= REVIEW_IOU else OverlapKind.OVERLAP
    return Overlap(
        left=fields[i].id,
        right=fields[j].id,
        kind=kind,
        iou=iou,
        left_share=shared / float(area[i]),
        right_share=shared / float(area[j]),
        shared_ha=shared / 1e4,
    )
