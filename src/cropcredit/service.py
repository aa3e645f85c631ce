"""The ingest service: one per identity, watched over, with a health endpoint and a clean stop."""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from types import FrameType

from cropcredit.adapters.broker_access import write_private
from cropcredit.adapters.database.lease import Lease
from cropcredit.adapters.mqtt import Health, Subscriber
from cropcredit.adapters.systemd import notify
from cropcredit.adapters.vitals import Vitals
from cropcredit.errors import CropcreditError, StateConflict, StoreUnavailable
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested

log = logging.getLogger(__name__)

EVERY_S = 60.0
LOOK_S = 1.0
LEASE_S = 2.0
COUNT_DEVICES_S = 300.0
HUNG = 70
"""Exit code of an ingest that hangs (EX_SOFTWARE): a supervisor starts it anew."""
FOUGHT_OVER = "another session of the same name takes over at the broker again and again: stop the ingest that has it"
CYCLES = (700, 10, 10)
"""Python's own habit of looking for cycles: batch commands look rarely, but a service that runs for months would hold
tens of megabytes of them (soak of the fault matrix: 170 MB and growing, against 155 MB and still)."""
RECORD = "ingest.json"
"""File in the workspace that says where the running ingest tells its health."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How an ingest is watched over."""

    folder: Path
    """The workspace."""
    http: tuple[str, int] | None = None
    """Where to tell health and metrics; port 0 is any free one, None nowhere."""
    hang_s: float = 60.0
    """A loop that has not turned for so long hangs."""
    count_devices: Callable[[], tuple[int, int]] | None = None
    """Gives how many devices were ever heard, and how many are silent."""
    end: Callable[[int], None] = os._exit
    """How to end a process whose main thread hangs."""


def serve_ingest(
    subscriber: Subscriber, *, lease: Callable[[], Lease], watch: Watch, stop: Event | None = None
) -> Health:
    """Run ingest until SIGTERM or SIGINT (or until ``stop`` is set); returns its last health.

    Raises
    ------
    StateConflict
        If another ingest of the same identity is at work on the same store, or takes over.
    RefusedInput
        If the address for health and metrics cannot be had.
    StoreUnavailable
        If the loop ended by an error.
    """
    gc.set_threshold(*CYCLES)
    gc.freeze()  # what start-up made stays for good: no need to walk through it every few thousand messages
    stop, held = stop or Event(), lease()
    keeper = _Keeper(held, Vitals(health=subscriber.health, folder=watch.folder), stop)
    with held, stopping_on_signals(stop), ExitStack() as around:
        count: Callable[[], None] | None = None
        if watch.http is not None:
            count = around.enter_context(_telling(subscriber, keeper.vitals, watch, watch.http))
        subscriber.handle = keeper.guarding(subscriber.handle)
        around.enter_context(_beside("health", lambda: _keep_house(keeper, count, stop), stop))
        around.enter_context(_beside("watchdog", lambda: _watch_over(keeper.vitals, watch, keeper.over), stop))
        notify("READY=1")
        try:
            subscriber.run(stop)
        except Exception as error:
            log.exception("the loop of ingest ended")
            raise StoreUnavailable(f"the loop of ingest ended by itself: {type(error).__name__}: {error}") from error
        finally:
            notify("STOPPING=1")
            keeper.over.set()
    if keeper.lost is not None:
        raise keeper.lost
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


