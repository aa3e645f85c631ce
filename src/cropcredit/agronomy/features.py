"""What a region's index says about a season: means over equal parts of the season, and their anomalies.

Levels differ from region to region and sensor to sensor; anomalies against the region's own years do not, so a model
that sees only anomalies can be read by anyone and moved from one region to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cropcredit.agronomy.groups import rows_by
from cropcredit.agronomy.series import Floats

PARTS = 6
"""Equal parts into which a season is cut."""
TAIL_DAYS = 30
"""A regional calendar gives the mean field; the season is followed this long beyond it for the late ones."""
STALE_DAYS = 16
"""A part of a season counts as seen when the index reaches to within this many days of its end."""
MAX_GAP_DAYS = 40
"""A part of a season that falls into a longer gap between two dates was not seen."""
SHORTEST, LONGEST = 90, 330
"""Season lengths in days outside of which a calendar entry is not believed."""
RECENT, RECENT_DAYS = "recent", 90
"""Name of the view of the last weeks of a season, and its length: there, what decides the harvest is seen finer."""
MIN_NORMAL_YEARS = 3
"""Years needed before an anomaly means anything."""
GAMMA = 0.003
"""Damping; of 0.003, 0.01 and 0.03, tried on Spanish wheat, the smoothest did best. Not tuned further."""
_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class SeasonCalendar:
    """Typical sowing and harvest of a crop in a region, as days of the year.

    Examples
    --------
    Winter wheat is sown the year before it is harvested:

    >>> [str(day) for day in SeasonCalendar(288, 166).window(2025)]
    ['2024-10-15', '2025-06-15']
    """

    sowing_doy: int
    harvest_doy: int

    @property
    def days(self) -> int:
        """Length of the season."""
        return (self.harvest_doy - self.sowing_doy) % _YEAR_DAYS

    def window(self, harvest_year: int) -> tuple[np.datetime64, np.datetime64]:
        """Give the day of sowing and the day of harvest of a harvest year."""
        end = np.datetime64(f"{harvest_year}-01-01", "D") + (self.harvest_doy - 1)
        return end - self.days, end


@dataclass(frozen=True, slots=True, eq=False)
class RegionIndex:
    """The index of one region over time."""

    dates: NDArray[np.datetime64]
    """Days, ascending."""
    values: Floats

    def until(self, day: np.datetime64) -> RegionIndex:
        """Give what was seen up to and including a day."""
        seen = self.dates <= day
        return RegionIndex(self.dates[seen], self.values[seen])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionTable:
    """Region-seasons by row: what was harvested (NaN: not known) and what was seen."""

    region: NDArray[np.str_]
    year: NDArray[np.int_]
    t_ha: Floats
    parts: Floats
    """Shape (rows, :data:`PARTS`): mean index over each part of the season; NaN from the first part not seen."""
    views: Mapping[str, Floats] = field(default_factory=dict)
    """Other looks at the seasons, of the same shape: another index, or the last weeks alone (:data:`RECENT`)."""

    def take(self, rows: NDArray[np.bool_]) -> RegionTable:
        """Give some of the rows."""
        views = {name: parts[rows] for name, parts in self.views.items()}
        return RegionTable(
            region=self.region[rows], year=self.year[rows], t_ha=self.t_ha[rows], parts=self.parts[rows], views=views
        )

    def seen_by(self, view: str) -> Floats:
        """Give the parts of a view; ``""`` is :attr:`parts`."""
        return self.views[view] if view else self.parts


def believable(calendars: Mapping[str, SeasonCalendar]) -> dict[str, SeasonCalendar]:
    """Replace calendars of impossible length by the median of the others; ``""`` is the entry for unlisted regions."""
    good = [calendar for calendar in calendars.values() if SHORTEST <= calendar.days <= LONGEST]
    if not good:
        return dict(calendars)
    harvest, days = int(np.median([c.harvest_doy for c in good])), int(np.median([c.days for c in good]))
    usual = SeasonCalendar((harvest - days - 1) % _YEAR_DAYS + 1, harvest)
    checked = {region: c if SHORTEST <= c.days <= LONGEST else usual for region, c in calendars.items()}
    return {"": usual, **checked}


def season_parts(index: RegionIndex, start: np.datetime64, end: np.datetime64) -> Floats:
    """Mean of the index, linear between dates, over each part of a season, shape (PARTS,).

    NaN from the first part that the index does not reach (to within :data:`STALE_DAYS`) or that a long gap hides.
    """
    days = index.dates.astype("datetime64[D]").astype(float)
    edges = np.linspace(float(start.astype(int)), float(end.astype(int)), PARTS + 1)
    parts = np.full(PARTS, np.nan)
    if len(days) and days[0] <= edges[0] + STALE_DAYS:
        grid = np.arange(edges[0], edges[-1] + 1)
        curve = np.interp(grid, days, index.values)
        after = np.searchsorted(days, grid)
        looked = days[after.clip(max=len(days) - 1)] == grid
        gap = _gap(days, after.clip(1, max(len(days) - 1, 1)))
        blind = (grid > days[-1] + STALE_DAYS) | (gap & (grid < days[-1]) & ~looked)
        for part in range(PARTS):
            here = (grid >= edges[part]) & (grid < edges[part + 1])
            if blind[here].any():
                break
            parts[part] = curve[here].mean()
    return parts


def _gap(days: Floats, after: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Tell whether the dates around each day lie too far apart; ``after`` is the later of the two."""
    if len(days) < 2:  # noqa: PLR2004 - one date has no gaps
        return np.zeros(len(after), dtype=bool)
    return np.asarray(days[after] - days[after - 1] > MAX_GAP_DAYS)


