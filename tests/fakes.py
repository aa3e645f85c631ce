"""One in-memory fake per port; each sits the same exam as the real thing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from cropcredit.errors import StateConflict, StoreUnavailable, UnknownName, UnknownRecord
from cropcredit.imagery import assemble
from cropcredit.model import (
    EPOCH,
    FIRST_SESSION,
    PASSED,
    TOLD_ANEW,
    UNCOUNTED,
    Account,
    Ack,
    Added,
    Boot,
    Conflict,
    Crop,
    DeviceCertificate,
    DeviceState,
    Field,
    FieldObservations,
    FieldSeries,
    Grid,
    GrowingSeason,
    Promotion,
    Quarantined,
    RasterInfo,
    Reading,
    Record,
    RecordT,
    Refusals,
    Rejection,
    Window,
    YieldEstimate,
    canonical_bytes,
    digest,
    microseconds,
)
from cropcredit.telemetry import Messages, date_reading
from cropcredit.telemetry.heard import messages_of
from cropcredit.telemetry.ranges import contiguous, merged
from cropcredit.telemetry.rollup import BEHIND, Rollup
from cropcredit.telemetry.summary import rise
from cropcredit.telemetry.tracks import HourlyCourse


class FakeFacts:
    """FactStore in a list."""

    def __init__(self, *records: Record) -> None:
        self._versions: list[Record] = []
        self.add(*records)

    def add(self, *records: Record, new: bool = False) -> int:
        held = {(type(r), r.id): r for r in self._versions}
        if new and (taken := [r.id for r in records if (type(r), r.id) in held]):
            raise StateConflict(f"{taken[0]!r} exists already")
        fresh: list[Record] = []
        for record in records:
            last = held.get((type(record), record.id))
            same = last is not None and replace(last, known_at=EPOCH) == replace(record, known_at=EPOCH)
            if last is not None and same and last.known_at <= record.known_at:
                continue
            held[type(record), record.id] = record
            fresh.append(record)
        self._versions.extend(fresh)
        return len(fresh)

    def get(self, kind: type[RecordT], record_id: str, *, as_of: datetime | None = None) -> RecordT:
        known = [r for r in self.history(kind, record_id) if as_of is None or r.known_at <= as_of]
        if not known:
            raise UnknownRecord(kind.__name__, record_id)
        return known[-1]

    def find(self, kind: type[RecordT], *, as_of: datetime | None = None, **keys: Any) -> list[RecordT]:
        ids = sorted({r.id for r in self._versions if isinstance(r, kind) and (as_of is None or r.known_at <= as_of)})
        found = [self.get(kind, record_id, as_of=as_of) for record_id in ids]
        return [r for r in found if all(getattr(r, name) == value for name, value in keys.items())]

    def history(self, kind: type[RecordT], record_id: str) -> list[RecordT]:
        return sorted(
            (r for r in self._versions if isinstance(r, kind) and r.id == record_id), key=lambda r: r.known_at
        )

    def by_hash(self, kind: type[RecordT], sha256: str) -> RecordT:
        for record in self._versions:
            if isinstance(record, kind) and digest(record) == sha256:
                return record
        raise UnknownRecord(kind.__name__, sha256)


class FakeHasher:
    """Reversible on purpose: a test must be quick, and says what it compares."""

    def hash(self, password: str) -> str:
        return f"plain:{password}"

    def matches(self, password_hash: str, password: str) -> bool:
        return password_hash == f"plain:{password}"


class FakeAccounts:
    """AccountStore in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Account, str]] = {}

    def save(self, account: Account, password_hash: str) -> None:
        self.rows[account.username] = (account, password_hash)

    def accounts(self) -> list[Account]:
        return [account for account, _ in self.rows.values()]

    def find(self, username: str) -> tuple[Account, str] | None:
        return self.rows.get(username)


