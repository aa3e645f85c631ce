"""On which days satellites saw open water on fields: green against near infrared, or radar that finds a mirror."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.event_signs import VV_DROP_DB, VV_WATER_DB
from cropcredit.errors import UnknownRecord
from cropcredit.model import FieldSeries
from cropcredit.ports import ObservationStore, RunStore
from cropcredit.usecases.refresh_ndvi import latest_run

OPEN_WATER_NDWI = 0.0
"""Open water is brighter in green than in near infrared; soil and crops are darker (McFeeters 1996, NDWI)."""
CLEAR = 0.7
"""Share of the field that must be clear."""
NOON_S = 43_200.0

Days = dict[str, tuple[float, ...]]


def water_seen(runs: RunStore, observations: ObservationStore, field_ids: Sequence[str], *, as_of: datetime) -> Days:
    """Give the days on which the core of each field lay under open water, as known at an instant.

    Parameters
    ----------
    field_ids : sequence of str
        Fields with a device. Where classes of scenes are masked, water is kept on paddies alone.
    as_of : datetime
        The latest runs of NDWI and of VV that a computation for this instant may use count; without them nothing was
        seen.

    Returns
    -------
    dict of str to tuple of float
        Noon (UTC) of each day, seconds since 1970, ascending; a field without water is absent.
    """
    found: dict[str, set[float]] = {}
    for index, is_water in (("NDWI", _by_light), ("VV", _by_radar)):
        try:
            run = latest_run(runs, as_of, index=index)
            series = observations.series(index, run.units, field_ids)
        except UnknownRecord:
            continue
        noons = series.acquired_at.astype("datetime64[D]").astype("datetime64[s]").astype(np.int64) + NOON_S
        for name, wet in zip(series.field_ids, is_water(series), strict=True):
            found.setdefault(name, set()).update(noons[wet].tolist())
    return {name: tuple(sorted(days)) for name, days in found.items() if days}


def _by_light(series: FieldSeries) -> NDArray[np.bool_]:
    return np.asarray((series.mean > OPEN_WATER_NDWI) & (series.clear_fraction >= CLEAR))


def _by_radar(series: FieldSeries) -> NDArray[np.bool_]:
    """Say where backscatter is that of calm water, and has fallen to it: a smooth dry field is dark on every pass."""
    decibels = 10 * np.log10(np.where(series.mean > 0, series.mean, np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a field that radar never saw has no median
        usual = np.nanmedian(decibels, axis=1, keepdims=True)
    return np.asarray((decibels <= VV_WATER_DB) & (usual - decibels >= VV_DROP_DB))
