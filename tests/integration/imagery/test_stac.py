"""Searching STAC: a real API (rustac) behind a proxy that fails as such servers do, and static catalogues on disk."""

import json
import sys
from datetime import UTC, datetime

import pytest

from cropcredit.adapters.stac import PAGE, StacCatalogues
from cropcredit.errors import MalformedInput, RefusedInput, StoreUnavailable, SwappedAxes, UnknownName
from cropcredit.model import SceneQuery
from tests.integration.imagery.stac_world import BOX, COLLECTION, file_server, item, proxied, stac_api, write_items

FIJI = [177.0, -19.0, 178.0, -16.0]
TAVEUNI = [-179.9, -17.0, -179.0, -16.0]


@pytest.fixture
def search(tmp_path):
    """Give a function that searches, without waiting between tries."""
    catalogues = StacCatalogues(root=tmp_path / "bank", backoff_s=0)

    def find(catalogue, **asked):
        since = asked.pop("since", datetime(2025, 1, 1, tzinfo=UTC))
        until = asked.pop("until", datetime(2025, 12, 31, tzinfo=UTC))
        query = SceneQuery(catalogue=str(catalogue), since=since, until=until, **asked)
        return list(catalogues.search(query))

    return find


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """Serve more scenes than fit on one page: one for each day, ever cloudier, then one over Fiji and one beyond."""
    days = [f"2025-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(PAGE + 20)]
    scenes = [item(day, eo__cloud_cover=count / 2) for count, day in enumerate(days)]
    islands = [item(name="fiji", bbox=FIJI), item(name="taveuni", bbox=TAVEUNI), item(collection="naip")]
    with stac_api(tmp_path_factory.mktemp("api"), *scenes, *islands) as url:
        yield url


def names(found):
    return [draft.id for draft in found]


def without_post(said):
    """Make a landing page that offers no search by POST, and no collections."""
    gone = [link for link in said.get("links", []) if link.get("method") == "POST" or link["rel"] == "data"]
    return said | {"links": [link for link in said.get("links", []) if link not in gone]}


def test_a_search_gives_every_page(search, api):
    with proxied(api) as proxy:
        found = search(proxy.url, collections=(COLLECTION,), bbox=tuple(BOX))
    assert len(set(names(found))) == len(found) == PAGE + 20
    assert [method for method, _, _ in proxy.searches()] == ["POST", "POST"]
    assert [body["limit"] for _, _, body in proxy.searches()] == [PAGE, PAGE]
    assert not any(draft.problem for draft in found)


def test_where_there_is_no_post_the_search_asks_by_get_and_gives_every_page(search, api):
    with proxied(api, change=without_post) as proxy:
        found = search(proxy.url)
    assert len(set(names(found))) == len(found) == PAGE + 20 + 3
    assert [method for method, _, _ in proxy.searches()] == ["GET", "GET"]
    assert "datetime=2025-01-01T00" in proxy.searches()[0][1]


def test_what_is_not_asked_for_is_not_fetched(search, api):
    with proxied(api) as proxy:
        assert len(search(proxy.url, collections=(COLLECTION,), bbox=tuple(BOX), limit=7)) == 7
    assert len(proxy.searches()) == 1


def test_dates_and_clouds_narrow_a_search(search, api):
    since, until = datetime(2025, 1, 5, tzinfo=UTC), datetime(2025, 1, 7, 3, tzinfo=UTC)
    found = search(api, collections=(COLLECTION,), bbox=tuple(BOX), since=since, until=until)
    assert names(found) == ["S2A_50SMJ_20250105_0_L2A", "S2A_50SMJ_20250106_0_L2A", "S2A_50SMJ_20250107_0_L2A"]
    clear = search(api, collections=(COLLECTION,), bbox=tuple(BOX), since=since, until=until, max_cloud_pct=2.5)
    assert [draft.cloud_pct for draft in clear] == [2, 2.5]


def test_a_box_across_the_180th_meridian_finds_both_sides(search, api):
    assert names(search(api, collections=(COLLECTION,), bbox=(176, -20, -179.5, -15))) == ["fiji", "taveuni"]
    assert names(search(api, collections=(COLLECTION,), bbox=(176, -20, 180, -15))) == ["fiji"]


def test_an_unknown_collection_is_refused_with_those_that_hold_scenes(search, api):
    with pytest.raises(UnknownName, match=r"unknown collection 's2'; known: sentinel-2-l2a$"):
        search(api, collections=("s2",))
    with pytest.raises(RefusedInput, match=r"wants to know the collection; --collection sentinel-2-l2a$"):
        search(api)


def test_a_part_of_an_api_is_refused_with_the_way_to_ask(search, api):
    with pytest.raises(RefusedInput, match=rf"is a part of an API; --stac {api}/ --collection {COLLECTION}"):
        search(f"{api}/collections/{COLLECTION}")
    with pytest.raises(RefusedInput, match=rf"is one page of a search; --stac {api}/$"):
        search(f"{api}/search?limit=2")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(search, api, status):
    with proxied(api, status, status) as proxy:
        assert len(search(proxy.url, collections=(COLLECTION,), limit=3)) == 3
    assert proxy.refused == [status, status]


def test_a_page_that_fails_in_the_middle_is_asked_again(search, api):
    def change(said):
        if said.get("numberReturned") == PAGE:
            proxy.failures.append(503)
        return said

    with proxied(api, change=change) as proxy:
        found = search(proxy.url, collections=(COLLECTION,), bbox=tuple(BOX))
    assert (len(found), proxy.refused) == (PAGE + 20, [503])


def test_a_server_that_stays_busy_is_named(search, api):
    with (
        proxied(api, *[503] * 6) as proxy,
        pytest.raises(StoreUnavailable, match=rf"{proxy.url}: .* does not answer, after 5 retries: too many 503 error"),
    ):
        search(proxy.url, collections=(COLLECTION,))
    assert proxy.refused == [503] * 6


def test_a_server_that_is_gone_is_named(search, api):
    with proxied(api) as proxy:
        pass
    with pytest.raises(StoreUnavailable, match=rf"{proxy.url}: .*, after 5 retries: Failed to .*refused$"):
        search(proxy.url, collections=(COLLECTION,))


def test_without_the_extra_a_search_says_what_to_install(search, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pystac_client.stac_api_io", None)
    with pytest.raises(RefusedInput, match=r'pystac-client, which is not here; pip install "cropcredit\[stac\]"'):
        search(tmp_path)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        pytest.param(401, r"wants to know who asks \(401\); take a catalogue that is open", id="a closed one"),
        pytest.param(404, r"no STAC catalogue answers there \(404\): busy", id="nothing there"),
    ],
)
def test_a_refusal_is_not_asked_again(search, api, status, message):
    with proxied(api, status, status) as proxy, pytest.raises(RefusedInput, match=message):
        search(proxy.url)
    assert proxy.refused == [status]


