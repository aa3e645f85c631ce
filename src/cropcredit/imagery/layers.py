"""What a scene of each product says, cell by cell: indices, and which cells saw the ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput, RadiometryError, UnknownName
from cropcredit.imagery import indices, masks
from cropcredit.imagery.radiometry import (
    S2_FIRST_BASELINE_WITH_OFFSET,
    baseline_number,
    check_red,
    s2_offset_dn,
    s2_reflectance,
)
from cropcredit.model import Offset, Scene

Bools = NDArray[np.bool_]

MOD13Q1_SCALE = np.float32(1e-4)
MOD13Q1_VALID = (-2000, 10000)
"""Valid digital numbers of MOD13Q1 NDVI; the fill value -3000 and compression noise around it lie outside."""
MAX_OUT_OF_RANGE = 0.01
"""Share of ready-made index values outside [-1, 1] at which the raster is no index (or is scaled otherwise)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Digital numbers of one band at the cells that fields touch."""

    dn: NDArray[Any]
    nodata: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """One scene at the cells that fields touch; every array has one entry per cell."""

    indices: dict[str, NDArray[np.float32]]
    """``NDVI``, ``EVI2``, ``NDRE`` where the bands allow; NaN = no data."""
    clear: Bools
    """Cells that saw the ground."""
    clear_wet: Bools
    """The same for fields that may stand under water (paddy)."""
    doubtful: Bools
    """Cells that are kept although the mask did not decide."""


def layers(scene: Scene, samples: Mapping[str, Sample]) -> Layers:
    """Compute the indices of a scene from the digital numbers of its bands.

    Raises
    ------
    RadiometryError
        If the numbers cannot be what the scene says they are.
    MalformedInput
        If a band is missing.
    """
    if scene.product not in PRODUCTS:
        raise UnknownName("product", scene.product, tuple(PRODUCTS), where=scene.id)
    try:
        return PRODUCTS[scene.product](scene, samples)
    except KeyError as missing:
        raise MalformedInput(f"has no band {missing}", where=scene.id) from None


def _sentinel2(scene: Scene, samples: Mapping[str, Sample]) -> Layers:
    add = s2_offset_dn(scene.offset, scene.processing_baseline, where=scene.id)
    band = {n: s2_reflectance(s.dn, add, nodata=s.nodata) for n, s in samples.items() if n != "scl"}
    red, nir = band["red"], band["nir"]
    found = {"NDVI": indices.ndvi(red, nir), "EVI2": indices.evi2(red, nir)}
    if "rededge" in band:
        found["NDRE"] = indices.ndre(band["rededge"], nir)
    scl = samples["scl"].dn if "scl" in samples else np.full(len(red), masks.SCL_VEGETATION)
    seen = np.isfinite(red) & np.isfinite(nir)
    clear = masks.scl_clear(scl) & seen
    vegetated = (scl == masks.SCL_VEGETATION) & ("scl" in samples)
    check_red(red, clear, vegetated, offset_may_be_left=_offset_taken_out(scene), where=scene.id)
    return Layers(
        indices=found,
        clear=clear,
        clear_wet=masks.scl_clear(scl, wet=True) & seen,
        doubtful=masks.scl_doubtful(scl),
    )


def _offset_taken_out(scene: Scene) -> bool:
    had_one = (
        scene.processing_baseline != "" and baseline_number(scene.processing_baseline) >= S2_FIRST_BASELINE_WITH_OFFSET
    )
    return scene.offset is Offset.APPLIED and had_one


def _mod13q1(scene: Scene, samples: Mapping[str, Sample]) -> Layers:  # noqa: ARG001 - all products are called alike
    dn = samples["ndvi"].dn
    low, high = MOD13Q1_VALID
    valid = (dn >= low) & (dn <= high)
    ndvi = np.where(valid, dn.astype(np.float32) * MOD13Q1_SCALE, np.float32(np.nan))
    quality = samples["reliability"].dn if "reliability" in samples else np.full(len(dn), masks.MODIS_GOOD)
    clear = valid & np.isin(quality, (masks.MODIS_GOOD, masks.MODIS_MARGINAL))
    return Layers(indices={"NDVI": ndvi}, clear=clear, clear_wet=clear, doubtful=quality == masks.MODIS_MARGINAL)


def _ready_made(scene: Scene, samples: Mapping[str, Sample]) -> Layers:
    sample = samples["ndvi"]
    scale = np.float32(1 if np.issubdtype(sample.dn.dtype, np.floating) else 1e-4)
    present = np.isfinite(sample.dn.astype(np.float64)) & (sample.dn != sample.nodata)
    ndvi = sample.dn.astype(np.float32) * scale
    inside = present & (np.abs(ndvi) <= 1)
    strange = 1 - int(inside.sum()) / max(int(present.sum()), 1)
    if present.any() and strange > MAX_OUT_OF_RANGE:
        raise RadiometryError(
            f"{strange:.0%} of the values lie outside [-1, 1]: this is no NDVI",
            where=scene.id,
            cure="write floating point NDVI, or int16 in units of 0.0001",
        )
    ndvi = np.where(inside, ndvi, np.float32(np.nan))
    return Layers(indices={"NDVI": ndvi}, clear=inside, clear_wet=inside, doubtful=np.zeros(len(ndvi), dtype=bool))


PRODUCTS: dict[str, Callable[[Scene, Mapping[str, Sample]], Layers]] = {
    "s2-l2a": _sentinel2,
    "mod13q1": _mod13q1,
    "ndvi": _ready_made,
}
"""How each product is read; adding one means adding a function here and a form in which its files come."""
