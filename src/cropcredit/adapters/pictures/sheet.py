"""A contact sheet: a field on all dates of a run, with the curve of its means."""

from __future__ import annotations

from math import isnan
from pathlib import Path

from PIL import Image, ImageDraw

from cropcredit.adapters.pictures.canvas import enlarged, outline, ramp_bar, save, swatches, write
from cropcredit.adapters.pictures.colours import ALARM, FAINT, INK, LINES, PAPER
from cropcredit.adapters.pictures.curve import CURVE_HEIGHT, draw_curve
from cropcredit.imagery import Verdict
from cropcredit.usecases.contact_sheet import Sheet, Thumbnail

EDGE = 20
GAP = 16
SIDE = 176
"""Pixels that the longest side of a thumbnail fills."""
HEAD = 104
CAPTION = 56
NARROWEST = 860
WIDEST = 10
"""Thumbnails in a row, at most."""
SAID = {
    Verdict.UNCONFIRMED: "held back: unconfirmed",
    Verdict.CLOUD: "held back: missed cloud",
    Verdict.EVENT: "event: all fields fell",
}


def draw_sheet(sheet: Sheet, path: Path) -> tuple[int, int]:
    """Draw the sheet; gives columns and rows of the PNG."""
    shots = [_shot(sheet, thumbnail) for thumbnail in sheet.thumbnails]
    wide, high = max(SIDE, *(shot.width for shot in shots)), max(shot.height for shot in shots)
    across = columns(len(shots))
    down = -(-len(shots) // across)
    width = max(across * (wide + GAP) - GAP, NARROWEST) + 2 * EDGE
    grid_end = HEAD + down * (high + CAPTION)
    image = Image.new("RGB", (width, grid_end + CURVE_HEIGHT + EDGE), PAPER)
    _head(image, sheet)
    for number, (shot, thumbnail) in enumerate(zip(shots, sheet.thumbnails, strict=True)):
        at = (EDGE + number % across * (wide + GAP), HEAD + number // across * (high + CAPTION))
        image.paste(shot, at)
        _caption(image, thumbnail, at[0], at[1] + high + 5)
    draw_curve(image, sheet, (EDGE, grid_end, width - EDGE, grid_end + CURVE_HEIGHT))
    return save(image, path)


def columns(count: int) -> int:
    """Choose how many thumbnails stand in a row: few places stay empty.

    Examples
    --------
    >>> [columns(count) for count in (1, 5, 12, 18, 23)]
    [1, 5, 6, 9, 8]
    """
    if count <= WIDEST // 2:
        return count
    return min(range(WIDEST, WIDEST // 2, -1), key=lambda across: -count % across)


def _shot(sheet: Sheet, thumbnail: Thumbnail) -> Image.Image:
    zoom = max(1, SIDE // max(thumbnail.pixels.dropped.shape))
    shot = enlarged(thumbnail.pixels, zoom, sheet.index, sheet.colours)
    outline(shot, thumbnail.core, zoom=zoom, dashed=True)
    outline(shot, thumbnail.field, zoom=zoom)
    frame = LINES if thumbnail.verdict.usable else ALARM
    ImageDraw.Draw(shot).rectangle((0, 0, shot.width - 1, shot.height - 1), outline=frame, width=2)
    return shot


def _caption(image: Image.Image, thumbnail: Thumbnail, left: int, top: int) -> None:
    write(image, (left, top), f"{thumbnail.acquired_at:%Y-%m-%d}", size=14)
    mean = "-" if isnan(thumbnail.mean) else f"{thumbnail.mean:.2f}"
    write(image, (left + SIDE, top), mean, size=14, anchor="ra")
    write(image, (left, top + 18), f"clear {thumbnail.clear:.0%}", size=12, colour=FAINT)
    if said := SAID.get(thumbnail.verdict, ""):
        write(image, (left + SIDE, top + 18), said, size=12, colour=ALARM, anchor="ra")


def _head(image: Image.Image, sheet: Sheet) -> None:
    field, run = sheet.field, sheet.run
    write(image, (EDGE, 14), field.id, size=22)
    shown = "pixels " + ", ".join(sheet.colours) if sheet.colours else f"pixels {sheet.index}"
    facts = (field.crop_code, f"{field.area_ha:.2f} ha", _core(sheet), f"tile {sheet.tile}", run.product, shown)
    write(image, (EDGE, 42), "  ·  ".join(fact for fact in facts if fact), size=13)
    source = f"run {run.run_id} as of {run.as_of:%Y-%m-%d %H:%M} UTC; numbers: mean {sheet.index} of the clear core"
    gone = f"; {sheet.without_data} dates without data here" * (sheet.without_data > 0)
    write(image, (EDGE, 60), source + gone, size=12, colour=FAINT)
    if sheet.synthetic:
        write(image, (image.width - EDGE, 14), "SYNTHETIC DATA", size=14, colour=ALARM, anchor="ra")
    kinds = [("field", "field"), ("core", "core"), ("dropped", "dropped by the mask"), ("missing", "no data")]
    left = EDGE
    if not sheet.colours:
        ramp_bar(image, (EDGE, 80), sheet.index)
        left += 260
    swatches(image, (left, 79), [kind for kind in kinds if kind[0] != "core" or not sheet.mixed_pixel])


def _core(sheet: Sheet) -> str:
    if sheet.mixed_pixel:
        return f"core: the whole field, {sheet.core_pixels:.1f} mixed pixels"
    return f"core: {sheet.core_pixels:.0f} pixels, {sheet.core_buffer_m:.0f} m inside"


__all__ = ["INK", "columns", "draw_sheet"]
