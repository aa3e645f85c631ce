"""What a scene of each product measured, cell by cell, and which cells saw the ground."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import RadiometryError, UnknownName
from cropcredit.imagery import masks
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
class Measured:
    """What one scene measured at the cells that fields touch; every array has one entry per cell."""

    values: dict[str, NDArray[np.float32]]
    """By band, reflectance; or by name what needs no formula (``NDVI`` ready-made, backscatter). NaN = no data."""
    clear: Bools
    """Cells that saw the ground."""
    clear_wet: Bools
    """The same for fields that may stand under water (paddy)."""
    doubtful: Bools
    """Cells that are kept although the mask did not decide."""
    present: Bools
    """Cells for which there is data at all, be it of a cloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """How the scenes of one product are read; adding one means adding it here and a form in which its files come."""

    required: tuple[str, ...]
    """Bands without which there is no scene."""
    lag: timedelta
    """From acquisition to availability, where the files are silent."""
    layers: tuple[str, ...]
    """What is computed unless somebody asks for something else, where the bands allow."""
    measure: Callable[[Scene, Mapping[str, Sample]], Measured]
    mask: str = ""
    """Band of classes that tells which cells saw the ground; empty: there is none, or it is not 2-d."""
    cloudy: Callable[[NDArray[Any]], Bools] | None = None
    """Which values of the mask band are clouds or their shadows: what may reach beyond its own pixels."""
    cloud: int = 0
    """Value of the mask band that stands for a cloud."""


def product_of(name: str, *, where: str = "") -> Product:
    """Look a product up; raises UnknownName."""
    if name not in PRODUCTS:
        raise UnknownName("product", name, tuple(PRODUCTS), where=where)
    return PRODUCTS[name]


def _sentinel2(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    add = s2_offset_dn(scene.offset, scene.processing_baseline, where=scene.id)
    values = {n: s2_reflectance(s.dn, add, nodata=s.nodata) for n, s in samples.items() if n != "scl"}
    red = values["red"]
    scl = samples["scl"].dn if "scl" in samples else np.full(len(red), masks.SCL_VEGETATION, dtype=np.uint8)
    seen = np.isfinite(red) & np.isfinite(values["nir"])
    clear = masks.scl_clear(scl) & seen
    vegetated = (scl == masks.SCL_VEGETATION) & ("scl" in samples)
    check_red(red, clear, vegetated, offset_may_be_left=_offset_taken_out(scene), where=scene.id)
    return Measured(
        values=values,
        clear=clear,
        clear_wet=masks.scl_clear(scl, wet=True) & seen,
        doubtful=masks.scl_doubtful(scl),
        present=seen,
    )


def _offset_taken_out(scene: Scene) -> bool:
    had_one = (
        scene.processing_baseline != "" and baseline_number(scene.processing_baseline) >= S2_FIRST_BASELINE_WITH_OFFSET
    )
    return scene.offset is Offset.APPLIED and had_one


def _mod13q1(scene: Scene, samples: Mapping[str, Sample]) -> Measured:  # noqa: ARG001 - all products are called alike
    dn = samples["ndvi"].dn
    low, high = MOD13Q1_VALID
    valid = (dn >= low) & (dn <= high)
    ndvi = np.where(valid, dn.astype(np.float32) * MOD13Q1_SCALE, np.float32(np.nan))
    quality = samples["reliability"].dn if "reliability" in samples else np.full(len(dn), masks.MODIS_GOOD)
    clear = valid & np.isin(quality, (masks.MODIS_GOOD, masks.MODIS_MARGINAL))
    return Measured(
        values={"NDVI": ndvi},
        clear=clear,
        clear_wet=clear,
        doubtful=quality == masks.MODIS_MARGINAL,
        present=valid,
    )


def _ready_made(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
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
    return unmasked({"NDVI": ndvi}, inside)


def unmasked(values: dict[str, NDArray[np.float32]], present: Bools) -> Measured:
    """Take every cell that has data as seen."""
    nowhere = np.zeros(len(present), dtype=bool)
    return Measured(values=values, clear=present, clear_wet=present, doubtful=nowhere, present=present)


PRODUCTS: dict[str, Product] = {
    "s2-l2a": Product(
        required=("red", "nir"),
        lag=timedelta(days=1),
        layers=("NDVI", "EVI2", "NDRE"),
        measure=_sentinel2,
        mask="scl",
        cloudy=masks.scl_cloudy,
        cloud=masks.SCL_CLOUD,
    ),
    "mod13q1": Product(  # 16 days of compositing and a week of work
        required=("ndvi",), lag=timedelta(days=24), layers=("NDVI",), measure=_mod13q1, mask="reliability"
    ),
    "ndvi": Product(required=("ndvi",), lag=timedelta(days=1), layers=("NDVI",), measure=_ready_made),
}
"""Every product we read."""
