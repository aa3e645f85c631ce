"""Who the devices are: the devices file, and making keys for it."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware_sim.errors import BadInput
from firmware_sim.message import Key

DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
COLUMNS = ("device", "kid", "secret", "password")


@dataclass(frozen=True, slots=True)
class Identity:
    """One device: its id (MQTT username), signing key and MQTT password."""

    device_id: str
    key: Key | None = None
    password: str = ""
    """Empty with a key means: derived from the key, as the contract says."""

    def login(self) -> str:
        """Give the MQTT password; empty when the device has neither key nor password."""
        return self.password or (self.key.password() if self.key else "")


def read_devices(path: Path) -> dict[str, Identity]:
    """Read a devices file: CSV with ``device`` and, optionally, ``kid``, ``secret`` (64 hex digits), ``password``."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error
    rows = csv.DictReader(io.StringIO(text))
    if "device" not in (rows.fieldnames or ()):
        raise BadInput(f"{path}: no column 'device'; a devices file has the columns {','.join(COLUMNS)}")
    found: dict[str, Identity] = {}
    for row in rows:
        identity = _identity(row, f"{path} line {rows.line_num}")
        if identity.device_id in found:
            raise BadInput(f"{path} line {rows.line_num}: device {identity.device_id} stands there twice")
        found[identity.device_id] = identity
    if not found:
        raise BadInput(f"{path}: names no device")
    return found


def _identity(row: dict[str, str | None], where: str) -> Identity:
    device_id, kid, secret, password = ((row.get(name) or "").strip() for name in COLUMNS)
    if not DEVICE_ID.fullmatch(device_id):
        raise BadInput(f"{where}: {device_id!r} cannot be a device id (letters, digits, . _ -, at most 64)")
    if bool(kid) != bool(secret):
        raise BadInput(f"{where}: kid and secret belong together")
    if not secret:
        return Identity(device_id, None, password)
    if not re.fullmatch(r"[0-9a-fA-F]{64}", secret):
        raise BadInput(f"{where}: the secret of {device_id} is not 64 hex digits")
    return Identity(device_id, Key(kid, bytes.fromhex(secret)), password)


def new_devices(device_ids: Iterable[str], *, kid: str = "k1") -> str:
    """Write a devices file with a fresh random key for each id."""
    ids = list(device_ids)
    for device_id in ids:
        if not DEVICE_ID.fullmatch(device_id):
            raise BadInput(f"{device_id!r} cannot be a device id (letters, digits, . _ -, at most 64)")
    if len(set(ids)) < len(ids):
        raise BadInput("one device id is named twice")
    return "device,kid,secret\n" + "".join(f"{device_id},{kid},{secrets.token_hex(32)}\n" for device_id in ids)
