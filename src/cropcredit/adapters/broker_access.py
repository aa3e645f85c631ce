"""Who may log in at mosquitto, and who may say and hear what: its password file and access rules."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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
topic read farm/v1/+/senml
topic read farm/v1/+/senml-cbor
topic read application/+/device/+/event/up
topic read v3/+/devices/+/up
topic write farm/v1/+/ack
topic write farm/v1/+/cmd

pattern write farm/v1/%u/up
pattern write farm/v1/%u/state
pattern write farm/v1/%u/senml
pattern write farm/v1/%u/senml-cbor
pattern read farm/v1/%u/ack
pattern read farm/v1/%u/cmd
"""
BRIDGE_RULES = """
user {name}
topic write application/#
topic write v3/#
"""
"""Of a network server's login."""


def machine_time() -> datetime:
    """Tell the time of this machine, UTC: brokers and certificates go by it, whatever clock a made season has."""
    return datetime.now(UTC)


class FileBrokerAccess:
    """BrokerAccess in mosquitto's password file; the process that owns the broker makes it read the file again.

    mosquitto knows one password per user. While a device changes over, its next one waits in a second file, and the
    owner of the broker puts it in place when its time has come.
    """

    def __init__(self, directory: Path, *, now: Callable[[], datetime] = machine_time) -> None:
        self._directory, self._now = directory, now
        self._file, self._waiting = directory / "passwords", directory / "passwords.next"

    def allow(self, logins: Mapping[str, str], *, after: timedelta = timedelta(0)) -> None:
        """Let these user names in; see :class:`cropcredit.ports.BrokerAccess`."""
        for name in logins:
            if not DEVICE_ID.fullmatch(name):
                raise MalformedInput(f"{name!r} cannot be a user name of the broker")
        since = (self._now() + after).timestamp()
        with self._changing() as (now, later):
            for name, password in logins.items():
                line = _line(name, password)
                later.pop(name, None)
                if after and name in now:
                    later[name] = f"{since:.0f} {line}"
                else:
                    now[name] = line

    def forbid(self, usernames: Iterable[str]) -> None:
        """Shut these user names out."""
        with self._changing() as (now, later):
            for name in usernames:
                now.pop(name, None)
                later.pop(name, None)

    def put_in_place(self, names: Iterable[str] = ()) -> None:
        """Let every waiting password count whose time has come, and those of ``names`` whether it has or not."""
        early, at = set(names), self._now().timestamp()
        if not any(int(line.partition(" ")[0]) <= at for line in _lines(self._waiting)) and not early:
            return
        with self._changing() as (now, later):
            for name, entry in list(later.items()):
                since, _, line = entry.partition(" ")
                if name in early or int(since) <= at:
                    now[name] = line
                    del later[name]

    def allow_bridge(self, name: str) -> str:
        """Let a network server in; see :class:`cropcredit.ports.BrokerAccess`."""
        password = secrets.token_hex(32)
        with self._bridging() as names:
            names.add(name)
        self.allow({name: password})  # last, since this is what makes the broker look at its files again
        return password

    def bridges(self) -> list[str]:
        """Name the network servers that may log in."""
        return sorted(_lines(self._directory / "bridges"))

    def forbid_bridge(self, name: str) -> None:
        """Shut a network server out."""
        with self._bridging() as names:
            names.discard(name)
        self.forbid([name])

    def write_rules(self) -> None:
        """Write the access rules."""
        rules = RULES + "".join(BRIDGE_RULES.format(name=name) for name in self.bridges())
        write_private(self._directory / "rules", rules)

    def stamp(self) -> tuple[int, ...]:
        """Give what differs whenever the password file is another one than before; empty before it exists."""
        try:
            found = self._file.stat()
        except FileNotFoundError:
            return ()
        return (found.st_mtime_ns, found.st_ino, found.st_size)  # two changes may fall into one tick of the clock

    @contextmanager
    def _bridging(self) -> Iterator[set[str]]:
        """Give the names of network servers, and write back what changed, with the rules; one process at a time."""
        private_folder(self._directory)
        with (self._directory / "bridges.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            names = set(self.bridges())
            yield names
            write_private(self._directory / "bridges", "".join(f"{name}\n" for name in sorted(names)))
            self.write_rules()

    @contextmanager
    def _changing(self) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
        """Give both files' lines by user name, and write back what changed, whole; one process at a time."""
        private_folder(self._directory)
        with (self._directory / "passwords.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            now = {line.partition(":")[0]: line for line in _lines(self._file)}
            later = {line.partition(" ")[2].partition(":")[0]: line for line in _lines(self._waiting)}
            before = (dict(now), dict(later))
            yield now, later
            if now != before[0]:
                write_private(self._file, "".join(f"{line}\n" for _, line in sorted(now.items())))
            if later != before[1]:
                write_private(self._waiting, "".join(f"{line}\n" for _, line in sorted(later.items())))


def service_password(directory: Path) -> str:
    """Give the password of ingest at the broker of this workspace; made on first use, readable by the owner only."""
    file = directory / f"{SERVICE_USER}.password"
    if not file.exists():
        private_folder(directory)
        making = directory / f".{file.name}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_hex(32))
        try:
            os.link(making, file)  # whole or not at all, and of two makers the first wins
        except FileExistsError:
            pass
        finally:
            making.unlink()
    return file.read_text()


def private_folder(directory: Path) -> None:
    """Make a folder that only its owner may look into; one that others could is closed to them."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if directory.stat().st_mode & 0o077:
        directory.chmod(0o700)


def write_private(file: Path, text: str) -> None:
    """Put a file in place of another at once, readable by its owner only."""
    new = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    new.replace(file)


def _line(username: str, password: str) -> str:
    """Give a line of mosquitto's password file: ``name:$7$rounds$salt$hash``, PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12)
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    return f"{username}:$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
