"""Whether ingest is well: what is wrong, in words, and the facts behind it."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cropcredit.adapters.mqtt import Health

SLOW_LOOP_S = 10.0
"""A loop that has not turned for so long is busy with one commit: it waits for the database, or hangs."""
SLOW_COMMIT_S = 30.0
"""Messages that wait longer than this for their commit: the store does not take them."""
LOW_DISK_BYTES = 500_000_000
"""Below this room a store may fail at any commit."""
TAKEOVERS = 60
"""Connections within a minute that no bad network explains: another session of the same name takes over, and we too."""
MINUTE_S = 60.0


@dataclass(kw_only=True)
class Vitals:
    """The health of one ingest; :meth:`look` is to be called about once a second."""

    health: Health
    folder: Path
    """Where the store, or at least the workspace, lies."""
    now: Callable[[], float] = time.monotonic
    lease_trouble: str = ""
    """Why it is not certain that we are the only one; empty when it is."""
    _waiting_since: float | None = field(default=None, init=False)
    _last_commit: float | None = field(default=None, init=False)
    _connections: deque[tuple[float, int]] = field(default_factory=deque, init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.now()

    def look(self) -> None:
        """Note since when messages wait, and how often the connection was made of late."""
        now, health = self.now(), self.health
        if not health.pending or health.last_commit != self._last_commit:
            self._waiting_since = now if health.pending else None
        elif self._waiting_since is None:
            self._waiting_since = now
        self._last_commit = health.last_commit
        self._connections.append((now, health.connections))
        while now - self._connections[0][0] > MINUTE_S:
            self._connections.popleft()

    @property
    def silent_s(self) -> float:
        """Seconds since the loop last turned."""
        return self.now() - (self._began if self.health.beat is None else self.health.beat)

    @property
    def fought_over(self) -> bool:
        """True when the connection is made again and again: another session has our name."""
        return bool(self._connections) and self.health.connections - self._connections[0][1] >= TAKEOVERS

    def problems(self) -> list[str]:
        """Say what is wrong; empty when all is well."""
        health, found = self.health, []
        if self.silent_s > SLOW_LOOP_S:
            found.append(f"the loop has not turned for {self.silent_s:.0f} s")
        if not health.connected:
            found.append("not connected to the broker")
        if self.waiting_s > SLOW_COMMIT_S:
            found.append(f"{health.pending} messages wait for their commit since {self.waiting_s:.0f} s")
        if health.trouble:
            found.append(health.trouble)
        if self.lease_trouble:
            found.append(self.lease_trouble)
        if self.disk_free < LOW_DISK_BYTES:
            found.append(f"{self.disk_free / 1e6:.0f} MB of disk are left")
        return found

    @property
    def waiting_s(self) -> float:
        """Seconds that what is pending has waited for a commit, as far as looked at."""
        return 0.0 if self._waiting_since is None else self.now() - self._waiting_since

    @property
    def disk_free(self) -> int:
        """Room on the disk of the workspace, bytes."""
        return shutil.disk_usage(self.folder).free

    def report(self) -> dict[str, object]:
        """Give everything that ``/healthz`` tells; ``ok`` and ``problems`` first."""
        health, problems = self.health, self.problems()
        return {
            "ok": not problems,
            "problems": problems,
            "connected": health.connected,
            "connection_epoch": health.connections,
            "loop_age_s": round(self.silent_s, 1),
            "last_commit_age_s": None if health.last_commit is None else round(self.now() - health.last_commit, 1),
            "pending": health.pending,
            "waiting_s": round(self.waiting_s, 1),
            "lease_held": not self.lease_trouble,
            "disk_free_bytes": self.disk_free,
            "received": health.received,
            "readings": health.readings,
            "states": health.states,
            "quarantined": health.refused,
            "failed_commits": health.failed_commits,
        }
