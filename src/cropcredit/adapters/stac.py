"""SceneCatalogue over STAC: APIs through pystac-client, static catalogues from link to link, on URLs and on disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urljoin, urlsplit

from cropcredit.adapters.stac_assets import Said
from cropcredit.adapters.stac_items import describe, instant, is_remote
from cropcredit.errors import CropcreditError, MalformedInput, RefusedInput, StoreUnavailable, UnknownName
from cropcredit.model import Box, SceneDraft, SceneQuery
from cropcredit.model.files import EVERYWHERE, MERIDIAN

if TYPE_CHECKING:
    from pystac_client import Client
    from pystac_client.stac_api_io import StacApiIO

PAGE = 100
"""Items to ask for at a time; a server may give fewer."""
TRIES = 5
BUSY = (429, 500, 502, 503, 504)
"""Answers after which the same question may be asked again."""
LONGEST_WAIT_S = 60
FORBIDDEN = (401, 403)
LONGEST_REASON = 200
TIMEOUT_S = 60.0

Found = tuple[Said, str]
"""An item, and the address that its relative hrefs start from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StacCatalogues:
    """SceneCatalogue over STAC; needs the extra ``stac``."""

    root: Path
    """The workspace: files below it are named relative to it, so that it can be moved."""
    backoff_s: float = 0.5
    """Wait before the second retry of a request; it doubles with each further one."""

    def search(self, query: SceneQuery) -> Iterator[SceneDraft]:
        """Describe the scenes that fit, each once; see :class:`cropcredit.ports.SceneCatalogue`.

        Every condition is checked here too, since static catalogues check nothing, and servers not everything.
        """
        found = (self._describe(item, base, query.product) for item, base in self._items(query) if _fits(item, query))
        return islice(found, query.limit or None)

    def _items(self, query: SceneQuery) -> Iterator[Found]:
        io = _http(self.backoff_s)
        start = query.catalogue if is_remote(query.catalogue) else str(Path(query.catalogue).absolute())
        seen = set()
        with _in_our_words(query.catalogue):
            said = _read(io, start)
            found = _search(io, start, said, query) if _link(said, "search") else _walk(io, start, said, query, {start})
            for item, base in found:
                name = (item.get("collection"), item.get("id"))
                if name not in seen:
                    yield item, base
                seen.add(name)

    def _describe(self, item: Said, base: str, product: str) -> SceneDraft:
        return describe(item, product=product, locate=lambda href: self._locate(_absolute(href, base)), where=base)

    def _locate(self, place: str) -> str:
        inside = not is_remote(place) and Path(place).is_relative_to(self.root)
        return str(Path(place).relative_to(self.root)) if inside else place


def _http(backoff_s: float) -> StacApiIO:
    try:
        from pystac_client.stac_api_io import StacApiIO  # noqa: PLC0415 - optional, and slow to import
        from urllib3 import Retry  # noqa: PLC0415 - comes with it
    except ImportError:
        cure = 'pip install "cropcredit[stac]"'
        raise RefusedInput("a catalogue is searched with pystac-client, which is not here", cure=cure) from None
    retry = Retry(
        total=TRIES,
        backoff_factor=backoff_s,
        status_forcelist=BUSY,
        allowed_methods=None,  # a search by POST changes nothing
        retry_after_max=LONGEST_WAIT_S,
    )
    return StacApiIO(timeout=TIMEOUT_S, max_retries=retry)


def _read(io: StacApiIO, place: str) -> dict[str, Any]:
    said = io.read_json(place)
    if not isinstance(said, dict) or not ("links" in said or "features" in said):
        raise MalformedInput("is JSON, but not STAC", where=place)
    return said


def _search(io: StacApiIO, start: str, said: dict[str, Any], query: SceneQuery) -> Iterator[Found]:
    client = cast("Client", io.stac_object_from_dict(said, href=start))
    client.add_conforms_to("ITEM_SEARCH")
    if _link(said, "data"):
        client.add_conforms_to("COLLECTIONS")
        _check_collections(client, query)
    methods = {link.get("method", "GET") for link in said["links"] if link.get("rel") == "search"}
    for box in query.boxes:
        search = client.search(
            method="POST" if "POST" in methods else "GET",
            collections=list(query.collections) or None,
            bbox=box,
            datetime=[query.since, query.until],
            limit=PAGE,
        )
        for item in search.items_as_dicts():
            yield item, _link(item, "self") or start


