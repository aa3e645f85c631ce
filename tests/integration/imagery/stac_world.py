"""What a catalogue of scenes is made of, on localhost: items, a STAC API, a proxy that fails, files in byte ranges."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BOX = [116.99, 36.10, 117.03, 36.15]
"""Around the grid of :mod:`tests.rasterfiles`, degrees."""
COLLECTION = "sentinel-2-l2a"
START_S = 20
Pages = Callable[[dict[str, Any]], dict[str, Any]]


def item(
    day: str = "2025-06-01",
    *,
    name: str = "",
    collection: str = COLLECTION,
    bbox: list[float] | None = None,
    assets: dict[str, Any] | None = None,
    **properties: Any,
) -> dict[str, Any]:
    """Write an item of Sentinel-2 as catalogues do; a property with value None is left out."""
    compact = day.replace("-", "")
    west, south, east, north = box = bbox or BOX
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    said = {
        "datetime": f"{day}T03:00:00Z",
        "s2:generation_time": f"{day}T15:00:00Z",
        "s2:product_uri": f"S2A_MSIL2A_{compact}T030000_N0510_R075_T50SMJ_{compact}T150000.SAFE",
        "s2:processing_baseline": "05.10",
        "grid:code": "MGRS-50SMJ",
        "eo:cloud_cover": 10.0,
    } | {key.replace("__", ":"): value for key, value in properties.items()}
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name or f"S2A_50SMJ_{compact}_0_L2A",
        "collection": collection,
        "bbox": box,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {key: value for key, value in said.items() if value is not None},
        "links": [],
        "assets": band_assets(f"S2_50SMJ_{compact}") if assets is None else assets,
    }


def band_assets(folder: str) -> dict[str, Any]:
    """Name the files that :func:`tests.rasterfiles.write_scene` writes."""
    files = {"red": "B04", "nir": "B08", "scl": "SCL"}
    return {
        key: {"href": f"{folder}/{file}.tif", "type": "image/tiff; application=geotiff"} for key, file in files.items()
    }


def remote_assets(base: str, folder: str) -> dict[str, Any]:
    """Name them on a server, with their grids, as catalogues of scenes in the cloud do."""
    pixel_m = {"red": 10, "nir": 10, "scl": 20}
    return {
        key: asset
        | {
            "href": f"{base}/{asset['href']}",
            "proj:epsg": 32650,
            "proj:shape": [400 // pixel_m[key], 400 // pixel_m[key]],
            "proj:transform": [pixel_m[key], 0, 500_000, 0, -pixel_m[key], 4_000_000],
        }
        for key, asset in band_assets(folder).items()
    }


def write_items(path: Path, *items: dict[str, Any]) -> Path:
    """Write an item collection."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return path


@contextmanager
def stac_api(folder: Path, *items: dict[str, Any]) -> Iterator[str]:
    """Serve items by ``rustac serve``; give the address of the API."""
    path = write_items(folder / "served.json", *items)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [str(Path(sys.executable).with_name("rustac")), "serve", "--addr", address, "--create-collections"]
    with (folder / "rustac.log").open("w") as log:
        server = subprocess.Popen([*command, str(path)], stdout=log, stderr=log)
    try:
        _wait_for(f"http://{address}/", server)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up:
        assert server.poll() is None, "the STAC server did not start"
        try:
            urllib.request.urlopen(url).close()
        except urllib.error.URLError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(url)


@dataclass
class Proxy:
    """Stands before a server: fails first, writes down what it is asked, and may change what the server says."""

    upstream: str
    failures: list[int] = field(default_factory=list)
    """Answers to give before anything is let through."""
    change: Pages = lambda said: said
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    """(method, path, body) of what was let through."""
    refused: list[int] = field(default_factory=list)
    url: str = ""

    def searches(self) -> list[tuple[str, str, Any]]:
        """Give what was asked of the search."""
        return [said for said in self.asked if said[1].startswith("/search")]


@contextmanager
def proxied(upstream: str, *failures: int, change: Pages = lambda said: said) -> Iterator[Proxy]:
    """Put a proxy before a server."""
    proxy = Proxy(upstream, list(failures), change)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, body: bytes | None) -> None:
            if proxy.failures:
                proxy.refused.append(proxy.failures.pop(0))
                self.reply(proxy.refused[-1], b"busy")
                return
            proxy.asked.append((self.command, self.path, json.loads(body) if body else None))
            request = urllib.request.Request(proxy.upstream + self.path, body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request) as response:
                    said = response.read().replace(proxy.upstream.encode(), proxy.url.encode())
                    self.reply(200, json.dumps(proxy.change(json.loads(said))).encode())
            except urllib.error.HTTPError as error:
                self.reply(error.code, error.read())

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with _serving(Handler) as proxy.url:
        yield proxy


@contextmanager
def file_server(folder: Path, *failures: int) -> Iterator[tuple[str, list[str]]]:
    """Serve files in byte ranges, as object stores do, after failures; give the address and what was asked."""
    asked: list[str] = []
    to_come = list(failures)

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send(body=False)

        def do_GET(self) -> None:
            self.send(body=True)

        def send(self, *, body: bool) -> None:
            if to_come:
                asked.append(str(to_come[0]))
                self.send_error(to_come.pop(0))
                return
            path = folder / self.path.partition("?")[0].lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            data, wanted = path.read_bytes(), re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
            first, last = (int(wanted[1]), int(wanted[2] or len(data) - 1)) if wanted else (0, len(data) - 1)
            asked.append(f"{self.path} {first}-{last}")
            part = data[first : last + 1]
            self.send_response(206 if wanted else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(part)))
            if wanted:
                self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
            self.end_headers()
            if body:
                self.wfile.write(part)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with _serving(Handler) as url:
        yield url, asked


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
