"""What an NDVI run has to do: per tile one coverage matrix per grid, and one unit per acquisition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from cropcredit.fields import field_set_hash
from cropcredit.imagery import Acquisition, coverage_key, product_of
from cropcredit.model import Field, digest
from cropcredit.usecases.ndvi_units import CoverJob, UnitJob

BAND_DEGREES = 0.005
"""Height of the bands in which the fields of a tile are sorted: about 550 m, 55 pixels of Sentinel-2."""
METHOD = "ndvi-3"
"""Change when the numbers change: it is part of the name of every unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NdviConfig:
    """Choices that change the numbers; part of every unit's name and of the manifest."""

    indices: tuple[str, ...] = ()
    """What to compute; empty: what is usual for the product. Where a product knows NDVI, it always comes along."""
    quantiles: tuple[float, ...] = ()
    """Probabilities of the quantiles to add, [0, 1]."""
    cloud_margin_m: float = 40.0
    """How far clouds and their shadows reach beyond their pixels, m: two pixels of Sentinel-2's scene classes."""
    wet_crops: tuple[str, ...] = ("rice", "paddy")
    """Crop codes whose fields may stand under water: water pixels count there."""

    def indices_of(self, product: str) -> tuple[str, ...]:
        """Name what is asked for beyond the usual of a product; empty where nothing is."""
        always = ("NDVI",) * ("NDVI" in product_of(product).layers)
        return tuple(dict.fromkeys((*always, *self.indices))) if self.indices else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePlan:
    """The work on one tile."""

    fields: Sequence[Field]
    covers: tuple[CoverJob, ...]
    units: tuple[UnitJob, ...]


def plan_tile(fields: Sequence[Field], looks: Sequence[Acquisition], config: NdviConfig) -> TilePlan:
    """Plan the acquisitions of one tile over the fields that live there."""
    fields = _in_reading_order(fields)
    wet = tuple(f.id for f in fields if f.crop_code in config.wet_crops)
    field_set = digest((field_set_hash(fields), wet))
    keys = {grid: coverage_key(grid, field_set) for grid in dict.fromkeys(look.scene.grid for look in looks)}
    ids = np.array([f.id for f in fields], dtype=str)
    boundaries = np.array([f.boundary for f in fields], dtype=object)
    covers = (
        CoverJob(key=key, grid=grid, boundaries=boundaries, field_ids=ids, wet=np.isin(ids, wet))
        for grid, key in keys.items()
    )
    units = (
        UnitJob(
            unit=_unit_name(look, keys[look.scene.grid], config),
            parts=look.parts,
            coverage=keys[look.scene.grid],
            indices=config.indices_of(look.scene.product),
            cloud_margin_m=config.cloud_margin_m,
            quantiles=config.quantiles,
        )
        for look in looks
    )
    return TilePlan(fields=fields, covers=tuple(covers), units=tuple(units))


def _in_reading_order(fields: Sequence[Field]) -> list[Field]:
    """Sort fields by bands of latitude from the north, then eastward, as pixels are stored.

    Neighbouring rows of the coverage matrix then use neighbouring pixels, which halves the time of its products.
    """
    west, _, _, north = shapely.bounds(np.array([f.boundary for f in fields], dtype=object)).T
    return [fields[k] for k in np.lexsort((west, -np.floor(north / BAND_DEGREES)))]


def _unit_name(look: Acquisition, coverage: str, config: NdviConfig) -> str:
    """Name a unit by what its numbers depend on; where the files lie is not among it."""
    said = [
        (part.product, part.id, part.acquired_at, part.content_hash, part.processing_baseline, part.offset)
        for part in look.parts
    ]
    bands = [[(band.name, band.band) for band in part.bands] for part in look.parts]
    key = digest((METHOD, config, coverage, said, bands))[:16]
    return f"{look.scene.tile}/{look.scene.acquired_at:%Y-%m}/{key}"