def _check_collections(client: Client, query: SceneQuery) -> None:
    unknown = [name for name in query.collections if client.get_collection(name) is None]
    if query.collections and not unknown:
        return
    known = tuple(sorted(collection.id for collection in client.get_collections()))
    if unknown:
        raise UnknownName("collection", unknown[0], known, where=query.catalogue)
    raise RefusedInput("wants to know the collection", where=query.catalogue, cure=f"--collection {' | '.join(known)}")


def _walk(io: StacApiIO, place: str, said: dict[str, Any], query: SceneQuery, seen: set[str]) -> Iterator[Found]:
    """Follow the links of a static catalogue, each once."""
    if _link(said, "items"):
        cure = f"--stac {_link(said, 'root')} --collection {said.get('id')}"
        raise RefusedInput("is a part of an API", where=place, cure=cure)
    if said.get("type") == "Collection" and query.collections and said.get("id") not in query.collections:
        return
    if said.get("type") == "Feature":
        yield said, place
    for item in said.get("features", []):
        yield item, _link(item, "self") or place
    for link in said.get("links", []):
        target = _absolute(link["href"], place)
        if link.get("rel") in ("child", "item") and target not in seen:
            seen.add(target)
            yield from _walk(io, target, _read(io, target), query, seen)


def _link(said: Said, rel: str) -> str:
    return next((str(link["href"]) for link in said.get("links", []) if link.get("rel") == rel), "")


def _absolute(href: str, base: str) -> str:
    """Resolve an href against the file or URL that names it; a file comes out as a plain path."""
    if href.startswith("file:"):
        return unquote(urlsplit(href).path)
    if is_remote(base):
        return urljoin(base, href)
    return href if is_remote(href) else os.path.normpath(Path(base).parent / href)


def _fits(item: Said, query: SceneQuery) -> bool:
    """Say whether an item is asked for; of one that cannot be read, the description says why."""
    try:
        said = item["properties"]
        begin = instant(said.get("datetime") or said["start_datetime"])
        end = instant(said.get("end_datetime") or said.get("datetime") or said["start_datetime"])
        seen = not query.collections or item.get("collection") in query.collections
        clouds = float(said.get("eo:cloud_cover") or 0)
        inside = any(_meet(a, b) for a in _boxes(item) for b in query.boxes)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return True
    return seen and inside and begin <= query.until and query.since <= end and clouds <= query.max_cloud_pct


def _boxes(item: Said) -> list[Box]:
    """Give the bounds of an item, in two where they cross the 180th meridian."""
    bbox = item.get("bbox") or EVERYWHERE
    west, south, east, north = bbox[0], bbox[1], bbox[len(bbox) // 2], bbox[len(bbox) // 2 + 1]
    if west <= east:
        return [(west, south, east, north)]
    return [(west, south, MERIDIAN, north), (-MERIDIAN, south, east, north)]


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


@contextmanager
def _in_our_words(catalogue: str) -> Iterator[None]:
    from pystac.errors import STACError, STACTypeError  # noqa: PLC0415 - optional
    from pystac_client.exceptions import APIError  # noqa: PLC0415 - optional

    try:
        yield
    except APIError as error:
        raise _refusal(getattr(error, "status_code", None), str(error), catalogue) from error
    except OSError as error:
        raise MalformedInput(f"cannot be read: {error.strerror}", where=error.filename or catalogue) from None
    except (KeyError, STACError, STACTypeError, ValueError) as error:
        raise MalformedInput(f"is not a STAC catalogue: {_short(str(error))}", where=catalogue) from error


def _refusal(status: int | None, text: str, catalogue: str) -> CropcreditError:
    if status is None or status in BUSY:
        return StoreUnavailable(f"{catalogue}: the catalogue does not answer, after {TRIES} retries: {_short(text)}")
    if status in FORBIDDEN:
        return RefusedInput(f"wants to know who asks ({status})", where=catalogue, cure="take a catalogue that is open")
    return MalformedInput(f"no STAC catalogue answers there ({status}): {_short(text)}", where=catalogue)


def _short(text: str) -> str:
    """Give what people need of a library's message: its innermost reason, on one line."""
    reason = re.search(r"Caused by \w+\((.*)\)\)", text)
    return " ".join((reason[1] if reason else text).split())[:LONGEST_REASON]
