"""What archives call their files and the bands in them, and what the core calls those."""

from __future__ import annotations

import re
from datetime import UTC, datetime

S2_BANDS = {
    "B02": "blue",
    "B03": "green",
    "B04": "red",
    "B05": "rededge",
    "B06": "rededge2",
    "B07": "rededge3",
    "B08": "nir",
    "B11": "swir16",
    "B12": "swir22",
    "SCL": "scl",
}
"""Sentinel-2: name in the files, name in the core."""
S2_TEN_METRES = ("B02", "B03", "B04", "B08")
"""The others come in pixels of 20 m."""

LANDSAT_OLI_BANDS = {
    "SR_B2": "blue",
    "SR_B3": "green",
    "SR_B4": "red",
    "SR_B5": "nir",
    "SR_B6": "swir16",
    "SR_B7": "swir22",
    "QA_PIXEL": "qa",
}
"""Landsat 8 and 9."""
LANDSAT_TM_BANDS = {
    "SR_B1": "blue",
    "SR_B2": "green",
    "SR_B3": "red",
    "SR_B4": "nir",
    "SR_B5": "swir16",
    "SR_B7": "swir22",
    "QA_PIXEL": "qa",
}
"""Landsat 4, 5 and 7."""

INSTANT = re.compile(r"(?<!\d)(\d{8}T\d{6})(?!\d)")
DAY = re.compile(r"(?<!\d)(20\d\d|19[89]\d)[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12]\d|3[01])(?!\d)")
DAY_OF_YEAR = re.compile(r"(?:(?:^|[._])A|doy)(\d{4}[0-3]\d{2})(?!\d)")
INDEX = re.compile(r"(?<![A-Za-z])(NDVI|EVI2?|NDRE)(?![A-Za-z0-9])", re.IGNORECASE)
NO_INDEX = re.compile(r"reliability|VI_Quality|reflectance|zenith|azimuth|day_of_the_year", re.IGNORECASE)
"""Layers that exports of composites put beside the indices, one file each, in one folder."""


def day_in_name(name: str) -> datetime | None:
    """Find the first day in a file name, as midnight UTC; None where there is none.

    Examples
    --------
    >>> day_in_name("TERRA_MODIS_012010_NDVI_2014-02-18").date().isoformat()
    '2014-02-18'
    >>> day_in_name("MOD13Q1.A2014049.h12v10.061").date().isoformat()
    '2014-02-18'
    """
    if found := DAY_OF_YEAR.search(name):
        return datetime.strptime(found[1], "%Y%j").replace(tzinfo=UTC)
    found = DAY.search(name)
    return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC) if found else None


def may_hold(index: str, name: str) -> bool:
    """Tell whether a file of that name may hold an index: it says so, or it names no layer at all.

    Examples
    --------
    >>> [may_hold("ndvi", f"MOD13Q1.061__250m_16_days_{layer}_doy2014049") for layer in ("NDVI", "EVI", "VI_Quality")]
    [True, False, False]
    >>> may_hold("ndvi", "weekly_2014-02-18")
    True
    """
    said = {found.lower() for found in INDEX.findall(name)}
    return not NO_INDEX.search(name) and (not said or index in said)


def instant_in_name(name: str) -> datetime | None:
    """Find the first instant in a file name, else its first day, UTC.

    Examples
    --------
    >>> instant_in_name("S1A_IW_20240304T172345_DVP_RTC10").isoformat()
    '2024-03-04T17:23:45+00:00'
    """
    found = INSTANT.search(name)
    return datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else day_in_name(name)
