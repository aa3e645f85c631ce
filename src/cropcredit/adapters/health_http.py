"""``/healthz`` and ``/metrics`` over HTTP, for a supervisor and for Prometheus."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cropcredit.errors import RefusedInput

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long a caller may take to say what it wants."""


@contextmanager
def answering(
    host: str, port: int, *, report: Callable[[], dict[str, object]], metrics: Callable[[], bytes], content_type: str
) -> Iterator[str]:
    """Answer while inside; gives the URL (with port 0 a free one is chosen).

    ``/healthz`` is 200 when all is well and 503 when not, with the report as JSON; ``/metrics`` is Prometheus' text.

    Raises
    ------
    RefusedInput
        If the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_S
        server_version, sys_version = "cropcredit", ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            try:
                if path == "/healthz":
                    said = report()
                    self._answer(200 if said["ok"] else 503, json.dumps(said).encode() + b"\n", "application/json")
                elif path == "/metrics":
                    self._answer(200, metrics(), content_type)
                else:
                    self._answer(404, b"there are /healthz and /metrics\n", "text/plain")
            except OSError as error:  # of the caller, or of a disk that does not answer: the next one may fare better
                log.debug("a question was not answered: %s", error)

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the library
            log.debug(format, *args)

    with _bound(host, port, Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _bound(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        what = "port is taken" if taken else f"cannot be listened on: {error.strerror}"
        raise RefusedInput(
            what, where=f"{host}:{port}", cure="choose another --http HOST:PORT, or --http off"
        ) from None
    server.daemon_threads = True
    return server
