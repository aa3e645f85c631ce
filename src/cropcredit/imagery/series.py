"""From observations scene by scene to one table of fields by dates, and to a cube that opens in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import FieldObservations, FieldSeries

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]

CUBE_VARIABLES = {
    "mean": ("core_mean", "mean over the clear core"),
    "std": ("core_std", "standard deviation over the clear core"),
    "clear_fraction": ("core_clear_fraction", "clear share of the core"),
    "pixels": ("core_pixels", "covered pixels of the core"),
    "whole_mean": ("mean", "mean over the clear whole field"),
    "whole_clear_fraction": ("clear_fraction", "clear share of the whole field"),
    "whole_pixels": ("covered_pixels", "covered pixels of the whole field"),
}
"""Variable of the cube: column of the observations, long name; all without unit."""
BACKSCATTER = "surface_backwards_scattering_coefficient_of_radar_wave"
STANDARD_NAMES = {"NDVI": "normalized_difference_vegetation_index", "VV": BACKSCATTER, "VH": BACKSCATTER}
"""Names of the CF table, where it has one; backscatter in linear power."""


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
    std = mean.copy()
    mixed = np.zeros(len(ids), dtype=bool)
    for seen in sorted(chosen, key=lambda o: (o.acquired_at, o.scene_id)):
        rows, there = _rows(seen, ids)
        day = int(np.searchsorted(days, _day(seen)))
        better = seen.core_clear_fraction[there] > clear[rows, day]
        mean[rows[better], day] = seen.core_mean[there][better]
        std[rows[better], day] = seen.core_std[there][better]
        clear[rows[better], day] = seen.core_clear_fraction[there][better]
        mixed[rows] = seen.mixed_pixel[there]
    return FieldSeries(
        index=index, field_ids=ids, acquired_at=days, mean=mean, clear_fraction=clear, mixed_pixel=mixed, std=std
    )


def cube(observations: Sequence[FieldObservations], places: Mapping[str, tuple[float, float]]) -> xr.Dataset:
    """Lay observations out as a cube with dims (field, time), one group of variables per index, CF attributes.

    Parameters
    ----------
    places : mapping of str to (float, float)
        Longitude and latitude of a point in each field, degrees.

    Returns
    -------
    xarray.Dataset
        ``ndvi_mean``, ``ndvi_clear_fraction`` …, float32, NaN where a field was not seen; per field also
        ``mixed_pixel`` and ``core_buffer_m``. Times are UTC.
    """
    import xarray as xr  # noqa: PLC0415 - slow to import, and only an export makes a cube

    ids = _ids(observations)
    times = sorted({(o.acquired_at, o.scene_id): None for o in observations})
    column = {time: number for number, time in enumerate(times)}
    shape = (len(ids), len(times))
    data: dict[str, tuple[tuple[str, str], NDArray[np.float32], dict[str, str]]] = {}
    mixed, rim = np.zeros(len(ids), dtype=np.int8), np.zeros(len(ids), dtype=np.float32)
    for seen in observations:
        rows, there = _rows(seen, ids)
        mixed[rows], rim[rows] = seen.mixed_pixel[there], seen.core_buffer_m[there]
        for name, said, values in _measured(seen):
            missing = np.full(shape, np.nan, dtype=np.float32)
            held = data.setdefault(f"{seen.index.lower()}_{name}", (("field", "time"), missing, said))
            held[1][rows, column[seen.acquired_at, seen.scene_id]] = values[there]
    stamps = np.array([instant.replace(tzinfo=None) for instant, _ in times], dtype="datetime64[ns]")
    position = np.array([places[name] for name in ids]).reshape(-1, 2)
    per_field = {
        "mixed_pixel": (
            "field",
            mixed,
            {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "pure_core mixed_pixels"},
        ),
        "core_buffer_m": ("field", rim, {"long_name": "rim taken off for the core", "units": "m"}),
    }
    coordinates = {
        "field": ("field", np.array(ids, dtype=str), {"cf_role": "timeseries_id", "long_name": "field"}),
        "time": ("time", stamps, {"standard_name": "time", "axis": "T", "long_name": "acquisition, UTC"}),
        "scene": ("time", np.array([scene for _, scene in times], dtype=str), {"long_name": "scene"}),
        "lon": ("field", position[:, 0], {"standard_name": "longitude", "units": "degrees_east"}),
        "lat": ("field", position[:, 1], {"standard_name": "latitude", "units": "degrees_north"}),
    }
    attributes = {"Conventions": "CF-1.11", "title": "Field observations", "featureType": "timeSeries"}
    return xr.Dataset(data | per_field, coords=coordinates, attrs=attributes | {"source": "cropcredit"})


def _measured(seen: FieldObservations) -> Iterator[tuple[str, dict[str, str], Floats]]:
    """Give name, CF attributes and values of what the cube tells of one index of one scene."""
    for name, (source, what) in CUBE_VARIABLES.items():
        said = {"long_name": f"{seen.index} {what}", "units": "1"}
        if name.endswith("mean"):
            said["cell_methods"] = "area: mean"
            if seen.index in STANDARD_NAMES:
                said["standard_name"] = STANDARD_NAMES[seen.index]
        yield name, said, getattr(seen, source)
    for asked, values in seen.quantiles.items():
        zone, level = asked.rpartition("q")[::2]
        where, name = ("core", f"q{level}") if zone else ("whole field", f"whole_q{level}")
        yield (
            name.replace(".", "_"),
            {"long_name": f"{level} % quantile of {seen.index}, clear {where}", "units": "1"},
            values,
        )


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
