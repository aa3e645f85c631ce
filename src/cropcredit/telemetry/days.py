"""A window and a past on common local days."""

from __future__ import annotations

import numpy as np

from cropcredit.telemetry.around import PastDays
from cropcredit.telemetry.copies import days_in
from cropcredit.telemetry.tracks import DAY_S, Floats, Grid, Track


def on_days(values: Floats, start_s: float, grid: Grid) -> Floats:
    """Shift daily values onto a grid's days, shape (days,)."""
    rows = days_in(grid, start_s) + np.arange(grid.days)
    inside = (rows >= 0) & (rows < len(values))
    return (
        np.where(inside, values[np.clip(rows, 0, max(len(values) - 1, 0))], np.nan)
        if len(values)
        else np.full(grid.days, np.nan)
    )


def low_mean_high(track: Track, grid: Grid) -> tuple[Floats, Floats, Floats]:
    """Lowest, mean and highest value of each day of the grid, each of shape (days,)."""
    rows = np.floor((track.at_s - grid.start_s) / DAY_S).astype(np.int64)
    inside = (rows >= 0) & (rows < grid.days) & np.isfinite(track.values)
    low, high = np.full(grid.days, np.inf), np.full(grid.days, -np.inf)
    np.minimum.at(low, rows[inside], track.values[inside])
    np.maximum.at(high, rows[inside], track.values[inside])
    held = np.bincount(rows[inside], minlength=grid.days)
    total = np.bincount(rows[inside], weights=track.values[inside], minlength=grid.days)
    known = held > 0
    parts = (low, total / np.maximum(held, 1), high)
    blank_low, blank_mean, blank_high = (np.where(known, part, np.nan) for part in parts)
    return blank_low, blank_mean, blank_high


def aligned(past: PastDays, start_s: float, days: int) -> tuple[Floats, Floats, Floats]:
    """Lay a past on common days from ``start_s`` on, up to the window."""
    shift = round((past.start_s - start_s) / DAY_S)
    out = []
    for part in (past.low, past.mean, past.high):
        row = np.full(days, np.nan)
        kept = part[: max(days - shift, 0)]
        row[shift : shift + len(kept)] = kept
        out.append(row)
    return out[0], out[1], out[2]
