"""Refresh the observations of all fields: every usable scene as of an instant, once.

How others find the result: :func:`latest_run` gives the run that an ``as_of`` may use, and its ``units`` are what
``ObservationStore.series("NDVI", run.units, field_ids)`` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

import cropcredit
from cropcredit.errors import EmptyInput, RefusedInput, UnknownRecord
from cropcredit.fields import NO_TILE, field_set_hash, home_tiles
from cropcredit.imagery import Verdict, cover, coverage_key, footprint, judge
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
)
from cropcredit.usecases.ndvi_units import TileMatrix, UnitJob, run_unit
from cropcredit.usecases.parallel import in_processes
from cropcredit.usecases.progress import quiet

KIND = "ndvi"
METHOD = "ndvi-1"
"""Change when the numbers change: it is part of the name of every unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NdviConfig:
    """Choices that change the numbers; part of every unit's name and of the manifest."""

    cloud_margin_px: int = 0
    """How far clouds reach beyond their pixels, in 20 m pixels of the scene classification."""
    wet_crops: tuple[str, ...] = ("rice", "paddy")
    """Crop codes whose fields may stand under water: water pixels count there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """A scene that was processed but is not part of the series."""

    scene: str
    unit: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NdviRun:
    """What a run found; equal for equal inputs."""

    run_id: str
    as_of: datetime
    product: str
    field_set: str
    units: tuple[str, ...]
    """Finished units that belong in the series, in the order of acquisition."""
    held_back: tuple[HeldBack, ...]
    """Scenes on which everything collapsed at once, not (yet) believed."""
    events: tuple[str, ...]
    """Scenes on which everything collapsed and stayed down: harvest or flood."""
    outcomes: dict[str, int]
    """Fields by outcome."""
    outside: tuple[str, ...]
    """Fields outside every scene, by id."""
    computed: int = 0
    """Units that this execution computed; the others were finished before. Not part of the manifest."""


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
    config: NdviConfig = field(default_factory=NdviConfig)

    def __call__(self, *, as_of: datetime, product: str = "", workers: int = 1, progress: Progress = quiet) -> NdviRun:
        """Run over all fields and scenes known at ``as_of``.

        Parameters
        ----------
        as_of : datetime
            A scene counts if it was acquired and available by then, a boundary if it was known.
        product : str
            Which product; may be left out where the workspace holds only one.
        workers : int
            Processes.

        Raises
        ------
        EmptyInput
            If there are no fields or no scenes.
        RadiometryError, MalformedInput
            If a scene cannot be what it says it is; units finished before stay finished.
        """
        started = self.clock.now()
        scenes, superseded = self._scenes(as_of, product)
        homes, partly = self._homes(as_of, scenes)
        jobs = [job for tile in sorted(homes) for job in self._jobs(tile, homes[tile], scenes)]
        todo = [job for job in jobs if not self.observations.has(job.unit)]
        self._compute(todo, workers, progress)
        manifest = self._manifest(as_of, scenes, superseded, homes, partly, jobs)
        run_id = digest(manifest)[:16]
        log = {
            "started_at": started.isoformat(),
            "finished_at": self.clock.now().isoformat(),
            "workers": workers,
            "units_computed": len(todo),
            "units_skipped": len(jobs) - len(todo),
        }
        self.runs.write(run_id, {"run_id": run_id, **manifest}, log)
        return _run({"run_id": run_id, **manifest}, computed=len(todo))

    def _scenes(self, as_of: datetime, product: str) -> tuple[list[Scene], list[str]]:
        """Freeze the scene list: what had been acquired and was available, the latest processing of each."""
        known = [s for s in self.facts.find(Scene, as_of=as_of) if s.acquired_at <= as_of and s.available_at <= as_of]
        products = sorted({scene.product for scene in known if product in ("", scene.product)})
        if not products:
            raise EmptyInput(
                f"no {product or 'scene'} is known as of {as_of.isoformat()}".replace("  ", " "),
                cure="cropcredit scenes add PATH… --product P",
            )
        if len(products) > 1:
            raise RefusedInput(f"there are scenes of {', '.join(products)}", cure="name one with --product")
        best: dict[tuple[str, datetime], Scene] = {}
        for scene in sorted(known, key=lambda s: (s.processing_baseline, s.known_at, s.id)):
            if scene.product == products[0]:
                best[scene.tile, scene.acquired_at] = scene
        chosen = sorted(best.values(), key=lambda s: (s.tile, s.acquired_at, s.id))
        names = {scene.id for scene in chosen}
        return chosen, sorted(s.id for s in known if s.product == products[0] and s.id not in names)

    def _homes(self, as_of: datetime, scenes: Sequence[Scene]) -> tuple[dict[str, list[Field]], int]:
        fields = self.fields.read(as_of=as_of)
        if not fields:
            raise EmptyInput(f"no field is known as of {as_of.isoformat()}", cure="cropcredit fields import FILE")
        footprints = {tile: footprint(_widest(scenes, tile)) for tile in sorted({scene.tile for scene in scenes})}
        tiles, shares = home_tiles(np.array([f.boundary for f in fields], dtype=object), footprints)
        homes: dict[str, list[Field]] = {}
        for known, tile in zip(fields, tiles, strict=True):
            homes.setdefault(str(tile), []).append(known)
        return homes, int(np.count_nonzero((shares > 0) & (shares < 1)))

    def _jobs(self, tile: str, fields: Sequence[Field], scenes: Sequence[Scene]) -> list[UnitJob]:
        """Plan the units of one tile, and see to it that their coverage matrices are in the cache."""
        here = [scene for scene in scenes if scene.tile == tile]
        wet = tuple(f.id for f in fields if f.crop_code in self.config.wet_crops)
        field_set = digest((field_set_hash(fields), wet))
        keys = {grid: coverage_key(grid, field_set) for grid in dict.fromkeys(scene.grid for scene in here)}
        for grid, key in keys.items():
            if self.cache.load(key) is None:
                self._cover(fields, wet, grid, key)
        return [
            UnitJob(
                unit=_unit_name(scene, keys[scene.grid], self.config),
                scene=scene,
                coverage=keys[scene.grid],
                cloud_margin_px=self.config.cloud_margin_px,
            )
            for scene in here
        ]

    def _cover(self, fields: Sequence[Field], wet: Sequence[str], grid: Grid, key: str) -> None:
        matrix = TileMatrix(
            coverage=cover(np.array([f.boundary for f in fields], dtype=object), grid),
            field_ids=np.array([f.id for f in fields], dtype=str),
            wet=np.isin([f.id for f in fields], wet),
        )
        self.cache.save(key, matrix.to_arrays())

    def _compute(self, jobs: Sequence[UnitJob], workers: int, progress: Progress) -> None:
        work = partial(run_unit, rasters=self.rasters, cache=self.cache, observations=self.observations)
        with progress("scenes", len(jobs)) as done:
            for _ in map(work, jobs) if workers == 1 else in_processes(work, jobs, workers=workers):
                done(1)

    def _manifest(
        self,
        as_of: datetime,
        scenes: Sequence[Scene],
        superseded: Sequence[str],
        homes: dict[str, list[Field]],
        partly: int,
        jobs: Sequence[UnitJob],
    ) -> dict[str, Any]:
        verdicts, clear = self._judge(jobs)
        outside = sorted(f.id for f in homes.get(NO_TILE, []))
        known = sum(len(fields) for fields in homes.values())
        outcomes = {
            "observed": clear,
            "never_clear": known - len(outside) - clear,
            "outside_every_scene": len(outside),
            "partly_outside": partly,
        }
        return {
            "kind": KIND,
            "as_of": as_of.isoformat(),
            "product": scenes[0].product,
            "method": METHOD,
            "config": asdict(self.config),
            "config_hash": digest(self.config),
            "code_version": cropcredit.__version__,
            "field_set": field_set_hash(f for fields in homes.values() for f in fields),
            "scenes": [_scene_line(scene) for scene in scenes],
            "superseded": list(superseded),
            "without_mask": [s.id for s in scenes if s.product == "s2-l2a" and "scl" not in {b.name for b in s.bands}],
            "units": [job.unit for job in jobs if verdicts[job.unit].usable],
            "held_back": [
                {"scene": job.scene.id, "unit": job.unit, "verdict": verdicts[job.unit].value}
                for job in jobs
                if not verdicts[job.unit].usable
            ],
            "events": [job.scene.id for job in jobs if verdicts[job.unit] is Verdict.EVENT],
            "outcomes": outcomes,
            "outside": outside,
        }

    def _judge(self, jobs: Sequence[UnitJob]) -> tuple[dict[str, Verdict], int]:
        """Judge each scene beside the others of its tile; count the fields that were seen at least once."""
        verdicts: dict[str, Verdict] = {}
        clear = 0
        for tile in sorted({job.scene.tile for job in jobs}):
            here = [job.unit for job in jobs if job.scene.tile == tile]
            seen = [o for o in self.observations.read(here) if o.index == "NDVI"]
            mean = np.column_stack([o.core_mean for o in seen])
            share = np.column_stack([o.core_clear_fraction for o in seen])
            verdicts |= dict(zip(here, judge(mean, share), strict=True))
            clear += int(np.count_nonzero(np.isfinite(mean).any(axis=1)))
        return verdicts, clear


def latest_run(runs: RunStore, as_of: datetime, product: str = "") -> NdviRun:
    """Find the observations that a computation for ``as_of`` may use.

    That is the run with the latest ``as_of`` not after this one; of two with the same, the one that finished last.

    Raises
    ------
    UnknownRecord
        If there is none.
    """
    fitting = [
        run
        for run in (_run(manifest) for manifest in runs.manifests(KIND))
        if run.as_of <= as_of and product in ("", run.product)
    ]
    if not fitting:
        cure = f"cropcredit ndvi run --as-of {as_of.isoformat()}"
        raise UnknownRecord("NDVI run", f"as of {as_of.isoformat()}", cure=cure)
    latest = max(run.as_of for run in fitting)
    return [run for run in fitting if run.as_of == latest][-1]


def _run(manifest: dict[str, Any], *, computed: int = 0) -> NdviRun:
    return NdviRun(
        run_id=manifest["run_id"],
        as_of=datetime.fromisoformat(manifest["as_of"]),
        product=manifest["product"],
        field_set=manifest["field_set"],
        units=tuple(manifest["units"]),
        held_back=tuple(HeldBack(**line) for line in manifest["held_back"]),
        events=tuple(manifest["events"]),
        outcomes=manifest["outcomes"],
        outside=tuple(manifest["outside"]),
        computed=computed,
    )


def _unit_name(scene: Scene, coverage: str, config: NdviConfig) -> str:
    """Name a unit by what its numbers depend on; where the files lie is not among it."""
    said = (scene.product, scene.id, scene.acquired_at, scene.content_hash, scene.processing_baseline, scene.offset)
    bands = [(band.name, band.band) for band in scene.bands]
    key = digest((METHOD, config, coverage, said, bands))[:16]
    return f"{scene.tile}/{scene.acquired_at:%Y-%m}/{key}"


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


def _widest(scenes: Iterable[Scene], tile: str) -> Grid:
    """Give the grid of a tile that covers most ground; one scene may be a part of the tile."""
    grids = {scene.grid: None for scene in scenes if scene.tile == tile}
    return max(grids, key=lambda g: (g.shape[0] * g.shape[1] * abs(g.transform[0] * g.transform[4]), g.transform))