class _Keeper:
    """Holds the lease, and ends ingest when it is lost to another one: nothing is committed without it."""

    def __init__(self, held: Lease, vitals: Vitals, stop: Event) -> None:
        self.vitals = vitals
        self.lost: StateConflict | None = None
        self.over = Event()
        """Set when the loop has ended."""
        self._held, self._stop = held, stop

    def guarding(self, handle: Callable[[Sequence[Message]], Ingested]) -> Callable[[Sequence[Message]], Ingested]:
        """Give the same handling of batches, each only with the lease in hand."""

        def guarded(messages: Sequence[Message]) -> Ingested:
            if not self.renew():
                raise StoreUnavailable(self.vitals.lease_trouble)
            return handle(messages)

        return guarded

    def renew(self) -> bool:
        """Make sure that the lease is held; False when it is not certain, or lost."""
        try:
            self._held.renew()
        except StateConflict as error:
            self.give_up(error)
            return False
        except CropcreditError as error:  # nobody can tell who holds it: wait until somebody can
            if not self.vitals.lease_trouble:
                log.warning("the lease cannot be looked at, and nothing is committed until it can: %s", error)
            self.vitals.lease_trouble = f"the lease cannot be looked at: {error}"
            return False
        if self.vitals.lease_trouble:
            log.info("the lease is in hand again")
        self.vitals.lease_trouble = ""
        return True

    def give_up(self, error: StateConflict) -> None:
        """Stop: somebody else is at work under our name."""
        self.vitals.lease_trouble = f"the lease is lost: {error}"
        self.lost = error
        self._stop.set()


@contextmanager
def _telling(
    subscriber: Subscriber, vitals: Vitals, watch: Watch, http: tuple[str, int]
) -> Iterator[Callable[[], None]]:
    """Tell health and metrics over HTTP while inside, and in a file where; gives what counts the devices."""
    from cropcredit.adapters.health_http import answering  # noqa: PLC0415 - 0.2 s with the next, for ingest alone
    from cropcredit.adapters.metrics import CONTENT_TYPE, Metrics  # noqa: PLC0415

    metrics = Metrics(vitals)
    subscriber.handle = metrics.measured(subscriber.handle)

    def count() -> None:
        if watch.count_devices is not None:
            heard, silent = watch.count_devices()
            metrics.devices(heard=heard, silent=silent)

    record = watch.folder / RECORD
    with answering(*http, report=vitals.report, metrics=metrics.text, content_type=CONTENT_TYPE) as url:
        log.info("health at %s/healthz, metrics at %s/metrics", url, url)
        write_private(record, json.dumps({"process": os.getpid(), "http": url}))
        try:
            yield count
        finally:
            record.unlink(missing_ok=True)


def _keep_house(keeper: _Keeper, count: Callable[[], None] | None, stop: Event) -> None:
    """Look after the lease all the time, log a line of health now and then, count the devices from time to time."""
    began = time.monotonic()
    due = {"line": began + EVERY_S, "count": began}
    while not stop.wait(LEASE_S):
        keeper.renew()
        if keeper.vitals.fought_over:
            keeper.give_up(StateConflict(FOUGHT_OVER))
        now = time.monotonic()
        if now >= due["line"]:
            log.info(health_line(keeper.vitals.health, now=now))
            due["line"] = now + EVERY_S
        if count is not None and now >= due["count"]:
            due["count"] = now + COUNT_DEVICES_S
            try:
                count()
            except CropcreditError as error:  # a gauge is not worth the service
                log.warning("the devices could not be counted: %s", error)
    log.info(health_line(keeper.vitals.health, now=time.monotonic()))


def _watch_over(vitals: Vitals, watch: Watch, over: Event) -> None:
    """Look at the loop until it has ended; end the process when it hangs, since nothing else can.

    A look that comes far too late says that the whole process stood still (SIGSTOP, a paused virtual machine): the loop
    could not turn then, and has its full time from now on.
    """
    late_s = max(watch.hang_s / 4, 2 * LOOK_S)
    looked, awake = vitals.now(), -math.inf
    while not over.wait(LOOK_S):
        vitals.look()
        if (now := vitals.now()) - looked > late_s:
            log.warning("ingest stood still for %.0f s, stopped or paused from outside; it goes on", now - looked)
            awake = now
        looked = now
        if min(vitals.silent_s, now - awake) <= watch.hang_s:
            notify("WATCHDOG=1")
            continue
        log.critical("ingest hangs: its loop has not turned for %.0f s; it ends, to be started anew", vitals.silent_s)
        faulthandler.dump_traceback()
        watch.end(HUNG)
        return


@contextmanager
def _beside(name: str, work: Callable[[], None], stop: Event) -> Iterator[None]:
    thread = Thread(target=work, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
