"""Refresh the observations of all fields: every usable scene as of an instant, once.

How others find the result: :func:`latest_run` gives the run that an ``as_of`` may use, and its ``units`` are what
``ObservationStore.series("NDVI", run.units, field_ids)`` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import numpy as np

import cropcredit
from cropcredit.errors import EmptyInput, RefusedInput, UnknownRecord
from cropcredit.fields import NO_TILE, field_set_hash, home_tiles
from cropcredit.imagery import Acquisition, acquisitions, footprint, product_of
from cropcredit.model import Field, Grid, Scene, digest
from cropcredit.ports import (
    Clock,
    CoverageCache,
    FactStore,
    FieldStore,
    ObservationStore,
    Progress,
    RasterReader,
    RunStore,
    Spread,
)
from cropcredit.usecases.ndvi_outcomes import CURES, OUTSIDE, HeldBack, Outcomes, outcomes
from cropcredit.usecases.ndvi_plan import METHOD, NdviConfig, TilePlan, plan_tile
from cropcredit.usecases.ndvi_units import run_cover, run_unit
from cropcredit.usecases.parallel import one_by_one
from cropcredit.usecases.progress import quiet

KIND = "ndvi"
UNOBSERVED = "unobserved"
"""Table beside the manifest: every field that got nothing, and why."""
JobT = TypeVar("JobT")


@dataclass(frozen=True, slots=True, kw_only=True)
class NdviRun:
    """What a run found; equal for equal inputs."""

    run_id: str
    as_of: datetime
    product: str
    indices: tuple[str, ...]
    field_set: str
    units: tuple[str, ...]
    """Finished units that belong in the series, in the order of acquisition."""
    held_back: tuple[HeldBack, ...]
    """Scenes on which everything collapsed at once, not (yet) believed."""
    events: tuple[str, ...]
    """Scenes on which everything collapsed and stayed down: harvest or flood."""
    outcomes: dict[str, int]
    """Fields by outcome."""
    without_data: tuple[str, ...] = ()
    """Scenes that pass over the fields of their tile without data for any of them."""
    unobserved: tuple[tuple[str, str], ...] = ()
    """(field, reason) of every field that got nothing; kept beside the manifest, so empty when read back from it."""
    computed: int = 0
    """Units that this execution computed; the others were finished before. Not part of the manifest."""

    @property
    def outside(self) -> tuple[str, ...]:
        """Fields outside every scene, by id."""
        return tuple(field for field, reason in self.unobserved if reason == OUTSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshNdvi:
    """Bring the observations of all fields up to date."""

    facts: FactStore
    fields: FieldStore
    rasters: RasterReader
    cache: CoverageCache
    observations: ObservationStore
    runs: RunStore
    clock: Clock

    def __call__(
        self,
        *,
        as_of: datetime,
        product: str = "",
        config: NdviConfig | None = None,
        spread: Spread = one_by_one,
        progress: Progress = quiet,
    ) -> NdviRun:
        """Run over all fields and scenes known at ``as_of``.

        Parameters
        ----------
        as_of : datetime
            A scene counts if it was acquired and available by then, a boundary if it was known.
        product : str
            Which product; may be left out where the workspace holds only one.
        spread : Spread
            Where the units are computed: here, in processes, on a cluster.

        Raises
        ------
        EmptyInput
            If there are no fields or no scenes.
        RadiometryError, MalformedInput
            If a scene cannot be what it says it is; units finished before stay finished.
        """
        started = self.clock.now()
        chosen = config or NdviConfig()
        looks, superseded = acquisitions(self._scenes(as_of, product))
        homes, partly = self._homes(as_of, looks)
        outside = homes.pop(NO_TILE, [])
        tiles = [
            plan_tile(homes[tile], [look for look in looks if look.scene.tile == tile], chosen)
            for tile in sorted(homes)
        ]
        computed = self._compute(tiles, spread, progress)
        found = outcomes(tiles, outside, self.observations)
        manifest = {
            "kind": KIND,
            "as_of": as_of.isoformat(),
            "product": looks[0].scene.product,
            "indices": chosen.indices_of(looks[0].scene.product) or product_of(looks[0].scene.product).layers,
            "method": METHOD,
            "config": asdict(chosen),
            "config_hash": digest(chosen),
            "code_version": cropcredit.__version__,
            "field_set": field_set_hash([*outside, *(field for tile in tiles for field in tile.fields)]),
            "scenes": [_scene_line(scene) for look in looks for scene in look.parts],
            "superseded": [scene.id for scene in superseded],
            "without_mask": [look.scene.id for look in looks if _unmasked(look.scene)],
            **_outcome_lines(found, partly),
        }
        run_id = digest(manifest)[:16]
        log = {
            "started_at": started.isoformat(),
            "finished_at": self.clock.now().isoformat(),
            "units_computed": computed,
            "units_skipped": sum(len(tile.units) for tile in tiles) - computed,
        }
        lines = [{"field": name, "reason": reason, "cure": CURES[reason]} for name, reason in found.unobserved]
        self.runs.write(run_id, {"run_id": run_id, **manifest}, log, {UNOBSERVED: lines})
        return _run({"run_id": run_id, **manifest}, unobserved=found.unobserved, computed=computed)

    def _scenes(self, as_of: datetime, product: str) -> list[Scene]:
        """Freeze the scene list: what had been acquired and was available."""
        known = [s for s in self.facts.find(Scene, as_of=as_of) if s.acquired_at <= as_of and s.available_at <= as_of]
        products = sorted({scene.product for scene in known if product in ("", scene.product)})
        if not products:
            raise EmptyInput(
                f"no {product or 'scene'} is known as of {as_of.isoformat()}".replace("  ", " "),
                cure="cropcredit scenes add PATH… --product P",
            )
        if len(products) > 1:
            raise RefusedInput(f"there are scenes of {', '.join(products)}", cure="name one with --product")
        return [scene for scene in known if scene.product == products[0]]

    def _homes(self, as_of: datetime, looks: Sequence[Acquisition]) -> tuple[dict[str, list[Field]], int]:
        fields = self.fields.read(as_of=as_of)
        if not fields:
            raise EmptyInput(f"no field is known as of {as_of.isoformat()}", cure="cropcredit fields import FILE")
        footprints = {tile: footprint(_widest(looks, tile)) for tile in sorted({look.scene.tile for look in looks})}
        tiles, shares = home_tiles(np.array([f.boundary for f in fields], dtype=object), footprints)
        homes: dict[str, list[Field]] = {}
        for known, tile in zip(fields, tiles, strict=True):
            homes.setdefault(str(tile), []).append(known)
        return homes, int(np.count_nonzero((shares > 0) & (shares < 1)))

    def _compute(self, tiles: Sequence[TilePlan], spread: Spread, progress: Progress) -> int:
        """Compute what is not finished yet: first the matrices that are needed, then the units; returns how many."""
        todo = [job for tile in tiles for job in tile.units if not self.observations.has(job.unit)]
        needed = {job.coverage for job in todo}
        covers = [c for tile in tiles for c in tile.covers if c.key in needed and not self.cache.has(c.key)]
        _work(partial(run_cover, cache=self.cache), covers, "tiles", spread, progress)
        unit = partial(run_unit, rasters=self.rasters, cache=self.cache, observations=self.observations)
        _work(unit, todo, "scenes", spread, progress)
        return len(todo)


def latest_run(runs: RunStore, as_of: datetime, product: str = "", *, index: str = "NDVI") -> NdviRun:
    """Find the observations of an index that a computation for ``as_of`` may use.

    That is the run with the latest ``as_of`` not after this one; of two with the same, the one that finished last.

    Raises
    ------
    UnknownRecord
        If there is none.
    """
    fitting = [
        run
        for run in (_run(manifest) for manifest in runs.manifests(KIND))
        if run.as_of <= as_of and product in ("", run.product) and index in run.indices
    ]
    if not fitting:
        cure = f"cropcredit ndvi run --as-of {as_of.isoformat()}"
        raise UnknownRecord("NDVI run", f"as of {as_of.isoformat()}", cure=cure)
    latest = max(run.as_of for run in fitting)
    return [run for run in fitting if run.as_of == latest][-1]


def _work(work: Callable[[JobT], object], jobs: Sequence[JobT], label: str, spread: Spread, progress: Progress) -> None:
    with progress(label, len(jobs)) as done:
        for _ in spread(work, jobs):
            done(1)


def _run(manifest: dict[str, Any], *, unobserved: tuple[tuple[str, str], ...] = (), computed: int = 0) -> NdviRun:
    return NdviRun(
        run_id=manifest["run_id"],
        as_of=datetime.fromisoformat(manifest["as_of"]),
        product=manifest["product"],
        indices=tuple(manifest["indices"]),
        field_set=manifest["field_set"],
        units=tuple(manifest["units"]),
        held_back=tuple(HeldBack(**line) for line in manifest["held_back"]),
        events=tuple(manifest["events"]),
        outcomes=manifest["outcomes"],
        without_data=tuple(manifest.get("without_data", ())),
        unobserved=unobserved,
        computed=computed,
    )


def _outcome_lines(found: Outcomes, partly: int) -> dict[str, Any]:
    return {
        "units": list(found.units),
        "held_back": [asdict(held) for held in found.held_back],
        "events": list(found.events),
        "without_data": list(found.without_data),
        "outcomes": {**found.counts, "partly_outside": partly},
        "unobserved_hash": digest(found.unobserved),
    }


def _scene_line(scene: Scene) -> dict[str, Any]:
    return {
        "id": scene.id,
        "tile": scene.tile,
        "acquired_at": scene.acquired_at.isoformat(),
        "available_at": scene.available_at.isoformat(),
        "processing_baseline": scene.processing_baseline,
        "offset": scene.offset.value,
        "content_hash": scene.content_hash,
        "sha256": digest(scene),
    }


def _unmasked(scene: Scene) -> bool:
    mask = product_of(scene.product).mask
    return mask != "" and mask not in {band.name for band in scene.bands}


def _widest(looks: Sequence[Acquisition], tile: str) -> Grid:
    """Give the grid of a tile that covers most ground; one scene may be a part of the tile."""
    grids = {look.scene.grid: None for look in looks if look.scene.tile == tile}
    return max(grids, key=lambda g: (g.shape[0] * g.shape[1] * abs(g.transform[0] * g.transform[4]), g.transform))