def columns_of(readings: Iterable[tuple[Reading, datetime]]) -> Messages:
    """Lay readings out, with the instants of their arrival."""
    rows = list(readings)
    said = [reading for reading, _ in rows]
    return messages_of(
        said,
        boot=[one.boot for one in said],
        seq=[one.seq for one in said],
        claimed_us=[None if one.observed_at is None else microseconds(one.observed_at) for one in said],
        received_us=[microseconds(at) for _, at in rows],
        signed=[bool(one.key_id) for one in said],
    )


class FakeReadings:
    """ReadingStore in dictionaries; ``failing`` makes the next commits fail."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int, int], tuple[Reading, bytes, datetime]] = {}
        self.known: dict[tuple[str, int, int], datetime] = {}
        self.contradictions: dict[tuple[Reading, bytes], datetime] = {}
        self.rejections: dict[tuple[str, str, bytes], Quarantined] = {}
        self.refused: dict[tuple[str, int], dict[int, tuple[str, datetime]]] = {}
        self.said: list[DeviceState] = []
        self.failing = 0

    def add(
        self,
        readings: Sequence[tuple[Reading, bytes]],
        rejections: Sequence[Rejection],
        *,
        received_at: datetime,
        known_at: datetime | None = None,
        tied: bool = False,
    ) -> Added:
        if self.failing:
            self.failing -= 1
            raise StoreUnavailable("the disk is full")
        added = self._added([reading for reading, _ in readings])
        for reading, payload in readings:
            name = (reading.device_id, reading.boot, reading.seq)
            stored = self.rows.setdefault(name, (reading, payload, received_at))[0]
            self.known.setdefault(name, known_at or received_at)
            if msgspec.structs.replace(stored, key_id="") != (said := msgspec.structs.replace(reading, key_id="")):
                self.contradictions.setdefault((said, payload), received_at)
                self.refused.setdefault(name[:2], {})[reading.seq] = ("conflict", received_at)
        for rejection in rejections:
            self._set_aside(rejection, received_at, tied=tied)
        return added

    def _added(self, readings: Sequence[Reading]) -> Added:
        seen = {name: reading for name, (reading, _, _) in self.rows.items()}
        stored, conflicts = Counter[str](), Counter[str]()
        for reading in readings:
            name = (reading.device_id, reading.boot, reading.seq)
            stored[reading.device_id] += name not in seen
            first = seen.setdefault(name, reading)
            same = msgspec.structs.replace(first, key_id="") == msgspec.structs.replace(reading, key_id="")
            conflicts[reading.device_id] += not same
        repeated = len(readings) - stored.total() - conflicts.total()
        return Added(stored=+stored, repeated=repeated, conflicts=+conflicts)

    def _set_aside(self, rejection: Rejection, at: datetime, *, tied: bool) -> None:
        name = (rejection.topic, rejection.reason, rejection.payload)
        first = Quarantined(
            number=len(self.rejections) + 1, rejection=rejection, first_at=at, last_at=at, times=0, tied=tied
        )
        before = self.rejections.get(name, first)
        self.rejections[name] = replace(before, last_at=at, times=before.times + 1)
        if rejection.device_id and rejection.boot is not None and rejection.seq is not None:
            boot = self.refused.setdefault((rejection.device_id, rejection.boot), {})
            boot[rejection.seq] = (rejection.reason, at)

    def settled(self, boots: Iterable[tuple[str, int]]) -> list[Ack]:
        spans, told = self.spans(), self.boots()
        acks = []
        for name in dict.fromkeys(boots):
            low = told.get(name, Boot()).low
            held = merged([*spans.get(name, []), *([(1, low - 1)] if low > 1 else [])])
            upto = contiguous(held)
            newest = sorted(self.refused.get(name, {}).items(), key=lambda item: (item[1][1], item[0]))[-64:]
            acks.append(
                Ack(
                    device_id=name[0],
                    boot=name[1],
                    upto=upto,
                    ranges=tuple((first, last) for first, last in held if first > upto)[:64],
                    rejected=tuple(sorted((seq, reason) for seq, (reason, _) in newest)),
                )
            )
        return acks

    def save_states(self, states: Sequence[DeviceState]) -> None:
        self.said.extend(states)

    def states(self, device_ids: Sequence[str] | None = None) -> dict[str, DeviceState]:
        return {state.device_id: state for state in self.said if device_ids is None or state.device_id in device_ids}

    def readings(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        known_by: datetime | None = None,
    ) -> Iterator[tuple[Reading, datetime]]:
        for name, (reading, _, received_at) in sorted(self.rows.items(), key=lambda item: item[0]):
            at = self.dated(reading, received_at)
            outside = (since is not None and at < since) or (until is not None and at >= until)
            unknown = known_by is not None and self.known[name] > known_by
            if name[0] in device_ids and not (outside or unknown):
                yield reading, received_at

    def messages(
        self, device_ids: Sequence[str], *, since: datetime, until: datetime, known_by: datetime | None = None
    ) -> dict[str, Messages]:
        window = {"since": since, "until": until, "known_by": known_by}
        return {device_id: columns_of(self.readings([device_id], **window)) for device_id in device_ids}

    def dated(self, reading: Reading, received_at: datetime) -> datetime:
        """Date a reading; the start of a boot counts as a whole minute."""
        start = self.boots([reading.device_id]).get((reading.device_id, reading.boot), Boot()).started_at
        minute = None if start is None else start.replace(second=0, microsecond=0)
        boots = {(reading.device_id, reading.boot): Boot(started_at=minute)}
        return date_reading(reading, received_at, boots, not_before=received_at - BEHIND).at

    def spans(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], list[tuple[int, int]]]:
        seqs: dict[tuple[str, int], list[tuple[int, int]]] = {}
        settled = [*self.rows, *((*name, seq) for name, refused in self.refused.items() for seq in refused)]
        for device_id, boot, seq in settled:
            if boot != UNCOUNTED and (device_ids is None or device_id in device_ids):
                seqs.setdefault((device_id, boot), []).append((seq, seq))
        return {name: merged(found) for name, found in sorted(seqs.items())}

    def boots(self, device_ids: Sequence[str] | None = None) -> dict[tuple[str, int], Boot]:
        found: dict[tuple[str, int], Boot] = {}
        for state in self.said:
            if state.boot is None or (device_ids is not None and state.device_id not in device_ids):
                continue
            before = found.get((state.device_id, state.boot), Boot())
            starts = [before.started_at] if before.started_at else []
            if state.up_ms is not None:
                starts.append(state.received_at - timedelta(milliseconds=state.up_ms))
            low = max(before.low, state.low or 1)
            found[state.device_id, state.boot] = Boot(low, min(starts, default=None))
        return found

    def latest(self, device_ids: Sequence[str]) -> dict[str, tuple[Reading, datetime]]:
        last = {(r.device_id, r.boot): (r, received_at) for r, received_at in self.readings(device_ids)}
        ranked = sorted(last.values(), key=lambda item: (self.dated(*item), item[1], item[0].boot))
        return {reading.device_id: (reading, received_at) for reading, received_at in ranked}

    def highest_boots(self, device_ids: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for device_id, boot in [*self.spans(device_ids), *self.boots(device_ids)]:
            if boot >= FIRST_SESSION:
                continue
            found[device_id] = max(boot, found.get(device_id, 0))
        return found

    def quarantine(
        self,
        *,
        device_id: str = "",
        reason: str = "",
        since: datetime | None = None,
        open_only: bool = False,
        after: int | None = None,
        limit: int = 1000,
    ) -> list[Quarantined]:
        found = [
            entry
            for entry in self.rejections.values()
            if device_id in ("", entry.rejection.device_id)
            and reason in ("", entry.outcome or entry.rejection.reason)
            and (since is None or entry.last_at >= since)
            and not (open_only and entry.outcome in (PASSED, TOLD_ANEW))
            and (after is None or entry.number > after)
        ]
        if after is None:
            found.sort(key=lambda entry: (entry.last_at, entry.number), reverse=True)
        return found[:limit]

    def quarantined_by_reason(self, *, device_id: str = "", since: datetime | None = None) -> dict[str, int]:
        found = self.quarantine(device_id=device_id, since=since, open_only=True, limit=10**9)
        return dict(sorted(Counter(entry.outcome or entry.rejection.reason for entry in found).items()))

    def refusals(self, *, since: datetime) -> dict[str, Refusals]:
        found = self.quarantine(since=since, open_only=True, limit=10**9)  # those that arrived last first
        counted = Counter(entry.rejection.device_id for entry in found)
        last = {entry.rejection.device_id: entry.last_at for entry in reversed(found)}
        return {name: Refusals(count=n, last_at=last[name]) for name, n in sorted(counted.items()) if name}

    def replayed(self, outcomes: Mapping[int, str], *, at: datetime) -> None:
        for name, entry in self.rejections.items():
            if entry.number in outcomes:
                self.rejections[name] = replace(entry, replayed_at=at, outcome=outcomes[entry.number])

    def conflicts(
        self,
        device_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
        known_by: datetime | None = None,
    ) -> list[Conflict]:
        found = [
            Conflict(
                said=said, stands=self.rows[said.device_id, said.boot, said.seq][0], received_at=at, payload=payload
            )
            for (said, payload), at in self.contradictions.items()
            if device_ids is None or said.device_id in device_ids
        ]
        found = [c for c in found if since is None or c.received_at >= since]
        found = [c for c in found if known_by is None or c.received_at <= known_by]
        return sorted(found, key=lambda c: (c.said.device_id, c.said.boot, c.said.seq, c.received_at))

    def counts(self) -> dict[str, int]:
        return {
            "readings": len(self.rows),
            "measurements": sum(len(reading.measurements) for reading, _, _ in self.rows.values()),
            "conflicts": len(self.contradictions),
            "quarantined": len(self.rejections),
        }


class FakeRollups:
    """RollupStore that looks at all readings anew each time, sample by sample."""

    def __init__(self, readings: FakeReadings, *, zone: str) -> None:
        self._readings, self._zone = readings, ZoneInfo(zone)

    def stale(self) -> list[str]:
        return []

    def refresh(self, device_ids: Sequence[str], *, done: Callable[[int], None] = lambda _: None) -> int:
        done(len(device_ids))
        return 0

    def rollups(
        self,
        device_ids: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        hours: Literal[1, 24] = 24,
        known_by: datetime | None = None,
    ) -> list[Rollup]:
        found: dict[tuple[str, str, str, datetime], list[tuple[float, float | None]]] = {}
        last: dict[tuple[str, str, str], float] = {}
        readings = self._readings.readings(device_ids, known_by=known_by)
        ranked = [(self._readings.dated(*one), one[0].boot, one[0].seq, one[0]) for one in readings]
        for at, _, _, reading in sorted(ranked, key=lambda one: one[:3]):
            local = at.astimezone(self._zone)
            past_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
            start = at - past_hour if hours == 1 else midnight
            for m in reading.measurements:
                name = (reading.device_id, m.quantity, m.channel)
                samples = found.setdefault((*name, start.astimezone(UTC)), [])
                samples.append((m.value, last.get(name)))
                last[name] = m.value
        return [_rollup(name, hours, samples) for name, samples in sorted(found.items()) if since <= name[3] < until]

    def hourly(
        self,
        device_ids: Sequence[str],
        quantities: Sequence[str],
        *,
        since: datetime,
        until: datetime,
        known_by: datetime | None = None,
    ) -> list[HourlyCourse]:
        parts: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
        for one in self.rollups(device_ids, since=since, until=until, hours=1, known_by=known_by):
            if one.quantity in quantities:
                hours = parts.setdefault((one.device_id, one.quantity, one.channel), [])
                hours.append((one.start.timestamp(), one.mean, one.last))
        return [HourlyCourse(*name, *np.array(hours).T) for name, hours in sorted(parts.items())]


def _rollup(name: tuple[str, str, str, datetime], hours: int, samples: Sequence[tuple[float, float | None]]) -> Rollup:
    device_id, quantity, channel, start = name
    values = [value for value, _ in samples]
    return Rollup(
        device_id=device_id,
        quantity=quantity,
        channel=channel,
        start=start,
        hours=hours,
        count=len(values),
        low=min(values),
        mean=sum(values) / len(values),
        high=max(values),
        first=values[0],
        last=values[-1],
        rise=sum(rise(before, value) for value, before in samples if before is not None),
        resets=sum(before is not None and value < before for value, before in samples),
    )


class FakeCredentials:
    """CredentialStore in dictionaries; secrets are predictable. ``now``: None is after all that ends."""

    def __init__(self, *, now: Callable[[], datetime] | None = None, **keys: dict[str, bytes]) -> None:
        self.held = dict(keys)
        self._ends: dict[tuple[str, str], datetime] = {}
        self._now = now or (lambda: datetime.max.replace(tzinfo=UTC))

    def issue(
        self, device_ids: Sequence[str], *, at: datetime, others_end: datetime | None = None
    ) -> dict[str, tuple[str, bytes]]:
        standing = [d for d in device_ids for k in self.held.get(d, {}) if self._stands(d, k, at)]
        if standing and others_end is None:
            raise StateConflict(f"device {standing[0]!r} has a valid key: nothing was changed")
        made = {}
        for device_id in device_ids:
            if others_end is not None:
                self.revoke(device_id, at=others_end)
            keys = self.held.setdefault(device_id, {})
            key_id = f"k{len(keys) + 1}"
            keys[key_id] = f"{device_id}/{key_id}".encode().ljust(32, b".")
            made[device_id] = (key_id, keys[key_id])
        return made

    def revoke(self, device_id: str, *, at: datetime) -> None:
        for key_id in self.held.get(device_id, {}):
            self._ends[device_id, key_id] = min(at, self._ends.get((device_id, key_id), at))

    def end_old(self, device_ids: Sequence[str], *, at: datetime) -> None:
        for (device_id, key_id), end in self._ends.items():
            if device_id in device_ids:
                self._ends[device_id, key_id] = min(at, end)

    def ends(self, device_ids: Iterable[str]) -> dict[str, dict[str, datetime]]:
        ahead = {name: end for name, end in self._ends.items() if name[0] in device_ids and end > self._now()}
        return {d: {k: end for (of, k), end in ahead.items() if of == d} for d, _ in ahead}

    def keys(self, device_id: str) -> dict[str, bytes]:
        return self.known([device_id]).get(device_id, {})

    def known(self, device_ids: Iterable[str]) -> dict[str, dict[str, bytes]]:
        return {
            device_id: {k: s for k, s in self.held[device_id].items() if self._stands(device_id, k, self._now())}
            for device_id in device_ids
            if device_id in self.held
        }

    def _stands(self, device_id: str, key_id: str, at: datetime) -> bool:
        return (device_id, key_id) not in self._ends or at < self._ends[device_id, key_id]


class FakeBroker:
    """BrokerAccess in dictionaries."""

    def __init__(self) -> None:
        self.logins: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.network_servers: set[str] = set()

    def allow(self, logins: Mapping[str, str], *, after: timedelta = timedelta(0)) -> None:
        for name, password in logins.items():
            (self.waiting if after and name in self.logins else self.logins)[name] = password

    def forbid(self, usernames: Iterable[str]) -> None:
        for username in usernames:
            self.logins.pop(username, None)
            self.waiting.pop(username, None)

    def allow_bridge(self, name: str) -> str:
        self.network_servers.add(name)
        return f"password of {name}"

    def bridges(self) -> list[str]:
        return sorted(self.network_servers)

    def forbid_bridge(self, name: str) -> None:
        self.network_servers.discard(name)

    def put_in_place(self, names: Iterable[str]) -> None:
        self.logins.update({name: self.waiting.pop(name) for name in names if name in self.waiting})


class FakeCertificates:
    """DeviceCertificates as a list of (device, when it is revoked)."""

    def __init__(self) -> None:
        self.issued: list[tuple[str, timedelta | None]] = []
        self.made = True

    def issue(self, device_id: str) -> DeviceCertificate:
        self.issued.append((device_id, None))
        return DeviceCertificate(certificate=f"certificate of {device_id}", key=f"key of {device_id}")

    def revoke(self, device_ids: Iterable[str], *, after: timedelta = timedelta(0)) -> None:
        names = set(device_ids)
        self.issued = [(d, min(after, end or after) if d in names else end) for d, end in self.issued]

    def end_old(self, device_ids: Iterable[str]) -> None:
        names = set(device_ids)
        self.issued = [(d, timedelta(0) if d in names and end is not None else end) for d, end in self.issued]


class FakeFields:
    """FieldStore in a list."""

    def __init__(self, *fields: Field) -> None:
        self.versions = list(fields)

    def add(self, fields: Sequence[Field]) -> int:
        fresh = [field for field in fields if self._is_new(field)]
        self.versions.extend(fresh)
        return len(fresh)

    def _is_new(self, field: Field) -> bool:
        before = [v for v in self.read(as_of=field.known_at) if v.id == field.id]
        if not before:
            return True
        said = [(v.collection, v.boundary_version, v.crop_code, v.admin_unit, v.time_zone) for v in (*before, field)]
        if said[0] != said[1] and before[0].known_at == field.known_at:
            raise StateConflict(f"field {field.id!r} already has another version known at {field.known_at.isoformat()}")
        return said[0] != said[1]

    def read(self, *, as_of: datetime | None = None, ids: Sequence[str] | None = None) -> list[Field]:
        known: dict[str, Field] = {}
        for field in sorted(self.versions, key=lambda v: v.known_at):
            if (as_of is None or field.known_at <= as_of) and (ids is None or field.id in ids):
                known[field.id] = field
        return [known[name] for name in sorted(known)]


class FakeObservations:
    """ObservationStore in a dictionary."""

    def __init__(self) -> None:
        self.units: dict[str, list[FieldObservations]] = {}

    def has(self, unit: str) -> bool:
        return unit in self.units

    def write(self, unit: str, observations: Sequence[FieldObservations]) -> None:
        self.units[unit] = sorted(observations, key=lambda seen: seen.index)

    def read(self, units: Sequence[str], *, index: str = "") -> list[FieldObservations]:
        for unit in units:
            if unit not in self.units:
                raise UnknownRecord("unit of observations", unit)
        return [seen for unit in units for seen in self.units[unit] if index in ("", seen.index)]

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        return assemble(self.read(units), index, field_ids)


class FakeRuns:
    """RunStore in a list."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        self.tables: dict[str, dict[str, Any]] = {}

    def write(self, run_id: str, manifest: dict[str, Any], log: dict[str, Any], tables: Any = None) -> None:
        self.tables[run_id] = dict(tables or {})
        _, logs = self.rows.pop(run_id, ({}, []))
        self.rows[run_id] = (manifest, [*logs, log])

    def manifests(self, kind: str = "") -> list[dict[str, Any]]:
        ordered = sorted(self.rows.values(), key=lambda row: str(row[1][-1].get("finished_at", "")))
        return [manifest for manifest, _ in ordered if kind in ("", manifest.get("kind"))]


