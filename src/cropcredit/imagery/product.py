"""What a product is: which bands its scenes have, and how their digital numbers become measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import Scene

Bools = NDArray[np.bool_]


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
    check: Callable[[Scene, Mapping[str, Sample], Measured], None] | None = None
    """Raises RadiometryError where the numbers of many fields cannot be true; a few pixels prove nothing."""
    mask: str = ""
    """Band of classes that tells which cells saw the ground; empty: there is none, or it is not 2-d."""
    cloudy: Callable[[NDArray[Any]], Bools] | None = None
    """Which values of the mask band are clouds or their shadows: what may reach beyond its own pixels."""
    cloud: int = 0
    """Value of the mask band that stands for a cloud."""


def unmasked(values: dict[str, NDArray[np.float32]], present: Bools) -> Measured:
    """Take every cell that has data as seen."""
    nowhere = np.zeros(len(present), dtype=bool)
    return Measured(values=values, clear=present, clear_wet=present, doubtful=nowhere, present=present)


def has_data(sample: Sample) -> Bools:
    """Mark what is neither the nodata value of the file nor NaN: both may stand in one raster."""
    numbers = sample.dn == sample.dn if np.issubdtype(sample.dn.dtype, np.floating) else np.ones(len(sample.dn), bool)
    return np.asarray(numbers if sample.nodata is None else numbers & (sample.dn != sample.nodata))
