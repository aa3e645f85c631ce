"""A field on all dates of a run, side by side: pixels as the run read them, numbers as the run stored them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from cropcredit.errors import RefusedInput, StateConflict, UnknownRecord
from cropcredit.fields import inward
from cropcredit.imagery import Acquisition, Rings, Verdict, acquisitions, around
from cropcredit.model import Field, FieldObservations, Scene, digest
from cropcredit.ports import FactStore, FieldStore, ObservationStore, Progress, RasterReader, RunStore
from cropcredit.usecases.ndvi_outcomes import CURES, NO_DATA, OUTSIDE
from cropcredit.usecases.progress import quiet
from cropcredit.usecases.quicklook import Pixels, colours_of, look, look_in_colour, pixels
from cropcredit.usecases.refresh_ndvi import KIND, NdviRun, latest_run

LONGEST = 120
"""Pixels of the longest side of a thumbnail; beyond it, one of every two, three … is shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thumbnail:
    """A field on one date."""

    scene_id: str
    acquired_at: datetime
    pixels: Pixels
    field: Rings
    """Outline of the field, in pixels."""
    core: Rings
    """Outline of its core; none where the core is the whole field."""
    mean: float
    """Stored mean over the clear core; NaN where nothing was clear."""
    clear: float
    """Stored clear share of the core, [0, 1]."""
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A field on all dates of a run on which there was data."""

    field: Field
    run: NdviRun
    tile: str
    index: str
    """What the numbers are, and the pixels where there are no ``colours``."""
    colours: tuple[str, ...]
    """Bands shown as red, green and blue light; empty: the index is shown."""
    core_buffer_m: float
    core_pixels: float
    mixed_pixel: bool
    synthetic: bool
    without_data: int
    """Dates on which the scene had no data here; they are not shown."""
    thumbnails: tuple[Thumbnail, ...]
    """In the order of time."""


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
class _Look:
    """One acquisition of the run, with what was stored of the field."""

    unit: str
    row: int
    seen: FieldObservations
    verdict: Verdict


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
        """
        if path.suffix.lower() != ".png":
            raise RefusedInput("a contact sheet is a .png", where=str(path), cure="name it so")
        sheet = self._sheet(field_id, as_of, product, index, rgb=rgb, progress=progress)
        columns, rows = self.draw(sheet, path)
        return SheetWritten(
            path=str(path),
            field=field_id,
            run_id=sheet.run.run_id,
            index=index,
            columns=columns,
            rows=rows,
            scenes=len(sheet.thumbnails),
            held_back=sum(not thumbnail.verdict.usable for thumbnail in sheet.thumbnails),
            without_data=sheet.without_data,
        )

    def _sheet(
        self, field_id: str, as_of: datetime, product: str, index: str, *, rgb: bool, progress: Progress
    ) -> Sheet:
        run = self._run(as_of, product, index)
        field = self._field(field_id, run)
        looks = self._looks(field_id, run, index)
        shown = [each for each in looks if each.seen.data_fraction[each.row] > 0]
        if not shown:
            raise RefusedInput(f"no scene of run {run.run_id} has data there", where=field_id, cure=CURES[NO_DATA])
        manifest = next(m for m in self.runs.manifests(KIND) if m["run_id"] == run.run_id)
        found = self._acquisitions(manifest, run, shown[0].seen.tile)
        colours = colours_of([part for each in shown for part in found[each.seen.scene_id].parts]) if rgb else ()
        config = manifest["config"]
        wet = field.crop_code in config["wet_crops"]
        thumbnails = []
        with progress("dates", len(shown)) as done:
            for each in shown:
                look_at = found[each.seen.scene_id]
                thumbnails.append(
                    self._thumbnail(field, each, look_at, index, colours, margin_m=config["cloud_margin_m"], wet=wet)
                )
                done(1)
        last = shown[-1]
        return Sheet(
            field=field,
            run=run,
            tile=last.seen.tile,
            index=index,
            colours=colours,
            core_buffer_m=float(last.seen.core_buffer_m[last.row]),
            core_pixels=float(last.seen.core_pixels[last.row]),
            mixed_pixel=bool(last.seen.mixed_pixel[last.row]),
            synthetic=any(part.synthetic for each in shown for part in found[each.seen.scene_id].parts),
            without_data=len(looks) - len(shown),
            thumbnails=tuple(thumbnails),
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

    def _looks(self, field_id: str, run: NdviRun, index: str) -> list[_Look]:
        """Find what the run stored of the field, in the order of time; a field lives in one tile."""
        verdicts = {held.unit: Verdict(held.verdict) for held in run.held_back}
        units = sorted({*run.units, *verdicts}, key=_tile)
        for _, together in groupby(units, key=_tile):
            looks = list(self._in_tile(field_id, list(together), run, verdicts, index))
            if looks:
                return sorted(looks, key=lambda each: (each.seen.acquired_at, each.seen.scene_id))
        raise RefusedInput(f"run {run.run_id} did not see it", where=field_id, cure=CURES[OUTSIDE] + ", then run again")

    def _in_tile(
        self, field_id: str, units: Sequence[str], run: NdviRun, verdicts: dict[str, Verdict], index: str
    ) -> Iterator[_Look]:
        for unit in units:
            for seen in self.observations.read([unit], index=index):
                rows = np.flatnonzero(seen.field_ids == field_id)
                if not len(rows):
                    return
                usual = Verdict.EVENT if seen.scene_id in run.events else Verdict.ORDINARY
                yield _Look(unit=unit, row=int(rows[0]), seen=seen, verdict=verdicts.get(unit, usual))

    def _acquisitions(self, manifest: dict[str, Any], run: NdviRun, tile: str) -> dict[str, Acquisition]:
        """Give the acquisitions of a tile by the scene that names them, of the very versions the run read."""
        used = {line["id"]: line["sha256"] for line in manifest["scenes"] if line["tile"] == tile}
        scenes = [s for s in self.facts.find(Scene, as_of=run.as_of, tile=tile) if s.id in used]
        if changed := sorted(used.keys() - {scene.id for scene in scenes if digest(scene) == used[scene.id]}):
            raise StateConflict(f"scene {changed[0]} has changed since run {run.run_id}; run cropcredit ndvi run again")
        return {found.scene.id: found for found in acquisitions(scenes)[0]}

    def _thumbnail(
        self,
        field: Field,
        each: _Look,
        found: Acquisition,
        index: str,
        colours: tuple[str, ...],
        *,
        margin_m: float,
        wet: bool,
    ) -> Thumbnail:
        view = around(field.boundary, found.scene.grid, LONGEST)
        if colours:
            seen = look_in_colour(self.rasters, found.parts, view, colours, margin_m=margin_m)
        else:
            seen = look(self.rasters, found.parts, view, index, margin_m=margin_m)
        boundary = np.array([field.boundary], dtype=object)
        rim = float(each.seen.core_buffer_m[each.row])
        return Thumbnail(
            scene_id=each.seen.scene_id,
            acquired_at=each.seen.acquired_at,
            pixels=pixels(seen, view, colours or (index,), wet=wet),
            field=view.outlines(boundary),
            core=view.outlines(inward(boundary, rim)) if rim else (),
            mean=float(each.seen.core_mean[each.row]),
            clear=float(each.seen.core_clear_fraction[each.row]),
            verdict=each.verdict,
        )


def _tile(unit: str) -> str:
    return unit.partition("/")[0]
