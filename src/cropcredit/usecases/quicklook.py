"""Pictures of what a scene shows: what is to be seen on them; an adapter draws it.

Pixels come through the reading, the radiometry and the mask of the NDVI run, so a picture shows what the run counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.errors import MalformedInput, RefusedInput, UnknownRecord
from cropcredit.imagery import (
    Layers,
    Rings,
    View,
    bands_for,
    footprint,
    layers,
    product_of,
    reflectances,
    united,
    whole,
)
from cropcredit.model import Field, Scene
from cropcredit.ports import FactStore, FieldStore, RasterReader
from cropcredit.usecases.ndvi_plan import NdviConfig
from cropcredit.usecases.ndvi_units import samples

LONGEST = 1200
"""Pixels of the longest side of a scene's picture."""
STRIP_ROWS = 1024
"""Rows of a GeoTIFF that are computed at once: of a Sentinel-2 tile 11 million cells."""
SMALLEST = 4
"""Pixels of the picture that a field must reach across to be outlined: smaller ones would hide the ground."""
COLOURS = (("red", "green", "blue"), ("nir", "red", "green"))
"""Bands shown as red, green and blue light: true colour, else false colour."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pixels:
    """What is seen of a rectangle of ground."""

    view: View
    names: tuple[str, ...]
    """One index, or the bands to be shown as red, green and blue light."""
    values: NDArray[np.float32]
    """Shape (rows, columns, names): an index, or reflectance; NaN = no data."""
    present: NDArray[np.bool_]
    """Shape (rows, columns): there is data, be it of a cloud."""
    clear: NDArray[np.bool_]
    """Shape (rows, columns): the mask says that it is of the ground."""

    @property
    def dropped(self) -> NDArray[np.bool_]:
        """Shape (rows, columns): there is data, but the mask says that it is not of the ground."""
        return self.present & ~self.clear


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenePicture:
    """A whole scene."""

    scene: Scene
    pixels: Pixels
    fields: Rings
    """Outlines of fields, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneRaster:
    """A whole scene in full resolution, computed strip by strip from the north."""

    scene: Scene
    names: tuple[str, ...]
    cloud_margin_m: float
    strips: Callable[[], Iterator[Pixels]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was written."""

    path: str
    scene: str
    shown: tuple[str, ...]
    """One index, or three bands."""
    columns: int
    rows: int
    outlined: int
    """Fields outlined on it: those that are large enough to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtScene:
    """Write a picture (.png) or a Cloud Optimised GeoTIFF (.tif) of one scene."""

    facts: FactStore
    fields: FieldStore
    rasters: RasterReader
    draw: Callable[[ScenePicture, Path], tuple[int, int]]
    """Draws a picture into a file; gives its columns and rows."""
    write: Callable[[SceneRaster, Path], tuple[int, int]]
    """Writes a raster into a file; gives its columns and rows."""

    def __call__(self, scene_id: str, path: Path, *, index: str = "NDVI", rgb: bool = False) -> Looked:
        """Look at one scene, with the cloud margin that is usual.

        Parameters
        ----------
        rgb : bool
            Show colours (true where blue, green and red are there, else false) instead of the index.

        Raises
        ------
        UnknownRecord
            If there is no such scene.
        UnknownName, MalformedInput
            If there is no such index, or the scene lacks a band for it.
        RadiometryError
            If the numbers cannot be what the scene says they are.
        RefusedInput
            If the name of the file ends otherwise.
        """
        forms = {".png": self._picture, ".tif": self._raster, ".tiff": self._raster}
        if path.suffix.lower() not in forms:
            raise RefusedInput("a picture is a .png, a raster a .tif", where=str(path), cure="name it so")
        scene = self._scene(scene_id)
        shown = colours_of([scene]) if rgb else (index,)
        (columns, rows), outlined = forms[path.suffix.lower()](scene, shown, path)
        return Looked(path=str(path), scene=scene_id, shown=shown, columns=columns, rows=rows, outlined=outlined)

    def _scene(self, scene_id: str) -> Scene:
        versions = self.facts.history(Scene, scene_id)
        if not versions:
            near = get_close_matches(scene_id, [scene.id for scene in self.facts.find(Scene)])
            cure = f"there are {', '.join(near)}" if near else "cropcredit scenes add PATH… --product P"
            raise UnknownRecord("scene", scene_id, cure=cure)
        return versions[-1]

    def _picture(self, scene: Scene, names: tuple[str, ...], path: Path) -> tuple[tuple[int, int], int]:
        view = whole(scene.grid, LONGEST)
        seen = look(self.rasters, [scene], view, names, margin_m=NdviConfig().cloud_margin_m, checked=True)
        inside = _outlined(self.fields.read(), view)
        return self.draw(ScenePicture(scene=scene, pixels=seen, fields=view.outlines(inside)), path), len(inside)

    def _raster(self, scene: Scene, names: tuple[str, ...], path: Path) -> tuple[tuple[int, int], int]:
        margin_m = NdviConfig().cloud_margin_m

        def strips() -> Iterator[Pixels]:
            rows, columns = scene.grid.shape
            for top in range(0, rows, STRIP_ROWS):
                view = View(scene.grid, ((top, min(top + STRIP_ROWS, rows)), (0, columns)))
                yield look(self.rasters, [scene], view, names, margin_m=margin_m, checked=True)

        return self.write(SceneRaster(scene=scene, names=names, cloud_margin_m=margin_m, strips=strips), path), 0


def look(
    rasters: RasterReader,
    parts: Sequence[Scene],
    view: View,
    names: tuple[str, ...],
    *,
    margin_m: float,
    wet: bool = False,
    checked: bool = False,
) -> Pixels:
    """See the cells of a view in the parts of one acquisition.

    Parameters
    ----------
    names : tuple of str
        One index, or bands from :func:`colours_of`.
    wet : bool
        Water is ground: the field may stand under it (paddy).
    checked : bool
        Ask whether the numbers of an index can be true; of colours the eye judges.
    """
    seen = united([_layers(rasters, scene, view, names, margin_m=margin_m, checked=checked) for scene in parts])
    planes = [seen.indices[name].reshape(view.shape) for name in names]
    clear = (seen.clear_wet if wet else seen.clear).reshape(view.shape)
    present = seen.present.reshape(view.shape)
    return Pixels(view=view, names=names, values=np.stack(planes, axis=-1), present=present, clear=clear)


def colours_of(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Choose the bands of a colour picture that all scenes have.

    Raises
    ------
    MalformedInput
        If they have not enough.
    """
    shared = set.intersection(*({band.name for band in scene.bands} for scene in scenes))
    for colours in COLOURS:
        if shared.issuperset(colours):
            return colours
    raise MalformedInput(
        f"a colour picture takes {' or '.join(', '.join(colours) for colours in COLOURS)}",
        where=scenes[0].id,
        cure="add scenes with these bands, or leave out --rgb",
    )


def _layers(
    rasters: RasterReader, scene: Scene, view: View, names: tuple[str, ...], *, margin_m: float, checked: bool
) -> Layers:
    if names not in COLOURS:
        read = samples(rasters, scene, bands_for(scene, names), view, margin_m=margin_m)
        return layers(scene, read, names, checked=checked)
    product = product_of(scene.product)
    bands = [band for band in scene.bands if band.name in {*product.required, product.mask, *names}]
    return reflectances(scene, samples(rasters, scene, bands, view, margin_m=margin_m), names)


def _outlined(fields: Sequence[Field], view: View) -> NDArray[np.object_]:
    """Choose the boundaries that can be drawn on a picture."""
    boundaries = np.array([field.boundary for field in fields], dtype=object)
    ground = footprint(view.grid)
    shapely.prepare(ground)
    inside = boundaries[shapely.intersects(ground, boundaries)]
    return inside[view.across(inside) >= SMALLEST]
