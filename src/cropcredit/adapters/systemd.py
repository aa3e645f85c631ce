"""What systemd wants to hear of a service (sd_notify): that it is ready, that it lives, that it leaves."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Tell systemd (``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``); nothing where it did not start us."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaking, suppress(OSError):
        speaking.sendto(state.encode(), name)
