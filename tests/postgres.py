"""A throw-away PostgreSQL server on this machine, run by an unprivileged user, that can be restarted and killed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal


class Postgres:
    """Made and started on construction; ``remove`` ends it and deletes its files.

    Parameters
    ----------
    tool : callable
        Gives the path of ``initdb`` and ``pg_ctl``.
    port : int
        Free port of this machine.
    """

    def __init__(self, tool: Callable[[str], Path], *, port: int) -> None:
        self._initdb, self._pg_ctl, self._port = tool("initdb"), tool("pg_ctl"), port
        self._root = os.geteuid() == 0
        self._user = "nobody" if self._root else pwd.getpwuid(os.geteuid()).pw_name
        self.room = Path(tempfile.mkdtemp(prefix="cropcredit-pg-", dir="/tmp"))  # a socket path must be short
        self.room.chmod(0o700)
        if self._root:
            shutil.chown(self.room, self._user)
        data = self.room / "data"
        self._run(self._initdb, "-D", data, "-U", "cropcredit", "--auth=trust", "--no-sync", "-E", "UTF8")
        self.start()

    @property
    def url(self) -> str:
        """URL of its maintenance database."""
        return f"postgresql+psycopg://cropcredit@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, after a crash with recovery, and wait until it answers."""
        options = f"-p {self._port} -k {self.room} -c listen_addresses=127.0.0.1"
        self._run(self._pg_ctl, "-D", self.room / "data", "-w", "-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop it: ``fast`` ends sessions in good order, ``immediate`` leaves recovery to the next start."""
        self._run(self._pg_ctl, "-D", self.room / "data", "-m", mode, "stop")

    def kill(self) -> None:
        """Kill the server process (SIGKILL)."""
        first, *_ = (self.room / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(first), signal.SIGKILL)

    def remove(self) -> None:
        """End it and delete its files."""
        if (self.room / "data" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.room)

    def _run(self, *command: object) -> None:
        with (self.room / "log").open("a") as log:
            done = subprocess.run(
                [str(part) for part in command],
                user=self._user if self._root else None,
                cwd=self.room,
                env={"HOME": str(self.room), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert done.returncode == 0, (self.room / "log").read_text()
