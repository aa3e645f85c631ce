"""Indices that somebody else has computed: MODIS composites and ready-made rasters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import RadiometryError
from cropcredit.imagery import masks
from cropcredit.imagery.product import Measured, Sample, has_data, unmasked
from cropcredit.model import Scene

MOD13Q1_SCALE = np.float32(1e-4)
MOD13Q1_VALID = (-2000, 10000)
"""Valid digital numbers of MOD13Q1 indices; the fill value -3000 and compression noise around it lie outside."""
MAX_OUT_OF_RANGE = 0.01
"""Share of ready-made index values outside [-1, 1] at which the raster is no index (or is scaled otherwise)."""


def mod13q1(scene: Scene, samples: Mapping[str, Sample]) -> Measured:  # noqa: ARG001 - all products are called alike
    """Read MOD13Q1: the index of the best day of 16, pixel reliability as the mask."""
    dn = samples["ndvi"].dn
    values = {name.upper(): _mod13q1_index(s.dn) for name, s in samples.items() if name != "reliability"}
    valid = np.isfinite(values["NDVI"])
    quality = samples["reliability"].dn if "reliability" in samples else np.full(len(dn), masks.MODIS_GOOD)
    clear = valid & np.isin(quality, (masks.MODIS_GOOD, masks.MODIS_MARGINAL))
    return Measured(
        values=values, clear=clear, clear_wet=clear, doubtful=quality == masks.MODIS_MARGINAL, present=valid
    )


def _mod13q1_index(dn: NDArray[Any]) -> NDArray[np.float32]:
    low, high = MOD13Q1_VALID
    return np.where((dn >= low) & (dn <= high), dn.astype(np.float32) * MOD13Q1_SCALE, np.float32(np.nan))


def ready_made(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read one index, named like its product: floating point, or integers in units of 0.0001.

    Raises
    ------
    RadiometryError
        If the numbers are no index.
    """
    sample, name = samples[scene.product], scene.product.upper()
    scale = np.float32(1 if np.issubdtype(sample.dn.dtype, np.floating) else 1e-4)
    present = has_data(sample)
    index = sample.dn.astype(np.float32) * scale
    inside = present & (np.abs(index) <= 1)
    strange = 1 - int(inside.sum()) / max(int(present.sum()), 1)
    if present.any() and strange > MAX_OUT_OF_RANGE:
        raise RadiometryError(
            f"{strange:.0%} of the values lie outside [-1, 1]: this is no {name}",
            where=scene.id,
            cure=f"write floating point {name}, or int16 in units of 0.0001",
        )
    return unmasked({name: np.where(inside, index, np.float32(np.nan))}, inside)