def test_a_server_that_never_comes_to_its_end_is_refused(search, api):
    def change(said):
        if "features" not in said:
            return said
        again = {"rel": "next", "href": f"{proxy.url}/search", "method": "POST", "body": {"limit": 2}}
        return said | {"links": [again]}

    with proxied(api, change=change) as proxy, pytest.raises(MalformedInput, match="gives the same page again and"):
        search(proxy.url, collections=(COLLECTION,), since=datetime(2025, 1, 1, tzinfo=UTC))


def test_an_item_that_comes_twice_is_found_once(search, tmp_path):
    first, second = item("2025-06-01"), item("2025-06-06")
    with stac_api(tmp_path, first, second, first) as url:
        assert len(search(url, collections=(COLLECTION,))) == 2
    assert len(search(write_items(tmp_path / "items.json", first, second, first))) == 2


def test_a_page_of_nothing_but_an_item_that_was_there_before_does_not_end_the_search(search, tmp_path):
    scenes = [item(name=f"scene-{number}") for number in range(PAGE)]
    with stac_api(tmp_path, *scenes, scenes[-1]) as url, proxied(url) as proxy:
        assert len(search(proxy.url, collections=(COLLECTION,))) == PAGE
    assert len(proxy.searches()) == 2


def write_catalogue(folder, *, name, kind="Catalog", **links):
    """Write a catalogue with links: child=…, item=…, each a list of hrefs."""
    linked = [{"rel": rel, "href": href} for rel, hrefs in links.items() for href in hrefs]
    said = {"type": kind, "id": name, "stac_version": "1.0.0", "description": name, "links": linked}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.json").write_text(json.dumps(said))
    return folder / "catalog.json"


@pytest.fixture
def nested(tmp_path):
    """Write a catalogue of years whose items stand beside their files, and which points back at itself."""
    root = write_catalogue(tmp_path / "stac", name="all", child=["2024/catalog.json", "2025/catalog.json"])
    for year, name in (("2024", COLLECTION), ("2025", "other")):
        parts = {"child": ["../catalog.json", "../2024/catalog.json"], "item": ["june/item.json"]}
        write_catalogue(root.parent / year, name=name, kind="Collection", **parts)
        (root.parent / year / "june").mkdir()
        said = item(
            f"{year}-06-01", collection=name, assets={"red": {"href": "./B04.tif"}, "nir": {"href": "../B08.tif"}}
        )
        (root.parent / year / "june" / "item.json").write_text(json.dumps(said))
    return root


