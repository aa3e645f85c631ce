"""From scenes to acquisitions: which files tell of one look at a tile, and which of them count.

Archives hold several files of one look: processed anew under a later baseline, received by two stations, or cut in two
where a datastrip ends inside the tile. The latest processing counts; what remains on one grid are parts of one
acquisition, of which the first that has data at a pixel counts there. Two versions of a pixel are never averaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cropcredit.model import Scene


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One look of one satellite at one tile."""

    parts: tuple[Scene, ...]
    """On one grid, of one processing, the one that became available last in front."""

    @property
    def scene(self) -> Scene:
        """The part that gives the acquisition its name and its instant."""
        return self.parts[0]


def acquisitions(scenes: Iterable[Scene]) -> tuple[list[Acquisition], list[Scene]]:
    """Group scenes of one product by what they saw.

    Returns
    -------
    found : list of Acquisition
        By tile, then in the order of time.
    superseded : list of Scene
        What does not count: processings of an earlier baseline, copies of the same pixels, other grids; by id.
    """
    groups: dict[tuple[str, str], list[Scene]] = {}
    for scene in sorted(scenes, key=lambda s: (_baseline(s), s.available_at, s.known_at, s.id), reverse=True):
        groups.setdefault((scene.tile, scene.datatake or scene.acquired_at.isoformat()), []).append(scene)
    found = [Acquisition(_parts(group)) for group in groups.values()]
    used = {part.id for acquisition in found for part in acquisition.parts}
    superseded = sorted((s for group in groups.values() for s in group if s.id not in used), key=lambda s: s.id)
    return sorted(found, key=lambda a: (a.scene.tile, a.scene.acquired_at, a.scene.id)), superseded


def _parts(group: list[Scene]) -> tuple[Scene, ...]:
    best = group[0]
    parts: dict[str, Scene] = {}
    for scene in group:
        if _baseline(scene) == _baseline(best) and scene.grid == best.grid:
            parts.setdefault(scene.content_hash or scene.id, scene)
    return tuple(parts.values())


def _baseline(scene: Scene) -> str:
    """Give the baseline as digits that sort: ``05.10`` and ``N0510`` are one."""
    return re.sub(r"\D", "", scene.processing_baseline)
