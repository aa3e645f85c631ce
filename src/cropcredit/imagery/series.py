"""From observations scene by scene to one table of fields by dates, and to a cube that opens in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import FieldObservations, FieldSeries

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

CUBE_VARIABLES = {
    "mean": ("core_mean", "mean over the clear core", "1"),
    "std": ("core_std", "standard deviation over the clear core", "1"),
    "clear_fraction": ("core_clear_fraction", "clear share of the core", "1"),
    "pixels": ("core_pixels", "covered pixels of the core", "1"),
    "whole_mean": ("mean", "mean over the clear whole field", "1"),
    "whole_clear_fraction": ("clear_fraction", "clear share of the whole field", "1"),
    "whole_pixels": ("covered_pixels", "covered pixels of the whole field", "1"),
}
"""Variable of the cube: column of the observations, long name, unit."""


def assemble(
    observations: Iterable[FieldObservations], index: str, field_ids: Sequence[str] | None = None
) -> FieldSeries:
    """Put the observations of one index side by side: fields by dates, from the cores.

    Where two scenes saw a field on one day, the clearer one counts.

    Parameters
    ----------
    field_ids : sequence of str, optional
        Rows of the result, in this order; without it, all observed fields by id. A field never seen has NaN.
    """
    chosen = [o for o in observations if o.index == index]
    ids = _ids(chosen) if field_ids is None else tuple(field_ids)
    days = np.unique(np.array([_day(o) for o in chosen], dtype="datetime64[D]"))
    mean, clear = np.full((len(ids), len(days)), np.nan), np.zeros((len(ids), len(days)))
    mixed = np.zeros(len(ids), dtype=bool)
    for seen in sorted(chosen, key=lambda o: (o.acquired_at, o.scene_id)):
        rows, there = _rows(seen, ids)
        day = int(np.searchsorted(days, _day(seen)))
        better = seen.core_clear_fraction[there] > clear[rows, day]
        mean[rows[better], day] = seen.core_mean[there][better]
        clear[rows[better], day] = seen.core_clear_fraction[there][better]
        mixed[rows] = seen.mixed_pixel[there]
    return FieldSeries(index=index, field_ids=ids, acquired_at=days, mean=mean, clear_fraction=clear, mixed_pixel=mixed)


def cube(observations: Sequence[FieldObservations]) -> xr.Dataset:
    """Lay observations out as a cube with dims (field, time), one group of variables per index.

    Returns
    -------
    xarray.Dataset
        ``ndvi_mean``, ``ndvi_clear_fraction`` …, float32, NaN where a field was not seen; per field also
        ``mixed_pixel`` and ``core_buffer_m``. Times are UTC.
    """
    import xarray as xr  # noqa: PLC0415 - slow to import, and only an export makes a cube

    ids = _ids(observations)
    instants = {(o.acquired_at, o.scene_id): None for o in observations}
    times = sorted(instants)
    data: dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, str]]] = {}
    for index in sorted({o.index for o in observations}):
        for name, (column, meaning, unit) in CUBE_VARIABLES.items():
            values = np.full((len(ids), len(times)), np.nan, dtype=np.float32)
            for seen in (o for o in observations if o.index == index):
                rows, there = _rows(seen, ids)
                values[rows, times.index((seen.acquired_at, seen.scene_id))] = getattr(seen, column)[there]
            attributes = {"long_name": f"{index} {meaning}", "units": unit}
            data[f"{index.lower()}_{name}"] = (("field", "time"), values, attributes)
    for name in ("mixed_pixel", "core_buffer_m"):
        per_field = np.zeros(len(ids), dtype=np.float32 if name == "core_buffer_m" else np.int8)
        for seen in observations:
            rows, there = _rows(seen, ids)
            per_field[rows] = getattr(seen, name)[there]
        data[name] = (("field",), per_field, {})
    stamps = np.array([instant.replace(tzinfo=None) for instant, _ in times], dtype="datetime64[ns]")
    coordinates = {"field": np.array(ids, dtype=str), "time": stamps, "scene": ("time", [scene for _, scene in times])}
    return xr.Dataset(data, coords=coordinates, attrs={"title": "Field observations", "source": "cropcredit"})


def _ids(observations: Iterable[FieldObservations]) -> tuple[str, ...]:
    return tuple(sorted({str(name) for o in observations for name in o.field_ids}))


def _day(seen: FieldObservations) -> np.datetime64:
    return np.datetime64(seen.acquired_at.date(), "D")


def _rows(seen: FieldObservations, ids: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Match the observed fields with ``ids``: positions in ``ids``, positions in the observation."""
    names = np.array(ids, dtype=str)
    order = np.argsort(names)
    place = np.searchsorted(names, seen.field_ids, sorter=order).clip(max=len(names) - 1)
    rows = order[place]
    there = np.flatnonzero(names[rows] == seen.field_ids)
    return rows[there], there
