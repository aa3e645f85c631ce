"""Which assets of a STAC item hold our bands, on which grid, and what they say about their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cropcredit.imagery import refinement
from cropcredit.model import Grid, Offset

Said = Mapping[str, Any]
"""Part of an item, as JSON."""

BANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "s2-l2a": {
        "blue": ("blue", "b02"),
        "green": ("green", "b03"),
        "red": ("red", "b04"),
        "rededge": ("rededge1", "rededge071", "b05"),  # plain "rededge" is the common name of four bands
        "rededge2": ("rededge2", "rededge075", "b06"),
        "rededge3": ("rededge3", "rededge078", "b07"),
        "nir": ("nir", "b08"),
        "swir16": ("swir16", "b11"),
        "swir22": ("swir22", "b12"),
        "scl": ("scl",),
    },
    "landsat-c2-l2": {
        **{name: (name,) for name in ("blue", "green", "red", "swir16", "swir22")},
        "nir": ("nir08",),
        "qa": ("qa_pixel",),
    },
    "sentinel-1-rtc": {"vv": ("vv",), "vh": ("vh",)},
    "mod13q1": {
        "ndvi": ("250m_16_days_ndvi", "ndvi"),
        "evi": ("250m_16_days_evi", "evi"),
        "reliability": ("250m_16_days_pixel_reliability", "reliability"),
    },
    **{name: {name: (name,)} for name in ("ndvi", "evi2", "ndre")},
}
"""Product: name in the core: names in catalogues, in small letters."""
OFFSET_APPLIED = ("earthsearch:boa_offset_applied", "sentinel:boa_offset_applied")
SAME_LAYER = re.compile(r"[-_](jp2|\d+m)$")
"""What follows the name of a layer in the key of an asset: its format, its pixel."""
NO_DATA = re.compile(r"visual|tci|true.?color|overview|preview|thumbnail")
"""Keys and roles of pictures; the bands they name are not the numbers we need."""
METRES = re.compile(r"_(\d+)m$")


class Layer(NamedTuple):
    """One band of one asset."""

    names: frozenset[str]
    asset: Said
    number: int
    """Of the band in the file, from 1."""
    order: tuple[bool, float, bool]
    """Which to prefer of layers that hold the same: alone in its file, small pixels, GeoTIFF."""


def layers(assets: Mapping[str, Said]) -> Iterator[Layer]:
    """Name every band of every raster among the assets."""
    for key, asset in assets.items():
        kind = asset.get("type") or asset["href"].partition("?")[0].rpartition(".")[2].lower()
        if not re.search(r"tif|jp2", kind) or NO_DATA.search(f"{key} {asset.get('roles')}".lower()):
            continue
        told: list[Said] = asset.get("bands") or asset.get("eo:bands") or [{}]
        for number, band in enumerate(told, start=1):
            words = [band.get("name"), band.get("common_name"), band.get("eo:common_name")]
            words += [SAME_LAYER.sub("", key)] * (len(told) == 1)
            names = frozenset(word.lower() for word in words if word)
            yield Layer(names, asset, number, (len(told) > 1, _pixel(key, asset), "tif" not in kind))


def _pixel(key: str, asset: Said) -> float:
    metres = METRES.search(key)
    if "proj:transform" in asset:
        return float(asset["proj:transform"][0])
    return float(asset.get("gsd") or (metres[1] if metres else 0))


def choose(found: Sequence[Layer], product: str) -> dict[str, Layer]:
    """Find the layer of each band of a product, by the core's name."""
    fitting = {core: [layer for layer in found if layer.names & set(names)] for core, names in BANDS[product].items()}
    return {core: min(same, key=lambda layer: layer.order) for core, same in fitting.items() if same}


def offset(said: Said, chosen: Mapping[str, Layer]) -> Offset | None:
    """Tell what the properties, else red and near infrared, say about the radiometric offset; None: nothing."""
    for name in OFFSET_APPLIED:
        if name in said:
            return Offset.APPLIED if said[name] else Offset.NOT_APPLIED
    told = {_band_offset(layer) for core, layer in chosen.items() if core in ("red", "nir")}
    if None in told or not told:
        return None
    return Offset.NOT_APPLIED if any(told) else Offset.APPLIED


def _band_offset(layer: Layer) -> float | None:
    bands = layer.asset.get("raster:bands") or layer.asset.get("bands") or []
    band = bands[layer.number - 1] if layer.number <= len(bands) else {}
    return next((s[k] for s in (band, layer.asset) for k in ("raster:offset", "offset") if s.get(k) is not None), None)


def grid(said: Said, chosen: Mapping[str, Layer], where: str) -> Grid | None:
    """Give the finest grid, once the others are seen to lie on it; None where a band does not tell its own."""
    grids = {core: _band_grid(said, layer.asset) for core, layer in chosen.items()}
    known = [grid for grid in grids.values() if grid]
    if not known or len(known) < len(grids):
        return None
    finest = min(known, key=lambda grid: grid.transform[0])
    for core, grid in grids.items():
        assert grid is not None
        refinement(finest, grid, where=f"{where} {core}")
    return finest


def _band_grid(said: Said, asset: Said) -> Grid | None:
    shaped = asset if "proj:shape" in asset or "proj:transform" in asset else said
    transform, shape = shaped.get("proj:transform"), shaped.get("proj:shape")
    codes = [part.get("proj:code") or f"EPSG:{part.get('proj:epsg') or ''}" for part in (asset, said)]
    code = next((code for code in codes if code != "EPSG:"), None)
    if not (transform and shape and code):
        return None
    a, b, c, d, e, f = (float(number) for number in transform[:6])
    return Grid(code, (a, b, c, d, e, f), (int(shape[0]), int(shape[1])))
