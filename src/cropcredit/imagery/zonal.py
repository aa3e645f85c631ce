"""Statistics per field of one scene: sparse products of coverage and layers."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cropcredit.imagery.coverage import Coverage
from cropcredit.imagery.layers import Bools, Layers
from cropcredit.model import FieldObservations, Scene

Floats = NDArray[np.float64]


def observe(
    scene: Scene, layers: Layers, coverage: Coverage, field_ids: NDArray[np.str_], *, wet: Bools
) -> list[FieldObservations]:
    """Summarise every index of a scene over fields and their cores.

    Means are ``sum(w·x·ok) / sum(w·ok)`` over the covered fractions ``w`` of the clear cells; the spread is the
    population standard deviation with the same weights.

    Parameters
    ----------
    field_ids, wet : ndarray, shape (fields,)
        Names in the order of the coverage rows; whether the field may stand under water (paddy).

    Returns
    -------
    list of FieldObservations
        One per index, NaN where no clear pixel was covered.
    """
    return [
        _one_index(scene, name, values, layers, coverage, field_ids, wet) for name, values in layers.indices.items()
    ]


def _one_index(
    scene: Scene,
    index: str,
    values: NDArray[np.float32],
    layers: Layers,
    coverage: Coverage,
    field_ids: NDArray[np.str_],
    wet: Bools,
) -> FieldObservations:
    whole, core = (_moments(matrix, values, layers, wet) for matrix in (coverage.whole, coverage.core))
    mean, std, clear, pixels = _summary(whole, coverage.whole)
    core_mean, core_std, core_clear, core_pixels = _summary(core, coverage.core)
    return FieldObservations(
        scene_id=scene.id,
        tile=scene.tile,
        acquired_at=scene.acquired_at,
        index=index,
        field_ids=field_ids,
        mean=mean,
        std=std,
        clear_fraction=clear,
        covered_pixels=pixels,
        core_mean=core_mean,
        core_std=core_std,
        core_clear_fraction=core_clear,
        core_pixels=core_pixels,
        core_buffer_m=coverage.core_buffer_m,
        mixed_pixel=coverage.mixed_pixel,
        flagged=whole[:, 3] > 0,
    )


def _moments(matrix: sp.csr_matrix, values: NDArray[np.float32], layers: Layers, wet: Bools) -> Floats:
    """Sum weight, weight·x, weight·x² and doubtful weight of the clear cells, shape (fields, 4)."""
    dry = _sums(matrix, values, layers.clear, layers.doubtful)
    return np.where(wet[:, None], _sums(matrix, values, layers.clear_wet, layers.doubtful), dry) if wet.any() else dry


def _sums(matrix: sp.csr_matrix, values: NDArray[np.float32], clear: Bools, doubtful: Bools) -> Floats:
    ok = clear & np.isfinite(values)
    columns = np.zeros((len(values), 4))
    columns[:, 0] = ok
    np.copyto(columns[:, 1], values, where=ok)
    columns[:, 2] = columns[:, 1] ** 2
    columns[:, 3] = ok & doubtful
    return np.asarray(matrix @ columns)


def _summary(moments: Floats, matrix: sp.csr_matrix) -> tuple[Floats, Floats, Floats, Floats]:
    weight, first, second = moments[:, 0], moments[:, 1], moments[:, 2]
    covered = np.asarray(matrix.sum(axis=1)).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = first / weight
        std = np.sqrt(np.maximum(second / weight - mean * mean, 0))
        clear = np.where(covered > 0, weight / covered, 0.0)
    nothing = weight == 0
    return np.where(nothing, np.nan, mean), np.where(nothing, np.nan, std), clear, covered
