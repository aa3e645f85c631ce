"""The indices of one scene, cell by cell: which bands they take, and what they give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput, UnknownName
from cropcredit.imagery.indices import INDICES
from cropcredit.imagery.products import Bools, Measured, Product, Sample, product_of
from cropcredit.model import Band, Scene


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """One scene at the cells that fields touch; every array has one entry per cell."""

    indices: dict[str, NDArray[np.float32]]
    """``NDVI``, ``EVI2`` … ; NaN = no data."""
    clear: Bools
    """Cells that saw the ground."""
    clear_wet: Bools
    """The same for fields that may stand under water (paddy)."""
    doubtful: Bools
    """Cells that are kept although the mask did not decide."""
    present: Bools
    """Cells for which the scene has data at all, be it of a cloud."""


def bands_for(scene: Scene, wanted: Sequence[str] = ()) -> tuple[Band, ...]:
    """Choose the bands that must be read: what the product always needs, its mask, and what the indices take.

    Parameters
    ----------
    wanted : sequence of str
        Indices; without them the product's usual ones.

    Raises
    ------
    UnknownName
        If the product or an index is unknown.
    """
    product = product_of(scene.product, where=scene.id)
    named = {*product.required, product.mask}
    for index in _indices(product, wanted):
        named |= {index.lower(), *_parts(index, product)}
    return tuple(band for band in scene.bands if band.name in named)


def layers(scene: Scene, samples: Mapping[str, Sample], wanted: Sequence[str] = (), *, checked: bool = True) -> Layers:
    """Compute the indices of a scene from the digital numbers of its bands.

    Of the usual indices those are computed whose bands are there; one that was asked for must be there.

    Parameters
    ----------
    checked : bool
        Ask whether the numbers can be true. That takes many fields: leave it out for the few pixels of a picture.

    Raises
    ------
    RadiometryError
        If the numbers cannot be what the scene says they are.
    MalformedInput
        If a band is missing.
    """
    product = product_of(scene.product, where=scene.id)
    if missing := [name for name in product.required if name not in samples]:
        raise MalformedInput(f"has no band {' and '.join(missing)}", where=scene.id)
    seen = product.measure(scene, samples)
    if checked and product.check is not None:
        product.check(scene, samples, seen)
    found: dict[str, NDArray[np.float32]] = {}
    for name in _indices(product, wanted):
        if name in seen.values:
            found[name] = seen.values[name]
        elif absent := [band for band in _parts(name, product) if band not in seen.values]:
            if wanted:
                raise MalformedInput(f"has no band {' and '.join(absent)}, which {name} needs", where=scene.id)
        else:
            found[name] = INDICES[name].formula(*(seen.values[band] for band in INDICES[name].bands))
    return _layers(seen, found)


def reflectances(scene: Scene, samples: Mapping[str, Sample], bands: Sequence[str]) -> Layers:
    """Give bands themselves in the place of indices: reflectance, unitless, by name of the band."""
    seen = product_of(scene.product, where=scene.id).measure(scene, samples)
    return _layers(seen, {name: seen.values[name] for name in bands})


def united(parts: Sequence[Layers]) -> Layers:
    """Put the parts of one acquisition together: where the first has no data, the next one counts.

    Two halves of a split datastrip complete each other; of two processings of the same pixels the first counts, and
    they are never averaged.
    """
    first, *others = parts
    for part in others:
        gap = part.present & ~first.present
        shared = [name for name in first.indices if name in part.indices]
        first = Layers(
            indices={name: np.where(gap, part.indices[name], first.indices[name]) for name in shared},
            **{name: np.where(gap, getattr(part, name), getattr(first, name)) for name in _PER_CELL},
        )
    return first


_PER_CELL = ("clear", "clear_wet", "doubtful", "present")


def _layers(seen: Measured, indices: dict[str, NDArray[np.float32]]) -> Layers:
    return Layers(
        indices=indices, clear=seen.clear, clear_wet=seen.clear_wet, doubtful=seen.doubtful, present=seen.present
    )


def _indices(product: Product, wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(wanted)) or product.layers


def _parts(index: str, product: Product) -> tuple[str, ...]:
    """Name the bands of an index; what the product gives without a formula is a band of that name."""
    if index in INDICES:
        return INDICES[index].bands
    if index in product.layers:
        return (index.lower(),)
    raise UnknownName("index", index, tuple(dict.fromkeys((*product.layers, *INDICES))))
