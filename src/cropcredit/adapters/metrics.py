"""Counters of ingest for Prometheus; never a label per device: there may be a hundred thousand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cropcredit.adapters.vitals import Vitals
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested

Handle = Callable[[Sequence[Message]], Ingested]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
COMMIT_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
SKEW_S = (-2_592_000.0, -604_800.0, -86_400.0, -3600.0, -60.0, -10.0, -1.0, 1.0, 10.0, 60.0, 3600.0, 86_400.0)


class Metrics:
    """What one ingest did since it started.

    Examples
    --------
    ::

        metrics = Metrics(vitals)
        subscriber.handle = metrics.measured(subscriber.handle)
        metrics.text()      # what Prometheus reads
    """

    def __init__(self, vitals: Vitals) -> None:
        registry = self._registry = CollectorRegistry()
        self._commit = Histogram(
            "cropcredit_commit_seconds", "From a batch in hand to its commit.", buckets=COMMIT_S, registry=registry
        )
        self._batch = Histogram(
            "cropcredit_batch_messages", "Messages per commit.", buckets=BATCH, registry=registry
        )  # fmt: skip
        self._skew = Histogram(
            "cropcredit_clock_skew_seconds",
            "A device's own time in its newest reading of a batch, less the time of receipt: the error of its clock, "
            "and the way here (a backlog is far below zero; above zero is a clock ahead).",
            buckets=SKEW_S,
            registry=registry,
        )
        self._stored = _counter("cropcredit_readings_stored", "Readings that were new.", registry)
        self._repeated = _counter("cropcredit_readings_repeated", "Readings that were stored before.", registry)
        self._conflicts = _counter("cropcredit_conflicts", "Other content under an identity that is taken.", registry)
        self._acks = _counter("cropcredit_acknowledgements", "Application acknowledgements to devices.", registry)
        self._quarantined = Counter(
            "cropcredit_messages_quarantined", "Refused messages.", ("reason",), registry=registry
        )  # fmt: skip
        self._silent = Gauge(
            "cropcredit_devices_silent", "Devices silent for longer than they declared.", registry=registry
        )  # fmt: skip
        self._heard = Gauge("cropcredit_devices_heard", "Devices that ever told their state.", registry=registry)
        registry.register(_FromVitals(vitals))

    def measured(self, handle: Handle) -> Handle:
        """Give the same handling of batches, counted and timed."""

        def timed(messages: Sequence[Message]) -> Ingested:
            began = time.perf_counter()
            done = handle(messages)
            self._commit.observe(time.perf_counter() - began)
            self._batch.observe(len(messages))
            self._count(done)
            return done

        return timed

    def devices(self, *, heard: int, silent: int) -> None:
        """Note how many devices there are, and how many of them are silent."""
        self._heard.set(heard)
        self._silent.set(silent)

    def text(self) -> bytes:
        """Give everything in the form that Prometheus reads."""
        return generate_latest(self._registry)

    def _count(self, done: Ingested) -> None:
        self._stored.inc(done.stored)
        self._repeated.inc(done.repeated)
        self._conflicts.inc(done.conflicts)
        self._acks.inc(sum(not reply.retained for reply in done.replies))
        for reason, count in done.refused.items():
            self._quarantined.labels(reason).inc(count)
        for skew_s in done.skews_s:
            self._skew.observe(skew_s)


class _FromVitals(Collector):
    """What the session counts itself, read when it is asked for."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterable[Metric]:
        health, vitals = self._vitals.health, self._vitals
        counted = {
            "received": ("messages_received", "Messages that the broker delivered."),
            "states": ("states", "State messages taken."),
            "failed_commits": ("failed_commits", "Batches that the store could not commit, and that were tried again."),
            "connections": ("connections", "Connections to the broker: the epoch of acknowledgements."),
        }
        for name, (metric, words) in counted.items():
            yield CounterMetricFamily(f"cropcredit_{metric}", words, value=getattr(health, name))
        gauges = {
            "up": (not vitals.problems(), "1 when nothing is wrong; /healthz says what is."),
            "connected": (health.connected, "1 while the broker is connected."),
            "pending_messages": (health.pending, "Messages in hand that wait for their commit."),
            "waiting_seconds": (vitals.waiting_s, "How long they have waited."),
            "loop_age_seconds": (vitals.silent_s, "Since the loop last turned."),
            "lease_held": (not vitals.lease_trouble, "1 while we are certain to be the only one of our name."),
            "disk_free_bytes": (vitals.disk_free, "Room on the disk of the workspace."),
        }
        for metric, (value, words) in gauges.items():
            yield GaugeMetricFamily(f"cropcredit_{metric}", words, value=float(value))


def _counter(name: str, words: str, registry: CollectorRegistry) -> Counter:
    return Counter(name, words, registry=registry)
