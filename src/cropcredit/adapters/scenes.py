"""Scenes in folders and files: SceneFiles over the forms that ``usecases/add_scenes.py`` documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from cropcredit.adapters.hdf4 import modis_bands
from cropcredit.adapters.landsat import describe_landsat
from cropcredit.adapters.rasters import described_bands
from cropcredit.adapters.safe import SAFE_METADATA, describe_safe
from cropcredit.adapters.scene_names import S2_BANDS, day_in_name, may_hold
from cropcredit.adapters.sentinel1 import describe_sentinel1
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput, UnknownName
from cropcredit.model import Band, Offset, SceneDraft

RASTERS = (".tif", ".tiff", ".jp2", ".vrt")
SHORT_BAND = re.compile(r"^B(?=\d$)")
"""``B4``: so some platforms write ``B04``."""
MODIS_LAYERS = {"evi": ("EVI",), "reliability": ("reliability", "pixel_reliability")}
"""Name in the core: what names of files say."""
MODIS_TILE = re.compile(r"(?<![A-Za-z0-9])(?:h(\d{2})v(\d{2})|0(\d{2})0(\d{2}))(?![A-Za-z0-9])")


class SceneSheet(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``scene.json`` of a ready-made folder."""

    id: str
    tile: str
    acquired_at: datetime
    available_at: datetime | None = None
    processing_baseline: str = ""
    offset: Offset | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFolders:
    """SceneFiles on the local disk."""

    root: Path
    """The workspace: files below it are named relative to it, so that it can be moved."""

    def describe(self, path: str, product: str) -> list[SceneDraft]:
        """Describe the scenes at ``path``; see :class:`cropcredit.ports.SceneFiles`."""
        if product not in FORMS:
            raise UnknownName("product", product, tuple(FORMS), where=path)
        place = Path(path).absolute()
        if not place.exists():
            raise MalformedInput("there is no such file or folder", where=path)
        found = list(FORMS[product](self, place))
        if not found:
            raise EmptyInput(
                f"holds no {product} scene", where=path, cure="cropcredit scenes add --help names the forms"
            )
        return found

    def href(self, file: Path) -> str:
        """Name a file: relative to the workspace where it lies inside, else absolute."""
        return str(file.relative_to(self.root) if file.is_relative_to(self.root) else file)

    def sentinel2(self, place: Path) -> Iterator[SceneDraft]:
        """Describe SAFE folders, ready-made folders and multi-band files; other rasters beside them are passed over."""
        for scene in _within(place, _is_s2_scene):
            draft = self._sentinel2(scene)
            if draft.bands or draft.problem or scene == place:
                yield draft

    def landsat(self, place: Path) -> Iterator[SceneDraft]:
        """Describe the scenes whose files lie in a folder, or one level below."""
        return describe_landsat(_rasters(place), self.href)

    def sentinel1(self, place: Path) -> Iterator[SceneDraft]:
        """Describe files of described bands, and files of one polarisation each."""
        return describe_sentinel1(_rasters(place), self.href)

    def mod13q1(self, place: Path) -> Iterator[SceneDraft]:
        """Describe MOD13Q1 as HDF4, or its exported layers."""
        for file in _within(place, _is_hdf):
            yield self._composite(file, modis_bands(self.href(file)))
        for draft in self.index_rasters(place, "ndvi"):
            beside = () if draft.problem else self._beside(Path(draft.path))
            yield replace(draft, bands=(*draft.bands, *beside))

    def _beside(self, ndvi: Path) -> Iterator[Band]:
        """Find the other layers of an exported composite: their names say them in the place of NDVI."""
        for name, texts in MODIS_LAYERS.items():
            files = (ndvi.with_name(re.sub("NDVI", text, ndvi.name, flags=re.IGNORECASE)) for text in texts)
            if found := next((file for file in files if file != ndvi and file.is_file()), None):
                yield Band(name, self.href(found))

    def index_rasters(self, place: Path, name: str) -> Iterator[SceneDraft]:
        """Describe single rasters of one index."""
        for file in _within(place, _is_raster):
            if not may_hold(name, file.stem):
                continue
            if not file.stat().st_size:
                empty = EmptyInput("the raster is empty", where=str(file), cure="fetch it again")
                yield SceneDraft(id=file.stem, path=str(file), bands=(), problem=str(empty))
                continue
            yield self._composite(file, (Band(name, self.href(file)),))

    def _composite(self, file: Path, bands: tuple[Band, ...]) -> SceneDraft:
        """Describe one raster, whose name tells its day and, of MODIS, its tile."""
        found = MODIS_TILE.search(file.stem.replace("_", "."))
        tile = "h{}v{}".format(*(part for part in found.groups() if part)) if found else ""
        return SceneDraft(id=file.stem, path=str(file), bands=bands, tile=tile, acquired_at=day_in_name(file.stem))

    def _sentinel2(self, scene: Path) -> SceneDraft:
        try:
            if scene.is_file():
                return self._multiband(scene)
            is_safe = (scene / SAFE_METADATA).is_file()
            return describe_safe(scene, self.href) if is_safe else self._ready_made(scene)
        except RefusedInput as error:
            return SceneDraft(id=scene.name, path=str(scene), bands=(), problem=str(error))

    def _ready_made(self, folder: Path) -> SceneDraft:
        files = {name: _band_file(folder, name) for name in S2_BANDS}
        bands = tuple(Band(S2_BANDS[name], self.href(file)) for name, file in files.items() if file)
        sheet = folder / "scene.json"
        if not sheet.is_file():
            return SceneDraft(id=folder.name, path=str(folder), bands=bands, acquired_at=day_in_name(folder.name))
        try:
            said = msgspec.json.decode(sheet.read_bytes(), type=SceneSheet)
        except msgspec.DecodeError as error:
            raise MalformedInput(f"is not a scene sheet: {error}", where=str(sheet)) from None
        return SceneDraft(path=str(folder), bands=bands, **msgspec.structs.asdict(said))

    def _multiband(self, file: Path) -> SceneDraft:
        named = {SHORT_BAND.sub("B0", text): number for text, number in described_bands(file).items()}
        bands = tuple(Band(core, self.href(file), named[name]) for name, core in S2_BANDS.items() if name in named)
        return SceneDraft(id=file.stem, path=str(file), bands=bands, acquired_at=day_in_name(file.stem))


