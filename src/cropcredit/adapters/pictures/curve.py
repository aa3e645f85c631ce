"""The curve of a field's means under its contact sheet."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan

from PIL import Image, ImageDraw

from cropcredit.adapters.pictures.canvas import FINER, write
from cropcredit.adapters.pictures.colours import ALARM, FAINT, LINES, PAPER, Colour, range_of
from cropcredit.imagery import Verdict
from cropcredit.usecases.contact_sheet import Sheet, Thumbnail

CURVE_HEIGHT = 200
AXIS = 36
"""Columns left of the curve, for its numbers."""
BELOW = 22
CURVE: Colour = (14, 112, 92)
TICKS = 5
MONTH_WIDTH = 52
"""Columns that the name of a month takes."""
Box = tuple[int, int, int, int]


def draw_curve(image: Image.Image, sheet: Sheet, box: Box) -> None:
    """Draw means over time into a box: dots in the series, circles held back, triangles for events."""
    left, top, right, bottom = box
    frame = (left + AXIS, top + 26, right - 8, bottom - BELOW)
    seen = [thumbnail for thumbnail in sheet.thumbnails if not isnan(thumbnail.mean)]
    _axes(image, sheet, frame)
    _legend(image, (left + AXIS, top + 4), sheet)
    if seen:
        _points(image, sheet, seen, frame)
    else:
        write(image, ((left + right) / 2, (top + bottom) / 2), "never clear", colour=FAINT, anchor="mm")


def months(first: datetime, last: datetime, room: int) -> list[datetime]:
    """Give the firsts of months between two instants, so many that their names fit into ``room`` columns.

    Examples
    --------
    >>> whole_year = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    >>> [f"{month:%m}" for month in months(*whole_year, room=220)]
    ['01', '04', '07', '10']
    """
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    step = next((step for step in (1, 2, 3, 6) if count / step * MONTH_WIDTH <= room), 12)
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    firsts = [datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) for number in numbers if number % step == 0]
    return [month for month in firsts if first <= month <= last]


def _axes(image: Image.Image, sheet: Sheet, frame: Box) -> None:
    pen = ImageDraw.Draw(image)
    low, high = range_of(sheet.index)
    for tick in range(TICKS + 1):
        value = low + tick * (high - low) / TICKS
        _, y = _place(sheet, sheet.thumbnails[0].acquired_at, value, frame)
        pen.line((frame[0], y, frame[2], y), fill=LINES)
        write(image, (frame[0] - 6, y), f"{value:.2g}", size=11, colour=FAINT, anchor="rm")
    first, last = sheet.thumbnails[0].acquired_at, sheet.thumbnails[-1].acquired_at
    for month in months(first, last, frame[2] - frame[0]):
        x, _ = _place(sheet, month, low, frame)
        pen.line((x, frame[1], x, frame[3] + 4), fill=LINES)
        write(image, (x, frame[3] + 7), f"{month:%Y-%m}", size=11, colour=FAINT, anchor="ma")


def _points(image: Image.Image, sheet: Sheet, seen: list[Thumbnail], frame: Box) -> None:
    """Draw on a larger layer and shrink it, so that lines are smooth."""
    layer = Image.new("RGBA", (image.width * FINER, CURVE_HEIGHT * FINER), (*PAPER, 0))
    raised = (frame[0], frame[1] - frame[1] + 26, frame[2], 26 + frame[3] - frame[1])
    pen = ImageDraw.Draw(layer)
    places = {t.scene_id: _place(sheet, t.acquired_at, t.mean, raised) for t in seen}
    line = [places[t.scene_id] for t in seen if t.verdict.usable]
    pen.line([(x * FINER, y * FINER) for x, y in line], fill=(*CURVE, 150), width=FINER + 2)
    for thumbnail in seen:
        _point(pen, places[thumbnail.scene_id], thumbnail.verdict)
    shrunk = layer.resize((image.width, CURVE_HEIGHT), Image.Resampling.BOX)
    image.paste(shrunk, (0, frame[1] - 26), mask=shrunk)


def _point(pen: ImageDraw.ImageDraw, place: tuple[float, float], verdict: Verdict) -> None:
    x, y = place[0] * FINER, place[1] * FINER
    r = 4.5 * FINER
    if verdict is Verdict.EVENT:
        pen.polygon([(x - r, y - r), (x + r, y - r), (x, y + r)], fill=(*ALARM, 255))
    elif verdict.usable:
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(*CURVE, 255), outline=(*PAPER, 255), width=FINER)
    else:
        pen.ellipse((x - r, y - r, x + r, y + r), fill=(*PAPER, 255), outline=(*ALARM, 255), width=FINER + 2)


def _legend(image: Image.Image, at: tuple[int, int], sheet: Sheet) -> None:
    left, top = at
    left += round(write(image, at, f"{sheet.index}, mean of the clear core", size=12)) + 24
    verdicts = {thumbnail.verdict for thumbnail in sheet.thumbnails}
    entries = [(Verdict.ORDINARY, "in the series")]
    entries += [(v, "held back") for v in [*verdicts & {Verdict.UNCONFIRMED, Verdict.CLOUD}][:1]]
    entries += [(v, "event") for v in verdicts & {Verdict.EVENT}]
    for verdict, label in entries:
        dot = Image.new("RGBA", (14 * FINER, 14 * FINER), (*PAPER, 0))
        _point(ImageDraw.Draw(dot), (7, 7), verdict)
        small = dot.resize((14, 14), Image.Resampling.BOX)
        image.paste(small, (left, top), mask=small)
        left += 18 + round(write(image, (left + 18, top), label, size=12, colour=FAINT)) + 18


def _place(sheet: Sheet, at: datetime, value: float, frame: Box) -> tuple[float, float]:
    first, last = sheet.thumbnails[0].acquired_at, sheet.thumbnails[-1].acquired_at
    share = (at - first) / (last - first) if last > first else 0.5
    low, high = range_of(sheet.index)
    up = min(max((value - low) / (high - low), 0), 1)
    inner = frame[2] - frame[0] - 16
    return frame[0] + 8 + share * inner, frame[3] - up * (frame[3] - frame[1])
