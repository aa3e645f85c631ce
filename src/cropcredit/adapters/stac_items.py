"""STAC items: what a catalogue says about a scene, in our words.

=====================  =============================================================================================
part of the scene      where it stands in the item; the first that is there counts
=====================  =============================================================================================
product                name of the collection (``sentinel-2-l2a``, ``landsat-c2-l2``, ``modis-13Q1-061`` …), a telltale
                       asset (``scl``, ``qa_pixel`` …)
bands                  key of the asset (``red``, ``B04``, ``B04_10m``), or name or common name of its band; of several
                       the one with the smallest pixel, and of those a GeoTIFF before a JPEG 2000
tile                   the scene's name, ``grid:code``, ``s2:mgrs_tile``, ``mgrs:*``; of radar its track
acquired_at            ``datetime``, ``start_datetime``
available_at           ``published``; ``s2:generation_time``, when these pixels were made, hours before they were out;
                       ``created``, which may be years later where a catalogue was built anew; never before the
                       acquisition was over
processing_baseline    ``s2:processing_baseline``, the scene's name, ``processing:version``
datatake               the scene's name, ``s2:datatake_id``: the same words as for the files of the archive
relative_orbit         ``sat:relative_orbit``, the scene's name
grid                   ``proj:code`` or ``proj:epsg``, ``proj:transform`` and ``proj:shape``, where all bands have them
offset                 ``earthsearch:boa_offset_applied``; else ``offset`` of the bands: not zero, so it is still in the
                       numbers. Catalogues are wrong about it in both directions, and the run checks the pixels
content_hash           ``file:checksum`` of the assets, where all have one; else the id, the times of making and of
                       updating, and the addresses without their queries, since tokens in them change
=====================  =============================================================================================

Of files on this machine only the metadata is believed: grid and content are asked from the files themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from cropcredit.adapters.rasters import is_remote
from cropcredit.adapters.safe import ProductName, read_name
from cropcredit.adapters.sentinel1 import radar_pass, relative_orbit
from cropcredit.adapters.stac_assets import Layer, Said, choose, grid, layers, offset
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import Band, Box, SceneDraft, SceneQuery
from cropcredit.model.files import EVERYWHERE, halves

COLLECTIONS = {
    "s2-l2a": re.compile(r"(sentinel-?2|s2).*l2a"),
    "landsat-c2-l2": re.compile(r"landsat.*c2.*l2"),
    "sentinel-1-rtc": re.compile(r"(sentinel-?1|s1).*rtc"),
    "mod13q1": re.compile(r"(modis-|mod|myd)13q1"),
}
"""Product: what the collection is called, in small letters."""
TELLTALES = {"scl": "s2-l2a", "qa_pixel": "landsat-c2-l2", "250m_16_days_ndvi": "mod13q1"}
"""Name of a layer that only one product has."""
AVAILABLE = ("published", "s2:generation_time", "created")
MADE = ("s2:generation_time", "created", "updated")
MGRS = re.compile(r"(?:MGRS-|T)?(\d{1,2})([A-Z]{3})")
SINUSOIDAL = re.compile(r"\.(h\d{2}v\d{2})\.")
DATATAKE = re.compile(r"G?(S2[A-D]_\d{8}T\d{6})_")
LANDSAT = re.compile(r"(L[COTE]\d\d)_L2S[PR]_(\d{6})_(\d{8})_(?:\d{8}_)?(\d\d)_")
VERSION = re.compile(r"\d\d\.\d\d")


def describe(item: Said, *, product: str = "", locate: Callable[[str], str], where: str) -> SceneDraft:
    """Describe the scene of one item; what makes it useless is its ``problem``.

    Parameters
    ----------
    item : mapping
        The item as JSON, of STAC 1.0 or 1.1.
    product : str, optional
        Of which product it is; empty: told from its names.
    locate : callable
        Gives the place of an href: absolute, or relative to the workspace.
    where : str
        Address of the item, for messages.
    """
    name = str(item.get("id") or "")
    try:
        return _draft(item, product, locate, where)
    except RefusedInput as error:
        problem = str(error)
    except KeyError as error:
        problem = str(MalformedInput(f"the item has no {error}", where=where))
    except (AttributeError, TypeError, ValueError) as error:
        problem = str(MalformedInput(f"the item cannot be understood: {error}", where=where))
    return SceneDraft(id=name, path=where, bands=(), product=product, problem=problem)


def _draft(item: Said, asked: str, locate: Callable[[str], str], where: str) -> SceneDraft:
    if not item.get("id"):
        raise MalformedInput("the item has no 'id'", where=where)
    properties = item["properties"]
    found = list(layers(item["assets"]))
    product = asked or _product(item.get("collection") or "", found, where)
    chosen = choose(found, product)
    bands = tuple(Band(core, locate(layer.asset["href"]), layer.number) for core, layer in chosen.items())
    remote = any(is_remote(band.href) for band in bands)
    named = _name(item, product)
    cloud = properties.get("eo:cloud_cover")
    acquired_at = instant(properties.get("datetime") or properties["start_datetime"])
    return SceneDraft(
        id=item["id"],
        path=where,
        bands=bands,
        product=product,
        tile=named.tile or _tile(item),
        acquired_at=acquired_at,
        available_at=_available(properties, acquired_at),
        processing_baseline=_baseline(properties, named),
        offset=offset(properties, chosen) if product == "s2-l2a" else None,
        datatake=named.datatake,
        relative_orbit=int(properties.get("sat:relative_orbit") or named.relative_orbit),
        grid=grid(properties, chosen, where) if remote else None,
        content_hash=_content_hash(item, chosen.values()) if remote else "",
        cloud_pct=None if cloud is None else float(cloud),
    )


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant; STAC demands a zone, and where somebody forgot it UTC is meant.

    Examples
    --------
    >>> instant("2024-03-04T10:56:31.024Z").isoformat()
    '2024-03-04T10:56:31.024000+00:00'
    """
    said = datetime.fromisoformat(text)
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)


