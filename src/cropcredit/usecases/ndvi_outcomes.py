"""What became of each scene and of each field of an NDVI run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cropcredit.imagery import Verdict, judge, product_of
from cropcredit.model import Field
from cropcredit.ports import ObservationStore
from cropcredit.usecases.ndvi_plan import TilePlan
from cropcredit.usecases.ndvi_units import UnitJob

OBSERVED = "observed"
OUTSIDE = "outside_every_scene"
NO_DATA = "no_data"
NEVER_CLEAR = "never_clear"
ONLY_HELD_BACK = "only_on_scenes_held_back"
CURES = {
    OUTSIDE: "add scenes of its tile",
    NO_DATA: "the scenes pass over it without data: add those of the neighbouring orbit",
    NEVER_CLEAR: "under cloud on every date: add dates, or sentinel-1-rtc as a second witness",
    ONLY_HELD_BACK: "seen only where everything collapsed at once: add a later scene",
}
"""What a person can do for a field that got nothing, by the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A scene that was processed but is not part of the series."""

    scene: str
    unit: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What became of the scenes and the fields."""

    units: tuple[str, ...]
    held_back: tuple[HeldBack, ...]
    events: tuple[str, ...]
    without_data: tuple[str, ...]
    """Scenes that pass over the fields of their tile without data for any of them."""
    counts: dict[str, int]
    """Fields by outcome, every outcome named."""
    unobserved: tuple[tuple[str, str], ...]
    """(field, reason) of each field that got nothing, by id."""


def outcomes(tiles: Sequence[TilePlan], outside: Iterable[Field], observations: ObservationStore) -> Outcomes:
    """Judge each scene beside the others of its tile, and say of each field whether it was seen, or why not."""
    verdicts: dict[str, Verdict] = {}
    blank: list[str] = []
    reasons: dict[str, str] = {field.id: OUTSIDE for field in outside}
    seen = 0
    for tile in tiles:
        found, why, empty = _tile(tile.units, observations)
        verdicts |= found
        blank += empty
        seen += int(np.count_nonzero(why == OBSERVED))
        reasons |= {field.id: str(reason) for field, reason in zip(tile.fields, why, strict=True) if reason != OBSERVED}
    jobs = [job for tile in tiles for job in tile.units]
    count = Counter(reasons.values())
    return Outcomes(
        units=tuple(job.unit for job in jobs if verdicts[job.unit].usable),
        held_back=tuple(
            HeldBack(scene=job.scene.id, unit=job.unit, verdict=verdicts[job.unit].value)
            for job in jobs
            if not verdicts[job.unit].usable
        ),
        events=tuple(job.scene.id for job in jobs if verdicts[job.unit] is Verdict.EVENT),
        without_data=tuple(blank),
        counts={OBSERVED: seen, **{reason: count[reason] for reason in CURES}},
        unobserved=tuple(sorted(reasons.items())),
    )


def _tile(
    jobs: Sequence[UnitJob], observations: ObservationStore
) -> tuple[dict[str, Verdict], NDArray[np.str_], list[str]]:
    """Give the verdict on each unit, what became of each field, and the scenes without data."""
    mean, share, data = [], [], []
    green = "NDVI" in product_of(jobs[0].scene.product).layers
    for job in jobs:
        one = observations.read([job.unit], index="NDVI" if green else "")[0]
        mean.append(one.core_mean)
        share.append(one.core_clear_fraction)
        data.append(one.data_fraction > 0)
    clear = np.isfinite(np.column_stack(mean))
    # radar has no greenness that a cloud could hide
    verdicts = judge(np.column_stack(mean), np.column_stack(share)) if green else [Verdict.ORDINARY] * len(jobs)
    usable = np.array([verdict.usable for verdict in verdicts])
    why = np.select(
        [clear[:, usable].any(axis=1), clear.any(axis=1), np.column_stack(data).any(axis=1)],
        [OBSERVED, ONLY_HELD_BACK, NEVER_CLEAR],
        NO_DATA,
    )
    blank = [job.scene.id for job, found in zip(jobs, data, strict=True) if not found.any()]
    return dict(zip((job.unit for job in jobs), verdicts, strict=True)), why, blank