def test_a_static_catalogue_is_walked_once_and_its_files_lie_beside_their_items(search, nested):
    since = datetime(2020, 1, 1, tzinfo=UTC)
    found = search(nested, since=since, product="s2-l2a")
    assert names(found) == ["S2A_50SMJ_20240601_0_L2A", "S2A_50SMJ_20250601_0_L2A"]
    red, nir = found[0].bands
    assert (red.href, nir.href) == (f"{nested.parent}/2024/june/B04.tif", f"{nested.parent}/2024/B08.tif")
    assert found == search(nested.as_uri(), since=since, product="s2-l2a")


def test_a_static_catalogue_on_a_server_is_walked_too_and_its_files_lie_there(search, nested):
    (nested.parent / "2025" / "june" / "item.json").unlink()
    with file_server(nested.parent) as (url, _):
        found, lost = search(f"{url}/catalog.json", since=datetime(2020, 1, 1, tzinfo=UTC))
    assert [band.href for band in found.bands] == [f"{url}/2024/june/B04.tif", f"{url}/2024/B08.tif"]
    assert lost.problem == f"{url}/2025/june/item.json: no STAC catalogue answers there (404): a web page"


def test_files_within_the_workspace_are_named_from_there(search, tmp_path):
    (tmp_path / "bank").mkdir()
    [found] = search(write_items(tmp_path / "bank" / "items.json", item()))
    assert found.bands[0].href == "S2_50SMJ_20250601/B04.tif"


def test_conditions_are_kept_on_static_catalogues_too(search, nested):
    since = datetime(2020, 1, 1, tzinfo=UTC)
    assert len(search(nested, since=since, collections=(COLLECTION,))) == 1
    assert len(search(nested)) == 1
    assert search(nested, since=since, max_cloud_pct=9) == []
    assert search(nested, since=since, bbox=(0, 0, 1, 1)) == []
    with pytest.raises(UnknownName, match=r"unknown collection 'modis'; known: other, sentinel-2-l2a$"):
        search(nested, since=since, collections=("modis",))


def test_a_broken_link_is_named_and_the_other_scenes_are_found(search, nested):
    (nested.parent / "2024" / "june" / "item.json").write_text("pixels")
    (nested.parent / "2025" / "catalog.json").unlink()
    found = search(nested, since=datetime(2020, 1, 1, tzinfo=UTC))
    assert [draft.problem.removeprefix(f"{nested.parent}/") for draft in found] == [
        "2024/june/item.json: is not a STAC catalogue: Expecting value: line 1 column 1 (char 0)",
        "2025/catalog.json: cannot be read: No such file or directory",
    ]


def test_of_a_static_catalogue_only_the_collections_asked_for_are_read(search, nested):
    (nested.parent / "2025" / "june" / "item.json").unlink()
    [found] = search(nested, since=datetime(2020, 1, 1, tzinfo=UTC), collections=(COLLECTION,))
    assert found.problem == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "nowhere.json: cannot be read: No such file or directory", id="nothing there"),
        pytest.param("pixels", "is not a STAC catalogue: Expecting value", id="no JSON"),
        pytest.param("[1, 2]", "is JSON, but not STAC", id="a list"),
        pytest.param('{"features": [7]}', "is not a STAC catalogue: 'int' object has no attribute", id="no items"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(search, tmp_path, text, message):
    if text is not None:
        (tmp_path / "nowhere.json").write_text(text)
    with pytest.raises(MalformedInput, match=message):
        search(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("bbox", "kind", "message"),
    [
        pytest.param((36.1, 117.0, 36.2, 117.1), SwappedAxes, "names latitude first; write west,south", id="swapped"),
        pytest.param((500_000, 4e6, 510_000, 4.1e6), MalformedInput, "lies off the Earth", id="metres"),
        pytest.param(
            (117, 37, 118, 36), MalformedInput, "the corners of 117,37,118,36 are exchanged", id="upside down"
        ),
        pytest.param((118, 36, 117, 37), MalformedInput, "the corners of 118,36,117,37 are exchanged", id="east first"),
    ],
)
def test_a_box_that_cannot_be_meant_is_refused(search, tmp_path, bbox, kind, message):
    with pytest.raises(kind, match=message):
        search(tmp_path, bbox=bbox)
