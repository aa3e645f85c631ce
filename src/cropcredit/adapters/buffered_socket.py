"""A socket that reads and writes in large pieces, in the shape that paho expects of a socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PIECE = 256 * 1024
MOST_UNSENT = 4 * 1024 * 1024
CLOSING_S = 2.0


class BufferedSocket:
    """Non-blocking; ``recv`` hands out what :meth:`fill` fetched, ``send`` collects what :meth:`flush` sends."""

    def __init__(self, sock: socket.socket, *, closed: Callable[[], None]) -> None:
        self._sock, self._closed = sock, closed
        self._in, self._at = b"", 0
        self._out = bytearray()

    @property
    def readable(self) -> bool:
        """True while fetched bytes wait to be read."""
        return self._at < len(self._in)

    @property
    def unsent(self) -> bool:
        """True while collected bytes wait to be sent."""
        return bool(self._out)

    def fill(self) -> bool:
        """Say whether a read is worth while: bytes are at hand, or the peer has closed."""
        if self.readable:
            return True
        try:
            self._in, self._at = self._sock.recv(PIECE), 0
        except BlockingIOError:
            return False
        except OSError:
            self._in, self._at = b"", 0
        return True

    def cut(self, off: Callable[[bytes, int], tuple[Found, int]]) -> Found:
        """Let somebody cut packets off the front of the fetched bytes: (bytes, where) -> (packets, where they end)."""
        found, self._at = off(self._in, self._at)
        return found

    def recv(self, size: int) -> bytes:
        """Hand out bytes; ``b""`` when the peer has closed. Raises BlockingIOError when there are none yet."""
        if not self.readable:
            self._in, self._at = self._sock.recv(PIECE), 0
        piece = self._in[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def send(self, data: bytes) -> int:
        """Collect bytes; raises BlockingIOError when the peer takes none and too many wait."""
        if len(self._out) > MOST_UNSENT:
            self.flush()
            if len(self._out) > MOST_UNSENT:
                raise BlockingIOError
        self._out += data
        return len(data)

    def put(self, packet: bytes) -> None:
        """Collect a whole packet of our own; bounded by what the broker's window lets in."""
        self._out += packet

    def flush(self) -> None:
        """Send what the peer will take now; a broken connection shows at the next read."""
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except OSError:
            return

    def pending(self) -> int:
        """Count fetched bytes, as paho asks of a TLS socket."""
        return len(self._in) - self._at

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        self._sock.setblocking(flag)

    def settimeout(self, seconds: float | None) -> None:
        self._sock.settimeout(seconds)

    def getpeername(self) -> object:
        return self._sock.getpeername()

    def close(self) -> None:
        """Send the rest, briefly waiting for a slow peer, and close."""
        self._closed()
        try:
            self._sock.settimeout(CLOSING_S)
            self._sock.sendall(self._out)
        except OSError:
            pass  # the peer is gone: what it did not take, it or the device will ask for again
        finally:
            self._sock.close()