def fits(item: Said, query: SceneQuery) -> bool:
    """Say whether an item is asked for; of one that cannot be read, the description says why."""
    try:
        said = item["properties"]
        begin = instant(said.get("datetime") or said["start_datetime"])
        end = instant(said.get("end_datetime") or said.get("datetime") or said["start_datetime"])
        named = not query.collections or item.get("collection") in query.collections
        clouds = float(said.get("eo:cloud_cover") or 0)
        inside = any(_meet(a, b) for a in _boxes(item) for b in query.boxes)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return True
    return named and inside and begin <= query.until and query.since <= end and clouds <= query.max_cloud_pct


def _boxes(item: Said) -> tuple[Box, ...]:
    bbox = item.get("bbox") or EVERYWHERE
    corner = len(bbox) // 2  # three numbers each where the box has heights
    return halves((bbox[0], bbox[1], bbox[corner], bbox[corner + 1]))


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def product_in(collection: str) -> str:
    """Tell the product of a collection by its name; empty where it is none that we read.

    Examples
    --------
    >>> product_in("sentinel-2-c1-l2a"), product_in("landsat-c2-l2"), product_in("naip")
    ('s2-l2a', 'landsat-c2-l2', '')
    """
    return next((product for product, name in COLLECTIONS.items() if name.search(collection.lower())), "")


def _product(collection: str, layers: Sequence[Layer], where: str) -> str:
    by_layer = (product for name, product in TELLTALES.items() if any(name in layer.names for layer in layers))
    product = product_in(collection) or next(by_layer, "")
    if not product:
        raise MalformedInput("does not tell its product", where=where, cure="say it: --product s2-l2a")
    return product


def _name(item: Said, product: str) -> ProductName:
    """Read what the names of the scene tell, in the words of the archive's own files."""
    name, said = item["id"], item["properties"]
    if product == "sentinel-1-rtc":
        return ProductName(radar_pass(name), "", relative_orbit(name), "")
    if landsat := LANDSAT.match(name):
        satellite, tile, day, collection = landsat.groups()
        return ProductName(f"{satellite}_{tile}_{day}", collection, 0, tile)
    told = read_name(f"{said.get('s2:product_uri')} {said.get('sentinel:product_id')} {name}")
    datatake = DATATAKE.match(said.get("s2:datatake_id") or "")
    return told if told.tile or not datatake else told._replace(datatake=datatake[1])


def _tile(item: Said) -> str:
    said = item["properties"]
    mgrs = "{}{}{}".format(*(said.get(f"mgrs:{part}", "") for part in ("utm_zone", "latitude_band", "grid_square")))
    for name in (said.get("grid:code") or "", said.get("s2:mgrs_tile") or "", mgrs):
        if square := MGRS.fullmatch(name):
            return f"{square[1]:0>2}{square[2]}"
    sinusoidal = SINUSOIDAL.search(item["id"])
    return sinusoidal[1] if sinusoidal else _track(said)


def _track(said: Said) -> str:
    """Name the strip that a radar sees again and again: ``A069``, ascending on relative orbit 69."""
    state, orbit = said.get("sat:orbit_state"), said.get("sat:relative_orbit")
    return f"{state[0].upper()}{orbit:03d}" if state and orbit else ""


def _available(said: Said, acquired_at: datetime) -> datetime | None:
    told = [instant(said[name]) for name in AVAILABLE if said.get(name)]
    over = instant(said["end_datetime"]) if said.get("end_datetime") else acquired_at
    return max(told[0], over, acquired_at) if told else None


def _baseline(said: Said, named: ProductName) -> str:
    told = said.get("s2:processing_baseline") or said.get("sentinel:processing_baseline") or named.processing_baseline
    version = str(said.get("processing:version") or "")
    return str(told or (version if VERSION.fullmatch(version) else ""))


def _content_hash(item: Said, layers: Iterable[Layer]) -> str:
    assets = [layer.asset for layer in layers]
    told = [asset.get("file:checksum") for asset in assets]
    if not all(told):
        made = [item["properties"].get(name) for name in MADE]
        told = [item["id"], *made, *(asset["href"].partition("?")[0] for asset in assets)]
    return hashlib.sha256("\n".join(map(str, told)).encode()).hexdigest()
