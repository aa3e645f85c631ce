"""The broker on this machine: Debian's mosquitto when it is installed, else the iotcore wheel."""

from __future__ import annotations

import json
import logging
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from threading import Event
from typing import Literal, Self

from cropcredit.adapters.broker_access import SERVICE_USER, FileBrokerAccess, service_password
from cropcredit.errors import DegradedWork, RefusedInput, StoreUnavailable

log = logging.getLogger(__name__)

Kind = Literal["mosquitto", "iotcore"]
WINDOW = 1000
"""Unacknowledged messages that the broker hands one consumer: the size of our batches."""
LARGEST_MESSAGE = 256 * 1024
"""Bytes; far above the contract's limit, so that a message that is too long reaches quarantine and is named."""
START_S = 15.0
STOP_S = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RECORD = "broker.json"


def mosquitto_path() -> str | None:
    """Find Debian's mosquitto; it lives in sbin, which is not on every PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def tells_who_speaks(directory: Path) -> bool:
    """Say whether the broker that was last started in ``directory`` ties user names to topics; unknown is no."""
    try:
        return bool(json.loads((directory / RECORD).read_text())["acl"])
    except (OSError, ValueError, KeyError):
        return False


class Broker:
    """A broker in a child process, with its files in one folder of the workspace.

    ``mosquitto`` gets a password file and access lists (a device writes and reads under its own id only);
    ``iotcore`` has neither, so ingest then takes signed messages only (``tells_who_speaks`` is the question it asks).

    Parameters
    ----------
    directory : Path
        For configuration, passwords and sessions; made when absent. ``<home>/broker`` of a workspace.
    host, port : str, int
        Where it listens; only this machine unless told otherwise.
    kind : str, optional
        ``mosquitto`` or ``iotcore``; None: the first of these that is installed.

    Examples
    --------
    ::

        with Broker(home / "broker", port=1883):     # or .start() and .stop()
            ...
    """

    def __init__(self, directory: Path, *, host: str = "127.0.0.1", port: int = 1883, kind: Kind | None = None) -> None:
        self.directory, self.host, self.port = directory, host, port
        self.kind: Kind = kind or ("mosquitto" if mosquitto_path() else "iotcore")
        self.process: subprocess.Popen[bytes] | None = None
        self._access = FileBrokerAccess(directory)
        self._loaded: float = 0.0

    @property
    def running(self) -> bool:
        """True while the child process lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> Self:
        """Start and wait until it accepts connections.

        Raises
        ------
        RefusedInput
            If the port is taken, or mosquitto is asked for and not installed.
        StoreUnavailable
            If it does not come up; the message ends with its last words.
        """
        if self.running:
            return self
        if _answers(self.host, self.port):
            raise RefusedInput("port is taken", where=f"{self.host}:{self.port}", cure="stop what listens there")
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._access.allow({SERVICE_USER: service_password(self.directory)})
        self._loaded = self._access.changed_at()
        command = self._mosquitto() if self.kind == "mosquitto" else self._iotcore()
        with (self.directory / "broker.log").open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        self._wait_until_up()
        record = {"kind": self.kind, "acl": self.kind == "mosquitto", "host": self.host, "port": self.port}
        (self.directory / RECORD).write_text(json.dumps(record))
        log.info("%s listens on %s:%d", self.kind, self.host, self.port)
        return self

    def stop(self) -> None:
        """Stop in an orderly way; sessions are saved where the broker can. Safe to call twice."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reap()

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self._reap()

    def reload(self) -> None:
        """Make changed passwords count now."""
        self._loaded = self._access.changed_at()
        if self.kind == "mosquitto" and self.running and self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def serve(self, stop: Event, *, every_s: float = 0.5) -> None:
        """Watch over the child until ``stop`` is set: reload changed passwords, report its death.

        Raises
        ------
        StoreUnavailable
            If the broker dies on its own.
        """
        while not stop.wait(every_s):
            if not self.running:
                raise StoreUnavailable(f"{self.kind} ended by itself: {self._last_words()}")
            if self._access.changed_at() != self._loaded:
                self.reload()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _mosquitto(self) -> list[str]:
        program = mosquitto_path()
        if program is None:
            raise RefusedInput("mosquitto is not installed", cure="apt install mosquitto, or use iotcore")
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(mosquitto_configuration(self.directory, host=self.host, port=self.port))
        self._access.write_rules()
        return [*_ends_with_us(), program, "-c", str(configuration)]

    def _iotcore(self) -> list[str]:
        if self.host not in LOOPBACK:
            warnings.warn(
                f"iotcore has no access lists and listens on {self.host}: anybody who reaches it can connect",
                DegradedWork,
                stacklevel=3,
            )
        options = {
            "listen": self.host,
            "port": self.port,
            "max_payload_size": LARGEST_MESSAGE,
            "max_inflight_count": WINDOW,
        }
        # Its own child bootstrap, without -c: the folder we start in must not shadow the wheel.
        return [sys.executable, "-P", "-m", "iotcore._serve", json.dumps(options)]

    def _wait_until_up(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if not self.running:
                break
            if _answers(self.host, self.port):
                return
            time.sleep(0.02)
        words = self._last_words()
        self.kill()
        raise StoreUnavailable(f"{self.kind} does not come up on {self.host}:{self.port}: {words}")

    def _last_words(self) -> str:
        lines = (self.directory / "broker.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def mosquitto_configuration(directory: Path, *, host: str, port: int) -> str:
    """Write out mosquitto.conf: passwords and access lists, one window per batch, large queues, sessions kept.

    The queue limit is an explicit large number: the default of 1000 drops silently, and 0 means different things in
    different versions. Messages need no durable broker (the application acknowledgement carries that); sessions do.
    """
    user = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else ""
    lines = [
        f"listener {port} {host}",
        *([f"user {user}"] if user else []),  # as root mosquitto would change to a user who cannot read our files
        "allow_anonymous false",
        f"password_file {directory / 'passwords'}",
        f"acl_file {directory / 'rules'}",
        "use_username_as_clientid true",  # nobody can push another one off by taking its client id
        "persistence true",
        f"persistence_location {directory}{os.sep}",
        "persistence_file sessions.db",
        "autosave_interval 30",
        f"max_inflight_messages {WINDOW}",
        "max_queued_messages 1000000",
        "max_queued_bytes 1000000000",
        f"message_size_limit {LARGEST_MESSAGE}",
        "set_tcp_nodelay true",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
    ]
    return "\n".join(lines) + "\n"


def _ends_with_us() -> list[str]:
    """Give the words before a command that end it when the thread that started it ends, even by SIGKILL.

    An orphan would hold the port against our next start. The tool is of util-linux, which every Debian has.
    """
    tool = shutil.which("setpriv")
    return [tool, "--pdeathsig", "TERM"] if tool else []


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1" if host in ("0.0.0.0", "::", "") else host, port), timeout=0.5):  # noqa: S104
            return True
    except OSError:
        return False
