"""A whole scene as one picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from cropcredit.adapters.pictures.canvas import enlarged, ramp_bar, save, stroke, swatches, write
from cropcredit.adapters.pictures.colours import ALARM, FAINT, INK, PAPER
from cropcredit.usecases.quicklook import LONGEST, ScenePicture

EDGE = 16
HEAD = 62
FOOT = 52
NARROWEST = 760
"""Columns that head and legend take."""


def draw_scene(picture: ScenePicture, path: Path) -> tuple[int, int]:
    """Draw a scene under its name and over a legend; gives columns and rows of the PNG."""
    zoom = max(1, LONGEST // max(picture.view.shape))
    ground = enlarged(picture.pixels, zoom, picture.index)
    if picture.fields:
        stroke(ground, picture.fields, zoom=zoom, width=1.2, colour=INK)
    image = Image.new("RGB", (max(ground.width, NARROWEST) + 2 * EDGE, HEAD + ground.height + FOOT), PAPER)
    image.paste(ground, (EDGE, HEAD))
    _head(image, picture)
    _foot(image, picture, HEAD + ground.height + 14)
    return save(image, path)


def _head(image: Image.Image, picture: ScenePicture) -> None:
    scene, (row_m, column_m) = picture.scene, _pixel(picture)
    write(image, (EDGE, 12), scene.id, size=20)
    unit = "m" if row_m >= 1 else "degrees"
    facts = (
        f"{scene.acquired_at:%Y-%m-%d %H:%M} UTC",
        picture.index,
        f"tile {scene.tile}",
        scene.product,
        f"1 pixel of {picture.view.every} x {picture.view.every}" * (picture.view.every > 1),
        f"{column_m:g} {unit}",
    )
    end = write(image, (EDGE, 38), "  ·  ".join(fact for fact in facts if fact), size=14, colour=FAINT)
    if scene.synthetic:
        write(image, (EDGE + end + 20, 38), "SYNTHETIC DATA", size=14, colour=ALARM)


def _pixel(picture: ScenePicture) -> tuple[float, float]:
    a, _, _, _, e, _ = picture.view.grid.transform
    return -e * picture.view.every, a * picture.view.every


def _foot(image: Image.Image, picture: ScenePicture, top: int) -> None:
    ramp_bar(image, (EDGE + 6, top), picture.index)
    kinds = [("dropped", "dropped by the mask, margin included"), ("missing", "no data")]
    swatches(image, (EDGE + 270, top), [*kinds, ("field", "field")] if picture.fields else kinds)
