"""Two devices that speak with one key: what gives a clone away.

A message is named by device, boot and seq, and a device never gives a name twice. When a copy of it runs, both count on
from the same point, and sooner or later the same name comes with two contents: a fork. Firmware that loses its
counters does the same, so a fork is a question for the operator, and a doubt for whoever lends on the readings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cropcredit.model import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """What one device is said to have said twice, differently."""

    device_id: str
    count: int
    """Messages that contradict a stored one."""
    boots: tuple[int, ...]
    """In which boots; from the lowest of them on two may have spoken."""
    first_at: datetime
    last_at: datetime
    """When the contradictions arrived."""


def find_forks(conflicts: Iterable[Conflict]) -> dict[str, Fork]:
    """Sum up the contradictions of each device.

    Parameters
    ----------
    conflicts : iterable of Conflict
        In any order; those of network servers' sessions count too.

    Returns
    -------
    dict
        By device; absent: nothing contradicts it.
    """
    of: defaultdict[str, list[Conflict]] = defaultdict(list)
    for conflict in conflicts:
        of[conflict.said.device_id].append(conflict)
    return {
        device_id: Fork(
            device_id=device_id,
            count=len(found),
            boots=tuple(sorted({conflict.said.boot for conflict in found})),
            first_at=min(conflict.received_at for conflict in found),
            last_at=max(conflict.received_at for conflict in found),
        )
        for device_id, found in sorted(of.items())
    }
