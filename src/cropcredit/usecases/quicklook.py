"""Pictures of what a scene shows: what is to be seen on them; an adapter draws it.

Pixels come through the reading, the radiometry and the mask of the NDVI run, so a picture shows what the run counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
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
from cropcredit.model import Field, Grid, Scene
from cropcredit.ports import FactStore, FieldStore, RasterReader
from cropcredit.usecases.ndvi_plan import NdviConfig
from cropcredit.usecases.ndvi_units import samples

LONGEST = 1200
"""Pixels of the longest side of a scene's picture."""
STRIP_ROWS = 1024
"""Rows of a GeoTIFF that are computed at once: of a Sentinel-2 tile 11 million cells."""
COLOURS = (("red", "green", "blue"), ("nir", "red", "green"))
"""Bands shown as red, green and blue light: true colour, else false colour."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pixels:
    """What is seen of a rectangle of ground."""

    values: NDArray[np.float32]
    """Shape (rows, columns): an index; or (rows, columns, 3): reflectance of three bands. NaN = no data."""
    dropped: NDArray[np.bool_]
    """Shape (rows, columns): there is data, but the mask says that it is not of the ground."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScenePicture:
    """One index of a whole scene."""

    scene: Scene
    index: str
    view: View
    pixels: Pixels
    fields: Rings
    """Outlines of the fields known, in pixels of the view."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndexRaster:
    """One index of a scene in full resolution, computed strip by strip; NaN where the ground was not seen."""

    scene: Scene
    index: str
    cloud_margin_m: float
    strips: Callable[[], Iterator[tuple[View, NDArray[np.float32]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was written."""

    path: str
    scene: str
    index: str
    columns: int
    rows: int
    fields: int
    """Outlined on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtScene:
    """Write a picture (.png) or a Cloud Optimised GeoTIFF (.tif) of an index of one scene."""

    facts: FactStore
    fields: FieldStore
    rasters: RasterReader
    draw: Callable[[ScenePicture, Path], tuple[int, int]]
    """Draws a picture into a file; gives its columns and rows."""
    write: Callable[[IndexRaster, Path], tuple[int, int]]
    """Writes a raster into a file; gives its columns and rows."""

    def __call__(self, scene_id: str, path: Path, *, index: str = "NDVI") -> Looked:
        """Look at one scene, with the cloud margin that is usual.

        Raises
        ------
        UnknownRecord
            If there is no such scene.
        UnknownName
            If there is no such index.
        RefusedInput
            If the name of the file ends otherwise.
        """
        forms = {".png": self._picture, ".tif": self._raster, ".tiff": self._raster}
        if path.suffix.lower() not in forms:
            raise RefusedInput("a picture is a .png, a raster a .tif", where=str(path), cure="name it so")
        (columns, rows), fields = forms[path.suffix.lower()](self._scene(scene_id), index, path)
        return Looked(path=str(path), scene=scene_id, index=index, columns=columns, rows=rows, fields=fields)

    def _scene(self, scene_id: str) -> Scene:
        versions = self.facts.history(Scene, scene_id)
        if not versions:
            raise UnknownRecord("scene", scene_id, cure="cropcredit scenes add PATH… --product P")
        return versions[-1]

    def _picture(self, scene: Scene, index: str, path: Path) -> tuple[tuple[int, int], int]:
        view = whole(scene.grid, LONGEST)
        seen = look(self.rasters, [scene], view, index, margin_m=NdviConfig().cloud_margin_m, checked=True)
        inside = _inside(self.fields.read(), scene.grid)
        picture = ScenePicture(
            scene=scene, index=index, view=view, pixels=pixels(seen, view, (index,)), fields=view.outlines(inside)
        )
        return self.draw(picture, path), len(inside)

    def _raster(self, scene: Scene, index: str, path: Path) -> tuple[tuple[int, int], int]:
        margin_m = NdviConfig().cloud_margin_m

        def strips() -> Iterator[tuple[View, NDArray[np.float32]]]:
            rows, columns = scene.grid.shape
            for top in range(0, rows, STRIP_ROWS):
                view = View(scene.grid, ((top, min(top + STRIP_ROWS, rows)), (0, columns)))
                seen = look(self.rasters, [scene], view, index, margin_m=margin_m)
                yield view, np.where(seen.clear, seen.indices[index], np.float32(np.nan)).reshape(view.shape)

        return self.write(IndexRaster(scene=scene, index=index, cloud_margin_m=margin_m, strips=strips), path), 0


def look(
    rasters: RasterReader, parts: Sequence[Scene], view: View, index: str, *, margin_m: float, checked: bool = False
) -> Layers:
    """Compute one index at the cells of a view from the parts of one acquisition."""
    seen = []
    for scene in parts:
        read = samples(rasters, scene, bands_for(scene, (index,)), view, margin_m=margin_m)
        seen.append(layers(scene, read, (index,), checked=checked))
    return united(seen)


def look_in_colour(
    rasters: RasterReader, parts: Sequence[Scene], view: View, colours: Sequence[str], *, margin_m: float
) -> Layers:
    """Read three bands at the cells of a view from the parts of one acquisition, as reflectance."""
    seen = []
    for scene in parts:
        product = product_of(scene.product)
        bands = [band for band in scene.bands if band.name in {*product.required, product.mask, *colours}]
        seen.append(reflectances(scene, samples(rasters, scene, bands, view, margin_m=margin_m), colours))
    return united(seen)


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


def pixels(seen: Layers, view: View, names: Sequence[str], *, wet: bool = False) -> Pixels:
    """Lay layers out as the rectangle of a view; one name gives an index, three give colours."""
    planes = [seen.indices[name].reshape(view.shape) for name in names]
    dropped = seen.present & ~(seen.clear_wet if wet else seen.clear)
    return Pixels(values=planes[0] if len(planes) == 1 else np.dstack(planes), dropped=dropped.reshape(view.shape))


def _inside(fields: Sequence[Field], grid: Grid) -> NDArray[np.object_]:
    boundaries = np.array([field.boundary for field in fields], dtype=object)
    return boundaries[shapely.intersects(boundaries, shapely.box(*shapely.bounds(footprint(grid))))]
