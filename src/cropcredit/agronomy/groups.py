"""Rows that belong together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rows_by(names: NDArray[np.str_]) -> list[tuple[str, NDArray[np.int_]]]:
    """Give every name, ascending, with the rows that carry it, ascending.

    One sort, instead of comparing every row with every name: a country has thousands of regions.

    Examples
    --------
    >>> [(name, rows.tolist()) for name, rows in rows_by(np.array(["b", "a", "b"]))]
    [('a', [1]), ('b', [0, 2])]
    """
    found, code, counts = np.unique(names, return_inverse=True, return_counts=True)
    parts = np.split(np.argsort(code, kind="stable"), np.cumsum(counts)[:-1])
    return list(zip(found.tolist(), parts, strict=False))  # nothing splits into one empty part
