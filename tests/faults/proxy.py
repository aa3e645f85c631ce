"""A TCP proxy that does to a connection what field networks do: cut it, freeze it, starve it, lose single packets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any, Protocol

from tests.faults.packets import Splitter

PIECE = 256 * 1024
UPSTREAM_S = 1.0
CLOSING_S = 5.0


class Tap(Protocol):
    """Sees the packets of a connection pass, and says which bytes go on."""

    def __call__(self, connection: int, *, to_broker: bool, packets: Sequence[bytes]) -> bytes: ...


class Proxy:
    """Listens on a free port of this machine and forwards to ``upstream``; runs in a thread of its own.

    Parameters
    ----------
    upstream : int
        Port of the broker, on this machine. It may be down: then a client is hung up on.
    tap : callable, optional
        Sees every packet; without it bytes pass as they come.
    """

    def __init__(self, upstream: int, *, tap: Tap | None = None) -> None:
        self.upstream, self._tap = upstream, tap
        self.bytes_per_s: float = 0.0
        """Most bytes per second and direction; 0: no limit."""
        self.connections = self.open = 0
        """Connections ever, and now."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name=f"proxy to {upstream}", daemon=True)
        self._up = Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread.start()
        self._up.wait()

    def reset(self) -> int:
        """Cut every connection with RST; gives how many sockets that were."""
        return int(self._do(self._reset))

    def freeze(self) -> None:
        """Let nothing pass, in either direction, and hang up on nobody: a half-open link, or a partition."""
        self._do(self._flowing.clear)

    def thaw(self) -> None:
        """Let everything pass again."""
        self._do(self._flowing.set)

    def close(self) -> None:
        """Cut everything and end."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _do(self, action: Callable[[], Any]) -> Any:
        async def act() -> Any:
            return action()

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._flowing, self._ended = asyncio.Event(), asyncio.Event()
        self._flowing.set()
        server = await asyncio.start_server(self._accept, sock=self._listener, limit=PIECE)
        self._up.set()
        await self._ended.wait()
        server.close()
        self.bytes_per_s = 0.0
        self._flowing.set()
        self._reset()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=CLOSING_S)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        try:
            await self._flowing.wait()
            opening = asyncio.open_connection("127.0.0.1", self.upstream, limit=PIECE)
            up_reader, up_writer = await asyncio.wait_for(opening, UPSTREAM_S)
        except (OSError, TimeoutError):
            self._drop(writer)
            return
        self._writers.add(up_writer)
        pumps = [
            asyncio.ensure_future(self._pump(reader, up_writer, self._through(number, to_broker=True))),
            asyncio.ensure_future(self._pump(up_reader, writer, self._through(number, to_broker=False))),
        ]
        self.open += 1
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.open -= 1
            for pump in pumps:
                pump.cancel()
            for one in (writer, up_writer):
                self._writers.discard(one)
                one.close()  # what was said before the end still goes out

    def _through(self, number: int, *, to_broker: bool) -> Callable[[bytes], bytes]:
        tap, splitter = self._tap, Splitter()
        if tap is None:
            return lambda data: data
        return lambda data: tap(number, to_broker=to_broker, packets=splitter.feed(data))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, through: Callable[[bytes], bytes]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE):
                await self._flowing.wait()
                await self._send(writer, through(data))

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        while self.bytes_per_s and data:
            writer.write(data[:1])
            data = data[1:]
            await self._pause(1 / self.bytes_per_s)
        writer.write(data)
        await writer.drain()

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than the limit stands."""
        end = self._loop.time() + seconds
        while self.bytes_per_s and self._loop.time() < end:  # noqa: ASYNC110 - the limit is set from another thread
            await asyncio.sleep(0.02)

    def _reset(self) -> int:
        count = len(self._writers)
        for writer in list(self._writers):
            sock = writer.get_extra_info("socket")
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._drop(writer)
        return count

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.transport.abort()
