"""What one device said over a window, as columns: months of messages are judged together, not one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cropcredit.model import MICROSECOND, Boot, Clock, Measurement, Source, microseconds
from cropcredit.telemetry.dating import AHEAD, Dating
from cropcredit.telemetry.tracks import Course, Floats, Ints

Bools = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).min
"""Stands for an instant that is not known."""
DATINGS = tuple(Dating)
NETWORK, CLOCK, BOOT, ARRIVAL, WRONG = range(len(DATINGS))
"""Places in :data:`DATINGS`."""
AHEAD_US = AHEAD // MICROSECOND


class Said(Protocol):
    """Content of one message: a :class:`~cropcredit.model.Reading`, or what a store keeps of it."""

    @property
    def clock(self) -> Clock: ...
    @property
    def up_ms(self) -> int: ...
    @property
    def source(self) -> Source: ...
    @property
    def case_open(self) -> bool | None: ...
    @property
    def measurements(self) -> Sequence[Measurement]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Messages:
    """Messages of one device, each column of shape (n,)."""

    boot: Ints
    seq: Ints
    claimed_us: Ints
    """:data:`NEVER` where the device has no clock."""
    received_us: Ints
    up_ms: Ints
    by_network: Bools
    """The device's clock was set over the network within a day."""
    signed: Bools
    contract: Bools
    """It came from the device itself, not by way of a network server."""
    case_open: Bools
    measured: Mapping[tuple[str, str], tuple[Ints, Floats]]
    """By quantity and channel: the places of the messages that measured it, ascending, and what they measured."""

    def __len__(self) -> int:
        return len(self.seq)

    def take(self, places: Ints) -> Messages:
        """Give some of the messages, in that order."""
        new = np.full(len(self), -1)
        new[places] = np.arange(len(places))
        measured = {}
        for name, (held, values) in self.measured.items():
            there = new[held]
            order = np.argsort(there, kind="stable")[np.count_nonzero(there < 0) :]
            if len(order):
                measured[name] = (there[order], values[order])
        columns = {name: getattr(self, name)[places] for name in self.__slots__ if name != "measured"}
        return Messages(**columns, measured=measured)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """Messages of one device with the instants they are taken to stand for, in the order of measurement."""

    messages: Messages
    at_us: Ints
    dating: NDArray[np.int8]
    """Where each instant comes from: places in :data:`DATINGS`."""

    def __len__(self) -> int:
        return len(self.at_us)

    def where(self, wanted: Bools) -> Heard:
        """Give some of the messages."""
        places = np.flatnonzero(wanted)
        return Heard(messages=self.messages.take(places), at_us=self.at_us[places], dating=self.dating[places])

    def courses(self) -> dict[tuple[str, str], Course]:
        """Give what was measured, by quantity and channel."""
        return {name: Course(self.at_us[held], values) for name, (held, values) in self.messages.measured.items()}


def messages_of(
    said: Sequence[Said],
    *,
    boot: Sequence[int],
    seq: Sequence[int],
    claimed_us: Sequence[int | None],
    received_us: Sequence[int],
    signed: Sequence[bool],
) -> Messages:
    """Lay messages out as columns, in the order given."""
    by_network, contract = Clock.NTP, Source.CONTRACT  # looked up once: members of an enum are slow to find
    return Messages(
        boot=np.array(boot, np.int64),
        seq=np.array(seq, np.int64),
        claimed_us=np.array([NEVER if at is None else at for at in claimed_us], np.int64),
        received_us=np.array(received_us, np.int64),
        up_ms=np.array([one.up_ms for one in said], np.int64),
        by_network=np.array([one.clock is by_network for one in said], np.bool_),
        signed=np.array(signed, np.bool_),
        contract=np.array([one.source is contract for one in said], np.bool_),
        case_open=np.array([one.case_open is True for one in said], np.bool_),
        measured=_measured(said),
    )


def heard(messages: Messages, boots: Mapping[int, Boot], *, not_before: datetime) -> Heard:
    """Date messages as :func:`cropcredit.telemetry.date_reading` does one, and put them in the order of measurement.

    Parameters
    ----------
    messages : Messages
        Of one device.
    boots : mapping
        What the device's states told about each boot.
    not_before : datetime
        Nothing was measured before this: the device's first installation.
    """
    claimed, received = messages.claimed_us, messages.received_us
    started = _started(messages.boot, boots)
    told = started != NEVER
    by_boot = np.where(told, np.minimum(np.where(told, started, 0) + messages.up_ms * 1000, received), received)
    claims = claimed != NEVER
    right = claims & (claimed >= microseconds(not_before)) & (claimed <= received + AHEAD_US)
    at_us = np.where(right, claimed, by_boot)
    dating = np.select(
        [right & messages.by_network, right, claims, told], [NETWORK, CLOCK, WRONG, BOOT], ARRIVAL
    ).astype(np.int8)
    order = np.argsort(at_us, kind="stable")
    return Heard(messages=messages.take(order), at_us=at_us[order], dating=dating[order])


def _started(boot: Ints, boots: Mapping[int, Boot]) -> Ints:
    """Give the start of each message's boot, NEVER where nobody told it."""
    known, where = np.unique(boot, return_inverse=True)
    starts = [boots[one].started_at if one in boots else None for one in known.tolist()]
    return np.array([NEVER if at is None else microseconds(at) for at in starts], np.int64)[where]


def _measured(said: Sequence[Said]) -> dict[tuple[str, str], tuple[Ints, Floats]]:
    measured = [one.measurements for one in said]
    places = np.repeat(np.arange(len(said)), [len(some) for some in measured])
    values = np.array([one.value for some in measured for one in some], np.float64)
    named = [(one.quantity, one.channel) for some in measured for one in some]
    number = {name: n for n, name in enumerate(sorted(set(named)))}
    numbers = np.array([number[name] for name in named], np.int64)
    return {name: (places[numbers == n], values[numbers == n]) for name, n in number.items()}
