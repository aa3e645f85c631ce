"""The ingest service: signals into a clean stop, one health line a minute, one ingest per workspace."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Thread
from types import FrameType

from cropcredit.adapters.mqtt import Health, Subscriber

log = logging.getLogger(__name__)

EVERY_S = 60.0


def serve_ingest(
    subscriber: Subscriber, *, lease: Callable[[], AbstractContextManager[None]], stop: Event | None = None
) -> Health:
    """Run ingest until SIGTERM or SIGINT (or until ``stop`` is set); returns its last health.

    Raises
    ------
    StateConflict
        If another ingest of the same identity is at work on the same store.
    """
    stop = stop or Event()
    with lease(), stopping_on_signals(stop), _reporting(subscriber.health, stop):
        subscriber.run(stop)
    return subscriber.health


@contextmanager
def stopping_on_signals(stop: Event) -> Iterator[None]:
    """Set ``stop`` on SIGTERM and SIGINT while inside."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def health_line(health: Health, *, now: float) -> str:
    """Word the health for the log.

    Parameters
    ----------
    health : Health
        Counters of the subscriber.
    now : float
        Monotonic clock, s.
    """
    ago = "never" if health.last_commit is None else f"{now - health.last_commit:.0f} s ago"
    return (
        f"connected={'yes' if health.connected else 'no'} received={health.received} readings={health.readings} "
        f"states={health.states} quarantined={health.refused} pending={health.pending} last_commit={ago} "
        f"failed_commits={health.failed_commits} trouble={health.trouble or 'none'}"
    )


@contextmanager
def _reporting(health: Health, stop: Event) -> Iterator[None]:
    def report() -> None:
        while not stop.wait(EVERY_S):
            log.info(health_line(health, now=time.monotonic()))

    thread = Thread(target=report, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        log.info(health_line(health, now=time.monotonic()))
