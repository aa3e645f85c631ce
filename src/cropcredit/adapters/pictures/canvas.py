"""What all pictures share: enlarged pixels, outlines, text, the legend, and how pieces are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps
from pyproj import CRS

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.pictures.colours import (
    ALARM,
    DROPPED,
    FAINT,
    HATCH,
    INK,
    LINES,
    MISSING,
    PAPER,
    Bytes,
    Colour,
    painted,
    ramp,
    range_of,
)
from cropcredit.imagery import Rings, View
from cropcredit.usecases.quicklook import Pixels

FONTS = (("NotoSansCJK-Regular.ttc", 2), ("wqy-microhei.ttc", 0), ("PingFang.ttc", 0), ("msyh.ttc", 0))
"""Typefaces with Chinese letters, and their place in the file; Pillow finds them where a system keeps its fonts."""
HATCH_EVERY = 6
"""Pixels of the picture from one line of a hatching to the next."""
FINER = 4
"""Lines are drawn this many times larger and shrunk, so that they are smooth."""
LINE, RIM, DASH = 1.4, 3.2, 5
"""Width of an outline without and with its rims, and length of a dash, in pixels of the picture."""
EDGE = 20
GAP = 12
SWATCH = (24, 14)
RAMP_WIDTH = 220


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give a typeface with Chinese letters, or where there is none the one of Pillow, which shows them as boxes."""
    for name, place in FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, size, index=place)
    return ImageFont.load_default(size)


def text(line: str, *, size: int = 13, colour: Colour = INK) -> Image.Image:
    """Write one line."""
    image = Image.new("RGB", (round(font(size).getlength(line)) + 1, round(1.5 * size)), PAPER)
    ImageDraw.Draw(image).text((0, image.height / 2), line, fill=colour, font=font(size), anchor="lm")
    return image


def beside(pieces: Sequence[Image.Image], gap: int = GAP) -> Image.Image:
    """Put pieces side by side, their tops on one line."""
    lefts = np.cumsum([0, *(piece.width + gap for piece in pieces)]).tolist()
    return _pasted(pieces, [(left, 0) for left in lefts[:-1]])


def stacked(pieces: Sequence[Image.Image], gap: int = GAP) -> Image.Image:
    """Put pieces below each other, their left sides on one line."""
    tops = np.cumsum([0, *(piece.height + gap for piece in pieces)]).tolist()
    return _pasted(pieces, [(0, top) for top in tops[:-1]])


def _pasted(pieces: Sequence[Image.Image], corners: Sequence[tuple[int, int]]) -> Image.Image:
    placed = list(zip(pieces, corners, strict=True))
    width, height = max(x + piece.width for piece, (x, _) in placed), max(y + piece.height for piece, (_, y) in placed)
    paper = Image.new("RGB", (width, height), PAPER)
    for piece, corner in placed:
        paper.paste(piece, corner)
    return paper


def head(title: str, *lines: Sequence[str], synthetic: bool) -> Image.Image:
    """Write a title over lines of facts; what is synthetic says so."""
    first = [text(title, size=20), *([text("SYNTHETIC DATA", size=20, colour=ALARM)] if synthetic else [])]
    facts = ["  ·  ".join(fact for fact in line if fact) for line in lines]
    return stacked([beside(first, 2 * GAP), *(text(line, colour=FAINT) for line in facts)], gap=0)


def legend(names: tuple[str, ...], **kinds: str) -> Image.Image:
    """Explain the colours and the marks; ``kinds`` are labels of ``dropped``, ``missing``, ``field`` or ``core``."""
    marks = [beside([_swatch(kind), text(label, size=12)], 6) for kind, label in kinds.items()]
    return beside([_ramp_bar(names[0]) if len(names) == 1 else text("light: " + ", ".join(names), size=12), *marks], 18)


def enlarged(pixels: Pixels, zoom: int) -> Image.Image:
    """Show each pixel as a square of ``zoom`` x ``zoom``, and hatch what the mask dropped."""
    large = painted(pixels).repeat(zoom, axis=0).repeat(zoom, axis=1)
    return Image.fromarray(_hatched(large, pixels.dropped.repeat(zoom, axis=0).repeat(zoom, axis=1)))


def outline(image: Image.Image, rings: Rings, *, zoom: float, dashed: bool = False) -> None:
    """Draw closed lines, given in pixels shown, that stand out on any colour: dark between two light rims."""
    for colour, wide, dashes in ((PAPER, RIM, False), (INK, LINE, dashed)):
        mask = Image.new("L", (image.width * FINER, image.height * FINER))
        pen = ImageDraw.Draw(mask)
        for ring in rings:
            for piece in _dashes(ring * zoom) if dashes else [ring * zoom]:
                pen.line((piece * FINER).ravel().tolist(), fill=255, width=round(wide * FINER), joint="curve")
        image.paste(colour, mask=mask.resize(image.size, Image.Resampling.BOX))


def pixel_size(view: View) -> str:
    """Say how much ground a pixel is, and how many of them are shown."""
    unit = "degrees" if CRS(view.grid.crs).is_geographic else "m"
    one = f"pixels of {view.grid.transform[0]:.4g} {unit}"
    return f"one of {view.every} x {view.every} {one}" if view.every > 1 else one


def save(image: Image.Image, path: Path) -> tuple[int, int]:
    """Write a PNG whole or not at all, with an edge around it; gives its columns and rows."""
    paper = ImageOps.expand(image, EDGE, PAPER)
    with replacing(path.absolute()) as partial:
        paper.save(partial, format="PNG")
    return paper.size


def _hatched(image: Bytes, where: NDArray[np.bool_]) -> Bytes:
    rows, columns = np.ogrid[: where.shape[0], : where.shape[1]]
    lines = (rows + columns) % HATCH_EVERY == HATCH_EVERY - 1
    return np.where((where & lines)[..., None], HATCH, image).astype(np.uint8)


def _dashes(ring: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Cut a line into pieces of equal length, and give every second one."""
    points = shapely.get_coordinates(shapely.segmentize(shapely.LineString(ring), DASH))
    for start in range(0, len(points) - 1, 2):
        yield points[start : start + 2]


def _ramp_bar(index: str) -> Image.Image:
    low, high = range_of(index)
    bar = Image.new("RGB", (RAMP_WIDTH + 30, 34), PAPER)
    shades = ramp(np.linspace(low, high, RAMP_WIDTH)[None], index).repeat(SWATCH[1], axis=0)
    bar.paste(Image.fromarray(shades), (0, 2))
    pen = ImageDraw.Draw(bar)
    for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
        at = (share * RAMP_WIDTH, 18)
        pen.text(at, f"{low + share * (high - low):.2g}", fill=INK, font=font(11), anchor="ma" if share else "la")
    return beside([text(index, size=12), bar], 8)


def _swatch(kind: str) -> Image.Image:
    box = Image.new("RGB", SWATCH, {"missing": MISSING, "dropped": DROPPED}.get(kind, (218, 190, 94)))
    if kind == "dropped":
        box = Image.fromarray(_hatched(np.asarray(box), np.ones(SWATCH[::-1], dtype=bool)))
    elif kind in {"field", "core"}:
        outline(box, (np.array([[-2.0, 7], [26, 7]]),), zoom=1, dashed=kind == "core")
    ImageDraw.Draw(box).rectangle((0, 0, SWATCH[0] - 1, SWATCH[1] - 1), outline=LINES)
    return ImageOps.expand(box, (0, 2, 0, 0), PAPER)
