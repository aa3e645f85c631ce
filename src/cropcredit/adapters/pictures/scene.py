"""A whole scene as one picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from cropcredit.adapters.pictures.canvas import enlarged, head, legend, outline, pixel_size, save, stacked
from cropcredit.usecases.quicklook import LONGEST, SMALLEST, ScenePicture


def draw_scene(picture: ScenePicture, path: Path) -> tuple[int, int]:
    """Draw a scene under its name and legend; gives columns and rows of the PNG."""
    pixels = picture.pixels
    zoom = max(1, LONGEST // max(pixels.dropped.shape))
    ground = enlarged(pixels, zoom)
    kinds = {"dropped": "dropped by the mask, margin included", "missing": "no data"}
    if picture.fields:
        outline(ground, picture.fields, zoom=zoom)
        kinds["field"] = f"field of {SMALLEST} pixels or more"
    return save(stacked([_head(picture), legend(pixels.names, **kinds), ground]), path)


def _head(picture: ScenePicture) -> Image.Image:
    scene = picture.scene
    taken = f"{scene.acquired_at:%Y-%m-%d %H:%M} UTC"
    facts = (taken, f"tile {scene.tile}", scene.product, pixel_size(picture.pixels.view))
    return head(scene.id, facts, synthetic=scene.synthetic)
