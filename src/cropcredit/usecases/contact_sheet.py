"""A field on all dates of a run, side by side: pixels as the run read them, numbers as the run stored them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cropcredit.errors import RefusedInput, StateConflict, UnknownRecord
from cropcredit.fields import inward
from cropcredit.imagery import Acquisition, Rings, Verdict, acquisitions, around
from cropcredit.model import Field, Scene, digest
from cropcredit.ports import FactStore, FieldStore, ObservationStore, Progress, RasterReader, RunStore
from cropcredit.usecases.ndvi_outcomes import CURES, NO_DATA, OUTSIDE
from cropcredit.usecases.progress import quiet
from cropcredit.usecases.quicklook import Pixels, colours_of, look
from cropcredit.usecases.refresh_ndvi import KIND, NdviRun, latest_run

LONGEST = 120
"""Pixels of the longest side of a thumbnail; beyond it, one of every two, three … is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a run stored of a field on one scene; see :class:`cropcredit.model.FieldObservations`."""

    scene_id: str
    acquired_at: datetime
    core_mean: float
    core_clear_fraction: float
    core_pixels: float
    core_buffer_m: float
    mixed_pixel: bool
    data_fraction: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """A field on one date."""

    seen: Sighting
    pixels: Pixels
    field: Rings
    """Outline of the field, in pixels."""
    core: Rings
    """Outline of its core; none where the core is the whole field."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A field on all dates of a run on which there was data."""

    field: Field
    run: NdviRun
    tile: str
    index: str
    """What the numbers are, and the pixels unless they are colours."""
    synthetic: bool
    without_data: int
    """Dates on which the scene had no data here; they are not shown."""
    thumbnails: tuple[Thumbnail, ...]
    """In the order of time; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetWritten:
    """What was written."""

    path: str
    field: str
    run_id: str
    index: str
    columns: int
    rows: int
    scenes: int
    held_back: int
    without_data: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtField:
    """Draw the contact sheet of a field."""

    facts: FactStore
    fields: FieldStore
    rasters: RasterReader
    observations: ObservationStore
    runs: RunStore
    draw: Callable[[Sheet, Path], tuple[int, int]]
    """Draws a sheet into a file; gives its columns and rows."""

    def __call__(
        self,
        field_id: str,
        path: Path,
        *,
        as_of: datetime,
        product: str = "",
        index: str = "NDVI",
        rgb: bool = False,
        progress: Progress = quiet,
    ) -> SheetWritten:
        """Draw the field on the scenes of the run that ``as_of`` may use.

        Parameters
        ----------
        rgb : bool
            Show colours (true where blue, green and red are there, else false) instead of the index.

        Raises
        ------
        UnknownRecord
            If the field or a run is not there.
        RefusedInput
            If the run did not see the field, or the file is no .png.
        StateConflict
            If a scene is no longer what the run read.
        """
        if path.suffix.lower() != ".png":
            raise RefusedInput("a contact sheet is a .png", where=str(path), cure="name it so")
        run = self._run(as_of, product, index)
        field = self._field(field_id, run)
        tile = self._tile(field, run)
        seen = sorted(self._sightings(field, run, tile, index), key=lambda one: (one.acquired_at, one.scene_id))
        shown = [one for one in seen if one.data_fraction > 0]
        if not shown:
            raise RefusedInput(f"no scene of run {run.run_id} has data there", where=field_id, cure=CURES[NO_DATA])
        thumbnails, synthetic = self._thumbnails(field, run, tile, shown, index, rgb=rgb, progress=progress)
        sheet = Sheet(
            field=field,
            run=run,
            tile=tile,
            index=index,
            synthetic=synthetic,
            without_data=len(seen) - len(shown),
            thumbnails=thumbnails,
        )
        columns, rows = self.draw(sheet, path)
        return SheetWritten(
            path=str(path),
            field=field_id,
            run_id=run.run_id,
            index=index,
            columns=columns,
            rows=rows,
            scenes=len(shown),
            held_back=sum(not one.verdict.usable for one in shown),
            without_data=sheet.without_data,
        )

    def _run(self, as_of: datetime, product: str, index: str) -> NdviRun:
        try:
            return latest_run(self.runs, as_of, product, index=index)
        except UnknownRecord as error:
            cure = error.cure + f" --product {product}" * bool(product) + f" --index {index}" * (index != "NDVI")
            raise UnknownRecord(f"{index} run", error.record_id, cure=cure) from None

    def _field(self, field_id: str, run: NdviRun) -> Field:
        """Give the boundary that the run used."""
        known = self.fields.read(as_of=run.as_of, ids=[field_id])
        if not known:
            raise UnknownRecord("field", field_id, cure="cropcredit fields import FILE")
        return known[0]

    def _tile(self, field: Field, run: NdviRun) -> str:
        """Find the tile in which the run let the field live: every unit of a tile holds the same fields."""
        one_of = {_tile_of(unit): unit for unit in (*run.units, *(held.unit for held in run.held_back))}
        for tile, unit in one_of.items():
            if field.id in self.observations.read([unit])[0].field_ids:
                return tile
        raise RefusedInput(f"run {run.run_id} did not see it", where=field.id, cure=CURES[OUTSIDE] + ", then run again")

    def _sightings(self, field: Field, run: NdviRun, tile: str, index: str) -> Iterator[Sighting]:
        verdicts = dict.fromkeys(run.units, Verdict.ORDINARY)
        verdicts |= {held.unit: Verdict(held.verdict) for held in run.held_back}
        for unit in (unit for unit in verdicts if _tile_of(unit) == tile):
            for seen in self.observations.read([unit], index=index):
                row = seen.field_ids.tolist().index(field.id)
                yield Sighting(
                    scene_id=seen.scene_id,
                    acquired_at=seen.acquired_at,
                    core_mean=float(seen.core_mean[row]),
                    core_clear_fraction=float(seen.core_clear_fraction[row]),
                    core_pixels=float(seen.core_pixels[row]),
                    core_buffer_m=float(seen.core_buffer_m[row]),
                    mixed_pixel=bool(seen.mixed_pixel[row]),
                    data_fraction=float(seen.data_fraction[row]),
                    verdict=Verdict.EVENT if seen.scene_id in run.events else verdicts[unit],
                )

    def _thumbnails(
        self, field: Field, run: NdviRun, tile: str, shown: list[Sighting], index: str, *, rgb: bool, progress: Progress
    ) -> tuple[tuple[Thumbnail, ...], bool]:
        """Look at the field on each scene; also tells whether any of them is synthetic."""
        manifest = next(manifest for manifest in self.runs.manifests(KIND) if manifest["run_id"] == run.run_id)
        found = self._acquisitions(manifest, run, tile)
        parts = [part for one in shown for part in found[one.scene_id].parts]
        config = manifest["config"]
        see = partial(
            look,
            self.rasters,
            names=colours_of(parts) if rgb else (index,),
            margin_m=config["cloud_margin_m"],
            wet=field.crop_code in config["wet_crops"],
        )
        thumbnails = []
        with progress("dates", len(shown)) as done:
            for one in shown:
                thumbnails.append(_thumbnail(field, one, found[one.scene_id], see))
                done(1)
        return tuple(thumbnails), any(part.synthetic for part in parts)

    def _acquisitions(self, manifest: dict[str, Any], run: NdviRun, tile: str) -> dict[str, Acquisition]:
        """Give the acquisitions of a tile by the scene that names them, of the very versions the run read."""
        used = {line["id"]: line["sha256"] for line in manifest["scenes"] if line["tile"] == tile}
        scenes = [scene for scene in self.facts.find(Scene, as_of=run.as_of, tile=tile) if scene.id in used]
        if changed := sorted(used.keys() - {scene.id for scene in scenes if digest(scene) == used[scene.id]}):
            raise StateConflict(f"scene {changed[0]} has changed since run {run.run_id}; run cropcredit ndvi run again")
        return {found.scene.id: found for found in acquisitions(scenes)[0]}


def _thumbnail(field: Field, seen: Sighting, found: Acquisition, see: Callable[..., Pixels]) -> Thumbnail:
    view = around(field.boundary, found.scene.grid, LONGEST)
    boundary = np.array([field.boundary], dtype=object)
    core = view.outlines(inward(boundary, seen.core_buffer_m)) if seen.core_buffer_m else ()
    return Thumbnail(seen=seen, pixels=see(found.parts, view), field=view.outlines(boundary), core=core)


def _tile_of(unit: str) -> str:
    return unit.partition("/")[0]