class FakeCache:
    """CoverageCache in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, NDArray[Any]]] = {}

    def has(self, key: str) -> bool:
        return key in self.kept

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        return self.kept.get(key)

    def save(self, key: str, arrays: dict[str, NDArray[Any]]) -> None:
        self.kept[key] = arrays


class FakeRasters:
    """RasterReader over arrays: href -> (grid, pixels, nodata)."""

    def __init__(self, **files: tuple[Grid, NDArray[Any], float | None]) -> None:
        self.files = files
        self.reads: list[str] = []
        self.block = 16

    def info(self, href: str, *, band: int = 1) -> RasterInfo:
        del band
        grid, pixels, nodata = self.files[href]
        return RasterInfo(grid, nodata, (min(self.block, pixels.shape[0]), min(self.block, pixels.shape[1])))

    def read(self, href: str, windows: Iterable[Window], *, band: int = 1) -> Iterator[NDArray[Any]]:
        del band
        for rows, cols in windows:
            self.reads.append(href)
            yield self.files[href][1][slice(*rows), slice(*cols)]

    def content_hash(self, hrefs: Sequence[str]) -> str:
        return digest(b"".join(self.files[href][1].tobytes() for href in hrefs))


class FakeEstimates:
    """EstimateStore in a list."""

    def __init__(self, *estimates: YieldEstimate) -> None:
        self.rows = list(estimates)

    def write(self, run_id: str, estimates: Sequence[YieldEstimate]) -> None:
        del run_id
        self.rows.extend(estimates)

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        known = sorted((e for e in self.rows if e.as_of <= as_of), key=lambda e: e.as_of)
        return {e.planting_id: e for e in known if e.planting_id in planting_ids}


class FakeModels:
    """ModelStore in dictionaries."""

    def __init__(self) -> None:
        self.artefacts: dict[str, tuple[dict[str, Any], str]] = {}
        self.used: list[Promotion] = []

    def save(self, artefact: dict[str, Any], card: str) -> str:
        model_id = digest(artefact)
        self.artefacts[model_id] = (json.loads(canonical_bytes(artefact)), card)
        return model_id

    def load(self, model_id: str) -> dict[str, Any]:
        if model_id not in self.artefacts:
            raise UnknownRecord("model", model_id)
        return self.artefacts[model_id][0]

    def ids(self) -> list[str]:
        return sorted(self.artefacts)

    def current(self, crop: str) -> str | None:
        promoted = self.promoted(crop)
        return promoted[-1] if promoted else None

    def promoted(self, crop: str) -> list[str]:
        return [promotion.model_id for promotion in self.used if promotion.crop == crop]

    def promotions(self) -> list[Promotion]:
        return list(self.used)

    def promote(self, promotion: Promotion) -> None:
        self.load(promotion.model_id)
        if self.current(promotion.crop) != promotion.model_id:
            self.used.append(promotion)


class FakeCatalogues:
    """Catalogues with two crops; nothing is lost after harvest, so that sums stay easy; no calendar unless given."""

    def __init__(self, *seasons: GrowingSeason) -> None:
        self._seasons = seasons
        self._crops = {
            code: Crop(
                code=code,
                zh=code,
                en=code,
                standard_moisture_pct=14.0,
                post_harvest_loss=0.0,
                planting_month=month,
                harvest_month=6,
            )
            for code, month in (("winter_wheat", 10), ("maize", 6))
        }

    def crop(self, code: str) -> Crop:
        if code not in self._crops:
            raise UnknownName("crop", code, tuple(self._crops))
        return self._crops[code]

    def crops(self) -> tuple[Crop, ...]:
        return tuple(self._crops.values())

    def seasons(self, crop: str) -> tuple[GrowingSeason, ...]:
        return tuple(season for season in self._seasons if season.crop == crop)


class FakeClock:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant
