"""Strokes of the pen that all pictures share: pixels, outlines, text, legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.pictures.colours import (
    DROPPED,
    FAINT,
    HATCH,
    INK,
    LINES,
    MISSING,
    PAPER,
    Colour,
    painted,
    ramp,
    range_of,
)
from cropcredit.imagery import Rings
from cropcredit.usecases.quicklook import Pixels

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
HATCH_EVERY = 6
"""Pixels of the picture from one line of a hatching to the next."""
FINER = 4
"""Lines are drawn this many times larger and shrunk, so that they are smooth."""
DASH = 4.0


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """Give the typeface that Pillow brings along: Latin letters."""
    return ImageFont.load_default(size)


def write(image: Image.Image, at: tuple[float, float], text: str, *, size: int = 13, colour: Colour = INK,
          anchor: str = "la") -> float:  # fmt: skip
    """Write one line; gives its width."""
    ImageDraw.Draw(image).text(at, text, fill=colour, font=font(size), anchor=anchor)
    return float(font(size).getlength(text))


def enlarged(pixels: Pixels, zoom: int, index: str, colours: tuple[str, ...] = ()) -> Image.Image:
    """Show each pixel as a square of ``zoom`` x ``zoom``, and hatch what the mask dropped."""
    large = painted(pixels, index, colours).repeat(zoom, axis=0).repeat(zoom, axis=1)
    hatched = pixels.dropped.repeat(zoom, axis=0).repeat(zoom, axis=1)
    rows, columns = np.ogrid[: hatched.shape[0], : hatched.shape[1]]
    large[hatched & ((rows + columns) % HATCH_EVERY == HATCH_EVERY - 1)] = HATCH
    return Image.fromarray(large)


def stroke(
    image: Image.Image, rings: Rings, *, zoom: float, width: float, colour: Colour, dashed: bool = False
) -> None:
    """Draw closed lines, given in pixels shown, over an enlarged picture."""
    mask = Image.new("L", (image.width * FINER, image.height * FINER))
    pen = ImageDraw.Draw(mask)
    for ring in rings:
        corners = ring * (zoom * FINER)
        for piece in _dashes(corners, DASH * FINER) if dashed else [corners]:
            pen.line([(x, y) for x, y in piece], fill=255, width=round(width * FINER), joint="curve")
    image.paste(colour, mask=mask.resize(image.size, Image.Resampling.BOX))


def outline(image: Image.Image, rings: Rings, *, zoom: float, dashed: bool = False) -> None:
    """Draw a boundary that stands out on any colour: dark between two light rims."""
    if rings:
        stroke(image, rings, zoom=zoom, width=3.2, colour=PAPER)
        stroke(image, rings, zoom=zoom, width=1.4, colour=INK, dashed=dashed)


def _dashes(ring: NDArray[np.float64], length: float) -> Iterator[NDArray[np.float64]]:
    """Cut a line into dashes and gaps of equal length; give the dashes."""
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1)))
    marks = np.arange(0, along[-1], length)
    points = np.column_stack([np.interp(marks, along, axis) for axis in ring.T])
    for start in range(0, len(points) - 1, 2):
        yield points[start : start + 2]


def ramp_bar(image: Image.Image, at: tuple[int, int], index: str, *, width: int = 220) -> None:
    """Draw the ramp with its numbers: the legend of an index."""
    left, top = at
    low, high = range_of(index)
    shades = ramp(np.linspace(low, high, width)[None], index).repeat(12, axis=0)
    image.paste(Image.fromarray(shades), (left, top))
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        write(image, (left + share * width, top + 15), f"{low + share * (high - low):.2g}", size=11, anchor="ma")


def swatch(image: Image.Image, at: tuple[int, int], kind: str, label: str, *, colour: Colour = INK) -> float:
    """Draw one entry of the legend (``dropped``, ``missing``, ``field`` or ``core``); gives its width."""
    box = Image.new("RGB", (24, 14), MISSING)
    if kind == "dropped":
        nothing = Pixels(values=np.zeros((14, 24), np.float32), dropped=np.ones((14, 24), dtype=bool))
        box = enlarged(nothing, 1, "NDVI")
    elif kind in {"field", "core"}:
        box.paste((196, 208, 140), (0, 0, 24, 14))
        outline(box, (np.array([[-2.0, 7], [26, 7]]),), zoom=1, dashed=kind == "core")
    ImageDraw.Draw(box).rectangle((0, 0, 23, 13), outline=LINES)
    image.paste(box, at)
    return 24 + 6 + write(image, (at[0] + 30, at[1] + 7), label, size=12, colour=colour, anchor="lm")


def swatches(image: Image.Image, at: tuple[int, int], kinds: Sequence[tuple[str, str]]) -> None:
    """Draw entries of the legend side by side."""
    left, top = at
    for kind, label in kinds:
        left += round(swatch(image, (left, top), kind, label)) + 18


def save(image: Image.Image, path: Path) -> tuple[int, int]:
    """Write a PNG whole or not at all; gives its columns and rows."""
    with replacing(path.absolute()) as partial:
        image.save(partial, format="PNG", optimize=True)
    return image.size


__all__ = ["DROPPED", "FAINT", "enlarged", "font", "outline", "ramp_bar", "save", "stroke", "swatches", "write"]
