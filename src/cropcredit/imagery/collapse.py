"""A scene on which everything collapses at once is not believed until the next clear scene has been seen.

If the fields have recovered by then, it was a cloud that the mask missed; if they have not, something happened on the
ground (a flood, the harvest), and the date is kept as evidence.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DROP = 0.2
"""Fall of the index that counts as a collapse of one field."""
EVERYTHING = 0.8
"""Share of the comparable fields that must collapse."""
RECOVERY = 0.5
"""Part of the fall that must be made good, by at least half of the collapsed fields."""
MIN_CLEAR = 0.5
MIN_FIELDS = 5
"""Fewer comparable fields say nothing about everything."""


class Verdict(StrEnum):
    """What to think of one scene."""

    ORDINARY = "ordinary"
    UNCONFIRMED = "unconfirmed"
    """Everything collapsed, and no clear scene has been seen since."""
    CLOUD = "missed_cloud"
    """Everything collapsed and had recovered by the next clear scene."""
    EVENT = "event"
    """Everything collapsed and stayed down: harvest or flood."""

    @property
    def usable(self) -> bool:
        """Say whether the scene belongs in the series."""
        return self in (Verdict.ORDINARY, Verdict.EVENT)


def judge(mean: Floats, clear_fraction: Floats) -> list[Verdict]:
    """Judge the scenes of one tile, in the order of time.

    Parameters
    ----------
    mean, clear_fraction : ndarray, shape (fields, scenes)
        Index and clear share of each field on each scene.

    Returns
    -------
    list of Verdict
        One per scene; depends on later scenes only through ``UNCONFIRMED``.

    Examples
    --------
    >>> fall = np.tile([0.8, 0.2, 0.8, 0.2, 0.2], (5, 1))
    >>> [str(v) for v in judge(fall, np.ones_like(fall))]
    ['ordinary', 'missed_cloud', 'ordinary', 'event', 'ordinary']
    """
    seen = np.isfinite(mean) & (clear_fraction >= MIN_CLEAR)
    last = np.full(len(mean), np.nan)
    verdicts: list[Verdict] = []
    for now in range(mean.shape[1]):
        fallen = _fallen(last, mean[:, now], seen[:, now])
        verdict = _outcome(last, mean, seen, now, fallen) if fallen is not None else Verdict.ORDINARY
        if verdict.usable:
            last = np.where(seen[:, now], mean[:, now], last)
        verdicts.append(verdict)
    return verdicts


def _fallen(last: Floats, value: Floats, seen: Bools) -> Bools | None:
    """Tell which fields fell, or None where not everything did."""
    comparable = seen & np.isfinite(last)
    fallen = comparable & (last - value >= DROP)
    enough = np.count_nonzero(comparable) >= MIN_FIELDS
    return fallen if enough and fallen.sum() >= EVERYTHING * comparable.sum() else None


def _outcome(last: Floats, mean: Floats, seen: Bools, now: int, fallen: Bools) -> Verdict:
    fall = last - mean[:, now]
    for later in range(now + 1, mean.shape[1]):
        again = fallen & seen[:, later]
        if int(again.sum()) < min(MIN_FIELDS, int(fallen.sum())):
            continue
        recovered = mean[again, later] - mean[again, now] >= RECOVERY * fall[again]
        return Verdict.CLOUD if recovered.mean() >= RECOVERY else Verdict.EVENT
    return Verdict.UNCONFIRMED
