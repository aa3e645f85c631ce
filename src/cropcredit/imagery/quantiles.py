"""Quantiles of the cells of each field, weighted by how much of each cell the field covers."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def weighted_quantiles(
    matrix: sp.csr_matrix, values: NDArray[np.float32], counted: NDArray[np.bool_], probability: float
) -> NDArray[np.float64]:
    """Compute one quantile per row of a coverage matrix.

    The k-th smallest of n values stands at ``k·w_k + (n-1)·sum(w_0 … w_(k-1))`` on a scale from 0 to
    ``(n-1)·sum(w)``; between two of them the quantile is interpolated. With equal weights that is the usual
    interpolated quantile, and it is what exactextract computes.

    Parameters
    ----------
    matrix : csr_matrix, shape (fields, cells)
        Covered fractions.
    values : ndarray, shape (cells,)
    counted : ndarray of bool, shape (entries of the matrix,)
        Whether that cell counts for that field.

    Returns
    -------
    ndarray, shape (fields,)
        NaN where no cell counts.
    """
    fields = matrix.shape[0]
    row = np.repeat(np.arange(fields), np.diff(matrix.indptr))[counted]
    value = values[matrix.indices[counted]].astype(np.float64)
    weight = matrix.data[counted]
    order = np.lexsort((value, row))
    row, value, weight = row[order], value[order], weight[order]
    count = np.bincount(row, minlength=fields)
    start = np.cumsum(count) - count
    before = np.cumsum(weight) - weight
    before -= np.repeat(before[start[count > 0]], count[count > 0])
    rank = np.arange(len(row)) - start[row]
    place = rank * weight + (count[row] - 1) * before
    total = np.bincount(row, weight, minlength=fields)
    target = probability * (count - 1) * total
    below = np.bincount(row[place <= target[row]], minlength=fields)  # places ascend within a row
    quantile = np.full(fields, np.nan)
    some = np.flatnonzero(count)
    left = start[some] + np.maximum(below[some] - 1, 0)
    right = np.minimum(left + 1, start[some] + count[some] - 1)
    gap = place[right] - place[left]
    with np.errstate(invalid="ignore", divide="ignore"):
        step = np.where(gap > 0, (target[some] - place[left]) / gap, 0.0)
    quantile[some] = value[left] + step.clip(0, 1) * (value[right] - value[left])
    return quantile
