"""Reads a folder of the CY-Bench form: official yields with an 8-day index per region.

Files of one crop and country, found by their first word (WUR-AI/AgML-CY-Bench, data format):

* ``yield_*.csv``: ``crop_name, adm_id, harvest_year, yield`` (t/ha);
* ``ndvi_*.csv``: ``adm_id, date`` (YYYYMMDD), ``ndvi`` (MOD09CMG, crop-masked, as x with NDVI = (x - 50) / 200; 0 is
  missing); may be absent;
* ``crop_calendar_*.csv``: ``adm_id, sos, eos`` (days of the year, fractional); may be absent.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from cropcredit.errors import EmptyInput, MalformedInput
from cropcredit.model import CropCalendar, Record, RegionSeries, YieldLabel

if TYPE_CHECKING:
    import pandas as pd

SOURCE = "CY-Bench"
NDVI_SCALE, NDVI_OFFSET, NDVI_MISSING = 200.0, 50.0, 0.0
LABEL_LAG_DAYS = 365
"""Statistics of a harvest year are taken as known a year after its end."""
INDEX_LAG_DAYS = 10


class CyBenchFolder:
    """YieldArchive port over one folder."""

    def read(self, folder: Path, *, crop: str = "") -> list[Record]:
        """Read labels, index and calendars as records.

        Parameters
        ----------
        crop : str
            Code under which the crop is known here; without it, the file's ``crop_name``.

        Raises
        ------
        EmptyInput, MalformedInput
            If there is no yield file, or a file lacks a column.
        """
        yields = _table(folder, "yield", ("crop_name", "adm_id", "harvest_year", "yield"))
        if yields is None:
            raise EmptyInput("holds no yield_*.csv", where=str(folder), cure="name a folder of the CY-Bench form")
        names = sorted(set(yields["crop_name"]))
        if len(names) != 1:
            raise MalformedInput(f"yields of {', '.join(names)} stand together", where=str(folder))
        code = crop or names[0]
        index = _table(folder, "ndvi", ("adm_id", "date", "ndvi"))
        calendar = _table(folder, "crop_calendar", ("adm_id", "sos", "eos"))
        return [
            *_labels(yields, code),
            *([] if index is None else _index(index, code)),
            *([] if calendar is None else _calendars(calendar, code)),
        ]


def _table(folder: Path, first: str, columns: tuple[str, ...]) -> pd.DataFrame | None:
    import pandas as pd  # noqa: PLC0415 - slow to import, and only training reads such a folder

    files = sorted(folder.glob(f"{first}_*.csv"))
    if not files:
        return None
    if len(files) > 1:
        raise MalformedInput(f"holds {len(files)} files {first}_*.csv", where=str(folder), cure="one crop per folder")
    try:
        frame = pd.read_csv(files[0])
    except (OSError, ValueError) as error:  # pandas' parser and decoding errors are ValueErrors
        raise MalformedInput(f"is not CSV: {error}", where=str(files[0])) from error
    if missing := [name for name in columns if name not in frame]:
        raise MalformedInput(f"column {missing[0]!r} is missing", where=str(files[0]))
    return frame


def _labels(frame: pd.DataFrame, crop: str) -> list[YieldLabel]:
    known = frame.dropna(subset=["yield"])
    rows = zip(known["adm_id"].astype(str), known["harvest_year"].astype(int), known["yield"], strict=True)
    return [
        YieldLabel(
            id=f"{crop}/{region}/{year}",
            known_at=_end(date(int(year), 12, 31), LABEL_LAG_DAYS),
            crop=crop,
            harvest_year=int(year),
            t_ha=float(t_ha),
            region=region,
            source=SOURCE,
        )
        for region, year, t_ha in rows
    ]


def _index(frame: pd.DataFrame, crop: str) -> list[RegionSeries]:
    import pandas as pd  # noqa: PLC0415 - as above

    seen = frame[frame["ndvi"] > NDVI_MISSING]
    days = pd.to_datetime(seen["date"].astype(str), format="%Y%m%d").dt.date
    values = (seen["ndvi"] - NDVI_OFFSET) / NDVI_SCALE
    rows = sorted(zip(seen["adm_id"].astype(str), days, values.astype(float), strict=True))

    def month(row: tuple[str, date, float]) -> tuple[str, date]:
        return row[0], row[1].replace(day=1)

    found = []
    for (region, first), group in groupby(rows, key=month):
        looks = list(group)
        found.append(
            RegionSeries(
                id=f"{crop}/{region}/{first:%Y-%m}",
                known_at=_end(looks[-1][1], INDEX_LAG_DAYS),
                crop=crop,
                region=region,
                source=SOURCE,
                days=tuple(day for _, day, _ in looks),
                ndvi=tuple(value for _, _, value in looks),
            )
        )
    return found


def _calendars(frame: pd.DataFrame, crop: str) -> list[CropCalendar]:
    rows = zip(frame["adm_id"].astype(str), frame["sos"], frame["eos"], strict=True)
    return [
        CropCalendar(
            id=f"{crop}/{region}",
            known_at=datetime(2000, 1, 1, tzinfo=UTC),  # a climatology: the same in every year
            crop=crop,
            region=region,
            sowing_doy=max(round(sos), 1),
            harvest_doy=max(round(eos), 1),
            source=SOURCE,
        )
        for region, sos, eos in rows
    ]


def _end(day: date, lag_days: int) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC) + timedelta(days=lag_days)
