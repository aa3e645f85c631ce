"""Put scenes into the scene table: what was acquired, when it became available, on which grid, in which files.

Forms that ``scenes add PATH… --product P`` accepts. A folder that is not itself a scene is searched one level down;
rasters in it that are of another layer (angles, heights, pictures, another index) are passed over. The bands of a scene
share one upper left corner, and a coarser one has a whole multiple of the finest pixel. Where neither file nor name
tells tile or day, ``--tile`` and ``--date`` do.

==============  =======================================================================================================
product         form
==============  =======================================================================================================
s2-l2a          *Ready-made folder*, one per scene, named ``S2_<tile>_<YYYYMMDD>``, with rasters of one band on one grid

                * ``B04.tif`` (red) and ``B08.tif`` (near infrared), 10 m, required; ``B02`` (blue) and ``B03`` (green),
                  10 m, ``B05`` to ``B07`` (red edge, rededge2, rededge3), ``B11`` and ``B12`` (short-wave infrared),
                  10 or 20 m, optional: digital numbers, uint16, reflectance = 1e-4 x (DN + offset); DN 0 and 65535 are
                  no data;
                * ``SCL.tif``: Sen2Cor scene classes 0-11, uint8, 20 m or 10 m; optional;
                * ``scene.json``: ``{"id", "tile", "acquired_at", "available_at", "processing_baseline", "offset",
                  "synthetic"}``; times are RFC 3339 with a zone, ``processing_baseline`` is text such as ``"05.10"``,
                  ``offset`` is ``"applied"``, ``"not_applied"`` or ``"auto"``, ``synthetic`` true or false (default
                  false).

                *SAFE folder* as the Copernicus archive ships it; its ``MTD_MSIL2A.xml`` tells the rest.

                *One multi-band GeoTIFF* whose bands are described ``B04``, ``B08``, ``SCL`` … (or ``B4``, ``B8``): the
                day stands in the file name.
landsat-c2-l2   Files of the archive, by their names: ``LC09_L2SP_122036_20250601_20250603_02_T1_SR_B4.TIF`` …, and
                ``…_QA_PIXEL.TIF``, of Landsat 4 to 9, many scenes in one folder or one folder each. The name tells
                tile (path and row), day, tier and the day of processing, after which it counts as available.
                Reflectance = 2.75e-5 x DN - 0.2, valid DN 7273 to 43636.
sentinel-1-rtc  Backscatter (gamma0 or sigma0), as linear power or in decibels, whichever the numbers show:

                * one raster per polarisation, ``<scene>_VV.tif`` and ``<scene>_VH.tif`` (``-vv``, ``vv.rtc`` …), or
                  ``iw-vv.rtc.tiff`` in a folder that is named after the scene;
                * one GeoTIFF whose bands are described ``VV`` and ``VH``.

                VV is required. The first instant or day in the name counts; 0, NaN and the nodata tag are no data.
mod13q1         *HDF4* as the archive ships it (``MOD13Q1.A2014049.h12v10.061.….hdf``), through the optional pyhdf:
                NDVI, EVI and pixel reliability.

                *Exported layers* (GeoTIFF, JPEG 2000): int16 x 1e-4, valid -2000 to 10000. The first day of the 16-day
                period stands in the file name (``…_2014-02-18.jp2``, ``.A2014049.`` or ``doy2014049``). Files beside it
                with ``reliability`` (or ``pixel_reliability``) and ``EVI`` instead of ``NDVI`` in their names are its
                other layers.
ndvi            One ready-made raster of NDVI: floating point in (-0.99, 1], or int16 x 1e-4; NaN and the nodata tag are
                no data; the day stands in the file name.
evi2, ndre      The same of EVI2 and NDRE.
==============  =======================================================================================================

``offset`` says what the *source declares* about the additive radiometric offset (-1000 since processing baseline
04.00): ``applied`` means the archive already added it, ``not_applied`` that we must, ``auto`` that the processing
baseline in the metadata decides. Without a baseline neither ``auto`` nor ``not_applied`` can be honoured, and the scene
is refused.

Files that do not say when they became available declare the lag of their product after the acquisition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.imagery import product_of, refinement
from cropcredit.imagery.radiometry import s2_offset_dn
from cropcredit.model import Grid, Offset, Scene, SceneDraft
from cropcredit.ports import FactStore, Progress, RasterReader, SceneFiles
from cropcredit.usecases.progress import quiet

TILE = re.compile(r"[A-Za-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the person adding the scenes says; it goes before what the files say."""

    offset: Offset | None = None
    processing_baseline: str = ""
    available_at: datetime | None = None
    acquired_at: datetime | None = None
    tile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneOutcome:
    """What became of one scene."""

    id: str
    path: str
    outcome: str
    """``added``, ``unchanged`` or ``refused``."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddScenes:
    """Describe scenes, check that they can be read, hash them and put them into the scene table."""

    facts: FactStore
    files: SceneFiles
    rasters: RasterReader

    def __call__(
        self, paths: Sequence[str], *, product: str, declared: Declared | None = None, progress: Progress = quiet
    ) -> list[SceneOutcome]:
        """Add the scenes at ``paths``; a bad one is refused with its reason and never stops the others.

        Raises
        ------
        RefusedInput
            If a path holds no scene of that product at all, or the product is unknown.
        """
        drafts = [replace(draft, product=product) for path in paths for draft in self.files.describe(path, product)]
        return self.add(drafts, declared=declared, progress=progress)

    def add(
        self, drafts: Sequence[SceneDraft], *, declared: Declared | None = None, progress: Progress = quiet
    ) -> list[SceneOutcome]:
        """Add scenes that somebody has described, from files or from a catalogue; a bad one never stops the others."""
        products = {draft.product for draft in drafts}
        scenes = [scene for product in sorted(products) for scene in self.facts.find(Scene, product=product)]
        held = {_pixels(scene): scene.id for scene in scenes}
        outcomes = []
        with progress("scenes", len(drafts)) as done:
            for draft in drafts:
                outcomes.append(self._add(draft, declared or Declared(), held))
                done(1)
        return outcomes

    def _add(self, draft: SceneDraft, declared: Declared, held: dict[tuple[str, ...], str]) -> SceneOutcome:
        draft = judged(draft, declared)
        if draft.problem:
            return SceneOutcome(id=draft.id, path=draft.path, outcome="refused", reason=draft.problem)
        try:
            scene = self._scene(draft)
        except RefusedInput as error:
            return SceneOutcome(id=draft.id, path=draft.path, outcome="refused", reason=str(error))
        twin = held.setdefault(_pixels(scene), scene.id)
        added = self.facts.add(scene)
        reason = "; ".join(filter(None, (draft.note, f"same pixels as {twin}" if twin != scene.id else "")))
        return SceneOutcome(id=scene.id, path=draft.path, outcome="added" if added else "unchanged", reason=reason)

    def _scene(self, draft: SceneDraft) -> Scene:
        assert draft.acquired_at is not None, "judged"
        product = draft.product
        available_at = draft.available_at or draft.acquired_at + product_of(product).lag
        return Scene(
            id=draft.id,
            known_at=available_at,
            product=product,
            tile=draft.tile,
            acquired_at=draft.acquired_at,
            available_at=available_at,
            grid=draft.grid or self._grid(draft),
            bands=draft.bands,
            processing_baseline=draft.processing_baseline,
            offset=_offset(draft),
            content_hash=draft.content_hash or self.rasters.content_hash([band.href for band in draft.bands]),
            datatake=draft.datatake,
            relative_orbit=draft.relative_orbit,
            synthetic=draft.synthetic,
        )

    def _grid(self, draft: SceneDraft) -> Grid:
        """Find the finest grid, check that the others lie on it, and read the last row of each band.

        A file cut short is found here, not in the middle of a run.
        """
        grids = {band: self.rasters.info(band.href, band=band.band).grid for band in draft.bands}
        finest = min(grids.values(), key=lambda grid: grid.transform[0])
        for band, grid in grids.items():
            refinement(finest, grid, where=f"{draft.path} {band.name}")
            rows, columns = grid.shape
            list(self.rasters.read(band.href, [((rows - 1, rows), (0, columns))], band=band.band))
        return finest


def _pixels(scene: Scene) -> tuple[str, ...]:
    return scene.product, scene.tile, scene.content_hash


def _offset(draft: SceneDraft) -> Offset:
    return draft.offset or (Offset.AUTO if draft.product == "s2-l2a" else Offset.APPLIED)


def judged(draft: SceneDraft, declared: Declared) -> SceneDraft:
    """Complete a draft by what a person declares; what then still speaks against the scene is its ``problem``."""
    said = {name: getattr(declared, name) for name in Declared.__slots__ if getattr(declared, name)}
    full = replace(draft, **said)
    try:
        if not full.problem:
            _check(full)
    except RefusedInput as error:
        return replace(full, problem=str(error))
    return full


def _check(draft: SceneDraft) -> None:
    product = product_of(draft.product, where=draft.path)
    missing = [name for name in product.required if name not in {band.name for band in draft.bands}]
    if missing:
        raise MalformedInput(f"has no band {' and '.join(missing)}", where=draft.path)
    if draft.acquired_at is None:
        raise MalformedInput("does not say when it was acquired", where=draft.path, cure="say it: --date 2025-06-01")
    if draft.acquired_at.tzinfo is None:
        raise MalformedInput("acquired_at has no time zone", where=draft.path, cure="write it as 2025-06-01T03:10:00Z")
    if not TILE.fullmatch(draft.tile):
        raise MalformedInput(f"tile {draft.tile!r} is not a name", where=draft.path, cure="say it: --tile 50SMJ")
    if draft.product == "s2-l2a":
        s2_offset_dn(_offset(draft), draft.processing_baseline, where=draft.path)
