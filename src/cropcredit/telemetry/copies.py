"""Whether a device tells what another one told, or what it told itself a year ago.

Weather makes honest neighbours alike, but not in the noise of their sensors. So what is compared is the smallest
movements, over all channels together and at every shift in time: gain, offset and added noise do not hide a copy.
How alike honest neighbours are is read off the neighbours among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cropcredit.telemetry.alike import LEAST, closeness, cut, fingerprint, lagged_correlation, median_of_rows, paired
from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.tracks import DAY_S, HOUR_S, Floats, Grid

COPY_AT = {True: 2.5, False: 3.2}
"""Deviations among honest neighbours from which closeness is a reason, by whether a day has several steps."""
COPY_CHANCE = 3.0
"""Honest closeness varies by so much over the root of the number of steps: within a hamlet it is closer than usual."""
MOST, LEAST_DEVIATIONS = 12.0, -5.0
"""One channel counts no more and no less than this."""
ALONE = {True: 1.0, False: 1.6}
"""How close honest neighbours are where there are not enough of them to learn it from, by whether a day has several
steps."""
ALONE_SPREAD = 0.5
DAILY_SPREAD = 0.25
"""Honest pairs differ by so much at least in Fisher's z of daily values."""
BELIEVED = (-1.5, 2.5)
"""And one channel of daily values counts no less and no more than this."""
LEAST_PAIRS = 3
LATE_DAYS = 8
"""A copy may be so late."""
SOURCE_NOISE = 0.93
"""A device whose smallest movements have less than this share of the other's variance was copied, not copying."""
REPLAY_AT = 6.0
"""So many robust deviations must one lag stand out from all others."""
REPLAY_CLOSE = 1.1
"""And so close must it be: a correlation of 0.8; regular irrigation repeats itself, too."""
REPLAY_DAYS = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Others:
    """Neighbours laid out like the device: same steps, same channels."""

    ids: tuple[str, ...]
    values: Floats
    """Shape (neighbours, channels, steps); NaN: not measured, or no such channel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """What the device told earlier, by local day."""

    days_ago: int
    """Days from the first day of the past to the first day of the window."""
    values: Floats
    """Shape (rows, days): lowest, mean and highest of each channel, as rows."""


def copied(shifted: Floats, others: Others, grid: Grid, *, shift_s: float = 0.0) -> Check:
    """Ask whether the device tells what a neighbour tells.

    Parameters
    ----------
    shifted : ndarray, shape (shifts, channels, steps)
        The device's own; from the second on with its times put back by one, two ... times ``shift_s``, so that a copy
        that is late by less than a step is found.
    others : Others
        Its neighbours.
    grid : Grid
        Of both.
    shift_s : float
        Seconds between the shifts.
    """
    if not others.ids:
        return not_assessed("copied", "no_neighbours")
    if grid.count < 2 * LEAST:
        return not_assessed("copied", "too_short")
    several = grid.per_day > 1
    ours, theirs = fingerprint(shifted, grid), fingerprint(others.values, grid)
    courses, their_courses = (None, None) if several else (_course(shifted), _course(others.values))
    usual = _usual(theirs, their_courses)
    best: tuple[float, float, int, int, int] | None = None
    for shift, row, lag in _candidates(ours, theirs, LATE_DAYS * grid.per_day):
        ahead, behind = _lined_up(ours[shift], theirs[row], lag)
        close = closeness(paired(ahead, behind))
        if courses is not None and their_courses is not None:
            close = np.concatenate((close, closeness(paired(*_lined_up(courses[shift], their_courses[row], lag)))))
        beyond = usual.exceeded_by(close)
        if np.isfinite(beyond):
            best = max(best or (-np.inf, 0.0, 0, 0, 0), (beyond, _alike(ahead, behind), shift, row, lag))
    if best is None:
        return not_assessed("copied", "too_short")
    beyond, alike, shift, row, lag = best
    late_s = lag * grid.step_s + shift * shift_s
    doubt = 0.0 if _is_source(ours[0], theirs[row], late_s) else suspicion(beyond, at=COPY_AT[several])
    return answer("copied", doubt, other=others.ids[row], hours_later=late_s / HOUR_S, alike=alike)


def replayed(days: Floats, past: Past | None) -> Check:
    """Ask whether the device repeats its own past.

    Parameters
    ----------
    days : ndarray, shape (rows, days)
        Lowest, mean and highest of each channel by local day, as rows in the order of ``past``.
    past : Past or None
        The device's own history; None: it has none.
    """
    if past is None:
        return not_assessed("replayed", "no_history")
    latest = past.days_ago
    earliest = max(REPLAY_DAYS, past.days_ago - past.values.shape[1] + days.shape[1] // 2)
    if latest < earliest or min(days.shape[1], past.values.shape[1]) <= REPLAY_DAYS:
        return not_assessed("replayed", "no_history")
    ours, theirs = (cut(np.diff(values, axis=1)) for values in (days, past.values))
    shift = past.days_ago  # column 0 of the past lies so many days before column 0 of ours
    found, lags = lagged_correlation(ours, theirs, earliest=earliest - shift, latest=latest - shift)
    mean = _mean_closeness(found)
    known = np.isfinite(mean)
    if known.sum() < REPLAY_DAYS:
        return not_assessed("replayed", "too_short")
    middle = float(np.median(mean[known]))
    spread = max(1.4826 * float(np.median(np.abs(mean[known] - middle))), 0.05)
    at = int(np.nanargmax(mean))
    stands_out = (float(mean[at]) - middle) / spread
    doubt = min(suspicion(stands_out, at=REPLAY_AT), suspicion(float(mean[at]), at=REPLAY_CLOSE))
    return answer("replayed", doubt, days=float(lags[at] + shift), alike=float(np.tanh(mean[at])))


def days_in(grid: Grid, start_s: float) -> int:
    """Whole days from an instant to the start of a grid."""
    return round((grid.start_s - start_s) / DAY_S)


def _candidates(ours: Floats, theirs: Floats, latest: int) -> Iterator[tuple[int, int, int]]:
    """Give (shift, neighbour, lag) where all channels together are most alike, and the lag of none."""
    steps = ours.shape[-1]
    size = 1 << int(np.ceil(np.log2(2 * steps)))
    latest = min(latest, steps - LEAST)
    x, y = np.fft.rfft(_unit(ours), size), np.conj(np.fft.rfft(_unit(theirs), size))
    lags = np.arange(-latest, latest + 1)
    together = np.fft.irfft(np.einsum("scf,jcf->sjf", x, y), size)[..., lags % size]
    for shift, row in np.ndindex(together.shape[:2]):
        if shift == 0:
            yield 0, row, 0
        yield shift, row, int(lags[np.argmax(together[shift, row])])


def _lined_up(ours: Floats, theirs: Floats, lag: int) -> tuple[Floats, Floats]:
    """Cut both so that a row of ours stands beside what theirs told ``lag`` steps before."""
    steps = ours.shape[-1]
    return ours[:, max(lag, 0) : steps + min(lag, 0)], theirs[:, max(-lag, 0) : steps - max(lag, 0)]


def _unit(moves: Floats) -> Floats:
    """Scale rows to the same size; what is unknown is nothing."""
    known = np.where(np.isfinite(moves), moves, 0.0)
    scale = np.sqrt((known**2).mean(axis=-1, keepdims=True))
    return np.asarray(np.where(scale > 0, known / np.where(scale > 0, scale, 1.0), 0.0))


def _alike(ours: Floats, theirs: Floats) -> float:
    """Mean correlation of all channels."""
    found = paired(ours, theirs)
    return float(np.mean(found[np.isfinite(found)])) if np.isfinite(found).any() else 0.0


def _course(values: Floats) -> Floats:
    """Take the mean away."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=-1, keepdims=True), 1)
    return np.asarray(values - np.where(known, values, 0.0).sum(axis=-1, keepdims=True) / count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Usual:
    """How close honest neighbours are."""

    middle: Floats
    """Shape (channels,)."""
    spread: Floats
    """Shape (channels,): how far that varies."""
    daily: tuple[float, float] | None = None
    """Of daily values: middle and spread of what the closer half of the channels says together."""

    def exceeded_by(self, close: Floats) -> float:
        """Give by how many deviations a pair is closer, all channels together; NaN where none can be compared."""
        if self.daily is not None:
            return (_closer_half(close - self.middle) - self.daily[0]) / self.daily[1]
        beyond = (close - self.middle) / self.spread
        known = beyond[np.isfinite(beyond)]
        return float(np.clip(known, LEAST_DEVIATIONS, MOST).mean()) if len(known) else float("nan")


def _usual(theirs: Floats, courses: Floats | None) -> _Usual:
    """Tell from all pairs of neighbours how close honest devices are, and how far that varies.

    Of a day with several steps the smallest movements tell enough, channel by channel. Of daily values there are few:
    whole courses (``courses``) are compared as well, and what counts is how the closer half of all channels varies.
    """
    pairs = list(combinations(range(len(theirs)), 2))
    channels = theirs.shape[1] * (1 if courses is None else 2)
    if len(pairs) < LEAST_PAIRS:
        return _Usual(middle=np.full(channels, ALONE[courses is None]), spread=np.full(channels, ALONE_SPREAD))
    close = np.vstack([closeness(paired(theirs[i], theirs[j])) for i, j in pairs])
    if courses is None:
        middle = median_of_rows(close)
        around = 1.4826 * median_of_rows(np.abs(close - middle))
        return _Usual(middle=middle, spread=np.maximum(around, COPY_CHANCE / np.sqrt(theirs.shape[-1])))
    close = np.hstack((close, np.vstack([closeness(paired(courses[i], courses[j])) for i, j in pairs])))
    middle = median_of_rows(close)
    halves = np.array([_closer_half(row - middle) for row in close])
    halves = halves[np.isfinite(halves)] if np.isfinite(halves).any() else np.zeros(1)
    usual = float(np.median(halves))
    varies = float(np.hypot(1.4826 * np.median(np.abs(halves - usual)), DAILY_SPREAD))
    return _Usual(middle=middle, spread=np.ones(channels), daily=(usual, varies))


def _closer_half(beyond: Floats) -> float:
    """Mean of the larger half of differences of closeness; NaN where none is known."""
    known = np.clip(beyond[np.isfinite(beyond)], *BELIEVED)
    return float(np.sort(known)[len(known) // 2 :].mean()) if len(known) else float("nan")


def _mean_closeness(correlation: Floats) -> Floats:
    """Mean over the channels that can be compared, shape (lags,); NaN where none can."""
    close = closeness(correlation)
    known = np.isfinite(close)
    count = known.sum(axis=0)
    return np.asarray(
        np.where(count > 0, np.where(known, close, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan), dtype=np.float64
    )


def _is_source(ours: Floats, theirs: Floats, late_s: float) -> bool:
    """Say whether the other one copied: it tells the same later, or with noise added."""
    if late_s:
        return late_s < 0
    sizes = [np.where(np.isfinite(m), m, 0.0) ** 2 for m in (ours, theirs)]
    mine, other = (
        size.sum(axis=1) / np.maximum(np.isfinite(m).sum(axis=1), 1)
        for size, m in zip(sizes, (ours, theirs), strict=True)
    )
    known = (mine > 0) & (other > 0)
    return bool(known.any() and np.median(mine[known] / other[known]) < SOURCE_NOISE)


def rows_of(tracks: Sequence[tuple[Floats, Floats, Floats]]) -> Floats:
    """Stack lowest, mean and highest of each channel as rows."""
    return np.vstack([part for track in tracks for part in track]) if tracks else np.empty((0, 0))
