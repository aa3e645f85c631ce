"""Sentinel-2 L2A as the Copernicus archive ships it: a SAFE folder and its MTD_MSIL2A.xml."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cropcredit.adapters.scene_names import S2_BANDS, S2_TEN_METRES
from cropcredit.errors import MalformedInput, RadiometryError
from cropcredit.imagery.radiometry import S2_FIRST_BASELINE_WITH_OFFSET, S2_OFFSET_DN, baseline_number
from cropcredit.model import Band, Offset, SceneDraft

SAFE_METADATA = "MTD_MSIL2A.xml"
QUANTIFICATION = 1e4
"""Digital numbers per unit of reflectance; EVI2, unlike NDVI, would not forgive another."""
PRODUCT_NAME = re.compile(r"(S2[A-D])_MSIL2A_(\d{8}T\d{6})_N(\d{2})(\d{2})_R(\d{3})_T(\d{2}[A-Z]{3})_")


class ProductName(NamedTuple):
    """What the name of a product tells, in the words of :class:`cropcredit.model.Scene`."""

    datatake: str
    processing_baseline: str
    relative_orbit: int
    tile: str


def read_name(name: str) -> ProductName:
    """Read the name of a product; everything is empty where it is another name.

    Examples
    --------
    >>> read_name("S2A_MSIL2A_20240304T105021_N0510_R051_T31UFS_20240304T150000.SAFE")
    ProductName(datatake='S2A_20240304T105021', processing_baseline='05.10', relative_orbit=51, tile='31UFS')
    """
    found = PRODUCT_NAME.search(name)
    if not found:
        return ProductName("", "", 0, "")
    platform, sensed, major, minor, orbit, tile = found.groups()
    return ProductName(f"{platform}_{sensed}", f"{major}.{minor}", int(orbit), tile)


def describe_safe(folder: Path, href: Callable[[Path], str]) -> SceneDraft:
    """Read baseline, times and files of one product.

    The archive ships digital numbers with the offset still in, so the scene is declared ``not_applied`` and the
    processing baseline decides; where the metadata contradicts the baseline the product is refused.
    """
    where = str(folder / SAFE_METADATA)
    try:
        root = ET.parse(folder / SAFE_METADATA).getroot()  # noqa: S314 - expat refuses entity bombs
    except ET.ParseError as error:
        raise MalformedInput(f"is not XML: {error}", where=where) from None
    baseline = _text(root, "PROCESSING_BASELINE", where)
    _check_scale(root, where)
    _check_offset(root, baseline, where)
    name = _text(root, "PRODUCT_URI", where).removesuffix(".SAFE")
    said = read_name(name)
    return SceneDraft(
        id=name,
        path=str(folder),
        bands=_bands(folder, href),
        tile=said.tile,
        acquired_at=_instant(root, "PRODUCT_START_TIME", where),
        available_at=_instant(root, "GENERATION_TIME", where),
        processing_baseline=baseline,
        offset=Offset.NOT_APPLIED,
        datatake=said.datatake,
        relative_orbit=said.relative_orbit,
    )


def _bands(folder: Path, href: Callable[[Path], str]) -> tuple[Band, ...]:
    found = {
        core: sorted(folder.glob(f"GRANULE/*/IMG_DATA/R*/*_{name}_{10 if name in S2_TEN_METRES else 20}m.*"))
        for name, core in S2_BANDS.items()
    }
    return tuple(Band(core, href(files[0])) for core, files in found.items() if files)


def _check_scale(root: ET.Element, where: str) -> None:
    said = {float(e.text or "nan") for e in root.iter() if e.tag.endswith("BOA_QUANTIFICATION_VALUE")}
    if not said <= {QUANTIFICATION}:
        raise RadiometryError(
            f"names a quantification value of {sorted(said)}, not {QUANTIFICATION:.0f}",
            where=where,
            cure="write the bands as 10,000 x reflectance",
        )


def _check_offset(root: ET.Element, baseline: str, where: str) -> None:
    said = {int(float(e.text or "0")) for e in root.iter() if e.tag.endswith("BOA_ADD_OFFSET")}
    expected = S2_OFFSET_DN if baseline_number(baseline, where=where) >= S2_FIRST_BASELINE_WITH_OFFSET else 0
    if (said or {0}) != {expected}:
        raise RadiometryError(
            f"names offsets {sorted(said or {0})}, but processing baseline {baseline} means {expected}",
            where=where,
            cure="bring the bands into a ready-made folder and declare their offset in scene.json",
        )


def _text(root: ET.Element, tag: str, where: str) -> str:
    for element in root.iter():
        if element.tag.endswith(tag) and element.text:
            return element.text.strip()
    raise MalformedInput(f"has no {tag}", where=where)


def _instant(root: ET.Element, tag: str, where: str) -> datetime:
    return datetime.fromisoformat(_text(root, tag, where)).astimezone(UTC)
