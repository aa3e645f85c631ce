"""Cubes and tables in, tables out: series, seasons and yields in a notebook, without a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.double_logistic import refine_seasons
from cropcredit.agronomy.features import RegionIndex, RegionTable, SeasonCalendar, region_table
from cropcredit.agronomy.phenology import SeasonMetrics, season_metrics
from cropcredit.agronomy.series import DailyCurves, smooth
from cropcredit.agronomy.turns import season_windows
from cropcredit.errors import EmptyInput, MalformedInput, UnknownName

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]

DATES = ("sos", "peak", "eos")
VALUES = (
    "length", "sos_value", "sos_slope", "eos_value", "eos_slope", "peak_value", "base_value", "amplitude",
    "small_integral", "large_integral",
)  # fmt: skip


def curves_of(cube: xr.Dataset | pd.DataFrame, index: str = "ndvi", *, until: str | None = None) -> pd.DataFrame:
    """Smooth the series of a cube or table: one row per field and day.

    Parameters
    ----------
    cube : xarray.Dataset or pandas.DataFrame
        Dims (field, time) as ``cropcredit ndvi run --cube FILE`` writes it, or columns ``field`` and ``time`` with a
        row per look; all its fields count as neighbours.
    index : str
        Which index: its variables (columns) are ``ndvi_mean``, or ``ndvi``, and ``ndvi_clear_fraction``, without which
        every value counts as clear.
    until : str, optional
        Last day (``2025-06-30``); later scenes are not looked at. Default: the last scene.

    Returns
    -------
    pandas.DataFrame
        ``field``, ``on``, ``value`` and ``sd`` (index units), ``observed``. A field seen clearly on fewer than two
        days has NaN.

    Raises
    ------
    UnknownName
        If the cube has no such index.
    MalformedInput
        If its dims (columns) are not field and time, a value is no index, or ``until`` is no date.
    EmptyInput
        If it holds no scene up to ``until``.

    Examples
    --------
    >>> import xarray as xr
    >>> on = np.datetime64("2025-03-01") + np.arange(0, 50, 10)
    >>> seen = ("field", "time"), [[0.2, 0.3, 0.4, 0.5, 0.6]]
    >>> clear = ("field", "time"), [[1.0, 1.0, 0.0, 1.0, 1.0]]
    >>> cube = xr.Dataset({"ndvi_mean": seen, "ndvi_clear_fraction": clear}, {"field": ["f1"], "time": on})
    >>> curves_of(cube).iloc[[0, 20, 40]].round({"value": 2, "sd": 2})
       field         on  value    sd  observed
    0     f1 2025-03-01    0.2  0.08      True
    20    f1 2025-03-21    0.4  0.05     False
    40    f1 2025-04-10    0.6  0.08      True
    """
    import pandas as pd  # noqa: PLC0415 - only a notebook wants tables

    names, curves, _, _ = _smoothed(cube, index, until)
    fields, days = curves.observed.shape
    return pd.DataFrame(
        {
            "field": np.repeat(names, days),
            "on": np.tile((curves.first_on + np.arange(days)).astype("datetime64[ns]"), fields),
            "value": np.ravel(curves.values),
            "sd": curves.sd.ravel(),
            "observed": curves.observed.ravel(),
        }
    )


def seasons_of(
    cube: xr.Dataset | pd.DataFrame, index: str = "ndvi", *, until: str | None = None, refine: bool = True
) -> pd.DataFrame:
    """Find and measure the seasons in a cube of about one year: one row per field and season.

    Parameters
    ----------
    cube, index, until
        As for :func:`curves_of`.
    refine : bool
        Fit a double logistic to finished seasons with more than nine clear looks; ``refined`` says where it held.

    Returns
    -------
    pandas.DataFrame
        ``field``, ``season`` (1, 2, 3 in time; 0 for a field without any: no date, flag 0), the dates ``sos``,
        ``peak``, ``eos``, the values of :class:`SeasonMetrics`, ``clear_dates``, ``qa_flag``, ``refined``.

    Examples
    --------
    Wheat and then maize, seen every five days:

    >>> import xarray as xr
    >>> day = np.arange(0, 300, 5)
    >>> two = 0.2 + 0.6 * np.exp(-(((day - 80) / 30) ** 2)) + 0.6 * np.exp(-(((day - 220) / 30) ** 2))
    >>> cube = xr.Dataset(
    ...     {"ndvi_mean": (("field", "time"), [two]), "ndvi_clear_fraction": (("field", "time"), [np.ones(60)])},
    ...     {"field": ["f1"], "time": np.datetime64("2025-03-01") + day},
    ... )
    >>> seasons_of(cube)[["field", "season", "peak", "qa_flag"]]
      field  season       peak  qa_flag
    0    f1       1 2025-05-20       10
    1    f1       2 2025-10-07       10
    """
    import pandas as pd  # noqa: PLC0415 - only a notebook wants tables

    names, curves, mean, dates = _smoothed(cube, index, until)
    windows = season_windows(curves.values)
    found = season_metrics(curves, *windows)
    sos, eos, refined = found.sos, found.eos, np.zeros(found.sos.shape, dtype=bool)
    if refine:
        better = refine_seasons(curves, found, windows, mean, dates)
        sos, eos, refined = better.sos, better.eos, better.refined
    there = windows[1] >= 0
    there[:, 0] |= ~there.any(axis=1)
    rows, slots = np.nonzero(there)
    real = windows[1][rows, slots] >= 0
    days = {"sos": sos, "peak": found.peak, "eos": eos}
    table = {"field": names[rows], "season": np.where(real, slots + 1, 0)}
    table |= {name: _on(curves, days[name][rows, slots]) for name in DATES}
    table |= {name: _of(found, name, eos - sos)[rows, slots] for name in VALUES}
    table |= {name: getattr(found, name)[rows, slots] for name in ("clear_dates", "qa_flag")}
    return pd.DataFrame(table | {"refined": refined[rows, slots]})


def _of(found: SeasonMetrics, name: str, length: Floats) -> Floats:
    return length if name == "length" else np.asarray(getattr(found, name))


def _on(curves: DailyCurves, days: Floats) -> Dates:
    known = np.isfinite(days)
    dates = curves.first_on + np.where(known, days, 0).astype("timedelta64[D]")
    return np.where(known, dates, np.datetime64("NaT")).astype("datetime64[ns]")


def table_of(
    yields: pd.DataFrame, index: pd.DataFrame | None = None, *, sowing_doy: int, harvest_doy: int
) -> RegionTable:
    """Lay past yields of regions, and their index, out as :func:`cropcredit.agronomy.validate` takes them.

    Parameters
    ----------
    yields : pandas.DataFrame
        ``region``, ``harvest_year``, ``t_ha``; not sifted: see :func:`cropcredit.agronomy.labels.sift`.
    index : pandas.DataFrame, optional
        ``region``, ``date``, ``ndvi``.
    sowing_doy, harvest_doy : int
        When the crop grows, days of the year.

    Raises
    ------
    UnknownName
        If a column is missing.
    MalformedInput
        If a region has two yields for a year or two values for a day, or a value is no yield or no index.

    Examples
    --------
    >>> import pandas as pd
    >>> yields = pd.DataFrame({"region": "A", "harvest_year": range(2010, 2020), "t_ha": np.arange(10) % 3 + 4.0})
    >>> from cropcredit.agronomy import validate
    >>> judged = validate(table_of(yields, sowing_doy=285, harvest_doy=165), horizon=6, candidates=())
    >>> round(judged.scores("average").nrmse, 1)
    18.8
    """
    _refuse_frame(yields, "yields", ("region", "harvest_year"), "t_ha", (0.0, np.inf))
    looks = {}
    if index is not None:
        _refuse_frame(index, "index", ("region", "date"), "ndvi", (-1.0, 1.0))
        for region, rows in index.dropna(subset=["ndvi"]).sort_values("date").groupby("region"):
            looks[str(region)] = RegionIndex(rows["date"].to_numpy("datetime64[D]"), rows["ndvi"].to_numpy(float))
    keys = zip(yields["region"].astype(str), yields["harvest_year"].astype(int), strict=True)
    known = dict(zip(keys, yields["t_ha"].astype(float).tolist(), strict=True))
    years = [year for _, year in known]
    calendar = {"": SeasonCalendar(sowing_doy, harvest_doy)}
    return region_table(known, looks, calendar, range(min(years), max(years) + 1))


def _refuse_frame(
    frame: pd.DataFrame, where: str, key: tuple[str, str], value: str, limits: tuple[float, float]
) -> None:
    """Refuse a table without its columns, without rows, with a key twice, or with values outside of the limits."""
    for name in (*key, value):
        if name not in frame:
            raise UnknownName("column", name, tuple(map(str, frame.columns)), where=where)
    if not len(frame):
        raise EmptyInput("has no rows", where=where)
    if (twice := frame.duplicated(list(key))).any():
        raise MalformedInput(f"{' '.join(map(str, frame.loc[twice, list(key)].iloc[0]))} stands twice", where=where)
    values = frame[value].to_numpy(float)
    if (bad := (values < limits[0]) | (values > limits[1]) | np.isinf(values)).any():
        raise MalformedInput(f"{value} {values[bad][0]:g} is not in {limits[0]:g} to {limits[1]:g}", where=where)


def _smoothed(
    cube: xr.Dataset | pd.DataFrame, index: str, until: str | None
) -> tuple[NDArray[np.str_], DailyCurves, Floats, Dates]:
    """Give field names, curves, and the looks by day, the clearer one where two scenes saw a day."""
    last = None if until is None else _day(until)
    names, seen_on, mean, clear = _looks(cube, index)
    dates = np.unique(seen_on if last is None else seen_on[seen_on <= last])
    if not len(dates):
        raise EmptyInput(f"no scene up to {until or 'its end'}", where="cube", cure="give a later day")
    looks, share = np.full((len(mean), len(dates)), np.nan), np.zeros((len(mean), len(dates)))
    for scene in np.flatnonzero(np.isin(seen_on, dates)):
        day = np.searchsorted(dates, seen_on[scene])
        better = np.nan_to_num(clear[:, scene]) > share[:, day]
        looks[better, day], share[better, day] = mean[better, scene], clear[better, scene]
    return names, smooth(looks, share, dates, until=last), looks, dates


def _looks(given: xr.Dataset | pd.DataFrame, index: str) -> tuple[NDArray[np.str_], Dates, Floats, Floats]:
    """Give fields, days of the scenes, and value and clear share of each look, shape (fields, scenes)."""
    cube = cast("xr.Dataset", given) if hasattr(given, "data_vars") else _cube_of(given)
    mean = _variable(cube, f"{index}_mean" if f"{index}_mean" in cube or index not in cube else index)
    if (bad := np.abs(mean) > 1).any():
        raise MalformedInput(f"{index} {mean[bad][0]:g} is outside of -1..1", where="cube", cure="scale it first")
    share = f"{index}_clear_fraction"
    clear = _variable(cube, share) if share in cube else np.isfinite(mean).astype(float)
    return cube["field"].to_numpy().astype(str), cube["time"].to_numpy().astype("datetime64[D]"), mean, clear


def _cube_of(table: Any) -> xr.Dataset:
    """Lay a table with a row per field and look out as a cube."""
    columns = tuple(map(str, getattr(table, "columns", ())))
    for name in ("field", "time"):
        if name not in columns:
            raise UnknownName("column", name, columns, where="cube")
    if (twice := table.duplicated(["field", "time"])).any():
        field, time = table.loc[twice, ["field", "time"]].iloc[0]
        raise MalformedInput(f"{field} is seen twice at {time}", where="cube", cure="keep one row per field and look")
    cube: xr.Dataset = table.set_index(["field", "time"]).to_xarray()
    return cube


def _day(text: str) -> np.datetime64:
    try:
        return np.datetime64(text, "D")
    except ValueError as error:
        raise MalformedInput(f"{text!r} is no date", where="until", cure="write it as 2025-06-30") from error


def _variable(cube: xr.Dataset, name: str) -> Floats:
    if name not in cube:
        raise UnknownName("variable", name, tuple(str(known) for known in cube.data_vars), where="cube")
    if set(cube[name].dims) != {"field", "time"}:
        raise MalformedInput(
            f"{name} has dims {cube[name].dims}",
            where="cube",
            cure="give one with dims (field, time), as --cube writes",
        )
    return cube[name].transpose("field", "time").to_numpy().astype(float)