def region_table(
    yields: Mapping[tuple[str, int], float],
    index: Mapping[str, RegionIndex],
    calendars: Mapping[str, SeasonCalendar],
    years: Sequence[int],
    *,
    others: Mapping[str, Mapping[str, RegionIndex]] | None = None,
    until: str = "",
) -> RegionTable:
    """Lay out every region-season of ``years`` that has a yield or an index.

    Parameters
    ----------
    yields : mapping of (region, harvest year) to t/ha
    index : mapping of region to its index; cut at the as-of day by the caller
    calendars : mapping of region to calendar, ``""`` for the others
    years : harvest years
    others : mapping of name to a further index
        Each gives a view of its name.
    until : str
        Day of the harvest year, ``MM-DD``, after which nothing is looked at; the parts are then those of the season up
        to that day, and NaN where it was not sown by then.
    """
    regions = sorted({region for region, _ in yields} | set(index))
    keys = [(r, y) for r in regions for y in years if r in index or (r, y) in yields]
    windows = [_window(calendars.get(region, calendars[""]), year, until) for region, year in keys]

    def cut(looks: Mapping[str, RegionIndex], days: int | None = None) -> Floats:
        rows = [
            _parts(looks.get(region), last - days if days else start, last, closed=bool(until or days))
            for (region, _), (start, last) in zip(keys, windows, strict=True)
        ]
        return np.array(rows, dtype=float).reshape(-1, PARTS)

    further = {"": index, **(others or {})}
    views = {name: cut(looks) for name, looks in further.items() if name}
    views |= {f"{name}/{RECENT}".lstrip("/"): cut(looks, RECENT_DAYS) for name, looks in further.items()}
    return RegionTable(
        region=np.array([r for r, _ in keys], dtype=np.str_),
        year=np.array([y for _, y in keys], dtype=int),
        t_ha=np.array([yields.get(key, np.nan) for key in keys], dtype=float),
        parts=cut(index),
        views={name: parts for name, parts in views.items() if np.isfinite(parts).any()},
    )


def _window(calendar: SeasonCalendar, year: int, until: str) -> tuple[np.datetime64, np.datetime64]:
    start, end = calendar.window(year)
    return start, min(end + TAIL_DAYS, np.datetime64(f"{year}-{until}")) if until else end + TAIL_DAYS


def _parts(looks: RegionIndex | None, start: np.datetime64, last: np.datetime64, *, closed: bool) -> Floats:
    """Cut one season; ``closed``: nothing after its last day is looked at, not even to draw the line up to it."""
    if looks is None or last - start < PARTS:
        return np.full(PARTS, np.nan)
    return season_parts(looks.until(last) if closed else looks, start, last)


def normals(table: RegionTable, view: str = "") -> dict[str, Floats]:
    """Mean parts of each region with at least three seasons seen."""
    found: dict[str, Floats] = {}
    for region, rows in rows_by(table.region):
        seasons = table.seen_by(view)[rows]
        seen = np.isfinite(seasons)
        counts = seen.sum(axis=0)
        total = np.where(seen, seasons, 0.0).sum(axis=0)
        found[region] = np.where(counts >= MIN_NORMAL_YEARS, total / np.maximum(counts, 1), np.nan)
    return found


def anomalies(table: RegionTable, normal: Mapping[str, Floats], horizon: int, view: str = "") -> Floats:
    """Anomalies of the first ``horizon`` parts, and beside them their mean over all regions of that year.

    Returns
    -------
    ndarray, shape (rows, 2 * horizon)
        NaN where a part was not seen or a region has no normal.
    """
    nothing = np.full(PARTS, np.nan)
    usual = np.array([normal.get(str(region), nothing) for region in table.region]).reshape(-1, PARTS)
    own = (table.seen_by(view) - usual)[:, :horizon]
    common = np.full_like(own, np.nan)
    for year in np.unique(table.year):
        rows = table.year == year
        seen = np.isfinite(own[rows])
        mean = np.where(seen, own[rows], 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        common[rows] = np.where(seen.any(axis=0), mean, np.nan)
    return np.hstack([own, common])


def seen_parts(table: RegionTable) -> NDArray[np.int_]:
    """Count, per row, the leading parts of the season that were seen."""
    return np.asarray(np.isfinite(table.parts).cumprod(axis=1).sum(axis=1), dtype=int)


def labelled(table: RegionTable) -> NDArray[np.bool_]:
    """Tell which rows have a yield."""
    return np.asarray(np.isfinite(table.t_ha))


def without_yields(table: RegionTable) -> RegionTable:
    """Hide all yields: what a season looks like before its harvest is known."""
    return replace(table, t_ha=np.full(len(table.year), np.nan))


def damped_quadratic(scaled: Floats, gamma: float) -> Floats:
    """Features whose inner product is, to second order, the Gaussian kernel exp(-gamma |x - y|^2).

    A ridge on them is a kernel ridge at a hundredth of its cost, and its coefficients are all there is to store.

    Parameters
    ----------
    scaled : ndarray, shape (rows, n)
        Anomalies in standard deviations.

    Returns
    -------
    ndarray, shape (rows, 1 + n + n (n + 1) / 2)
        exp(-gamma |x|^2) times 1, sqrt(2 gamma) x and sqrt(2) gamma x x'.
    """
    first, second = np.triu_indices(scaled.shape[1])
    twice = np.where(first == second, 1.0, np.sqrt(2.0))
    pairs = np.sqrt(2.0) * gamma * twice * scaled[:, first] * scaled[:, second]
    with np.errstate(under="ignore"):
        damping = np.exp(-gamma * (scaled**2).sum(axis=1, keepdims=True))
        return np.asarray(damping * np.hstack([np.ones((len(scaled), 1)), np.sqrt(2 * gamma) * scaled, pairs]))
