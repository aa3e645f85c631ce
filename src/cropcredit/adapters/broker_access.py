"""Who may log in at mosquitto, and who may say and hear what: its password file and access rules."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cropcredit.errors import MalformedInput
from cropcredit.wire import DEVICE_ID

SERVICE_USER = "ingest"
"""User name of ingest; no device can have it as long as devices are added through cropcredit."""
ITERATIONS = 101
"""Rounds of PBKDF2, as mosquitto_passwd uses: these passwords are 256 random bits, not human choices."""

RULES = f"""\
user {SERVICE_USER}
topic read farm/v1/+/up
topic read farm/v1/+/state
topic write farm/v1/+/ack
topic write farm/v1/+/cmd

pattern write farm/v1/%u/up
pattern write farm/v1/%u/state
pattern read farm/v1/%u/ack
pattern read farm/v1/%u/cmd
"""


class FileBrokerAccess:
    """BrokerAccess in mosquitto's password file; the process that owns the broker makes it read the file again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / "passwords"

    def allow(self, logins: Mapping[str, str]) -> None:
        """Let these user names in; see :class:`cropcredit.ports.BrokerAccess`."""
        for name in logins:
            if not DEVICE_ID.fullmatch(name):
                raise MalformedInput(f"{name!r} cannot be a user name of the broker")
        with self._changing() as lines:
            lines |= {name: _line(name, password) for name, password in logins.items()}

    def forbid(self, usernames: Iterable[str]) -> None:
        """Shut these user names out."""
        with self._changing() as lines:
            for name in usernames:
                lines.pop(name, None)

    def write_rules(self) -> None:
        """Write the access rules."""
        _replace(self._directory / "rules", RULES)

    def changed_at(self) -> float:
        """When the password file last changed; 0 before it exists."""
        return self._file.stat().st_mtime_ns if self._file.exists() else 0

    @contextmanager
    def _changing(self) -> Iterator[dict[str, str]]:
        """Give the lines by user name, and write them back whole; one process at a time."""
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._directory / "passwords.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            text = self._file.read_text() if self._file.exists() else ""
            lines = {line.partition(":")[0]: line for line in text.splitlines()}
            yield lines
            _replace(self._file, "".join(f"{line}\n" for _, line in sorted(lines.items())))


def service_password(directory: Path) -> str:
    """Give the password of ingest at the broker of this workspace; made on first use, readable by the owner only."""
    file = directory / f"{SERVICE_USER}.password"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return file.read_text()


def _line(username: str, password: str) -> str:
    """Give a line of mosquitto's password file: ``name:$7$rounds$salt$hash``, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{username}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(text)
    new.replace(file)
