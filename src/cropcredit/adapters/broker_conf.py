"""mosquitto's configuration: who may come in by which door, and how much the broker holds for whom."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Tls = Literal["password", "certificates"]
"""What a device shows at the encrypted door: its password, or a certificate of this workspace in its name."""

EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on
WINDOW = 20_000
"""Unacknowledged messages that the broker hands one consumer: two of our batches, one coming in while one is kept."""
LARGEST_MESSAGE = 256 * 1024
"""Bytes; far above the contract's limit, so that a message that is too long reaches quarantine and is named."""
LARGEST_PACKET = LARGEST_MESSAGE + 1024
"""Bytes; whoever sends more is thrown off before the broker makes room for it."""
LONGEST_KEEPALIVE_S = 3600
"""A device that fell silent is noticed after one and a half of these at most (MQTT 5; older ones choose themselves)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An encrypted listener for devices; the plain one then serves this machine only."""

    tls: Tls
    host: str
    port: int


def mosquitto_configuration(directory: Path, *, host: str, port: int, door: Door | None = None) -> str:
    """Write out mosquitto.conf: passwords and access lists, one window per batch, large queues, sessions kept.

    The queue limit is an explicit large number: the default of 1000 drops silently, and 0 means different things in
    different versions. Messages need no durable broker (the application acknowledgement carries that); sessions do.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else ""
    lines = [
        *([f"user {user}"] if user else []),  # as root mosquitto would change to a user who cannot read our files
        "allow_anonymous false",
        f"password_file {directory / 'passwords'}",
        f"acl_file {directory / 'rules'}",
        "persistence true",
        f"persistence_location {directory}{os.sep}",
        "persistence_file sessions.db",
        "autosave_interval 30",
        f"max_inflight_messages {WINDOW}",
        "max_queued_messages 1000000",
        "max_queued_bytes 1000000000",
        f"message_size_limit {LARGEST_MESSAGE}",
        f"max_packet_size {LARGEST_PACKET}",
        f"max_keepalive {LONGEST_KEEPALIVE_S}",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        f"listener {port} {host}",
        "use_username_as_clientid true",  # nobody can push another one off by taking its client id
        *(_encrypted(directory / "tls", door) if door else []),
    ]
    return "\n".join(lines) + "\n"


def _encrypted(tls: Path, door: Door) -> list[str]:
    certified = [
        f"crlfile {tls / 'crl.pem'}",
        "require_certificate true",
        "use_identity_as_username true",  # the name in the certificate is who speaks, whatever the device says
    ]
    return [
        f"listener {door.port} {door.host}",
        f"cafile {tls / 'ca.crt'}",
        f"certfile {tls / 'server.crt'}",
        f"keyfile {tls / 'server.key'}",
        "use_username_as_clientid true",
        *(certified if door.tls == "certificates" else []),
    ]
