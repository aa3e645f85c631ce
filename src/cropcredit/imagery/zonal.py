"""Statistics per field of one scene: sparse products of coverage and layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cropcredit.imagery.coverage import Coverage
from cropcredit.imagery.layers import Layers
from cropcredit.imagery.products import Bools
from cropcredit.imagery.quantiles import weighted_quantiles
from cropcredit.model import FieldObservations, Scene

Floats = NDArray[np.float64]

TOGETHER = 4096
"""Fields summed together."""


def observe(
    scene: Scene,
    layers: Layers,
    coverage: Coverage,
    field_ids: NDArray[np.str_],
    *,
    wet: Bools,
    quantiles: Sequence[float] = (),
) -> list[FieldObservations]:
    """Summarise every index of a scene over fields and their cores.

    Means are ``sum(w·x·ok) / sum(w·ok)`` over the covered fractions ``w`` of the clear cells; the spread is the
    population standard deviation with the same weights.

    Parameters
    ----------
    field_ids, wet : ndarray, shape (fields,)
        Names in the order of the coverage rows; whether the field may stand under water (paddy).
    quantiles : sequence of float
        Probabilities in [0, 1] of the quantiles to add.

    Returns
    -------
    list of FieldObservations
        One per index, NaN where no clear pixel was covered.
    """
    seen = []
    for name, values in layers.indices.items():
        both = (coverage.whole, coverage.core)
        moments = _moments(both, values, layers, layers.clear)
        if wet.any():
            flooded = _moments([matrix[wet] for matrix in both], values, layers, layers.clear_wet)
            for dry, paddy in zip(moments, flooded, strict=True):
                dry[wet] = paddy
        whole, core = map(_summary, moments, both)
        asked = {
            f"{zone}q{100 * q:g}": weighted_quantiles(matrix, values, _clear_of(matrix, values, layers, wet), q)
            for zone, matrix in (("", coverage.whole), ("core_", coverage.core))
            for q in quantiles
        }
        seen.append(
            FieldObservations(
                scene_id=scene.id,
                tile=scene.tile,
                acquired_at=scene.acquired_at,
                index=name,
                field_ids=field_ids,
                mean=whole.mean,
                std=whole.std,
                clear_fraction=whole.clear,
                covered_pixels=whole.pixels,
                core_mean=core.mean,
                core_std=core.std,
                core_clear_fraction=core.clear,
                core_pixels=core.pixels,
                core_buffer_m=coverage.core_buffer_m,
                mixed_pixel=coverage.mixed_pixel,
                flagged=whole.doubtful,
                data_fraction=whole.data,
                quantiles=asked,
            )
        )
    return seen


class _Summary(NamedTuple):
    mean: Floats
    std: Floats
    clear: Floats
    pixels: Floats
    data: Floats
    doubtful: Bools


def _moments(
    matrices: Sequence[sp.csr_matrix], values: NDArray[np.float32], layers: Layers, clear: Bools
) -> list[Floats]:
    """Sum the covered share of the clear cells, times x, times x², of the doubtful, of all with data: (fields, 5).

    Some thousand fields at a time: where they are neighbours, what they need stays in the processor's cache.
    """
    sums = [np.zeros((matrix.shape[0], 5)) for matrix in matrices]
    for first in range(0, matrices[0].shape[0], TOGETHER):
        parts = [_rows(matrix, first, first + TOGETHER) for matrix in matrices]
        touched = np.concatenate([part.indices for part in parts])
        if not len(touched):
            continue
        low, high = int(touched.min()), int(touched.max()) + 1
        columns = _columns(values[low:high], layers, clear, slice(low, high))
        for found, part in zip(sums, parts, strict=True):
            here = sp.csr_matrix((part.data, part.indices - low, part.indptr), shape=(part.shape[0], high - low))
            found[first : first + TOGETHER] = here @ columns
    return sums


def _rows(matrix: sp.csr_matrix, first: int, last: int) -> sp.csr_matrix:
    """View some rows of a matrix without copying them."""
    starts = matrix.indptr[first : last + 1]
    entries = slice(starts[0], starts[-1])
    shape = (len(starts) - 1, matrix.shape[1])
    return sp.csr_matrix((matrix.data[entries], matrix.indices[entries], starts - starts[0]), shape=shape)


def _columns(values: NDArray[np.float32], layers: Layers, clear: Bools, part: slice) -> Floats:
    ok = clear[part] & np.isfinite(values)
    columns = np.empty((len(values), 5))
    columns[:, 0] = ok
    columns[:, 1] = np.where(ok, values, np.float32(0))
    columns[:, 2] = np.square(columns[:, 1])
    columns[:, 3] = ok & layers.doubtful[part]
    columns[:, 4] = layers.present[part]
    return columns


def _summary(moments: Floats, matrix: sp.csr_matrix) -> _Summary:
    weight, first, second, doubtful, present = moments.T
    covered = np.asarray(matrix.sum(axis=1)).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / weight
        std = np.sqrt(np.maximum(second / weight - mean * mean, 0))
        clear, data = (np.where(covered > 0, np.minimum(share / covered, 1), 0.0) for share in (weight, present))
    nothing = weight == 0
    mean[nothing], std[nothing] = np.nan, np.nan
    return _Summary(mean, std, clear, covered, data, doubtful > 0)


def _clear_of(matrix: sp.csr_matrix, values: NDArray[np.float32], layers: Layers, wet: Bools) -> Bools:
    """Tell, entry by entry of the matrix, whether the cell counts for that field."""
    paddy = np.repeat(wet, np.diff(matrix.indptr))
    cell = matrix.indices
    clear = np.where(paddy, layers.clear_wet[cell], layers.clear[cell])
    return np.asarray(clear & np.isfinite(values[cell]))
