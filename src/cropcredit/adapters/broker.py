"""The broker on this machine: Debian's mosquitto when it is installed, else the iotcore wheel."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any, Literal, Self

from cropcredit.adapters.broker_access import (
    SERVICE_USER,
    FileBrokerAccess,
    private_folder,
    service_password,
    write_private,
)
from cropcredit.adapters.broker_conf import EVERYWHERE, LARGEST_MESSAGE, WINDOW, Door, mosquitto_configuration
from cropcredit.adapters.broker_sessions import end_session
from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.errors import DegradedWork, RefusedInput, StoreUnavailable

log = logging.getLogger(__name__)

Kind = Literal["mosquitto", "iotcore"]
START_S = 15.0
STOP_S = 5.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
RECORD = "broker.json"


def mosquitto_path() -> str | None:
    """Find Debian's mosquitto; it lives in sbin, which is not on every PATH."""
    return shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def tells_who_speaks(directory: Path) -> bool:
    """Say whether the broker that was last started in ``directory`` ties user names to topics; unknown is no."""
    return read_record(directory).get("acl") is True


def read_record(directory: Path) -> dict[str, Any]:
    """Read what the broker that was last started in ``directory`` is; empty when there is none."""
    try:
        record = json.loads((directory / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


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
    door : Door, optional
        An encrypted listener for devices beside the plain one, which then serves this machine only.
    names : sequence of str
        Further host names and addresses by which devices reach the encrypted listener.

    Examples
    --------
    ::

        with Broker(home / "broker", port=1883):     # or .start() and .stop()
            ...
    """

    def __init__(
        self,
        directory: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 1883,
        kind: Kind | None = None,
        door: Door | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.directory, self.port, self.door = directory, port, door
        self.host = host if door is None or host in LOOPBACK else "127.0.0.1"
        self.kind: Kind = kind or ("mosquitto" if mosquitto_path() else "iotcore")
        self.process: subprocess.Popen[bytes] | None = None
        self.authority = CertificateAuthority(directory / "tls")
        self._access = FileBrokerAccess(directory)
        self._loaded: tuple[int, ...] = ()
        self._revoked: dict[int, str] = {}
        self._names = names

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
        for host, port in [(self.host, self.port), *([(self.door.host, self.door.port)] if self.door else [])]:
            _require_free(host, port)
        private_folder(self.directory)
        self._record()  # before it starts: nothing that it delivers may be judged by the rules of another one
        self._access.allow({SERVICE_USER: service_password(self.directory)})
        self._access.put_in_place()
        self._loaded = self._access.stamp()
        command = self._mosquitto() if self.kind == "mosquitto" else self._iotcore()
        with (self.directory / "broker.log").open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)
        self._wait_until_up()
        log.info("%s listens on %s:%d", self.kind, self.host, self.port)
        if self.door:
            log.info("devices come in encrypted (TLS, %s) on %s:%d", self.door.tls, self.door.host, self.door.port)
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
        """Make changed passwords and revoked certificates count now.

        mosquitto checks every session against the password file again and ends those that may no longer be there; of
        revoked certificates only new connections hear.
        """
        self._loaded = self._access.stamp()
        if self.kind == "mosquitto" and self.running and self.process is not None:
            self.process.send_signal(signal.SIGHUP)

    def serve(self, stop: Event, *, every_s: float = 0.5) -> None:
        """Watch over the child until ``stop`` is set: changed passwords, revoked certificates, its death.

        Raises
        ------
        StoreUnavailable
            If the broker dies on its own.
        """
        while not stop.wait(every_s):
            if not self.running:
                raise StoreUnavailable(f"{self.kind} ended by itself: {self._last_words()}")
            self._access.put_in_place()
            if self._access.stamp() != self._loaded:
                self.reload()
            if self.door and self.door.tls == "certificates":
                self._shut_out_revoked(self.door)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _mosquitto(self) -> list[str]:
        program = mosquitto_path()
        if program is None:
            raise RefusedInput("mosquitto is not installed", cure="apt install mosquitto, or use iotcore")
        if self.door:
            self.authority.make()
            host = [] if self.door.host in EVERYWHERE else [self.door.host]
            self.authority.serve_as([socket.gethostname(), "localhost", "127.0.0.1", *host, *self._names])
            revoked = self.authority.revoked()
            self._revoked = revoked if self.authority.publish(revoked) else {}  # else once it is served
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            mosquitto_configuration(self.directory, host=self.host, port=self.port, door=self.door)
        )
        self._access.write_rules()
        return [*_ends_with_us(), program, "-c", str(configuration)]

    def _shut_out_revoked(self, door: Door) -> None:
        """Let the broker know what was revoked since, and end the sessions that began before."""
        revoked = self.authority.revoked()
        fresh = {device for serial, device in revoked.items() if serial not in self._revoked}
        if not fresh or not self.authority.publish(revoked):
            return
        self._revoked = revoked
        self.reload()
        for device in sorted(fresh):
            end_session(self.authority, device, door=door)
            log.info("certificate of %s: revoked, its session is ended", device)

    def _iotcore(self) -> list[str]:
        if self.door:
            raise RefusedInput("iotcore has no encrypted listener", cure="apt install mosquitto")
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

    def _record(self) -> None:
        tls = asdict(self.door) if self.door else None
        record = {"kind": self.kind, "acl": self.kind == "mosquitto", "host": self.host, "port": self.port, "door": tls}
        write_private(self.directory / RECORD, json.dumps(record))

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None


def _ends_with_us() -> list[str]:
    """Give the words before a command that end it when the thread that started it ends, even by SIGKILL.

    An orphan would hold the port against our next start. The tool is of util-linux, which every Debian has.
    """
    tool = shutil.which("setpriv")
    return [tool, "--pdeathsig", "TERM"] if tool else []


def _require_free(host: str, port: int) -> None:
    """Refuse an address at which nothing can listen: what answers there may be somebody else's network."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        what = "port is taken" if taken else f"nothing can listen there: {error.strerror or error}"
        cure = "stop what listens there" if taken else "give an address of this machine, or 0.0.0.0 for all"
        raise RefusedInput(what, where=f"{host}:{port}", cure=cure) from None


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1" if host in EVERYWHERE else host, port), timeout=0.5):
            return True
    except OSError:
        return False
