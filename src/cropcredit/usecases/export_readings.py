"""Readings for other people's tools: one row per measured value, with where its instant comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cropcredit.errors import UnknownRecord
from cropcredit.model import Device
from cropcredit.ports import Clock, FactStore, Progress, ReadingStore
from cropcredit.telemetry import date_reading
from cropcredit.telemetry.rollup import BEHIND
from cropcredit.units import Quantity
from cropcredit.usecases.progress import quiet


class MeasuredValue(NamedTuple):
    """One row of an export."""

    device_id: str
    quantity: str
    channel: str
    unit: str
    """UCUM code."""
    value: float
    measured_at: datetime
    dated_by: str
    """``network`` ``clock`` ``boot`` ``arrival`` ``wrong``: whose clock ``measured_at`` is."""
    observed_at: datetime | None
    """What the device claimed."""
    received_at: datetime
    boot: int
    seq: int
    signed_by: str
    """Key id; empty: not signed."""
    source: str
    """Format in which it came: ``v1`` ``chirpstack`` ``things_stack`` ``senml``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReadings:
    """Write measured values to a file; moved readings too."""

    facts: FactStore
    readings: ReadingStore
    clock: Clock
    quantities: Mapping[str, Quantity]
    write: Callable[[Path, Iterable[MeasuredValue]], int]

    def __call__(
        self,
        path: Path,
        *,
        device_ids: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
        progress: Progress = quiet,
    ) -> int:
        """Export what was measured in [since, until) and known as of an instant; gives the number of values.

        Raises
        ------
        UnknownRecord
            If a device is not registered.
        RefusedInput
            If the name of the file is none of ``.parquet`` and ``.csv``.
        """
        at = as_of or self.clock.now()
        registered = {device.id for device in self.facts.find(Device)}
        for device_id in device_ids:
            if device_id not in registered:
                raise UnknownRecord("device", device_id, cure="see devices list")
        with progress("export", len(device_ids or registered)) as advance:
            return self.write(path, self._values(sorted(device_ids or registered), (since, until, at), advance))

    def _values(
        self,
        device_ids: Sequence[str],
        window: tuple[datetime | None, datetime | None, datetime],
        advance: Callable[[int], None],
    ) -> Iterator[MeasuredValue]:
        since, until, known_by = window
        for device_id in device_ids:
            boots = self.readings.boots([device_id])
            for reading, received_at in self.readings.readings(
                [device_id], since=since, until=until, known_by=known_by
            ):
                dated = date_reading(reading, received_at, boots, not_before=received_at - BEHIND)
                for measured in reading.measurements:
                    yield MeasuredValue(
                        device_id=device_id,
                        quantity=measured.quantity,
                        channel=measured.channel,
                        unit=self.quantities[measured.quantity].unit,
                        value=measured.value,
                        measured_at=dated.at,
                        dated_by=dated.dating.value,
                        observed_at=reading.observed_at,
                        received_at=received_at,
                        boot=reading.boot,
                        seq=reading.seq,
                        signed_by=reading.key_id,
                        source=reading.source.value,
                    )
            advance(1)
