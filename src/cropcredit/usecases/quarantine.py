"""Refused messages: shown with their reasons, and tried again after what was wrong has been put right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cropcredit.errors import UnknownName
from cropcredit.model import PASSED, TOLD_ANEW, Conflict, DeviceState, Quarantined, Reading, Rejection
from cropcredit.ports import Clock, Progress, ReadingStore
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import IngestMessages
from cropcredit.usecases.progress import quiet

AT_ONCE = 500
"""Messages that are tried again between two commits."""
TOO_MANY = "rate"
"""Refused for being too many, not for what they say: an honest device still holds them and sends them again, and a
flood is stored only by who asks for it by this reason."""

REASONS = (
    *("topic", "unknown", "revoked", TOO_MANY, "size", "utf8", "json", "cbor", "version", "schema", "clock", "spoof"),
    *("unsigned", "mac", "quantity", "range", "repeated", "unit", "decoder", "simulated", "internal"),
)
"""All that a message can be refused for, as data/contracts say; a contradiction is kept apart, as a conflict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineView:
    """What lies in quarantine."""

    messages: tuple[Quarantined, ...]
    """The latest first."""
    by_reason: Mapping[str, int]
    """All that never passed, by the reason they were refused for last, whether they are among ``messages`` or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowQuarantine:
    """Show what was refused, with its bytes and its reason."""

    readings: ReadingStore

    def __call__(
        self,
        *,
        reason: str = "",
        device_id: str = "",
        since: datetime | None = None,
        passed_too: bool = False,
        limit: int = 100,
    ) -> QuarantineView:
        """Look at it.

        Parameters
        ----------
        reason, device_id, since : optional
            Only messages of this kind.
        passed_too : bool
            Also those that passed when they were tried again.
        limit : int
            How many messages.

        Raises
        ------
        UnknownName
            If nothing is ever refused for that reason: nothing found would read as good news.
        """
        _known(reason)
        found = self.readings.quarantine(
            reason=reason, device_id=device_id, since=since, open_only=not passed_too, limit=limit
        )
        counted = self.readings.quarantined_by_reason(device_id=device_id, since=since)
        return QuarantineView(messages=tuple(found), by_reason=counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowConflicts:
    """Show what contradicts a stored reading: a cloned key, or firmware that uses a number twice."""

    readings: ReadingStore

    def __call__(self, device_ids: Sequence[str] | None = None, *, since: datetime | None = None) -> list[Conflict]:
        """Give each with the reading that stands, by device, boot and seq."""
        return self.readings.conflicts(device_ids, since=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the messages that were tried again; each is in exactly one of the three."""

    passed: int
    """Now readings: stored, stored before already, or kept as a conflict."""
    refused: Mapping[str, int]
    """Still refused, by the reason that holds now."""
    states: int
    """Never replayed: the device tells its state every ten minutes, and an old one would hide the new."""
    devices: tuple[str, ...] = ()
    """Whose readings passed."""


@dataclass(slots=True)
class _Tally:
    passed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    states: int = 0
    devices: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayQuarantine:
    """Decode the kept bytes again, as they arrived; what passes now is a reading, known from now on.

    A message is dated by its first arrival, but no computation for an instant before the replay sees it. Nothing
    becomes trusted by being replayed: where it was not certain at its arrival who sent it, or is not today, it must
    carry a valid signature.
    """

    readings: ReadingStore
    ingest: IngestMessages
    clock: Clock

    def __call__(
        self, *, reason: str = "", device_id: str = "", dry_run: bool = False, progress: Progress = quiet
    ) -> Replayed:
        """Try again what is in quarantine; may be killed and repeated at will.

        Parameters
        ----------
        reason, device_id : str, optional
            Only messages that were refused for this reason when they were tried last, only those of this device.
        dry_run : bool
            Store nothing and note nothing: say what would become of them.

        Raises
        ------
        UnknownName
            If nothing is ever refused for that reason.
        """
        _known(reason)
        tally = _Tally()
        total = self._total(reason, device_id)
        with progress("replay", total) as advance:
            for page in self._pages(reason, device_id):
                wanted = [entry for entry in page if reason == TOO_MANY or _reason(entry) != TOO_MANY]
                tally.refused[TOO_MANY] += len(page) - len(wanted)
                self._replay(wanted, tally, dry_run=dry_run)
                advance(len(page))
        return Replayed(
            passed=tally.passed,
            refused=dict(sorted((+tally.refused).items())),
            states=tally.states,
            devices=tuple(sorted(tally.devices)),
        )

    def _total(self, reason: str, device_id: str) -> int:
        counted = self.readings.quarantined_by_reason(device_id=device_id)
        return counted.get(reason, 0) if reason else sum(counted.values())

    def _pages(self, reason: str, device_id: str) -> Iterator[list[Quarantined]]:
        last = 0
        while page := self.readings.quarantine(
            reason=reason, device_id=device_id, open_only=True, after=last, limit=AT_ONCE
        ):
            last = page[-1].number
            yield page

    def _replay(self, page: Sequence[Quarantined], tally: _Tally, *, dry_run: bool) -> None:
        arrivals: defaultdict[tuple[datetime, bool], list[Quarantined]] = defaultdict(list)
        for entry in page:
            arrivals[entry.first_at, entry.tied].append(entry)
        outcomes: dict[int, str] = {}
        for (first_at, tied), entries in arrivals.items():
            readings = self._decoded(entries, first_at, tied, outcomes)
            tally.devices |= {reading.device_id for reading, _ in readings}
            if readings and not dry_run:
                self.readings.add(readings, (), received_at=first_at, known_at=self.clock.now())
        if not dry_run:
            self.readings.replayed(outcomes, at=self.clock.now())
        counted = Counter(outcomes.values())
        tally.passed += counted.pop(PASSED, 0)
        tally.states += counted.pop(TOLD_ANEW, 0)
        tally.refused += counted

    def _decoded(
        self, entries: Sequence[Quarantined], first_at: datetime, tied: bool, outcomes: dict[int, str]
    ) -> list[tuple[Reading, bytes]]:
        messages = [Message(entry.rejection.topic, entry.rejection.payload) for entry in entries]
        found: list[tuple[Reading, bytes]] = []
        decoded = self.ingest.decode(messages, received_at=first_at, tied=tied)
        for entry, message, outcome in zip(entries, messages, decoded, strict=True):
            if isinstance(outcome, Rejection):
                outcomes[entry.number] = TOO_MANY if _reason(entry) == TOO_MANY else outcome.reason
            elif isinstance(outcome, DeviceState):
                outcomes[entry.number] = TOLD_ANEW
            else:
                outcomes[entry.number] = PASSED
                found += [(outcome, message.payload)] if isinstance(outcome, Reading) else outcome
        return found


def _known(reason: str) -> None:
    if reason and reason not in REASONS:
        raise UnknownName("reason of refusal", reason, REASONS)


def _reason(entry: Quarantined) -> str:
    """Give what a message was refused for when it was tried last."""
    return entry.outcome or entry.rejection.reason
