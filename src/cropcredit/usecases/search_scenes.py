"""Search catalogues of scenes that others publish; ``AddScenes.add`` puts what was found into the scene table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.errors import EmptyInput
from cropcredit.model import Box, SceneDraft, SceneQuery
from cropcredit.ports import FieldStore, Progress, SceneCatalogue
from cropcredit.usecases.add_scenes import Declared, judged
from cropcredit.usecases.progress import quiet

HALF_TURN = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScenes:
    """Find scenes in a catalogue, and say of each what speaks against it."""

    catalogue: SceneCatalogue
    fields: FieldStore

    def __call__(
        self, query: SceneQuery, *, declared: Declared | None = None, progress: Progress = quiet
    ) -> list[SceneDraft]:
        """Search; the scenes come in the order of time, those that say no time first.

        Nothing is read but the catalogue: what only the files can tell is seen when a scene is added.

        Raises
        ------
        RefusedInput, StoreUnavailable
            As :class:`cropcredit.ports.SceneCatalogue` says.
        """
        found = []
        with progress("scenes found", query.limit) as done:
            for draft in self.catalogue.search(query):
                found.append(judged(draft, declared or Declared()))
                done(1)
        return sorted(found, key=lambda draft: (str(draft.acquired_at or ""), draft.id))

    def extent(self) -> Box:
        """Give the box around all fields; raises EmptyInput where there are none."""
        boundaries = [field.boundary for field in self.fields.read()]
        if not boundaries:
            cure = "cropcredit fields import FILE, or say where: --bbox WEST,SOUTH,EAST,NORTH"
            raise EmptyInput("there is no field to search scenes for", cure=cure)
        return _around(np.array(boundaries, dtype=object))


def _around(boundaries: NDArray[np.object_]) -> Box:
    """Give the box around polygons; of fields on both sides of the 180th meridian, the box that crosses it."""
    west, south, east, north = shapely.bounds(boundaries).T
    left, right = west.min(), east.max()
    if right - left > HALF_TURN:
        left, right = west[west > 0].min(), east[east < 0].max()
    return float(left), float(south.min()), float(right), float(north.max())
