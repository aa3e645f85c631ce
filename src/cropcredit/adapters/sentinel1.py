"""Sentinel-1 backscatter: one file of described bands per scene, or one file per polarisation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cropcredit.adapters.rasters import described_bands
from cropcredit.adapters.scene_names import instant_in_name
from cropcredit.errors import RefusedInput
from cropcredit.model import Band, SceneDraft

POLARISATION = re.compile(r"(?:(?P<scene>.+)[_-])?(?P<band>vv|vh)(?:\.rtc)?", re.IGNORECASE)
"""Stem of a file that holds one polarisation: ``S1A_…_VV``, ``vv``, ``iw-vv.rtc``."""
MODE = "iw"
"""Measurement files of the archive are named after the mode alone; their folder names the scene."""
BANDS = {"VV": "vv", "VH": "vh"}
PASS = re.compile(r"(S1[A-D])_.*?(\d{8}T\d{6})(?!\d)")
ORBIT = re.compile(r"(S1[AB])_.*_(\d{6})_[0-9A-F]{6}(?![0-9A-F])")
FIRST_TRACK = {"S1A": 73, "S1B": 27}
"""Absolute orbit that is relative orbit 1 of 175."""
TRACKS = 175


def describe_sentinel1(files: Sequence[Path], href: Callable[[Path], str]) -> Iterator[SceneDraft]:
    """Put the polarisations of each scene together."""
    scenes: dict[Path, list[Band]] = {}
    for file in files:
        if found := POLARISATION.fullmatch(file.stem):
            name = found["scene"] or MODE
            place = file.parent if name.lower() == MODE else file.with_name(name)
            scenes.setdefault(place, []).append(Band(found["band"].lower(), href(file)))
        elif described := _described(file, href):
            yield described
    for place, bands in scenes.items():
        yield _scene(place, place.name, sorted(bands, key=lambda band: band.name, reverse=True))


def _described(file: Path, href: Callable[[Path], str]) -> SceneDraft | None:
    """Describe a file by what it calls its bands; None where it has none of ours: processors add angles and heights."""
    try:
        named = described_bands(file)
    except RefusedInput as error:
        return SceneDraft(id=file.stem, path=str(file), bands=(), problem=str(error))
    bands = [Band(core, href(file), named[text]) for text, core in BANDS.items() if text in named]
    return _scene(file, file.stem, bands) if bands else None


def _scene(place: Path, name: str, bands: list[Band]) -> SceneDraft:
    """Describe one pass; two orbits may see a tile on one day."""
    return SceneDraft(
        id=name,
        path=str(place),
        bands=tuple(bands),
        acquired_at=instant_in_name(name),
        datatake=radar_pass(name),
        relative_orbit=relative_orbit(name),
    )


def relative_orbit(name: str) -> int:
    """Give the repeating ground track from a product name; 0 where it does not tell.

    Examples
    --------
    >>> relative_orbit("S1A_IW_GRDH_1SDV_20240304T172345_20240304T172410_052852_0665A0_rtc")
    105
    """
    found = ORBIT.search(name)
    return (int(found[2]) - FIRST_TRACK[found[1]]) % TRACKS + 1 if found else 0


def radar_pass(name: str) -> str:
    """Give satellite and instant of a product name, which processings of one pass share; else the name itself.

    Examples
    --------
    >>> radar_pass("S1A_IW_GRDH_1SDV_20240304T172345_20240304T172410_052852_0665A0_7C2B")
    'S1A_20240304T172345'
    >>> radar_pass("ascending_2024-03-04")
    'ascending_2024-03-04'
    """
    found = PASS.search(name)
    return "_".join(found.groups()) if found else name
