"""Faults of networks (row 14), on the devices' side and on ingest's."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tests.faults.line import FaultLine, wait
from tests.faults.oracle import Account
from tests.faults.packets import PUBACK, kind
from tests.faults.proxy import Proxy
from tests.faults.stage import NONSENSE, Stage


class Losing:
    """A tap that loses some kinds of packets on their way to the devices."""

    def __init__(self) -> None:
        self.kinds: frozenset[int] = frozenset()
        self.lost = 0

    def __call__(self, connection: int, *, to_broker: bool, packets: Sequence[bytes]) -> bytes:  # noqa: ARG002 - a tap's shape
        kept = packets if to_broker else [packet for packet in packets if kind(packet) not in self.kinds]
        self.lost += len(packets) - len(kept)
        return b"".join(kept)


def network_bad(stage: Stage) -> Account:
    """Row 14: RST, half-open links, one byte a second, partitions, lost PUBACKs and acks."""
    line = stage.line()
    line.broker.start()
    losing = Losing()
    air = Proxy(line.broker.port, tap=losing)
    stage.ends.append(air.close)
    line.device_port = air.port
    line.start_ingest(keepalive_s=20 if stage.form.long else 2)  # a minute in each round takes too long
    devices = line.simulate(*stage.endless, *NONSENSE)
    wait(line.stored, "readings flow")
    for _ in range(max(1, stage.form.rounds // 5)):
        _cut_by_rst(line, air)
        _lose(losing, frozenset({PUBACK}), stage)
        _lose(losing, frozenset({PUBACK, 3}), stage)  # acks of the store too
        _starve(air, stage)
        _part(air, 60 if stage.form.long else 2)
        _half_open(line)
    found = line.finish(line.enough(devices))
    found.note = f"{losing.lost} packets lost on purpose"
    return found


def _cut_by_rst(line: FaultLine, air: Proxy) -> None:
    air.reset()
    line.proxy.reset()
    wait(line.connected, "ingest connects again")


def _lose(losing: Losing, kinds: frozenset[int], stage: Stage) -> None:
    losing.kinds = kinds
    time.sleep(10 if stage.form.long else 0.7)
    losing.kinds = frozenset()


def _starve(air: Proxy, stage: Stage) -> None:
    air.bytes_per_s = 1
    time.sleep(30 if stage.form.long else 1.5)
    air.bytes_per_s = 0


def _part(air: Proxy, seconds: float) -> None:
    air.freeze()
    time.sleep(seconds)
    air.thaw()


def _half_open(line: FaultLine) -> None:
    """Let ingest's link die without a word: it must find out by its keepalive, and connect again."""
    connections = line.proxy.connections
    line.proxy.freeze()
    wait(lambda: line.proxy.connections > connections, "ingest notices a half-open link")
    line.proxy.thaw()
