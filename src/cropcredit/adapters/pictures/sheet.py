"""A contact sheet: a field on all dates of a run."""

from __future__ import annotations

from math import isnan
from pathlib import Path

from PIL import Image, ImageOps

from cropcredit.adapters.pictures.canvas import (
    GAP,
    beside,
    enlarged,
    head,
    legend,
    outline,
    pixel_size,
    save,
    stacked,
    text,
)
from cropcredit.adapters.pictures.colours import ALARM, FAINT, LINES, PAPER
from cropcredit.imagery import Verdict
from cropcredit.usecases.contact_sheet import Sheet, Sighting, Thumbnail

SIDE = 180
"""Pixels that the longest side of a thumbnail fills."""
FRAME = 3
ACROSS = 8
"""Thumbnails in a row."""
SAID = {
    Verdict.UNCONFIRMED: "held back: unconfirmed",
    Verdict.CLOUD: "held back: missed cloud",
    Verdict.EVENT: "event: all fields fell",
}


def draw_sheet(sheet: Sheet, path: Path) -> tuple[int, int]:
    """Draw the sheet; gives columns and rows of the PNG."""
    cells = [_cell(thumbnail) for thumbnail in sheet.thumbnails]
    width, height = max(cell.width for cell in cells), max(cell.height for cell in cells)
    even = [ImageOps.expand(cell, (0, 0, width - cell.width, height - cell.height), PAPER) for cell in cells]
    rows = [beside(even[first : first + ACROSS]) for first in range(0, len(even), ACROSS)]
    return save(stacked([_head(sheet), _legend(sheet), stacked(rows)], GAP), path)


def _cell(thumbnail: Thumbnail) -> Image.Image:
    zoom = max(1, SIDE // max(thumbnail.pixels.dropped.shape))
    shot = enlarged(thumbnail.pixels, zoom)
    outline(shot, thumbnail.core, zoom=zoom, dashed=True)
    outline(shot, thumbnail.field, zoom=zoom)
    framed = ImageOps.expand(shot, FRAME, LINES if thumbnail.seen.verdict.usable else ALARM)
    return stacked([framed, _caption(thumbnail.seen)], gap=4)


def _caption(seen: Sighting) -> Image.Image:
    mean = "" if isnan(seen.core_mean) else f"   {seen.core_mean:.2f}"
    lines = [text(f"{seen.acquired_at:%Y-%m-%d}{mean}", size=14)]
    lines += [text(f"clear {seen.core_clear_fraction:.0%}", size=12, colour=FAINT)]
    if seen.verdict in SAID:
        lines += [text(SAID[seen.verdict], size=12, colour=ALARM)]
    return stacked(lines, gap=0)


def _head(sheet: Sheet) -> Image.Image:
    field, run, last = sheet.field, sheet.run, sheet.thumbnails[-1]
    about = (field.crop_code, f"{field.area_ha:.2f} ha", _core(last.seen), pixel_size(last.pixels.view))
    numbers = f"numbers: mean {sheet.index} of the clear core, as stored"
    gone = f"{sheet.without_data} dates without data here" * (sheet.without_data > 0)
    source = (f"tile {sheet.tile}", run.product, f"run {run.run_id}", f"as of {run.as_of:%Y-%m-%d %H:%M} UTC")
    return head(field.id, about, (*source, numbers, gone), synthetic=sheet.synthetic)


def _core(seen: Sighting) -> str:
    if seen.mixed_pixel:
        return f"core: the whole field, {seen.core_pixels:.1f} mixed pixels"
    return f"core: {seen.core_pixels:.0f} pixels, {seen.core_buffer_m:.0f} m inside"


def _legend(sheet: Sheet) -> Image.Image:
    core = {} if sheet.thumbnails[-1].seen.mixed_pixel else {"core": "core"}
    names = sheet.thumbnails[-1].pixels.names
    return legend(names, field="field", **core, dropped="dropped by the mask", missing="no data")
