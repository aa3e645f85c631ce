"""Faults of the broker (rows 1 to 3) and of ingest (rows 4 to 6)."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from tests.faults.line import Failed, FaultLine, wait
from tests.faults.oracle import Account
from tests.faults.packets import PUBACK, PUBLISH, kind
from tests.faults.service import CRASHED, Crash
from tests.faults.stage import NONSENSE, Stage


def broker_killed(stage: Stage) -> Account:
    """Row 1: SIGKILL at random moments mid-stream."""
    line, rng = stage.started(), stage.rng
    devices = line.simulate(*stage.endless, *NONSENSE)
    span = 60 / stage.form.rounds if stage.form.long else 1.5
    for _ in range(stage.form.rounds):
        stored = line.stored()
        wait(lambda: line.stored() > stored, "readings flow")  # noqa: B023 - waited for here
        time.sleep(rng.uniform(0.1, 0.6) * span)
        line.broker.kill()
        time.sleep(rng.uniform(0, 0.3) * span)
        line.broker.start()
    return line.finish(line.enough(devices))


def both_killed(stage: Stage) -> Account:
    """Row 2: devices fill the broker's queue, it dies with it, ingest comes back to an empty one."""
    line, rng = stage.started(), stage.rng
    devices = line.simulate(*stage.endless, *NONSENSE)
    for _ in range(max(1, stage.form.rounds * 2 // 3)):
        stored = line.stored()
        wait(lambda: line.stored() > stored, "readings flow")  # noqa: B023 - waited for here
        line.kill_ingest()
        time.sleep(rng.uniform(0.3, 0.6))
        line.broker.kill()
        if rng.random() < 0.5:
            line.broker.start()
            line.start_ingest()
        else:
            line.start_ingest()
            time.sleep(rng.uniform(0, 0.3))
            line.broker.start()
    return line.finish(line.enough(devices))


def broker_restarted(stage: Stage) -> Account:
    """Row 3: orderly restarts, with the sessions kept and with their file deleted."""
    line = stage.started()
    devices = line.simulate(*stage.endless, *NONSENSE)
    for lose in (False, True, True) * (stage.form.rounds // 3):
        stored = line.stored()
        wait(lambda: line.stored() > stored, "readings flow")  # noqa: B023 - waited for here
        line.broker.stop()
        if lose:
            (line.broker.directory / "sessions.db").unlink()
        line.broker.start()
    return line.finish(line.enough(devices))


def ingest_killed(stage: Stage) -> Account:
    """Row 4: killed before the insert, inside the transaction, after commit, after the ack, between PUBACKs."""
    line = stage.line()
    line.broker.start()
    devices = line.simulate(*stage.endless, *NONSENSE)
    for round_ in range(stage.form.rounds // 3):
        crashes: tuple[Crash, ...] = ("before insert", "inside transaction")
        for crash in crashes:
            process = line.start_ingest(crash=crash, nth=1 + round_ % 3)
            wait(lambda: not process.is_alive(), f"ingest dies {crash}")  # noqa: B023 - waited for here
            if process.exitcode != CRASHED:
                raise Failed(f"ingest ended with {process.exitcode} where it was to die {crash}")
        for point in _ON_THE_WIRE:
            _die_on_the_wire(line, point)
    line.start_ingest()
    return line.finish(line.enough(devices))


def _before_the_ack(packet: bytes, _passed: Sequence[bytes]) -> bool:
    return kind(packet) == PUBLISH and packet.find(b"/ack") > 0


def _before_the_puback(packet: bytes, passed: Sequence[bytes]) -> bool:
    return kind(packet) == PUBACK and any(_before_the_ack(one, ()) for one in passed)


def _between_pubacks(packet: bytes, passed: Sequence[bytes]) -> bool:
    return kind(packet) == PUBACK and any(kind(one) == PUBACK for one in passed)


_ON_THE_WIRE = {
    "after commit, before the ack": _before_the_ack,
    "after the ack, before PUBACK": _before_the_puback,
    "between two PUBACKs": _between_pubacks,
}


def _die_on_the_wire(line: FaultLine, point: str) -> None:
    """Kill ingest when its next packet is the one; what it had put behind it never leaves."""
    here = _ON_THE_WIRE[point]

    def strike(packet: bytes, passed: Sequence[bytes]) -> bool:
        if process.is_alive() and here(packet, passed):
            process.kill()
            process.join()
        return not process.is_alive()

    process = line.start_ingest()
    line.witness.stop_before = strike
    wait(lambda: not process.is_alive(), f"ingest dies {point}")
    line.witness.stop_before = lambda _packet, _passed: False


def ingest_stopped(stage: Stage) -> Account:
    """Row 5: with a batch in hand that cannot be committed, stopped, its session lost, continued: acks gone stale."""
    line = stage.line()
    line.broker.start()
    keepalive_s = 60 if stage.form.long else 2
    line.start_ingest(keepalive_s=keepalive_s, busy_ms=200)
    devices = line.simulate(*stage.endless, *NONSENSE)
    stored = line.stored()
    wait(lambda: line.stored() > stored, "readings flow")
    with line.locked():
        time.sleep(0.7)  # batches fail now, and wait
        line.signal_ingest(signal.SIGSTOP)
        _until_given_up(line, 1.5 * keepalive_s + 10)
        line.broker.stop()
        (line.broker.directory / "sessions.db").unlink()  # packet ids start again
        line.broker.start()
        connections = line.proxy.connections
        line.signal_ingest(signal.SIGCONT)
        # With its hands full it does not read to the end of the stream: the ping that is not answered tells it.
        wait(lambda: line.proxy.connections > connections, "ingest connects again", within_s=60 + 4 * keepalive_s)
        time.sleep(1.0)  # new messages come under old packet ids
    return line.finish(line.enough(devices))


def _until_given_up(line: FaultLine, seconds: float) -> None:
    """Wait until the broker has given the silent ingest up; its end shows here only when no bytes wait before it."""
    end = time.monotonic() + seconds
    while line.connected() and time.monotonic() < end:
        time.sleep(0.1)


def two_ingests(stage: Stage) -> Account:
    """Row 6: the second must go, the first must not notice; a dead one's place is free at once."""
    line = stage.started()
    devices = line.simulate(*stage.endless)
    wait(line.stored, "readings flow")
    connections = line.proxy.connections
    second = line.start_ingest()
    second.join(30)
    if second.exitcode != 2:
        raise Failed(f"a second ingest ended with {second.exitcode}, not refused with 2")
    if line.proxy.connections != connections:
        raise Failed("the second ingest touched the broker before it was refused")
    line.ingests.pop()
    line.kill_ingest()
    line.start_ingest()
    return line.finish(line.enough(devices))
