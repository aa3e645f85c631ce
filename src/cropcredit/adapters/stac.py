"""SceneCatalogue over STAC: APIs through pystac-client, static catalogues from link to link, on URLs and on disk."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote, urljoin, urlsplit

from cropcredit.adapters.rasters import is_remote
from cropcredit.adapters.stac_assets import BANDS, Said
from cropcredit.adapters.stac_items import describe, fits, product_in
from cropcredit.errors import CropcreditError, MalformedInput, RefusedInput, StoreUnavailable, UnknownName
from cropcredit.model import SceneDraft, SceneQuery
from cropcredit.model.files import EVERYWHERE

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
REASON = re.compile(r"""Caused by \w+\(['"]?(?:\w+\(.*?\): )?(.*?)['"]?\)\)""")
"""The innermost of the reasons that urllib3 nests."""
TIMEOUT_S = 60.0
BELOW = ("child", "item")
"""Links of a static catalogue that lead to its scenes."""


class Found(NamedTuple):
    """An item of a catalogue, or a part of it that cannot be read."""

    item: Said
    place: str
    """Address that the item's relative hrefs start from."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StacCatalogues:
    """SceneCatalogue over STAC; needs the extra ``stac``."""

    root: Path
    """The workspace: files below it are named relative to it, so that it can be moved."""
    backoff_s: float = 0.5
    """A request that failed is asked again at once, then after 2, 4, 8, 16 times this, s."""

    def search(self, query: SceneQuery) -> Iterator[SceneDraft]:
        """Describe the scenes that fit, each once; see :class:`cropcredit.ports.SceneCatalogue`.

        Every condition is checked here too, since static catalogues check nothing, and servers not everything.
        """
        if query.product and query.product not in BANDS:
            raise UnknownName("product", query.product, tuple(BANDS))
        scenes = (
            self._describe(found, query.product)
            for found in self._found(query)
            if found.problem or fits(found.item, query)
        )
        return islice(scenes, query.limit or None)

    def _found(self, query: SceneQuery) -> Iterator[Found]:
        io = _http(self.backoff_s)
        start = _absolute(query.catalogue, str(Path("here").absolute()))
        seen = set()
        with _in_our_words(query.catalogue):
            said = _read(io, start)
            api = _link(said, "search")
            for found in _search(io, start, said, query) if api else _walk(io, start, said, query):
                name = (found.item.get("collection"), found.item.get("id"))
                if name not in seen or not name[1]:
                    yield found
                seen.add(name)

    def _describe(self, found: Found, product: str) -> SceneDraft:
        item, place, problem = found
        if problem:
            return SceneDraft(id=place, path=place, bands=(), problem=problem)
        name = str(item.get("id") or "")
        where = place if name in place else f"{place} {name}"
        return describe(item, product=product, locate=lambda href: self._locate(_absolute(href, place)), where=where)

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
    said = io.read_json(place) if is_remote(place) else json.loads(Path(place).read_bytes())
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
            bbox=None if box == EVERYWHERE else box,
            datetime=[query.since, query.until],
            limit=PAGE,
        )
        for page in _pages(search.pages_as_dicts(), query.catalogue):
            yield from (Found(item, _link(item, "self") or start) for item in page)


def _pages(pages: Iterator[dict[str, Any]], where: str) -> Iterator[list[dict[str, Any]]]:
    """Give the items page by page; a server that never comes to its end is refused."""
    seen = set()
    for page in pages:
        names = frozenset((item.get("collection"), item.get("id")) for item in page["features"])
        if names in seen:
            raise MalformedInput("gives the same page again and again", where=where, cure="ask for fewer --dates")
        seen.add(names)
        yield page["features"]


def _check_collections(client: Client, query: SceneQuery) -> None:
    unknown = [name for name in query.collections if client.get_collection(name) is None]
    if query.collections and not unknown:
        return
    known = sorted(collection.id for collection in client.get_collections())
    readable = tuple(name for name in known if product_in(name)) or tuple(known)
    if unknown:
        raise UnknownName("collection", unknown[0], readable, where=query.catalogue)
    cure = f"--collection {' | '.join(readable)}"
    raise RefusedInput("wants to know the collection", where=query.catalogue, cure=cure)


def _walk(io: StacApiIO, start: str, said: dict[str, Any], query: SceneQuery) -> Iterator[Found]:
    """Follow the links of a static catalogue, each once; a broken one does not end the walk."""
    yield from _here(said, start)
    todo, seen, known = _below(said, start, query)[::-1], {start}, _collections(said)
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        try:
            with _in_our_words(place):
                said = _read(io, place)
                here, below = _here(said, place), _below(said, place, query)
        except RefusedInput as error:
            yield Found({}, place, str(error))
            continue
        yield from here
        todo += below[::-1]
        known |= _collections(said)
    if unknown := [name for name in query.collections if name not in known]:
        raise UnknownName("collection", unknown[0], tuple(sorted(known)), where=query.catalogue)


def _here(said: dict[str, Any], place: str) -> list[Found]:
    if _link(said, "items"):
        cure = f"--stac {_link(said, 'root')} --collection {said.get('id')}"
        raise RefusedInput("is a part of an API", where=place, cure=cure)
    if _link(said, "next"):
        raise RefusedInput("is one page of a search", where=place, cure=f"--stac {_link(said, 'root') or 'URL'}")
    if said.get("type") == "Feature":
        return [Found(said, place)]
    return [Found(item, _link(item, "self") or place) for item in said.get("features", [])]


def _below(said: dict[str, Any], place: str, query: SceneQuery) -> list[str]:
    if said.get("type") == "Collection" and query.collections and said.get("id") not in query.collections:
        return []
    return [_absolute(link["href"], place) for link in said.get("links", []) if link.get("rel") in BELOW]


def _collections(said: dict[str, Any]) -> set[str]:
    own = [said.get("id")] if said.get("type") == "Collection" else [said.get("collection")]
    return {str(name) for name in (*own, *(item.get("collection") for item in said.get("features", []))) if name}


def _link(said: Said, rel: str) -> str:
    return next((str(link["href"]) for link in said.get("links", []) if link.get("rel") == rel), "")


def _absolute(href: str, base: str) -> str:
    """Resolve an href against the file or URL that names it; a file comes out as a plain path."""
    if href.startswith("file:"):
        return unquote(urlsplit(href).path)
    if is_remote(base):
        return urljoin(base, href)
    return href if is_remote(href) else os.path.normpath(Path(base).parent / href)


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
    except (AttributeError, KeyError, STACError, STACTypeError, TypeError, ValueError) as error:
        raise MalformedInput(f"is not a STAC catalogue: {_short(str(error))}", where=catalogue) from error


def _refusal(status: int | None, text: str, catalogue: str) -> CropcreditError:
    if status is None or status in BUSY:
        return StoreUnavailable(f"{catalogue}: the catalogue does not answer, after {TRIES} retries: {_short(text)}")
    if status in FORBIDDEN:
        return RefusedInput(f"wants to know who asks ({status})", where=catalogue, cure="take a catalogue that is open")
    return MalformedInput(f"no STAC catalogue answers there ({status}): {_short(text)}", where=catalogue)


def _short(text: str) -> str:
    """Give what people need of a library's message: its innermost reason, on one line; nothing of a web page."""
    if text.lstrip().startswith("<"):
        return "a web page"
    reason = REASON.search(text)
    return " ".join((reason[1] if reason else text).split())[:LONGEST_REASON]
