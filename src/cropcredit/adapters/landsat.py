"""Landsat Collection 2 Level 2 as the archive ships it: one file per band, and everything else in their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cropcredit.adapters.scene_names import LANDSAT_OLI_BANDS, LANDSAT_TM_BANDS
from cropcredit.model import Band, SceneDraft

NAME = re.compile(
    r"(?P<scene>L[COTE](?P<satellite>0[4-9])_L2S[PR]_(?P<tile>\d{6})_(?P<acquired>\d{8})_(?P<processed>\d{8})"
    r"_(?P<collection>02)_(?P<tier>T1|T2|RT))_(?P<band>SR_B\d|QA_PIXEL)\.TIFF?",
    re.IGNORECASE,
)
FIRST_WITH_OLI = 8
TIERS = {
    "T1": "",
    "T2": "tier 2: its position may be off by more than 12 m",
    "RT": "real time: its position and calibration are provisional",
}
"""What a person should know of a tier; the tier itself stays in the id of the scene."""


def describe_landsat(files: Sequence[Path], href: Callable[[Path], str]) -> Iterator[SceneDraft]:
    """Put the files of each scene together.

    The name tells the days of acquisition and of processing; a scene was not available before the latter had ended.
    """
    scenes: dict[Path, list[tuple[Path, re.Match[str]]]] = {}
    for file in files:
        if found := NAME.fullmatch(file.name):
            scenes.setdefault(file.with_name(found["scene"].upper()), []).append((file, found))
    for place, parts in scenes.items():
        yield _scene(place, parts, href)


def _scene(place: Path, parts: list[tuple[Path, re.Match[str]]], href: Callable[[Path], str]) -> SceneDraft:
    said = parts[0][1]
    names = LANDSAT_OLI_BANDS if int(said["satellite"]) >= FIRST_WITH_OLI else LANDSAT_TM_BANDS
    files = {found["band"].upper(): file for file, found in parts}
    return SceneDraft(
        id=place.name,
        path=str(place),
        bands=tuple(Band(core, href(files[name])) for name, core in names.items() if name in files),
        tile=said["tile"],
        acquired_at=_day(said, "acquired"),
        available_at=_day(said, "processed") + timedelta(days=1),
        processing_baseline=said["collection"],
        datatake=f"{place.name[:4]}_{said['tile']}_{said['acquired']}",
        note=TIERS[said["tier"].upper()],
    )


def _day(said: re.Match[str], name: str) -> datetime:
    return datetime.strptime(said[name], "%Y%m%d").replace(tzinfo=UTC)