FORMS: dict[str, Callable[[SceneFolders, Path], Iterator[SceneDraft]]] = {
    "s2-l2a": SceneFolders.sentinel2,
    "landsat-c2-l2": SceneFolders.landsat,
    "sentinel-1-rtc": SceneFolders.sentinel1,
    "mod13q1": SceneFolders.mod13q1,
    **{name: partial(SceneFolders.index_rasters, name=name) for name in ("ndvi", "evi2", "ndre")},
}


def _is_s2_scene(place: Path) -> bool:
    if not place.is_dir():
        return _is_raster(place)
    known = any((place / name).is_file() for name in (SAFE_METADATA, "scene.json"))
    return known or _band_file(place, "B04") is not None


def _is_raster(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in RASTERS


def _is_hdf(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() == ".hdf"


def _rasters(place: Path) -> list[Path]:
    """Give the raster itself, or those in a folder and one level below, by name."""
    if place.is_file():
        return [place]
    return sorted(file for pattern in ("*", "*/*") for file in place.glob(pattern) if _is_raster(file))


def _band_file(folder: Path, band: str) -> Path | None:
    found = sorted(f for f in folder.glob(f"*{band}.*") if _is_raster(f) and f.stem in (band, f.stem[:-3] + band))
    return found[0] if found else None


def _within(place: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """Give ``place`` itself where it is wanted, else what is wanted one level below."""
    if wanted(place):
        return [place]
    return sorted(child for child in place.iterdir() if wanted(child)) if place.is_dir() else []
