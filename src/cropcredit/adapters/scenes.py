"""Scenes in folders and files: SceneFiles over the forms that ``usecases/add_scenes.py`` documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import rasterio
from rasterio.errors import RasterioError

from cropcredit.adapters.rasters import GDAL
from cropcredit.adapters.safe import SAFE_METADATA, describe_safe
from cropcredit.errors import EmptyInput, MalformedInput, RefusedInput, UnknownName
from cropcredit.model import Band, Offset, SceneDraft

S2_BANDS = {"B02": "blue", "B04": "red", "B05": "rededge", "B08": "nir", "SCL": "scl"}
"""Name in Sentinel-2 files: name in the core."""
RASTERS = (".tif", ".tiff", ".jp2", ".vrt")
DAY = re.compile(r"(?<!\d)(20\d\d|19[89]\d)[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12]\d|3[01])(?!\d)")
DAY_OF_YEAR = re.compile(r"(?:^|[._])A(\d{4}[0-3]\d{2})(?!\d)")
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
        """Describe SAFE folders, ready-made folders and multi-band files."""
        for scene in _within(place, lambda p: p.is_dir() and _is_s2_folder(p)):
            try:
                is_safe = (scene / SAFE_METADATA).is_file()
                yield describe_safe(scene, self.href) if is_safe else self._ready_made(scene)
            except RefusedInput as error:
                yield SceneDraft(id=scene.name, path=str(scene), bands=(), problem=str(error))
        if place.is_file():
            yield self._multiband(place)

    def index_rasters(self, place: Path) -> Iterator[SceneDraft]:
        """Describe single rasters of an index, with their reliability layer where there is one."""
        for file in _within(place, _is_raster):
            if "reliability" in file.name.lower():
                continue
            if not file.stat().st_size:
                empty = EmptyInput("the raster is empty", where=str(file), cure="fetch it again")
                yield SceneDraft(id=file.stem, path=str(file), bands=(), problem=str(empty))
                continue
            bands = [Band("ndvi", self.href(file))]
            quality = file.with_name(re.sub("NDVI", "reliability", file.name, flags=re.IGNORECASE))
            if quality != file and quality.is_file():
                bands.append(Band("reliability", self.href(quality)))
            tile = MODIS_TILE.search(file.stem.replace("_", "."))
            name = "h{}v{}".format(*(part for part in tile.groups() if part)) if tile else ""
            yield SceneDraft(
                id=file.stem, path=str(file), bands=tuple(bands), tile=name, acquired_at=day_in_name(file.stem)
            )

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
        try:
            with rasterio.Env(**GDAL), rasterio.open(file) as raster:
                named = {str(text): number for number, text in enumerate(raster.descriptions, start=1)}
        except RasterioError as error:
            raise MalformedInput(f"the raster cannot be read: {error}", where=str(file)) from error
        bands = tuple(Band(core, self.href(file), named[name]) for name, core in S2_BANDS.items() if name in named)
        return SceneDraft(id=file.stem, path=str(file), bands=bands, acquired_at=day_in_name(file.stem))


FORMS: dict[str, Callable[[SceneFolders, Path], Iterator[SceneDraft]]] = {
    "s2-l2a": SceneFolders.sentinel2,
    "mod13q1": SceneFolders.index_rasters,
    "ndvi": SceneFolders.index_rasters,
}


def day_in_name(name: str) -> datetime | None:
    """Find the first day in a file name, as midnight UTC; None where there is none.

    Examples
    --------
    >>> day_in_name("TERRA_MODIS_012010_NDVI_2014-02-18").date().isoformat()
    '2014-02-18'
    >>> day_in_name("MOD13Q1.A2014049.h12v10.061").date().isoformat()
    '2014-02-18'
    """
    if found := DAY_OF_YEAR.search(name):
        return datetime.strptime(found[1], "%Y%j").replace(tzinfo=UTC)
    found = DAY.search(name)
    return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC) if found else None


def _is_s2_folder(folder: Path) -> bool:
    return (
        any((folder / name).is_file() for name in (SAFE_METADATA, "scene.json"))
        or _band_file(folder, "B04") is not None
    )


def _is_raster(file: Path) -> bool:
    return file.is_file() and file.suffix.lower() in RASTERS


def _band_file(folder: Path, band: str) -> Path | None:
    found = sorted(f for f in folder.glob(f"*{band}.*") if _is_raster(f) and f.stem in (band, f.stem[:-3] + band))
    return found[0] if found else None


def _within(place: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    """Give ``place`` itself where it is wanted, else what is wanted one level below."""
    if wanted(place):
        return [place]
    return sorted(child for child in place.iterdir() if wanted(child)) if place.is_dir() else []
