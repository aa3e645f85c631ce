"""The installer's last question on the spot: whether it is the right device, at the right place, in the right units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cropcredit.fields import distances_m
from cropcredit.model import Clock as ClockSource
from cropcredit.model import Device, Installation, Measurement, Reading, Refusals
from cropcredit.ports import Clock, CredentialStore, FactStore, FieldStore, ReadingStore
from cropcredit.telemetry import Dating, date_reading
from cropcredit.telemetry.commissioning import fits, unit_slip

RECENT = timedelta(hours=24)
NEAR_M, NEAREST = 50_000.0, 10
WEAK_DBM = -110.0
"""Signal below which cellular and LoRa links begin to lose messages."""


class Verdict(StrEnum):
    """What the installer should do about a finding."""

    OK = "ok"
    LOOK = "look"
    """Works, but somebody should make sure."""
    WRONG = "wrong"
    """Must be put right before leaving."""
    WAIT = "wait"
    """Nothing heard yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer: a code that screens put into words, with its facts."""

    code: str
    """``registered unknown revoked`` ``placed not_placed`` ``heard not_heard refused also_refused``
    ``clock clock_none clock_wrong clock_of_season``
    ``weak_signal`` ``channel_unplaced`` ``wrong_kind_of_place`` ``depth_differs`` ``moisture_kind``
    ``value unit unusual``."""
    verdict: Verdict
    facts: tuple[tuple[str, str | float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationCheck:
    """All that is known of a fresh installation."""

    device_id: str
    at: datetime
    findings: tuple[Finding, ...]
    reading: Reading | None
    """The one that was looked at."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        order = (Verdict.WRONG, Verdict.WAIT, Verdict.LOOK, Verdict.OK)
        return min((finding.verdict for finding in self.findings), key=order.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInstallation:
    """Look at a device's registration, place and last reading, and at what was refused of it."""

    facts: FactStore
    fields: FieldStore
    credentials: CredentialStore
    readings: ReadingStore
    clock: Clock
    shift: timedelta = timedelta(0)
    """From the machine's clock to the workspace's: a made season has a present of its own."""

    def __call__(self, device_id: str, *, since: datetime | None = None) -> InstallationCheck:
        """Check one device.

        Parameters
        ----------
        device_id : str
            As written on it.
        since : datetime, optional
            Only what arrived since counts as heard; None: within a day.
        """
        now = self.clock.now()
        known = self.credentials.known([device_id])
        if device_id not in known:
            return self._told(device_id, now, [Finding(code="unknown", verdict=Verdict.WRONG)])
        if not known[device_id]:
            return self._told(device_id, now, [Finding(code="revoked", verdict=Verdict.WRONG)])
        model = next((d.model for d in self.facts.find(Device) if d.id == device_id), "")
        findings = [Finding(code="registered", verdict=Verdict.OK, facts=(("model", model),))]
        places = [p for p in self.facts.find(Installation, device_id=device_id) if p.from_at <= now]
        places = [p for p in places if p.to_at is None or now < p.to_at]
        findings += _placed(places)
        reading, arrived = self.readings.latest([device_id]).get(device_id, (None, now))
        since = since or now - RECENT
        refused = self.readings.refusals(since=since).get(device_id)
        if reading is None or arrived < since:
            return self._told(device_id, now, [*findings, self._silence(device_id, refused)])
        findings.append(Finding(code="heard", verdict=Verdict.OK, facts=(("arrived", arrived.isoformat()),)))
        if refused is not None:
            findings.append(Finding(code="also_refused", verdict=Verdict.LOOK, facts=_counted(refused)))
        findings += self._clock(reading, arrived, places)
        if reading.signal_dbm is not None and reading.signal_dbm < WEAK_DBM:
            findings.append(Finding(code="weak_signal", verdict=Verdict.LOOK, facts=(("dbm", reading.signal_dbm),)))
        near = self._near(device_id, places, now)
        for measured in reading.measurements:
            findings += _at_its_place(measured, places, arrived)
            findings.append(_value(measured, near))
        return self._told(device_id, now, findings, reading)

    def _told(
        self, device_id: str, at: datetime, findings: Sequence[Finding], reading: Reading | None = None
    ) -> InstallationCheck:
        return InstallationCheck(device_id=device_id, at=at, findings=tuple(findings), reading=reading)

    def _silence(self, device_id: str, refused: Refusals | None) -> Finding:
        """Say why nothing is there: refused, if it was, with the reason of the last; else not heard."""
        if refused is None:
            return Finding(code="not_heard", verdict=Verdict.WAIT)
        last = self.readings.quarantine(device_id=device_id, open_only=True, limit=1)[0].rejection
        facts = (("reason", last.reason), ("detail", last.detail), *_counted(refused))
        return Finding(code="refused", verdict=Verdict.WRONG, facts=facts)

    def _clock(self, reading: Reading, arrived: datetime, places: Sequence[Installation]) -> list[Finding]:
        if reading.clock is ClockSource.NONE or reading.observed_at is None:
            return [Finding(code="clock_none", verdict=Verdict.OK)]
        first = min((place.from_at for place in places), default=arrived - RECENT)
        dated = date_reading(reading, arrived, self.readings.boots([reading.device_id]), not_before=first)
        if dated.dating is Dating.WRONG:
            if self._is_of_today(reading.observed_at, arrived):
                days = abs(round(self.shift / timedelta(days=1)))
                return [Finding(code="clock_of_season", verdict=Verdict.LOOK, facts=(("days", float(days)),))]
            hours = round((reading.observed_at - arrived) / timedelta(hours=1), 1)
            return [Finding(code="clock_wrong", verdict=Verdict.LOOK, facts=(("hours", hours),))]
        return [Finding(code="clock", verdict=Verdict.OK)]

    def _is_of_today(self, claimed: datetime, arrived: datetime) -> bool:
        """Say whether a device keeps the machine's time, in a workspace whose clock was moved away from it."""
        return bool(self.shift) and abs(claimed + self.shift - arrived) <= RECENT

    def _near(
        self, device_id: str, places: Sequence[Installation], now: datetime
    ) -> Mapping[tuple[str, str], list[float]]:
        """Give what the nearest devices at fields measured within a day, by quantity and channel."""
        here = {place.field_id for place in places if place.field_id}
        others = {
            place.device_id: place.field_id
            for place in self.facts.find(Installation)
            if place.field_id and place.device_id != device_id and (place.to_at is None or now < place.to_at)
        }
        if not here or not others:
            return {}
        fields = {field.id: field for field in self.fields.read(ids=sorted(here | set(others.values())))}
        home = next((fields[name] for name in sorted(here) if name in fields), None)
        if home is None:
            return {}
        others = {device: field_id for device, field_id in others.items() if field_id in fields}
        away = distances_m(home.boundary, [fields[field_id].boundary for field_id in others.values()])
        nearest = [device for distance, device in sorted(zip(away, others, strict=True)) if distance <= NEAR_M]
        found: dict[tuple[str, str], list[float]] = {}
        for reading, arrived in self.readings.latest(nearest[:NEAREST]).values():
            for measured in reading.measurements if now - arrived <= RECENT else ():
                found.setdefault((measured.quantity, measured.channel), []).append(measured.value)
        return found


def _placed(places: Sequence[Installation]) -> list[Finding]:
    if not places:
        return [Finding(code="not_placed", verdict=Verdict.WRONG)]
    return [
        Finding(
            code="placed",
            verdict=Verdict.OK,
            facts=(
                ("kind", "field" if place.field_id else "store"),
                ("place", place.field_id or place.store_id),
                ("channel", place.channel),
            ),
        )
        for place in places
    ]


def _counted(refused: Refusals) -> tuple[tuple[str, str | float], ...]:
    return (("count", float(refused.count)), ("last", refused.last_at.isoformat()))


def _at_its_place(measured: Measurement, places: Sequence[Installation], at: datetime) -> list[Finding]:
    """Find what contradicts the place: a channel nobody placed, grain in a field, another depth, unnamed moisture."""
    if not places:
        return []
    facts = (("quantity", measured.quantity), ("channel", measured.channel))
    place = next((place for place in places if place.covers(measured.channel, at)), None)
    if place is None:
        return [Finding(code="channel_unplaced", verdict=Verdict.WRONG, facts=facts)]
    found = []
    in_store = measured.quantity.startswith("store.")
    if (in_store and place.field_id) or (measured.quantity.startswith("soil.") and place.store_id):
        found.append(Finding(code="wrong_kind_of_place", verdict=Verdict.WRONG, facts=facts))
    depth = measured.channel[1:]
    if measured.channel.startswith("d") and depth.isdigit() and place.depth_cm not in (None, float(depth)):
        found.append(Finding(code="depth_differs", verdict=Verdict.LOOK, facts=(*facts, ("cm", place.depth_cm or 0.0))))
    if measured.quantity == "soil.moisture" and not place.soil_moisture_kind:
        found.append(Finding(code="moisture_kind", verdict=Verdict.LOOK, facts=facts))
    return found


def _value(measured: Measurement, near: Mapping[tuple[str, str], list[float]]) -> Finding:
    facts = (("quantity", measured.quantity), ("channel", measured.channel), ("value", measured.value))
    neighbours = near.get((measured.quantity, measured.channel), [])
    slip = unit_slip(measured.quantity, measured.value, neighbours)
    if slip:
        return Finding(code="unit", verdict=Verdict.WRONG, facts=(*facts, ("slip", slip)))
    usual = fits(measured.quantity, measured.value, neighbours)
    return Finding(code="value" if usual else "unusual", verdict=Verdict.OK if usual else Verdict.LOOK, facts=facts)
