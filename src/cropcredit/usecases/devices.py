"""Devices: registered with a key, placed at a field or store, given another key, revoked, listed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import inf

from cropcredit import wire
from cropcredit.errors import MalformedInput, RefusedInput, StateConflict, UnknownRecord
from cropcredit.model import Device, DeviceCertificate, DeviceState, Installation, Refusals
from cropcredit.ports import (
    BrokerAccess,
    Clock,
    CredentialStore,
    DeviceCertificates,
    FactStore,
    FieldStore,
    ReadingStore,
)
from cropcredit.telemetry import silent_since
from cropcredit.telemetry.clones import Fork, find_forks

NO_GRACE = timedelta(0)
_ID_FORM = "up to 64 letters, digits, dots, dashes and underscores, a letter or digit first"
_CHANNEL_FORM = "up to 16 letters, digits, dots, dashes and underscores, as the device writes it: d20, p2; or * for all"
OF_LATE = timedelta(days=30)
"""How long a contradiction or a refusal is shown beside its device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A fresh key, to be put into the device; it is shown once and never again."""

    device_id: str
    key_id: str
    secret: str
    """64 hex digits."""
    password: str
    """For the broker; follows from the secret."""
    certificate: DeviceCertificate | None = None
    """Where one was asked for."""

    def __repr__(self) -> str:
        return f"IssuedKey(device_id={self.device_id!r}, key_id={self.key_id!r}, secret=…, password=…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """One device as it stands now."""

    device: Device
    keys: tuple[str, ...]
    """Ids of its valid keys; empty when revoked."""
    ending: Mapping[str, datetime]
    """Keys that end by themselves, and when: the device is changing over."""
    placed: tuple[Installation, ...]
    """Where it stands now."""
    state: DeviceState | None
    last_seen: datetime | None
    """When it was last heard, by a reading or a state."""
    fork: Fork | None = None
    """What contradicted it of late: its key may be cloned."""
    refused: Refusals | None = None
    """What was refused of it of late, and never passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDevices:
    """Register devices: a record, a key, a login at the broker, and a certificate where one is asked for."""

    facts: FactStore
    credentials: CredentialStore
    access: BrokerAccess
    certificates: DeviceCertificates
    clock: Clock
    reserved: Collection[str] = field(default=("ingest",))
    """User names at the broker that no device may take."""

    def __call__(
        self, devices: Sequence[Device], *, rotate: bool = False, grace: timedelta = NO_GRACE, certified: bool = False
    ) -> list[IssuedKey]:
        """Register, or with ``rotate`` give registered devices another key.

        Parameters
        ----------
        rotate : bool
            Take devices that have a valid key: it ends ``grace`` from now, and so do password and certificates.
        grace : timedelta
            How long the old key counts beside the new one. The broker takes the old password until then, and the new
            one from then on: mosquitto knows one per user.
        certified : bool
            Issue a certificate in each device's name too.

        Raises
        ------
        MalformedInput
            If an id cannot be a device id, or stands twice, or is a DevEUI otherwise than messages name it.
        StateConflict
            If a device has a valid key and ``rotate`` was not asked for; nothing was changed.
        RefusedInput
            If a certificate is asked for and there is no authority; nothing was changed.
        """
        ids, now = [device.id for device in devices], self.clock.now()
        registered = self.credentials.known(ids)
        self._check(ids, registered)
        if certified and not self.certificates.made:
            raise RefusedInput("there is no certificate authority", cure="start cropcredit broker --tls certificates")
        keyed = sorted(device_id for device_id, keys in registered.items() if keys)
        if keyed and not rotate:
            raise StateConflict(f"device {keyed[0]!r} is registered already: give it a new key with devices rotate")
        made = self.credentials.issue(ids, at=now, others_end=now + grace if rotate else None)
        self.facts.add(*devices)
        if rotate:
            self.certificates.revoke(ids, after=grace)
        shown = {device_id: self.certificates.issue(device_id) for device_id in ids} if certified else {}
        issued = [
            IssuedKey(
                device_id=device_id,
                key_id=key_id,
                secret=secret.hex(),
                password=wire.login_password(secret),
                certificate=shown.get(device_id),
            )
            for device_id, (key_id, secret) in made.items()
        ]
        self.access.allow({key.device_id: key.password for key in issued}, after=grace)
        return issued

    def _check(self, ids: Sequence[str], registered: Collection[str]) -> None:
        """Refuse what cannot be a device id, a login that is taken, and a DevEUI by which no message would find it."""
        taken = {*self.reserved, *self.access.bridges()}
        for device_id in ids:
            if not wire.DEVICE_ID.fullmatch(device_id):
                raise MalformedInput(f"{device_id!r} cannot be a device id", cure=_ID_FORM)
            if device_id in taken:
                raise MalformedInput("is the login of a service", where=device_id, cure="choose another device id")
            if ids.count(device_id) > 1:
                raise MalformedInput("stands twice", where=device_id, cure="leave one of its rows")
            eui = device_id.replace("-", "").lower()
            if device_id != eui and device_id not in registered and wire.is_device_eui(eui):
                said = "looks like a DevEUI, and messages of network servers name it otherwise"
                raise MalformedInput(said, where=device_id, cure=f"register {eui}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Give registered devices another key; the old one ends by itself, or when the technician is done."""

    facts: FactStore
    add: AddDevices

    def __call__(self, device_ids: Sequence[str], *, grace: timedelta, certified: bool = False) -> list[IssuedKey]:
        """Issue the new keys; see :class:`AddDevices`.

        Raises
        ------
        UnknownRecord
            If a device is not registered; nothing was changed.
        StateConflict
            If it is revoked; nothing was changed.
        """
        devices = self._registered(device_ids)
        return self.add(devices, rotate=True, grace=grace, certified=certified)

    def finish(self, device_ids: Sequence[str]) -> None:
        """End the old keys, passwords and certificates now; raises as above."""
        self._registered(device_ids)
        self.add.credentials.end_old(device_ids, at=self.add.clock.now())
        self.add.certificates.end_old(device_ids)
        self.add.access.put_in_place(device_ids)

    def _registered(self, device_ids: Sequence[str]) -> list[Device]:
        registered = {device.id: device for device in self.facts.find(Device)}
        for device_id in device_ids:
            if device_id not in registered:
                raise UnknownRecord("device", device_id, cure="see devices list")
        devices = [registered[device_id] for device_id in device_ids]
        keys = self.add.credentials.known(device_ids)
        for device in devices:
            if not keys.get(device.id):
                raise StateConflict(f"device {device.id!r} is revoked: register it anew with devices add")
        return devices


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDevices:
    """Say where devices stand; the place before ends where the new one begins."""

    facts: FactStore
    fields: FieldStore

    def __call__(self, places: Sequence[Installation]) -> list[Installation]:
        """Store installations, all or none; returns them.

        Raises
        ------
        UnknownRecord
            If a device or field is not registered; nothing was stored.
        MalformedInput
            If a place is neither one field nor one store, its channel is no channel, or its depth no depth.
        """
        devices = {device.id for device in self.facts.find(Device)}
        wanted = sorted({place.field_id for place in places if place.field_id})
        known = {field.id for field in self.fields.read(ids=wanted)} if wanted else set()
        for place in places:
            if place.device_id not in devices:
                raise UnknownRecord("device", place.device_id, cure="register it: devices add")
            if bool(place.field_id) == bool(place.store_id):
                raise MalformedInput("a device stands at one field or one store", where=place.device_id)
            if place.channel != "*" and not wire.CHANNEL.fullmatch(place.channel):
                said = f"{place.channel!r} cannot be the channel of a reading"
                raise MalformedInput(said, where=place.device_id, cure=_CHANNEL_FORM)
            if place.depth_cm is not None and not 0 <= place.depth_cm < inf:
                raise MalformedInput(f"depth {place.depth_cm:g} cm is none below the surface", where=place.device_id)
            if place.field_id and place.field_id not in known:
                raise UnknownRecord("field", place.field_id, where=place.device_id, cure="import it: fields import")
        self.facts.add(*self._ended(places), *places)
        return list(places)

    def _ended(self, places: Sequence[Installation]) -> list[Installation]:
        """Give the open installations that these replace, with their end."""
        ended = []
        for new in places:
            for old in self.facts.find(Installation, device_id=new.device_id):
                same_channel = old.channel == new.channel and old.id != new.id
                if same_channel and old.from_at < new.from_at and (old.to_at is None or old.to_at > new.from_at):
                    ended.append(replace(old, to_at=new.from_at, known_at=new.known_at))
        return ended


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDevice:
    """Take a device's keys, login and certificates away; ingest refuses it from the next batch on."""

    facts: FactStore
    credentials: CredentialStore
    access: BrokerAccess
    certificates: DeviceCertificates
    clock: Clock

    def __call__(self, device_id: str) -> Device:
        """Revoke; raises UnknownRecord for a device that is not registered."""
        device, now = self.facts.get(Device, device_id), self.clock.now()
        self.credentials.revoke(device_id, at=now)
        self.access.forbid([device_id])
        self.certificates.revoke([device_id])
        revoked = replace(device, revoked_at=now, known_at=now)
        self.facts.add(revoked)
        return revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSilent:
    """Count the devices that ever told their state, and those silent for longer than they declared to be normal."""

    readings: ReadingStore
    clock: Clock

    def __call__(self) -> tuple[int, int]:
        """Give (heard, silent)."""
        states, now = self.readings.states().values(), self.clock.now()
        silent = [state for state in states if silent_since(state.received_at, state.interval_s, now)]
        return len(states), len(silent)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDevices:
    """Show the devices with their keys, places and last signs of life."""

    facts: FactStore
    credentials: CredentialStore
    readings: ReadingStore
    clock: Clock

    def __call__(self) -> list[DeviceStatus]:
        """Give all devices, by id."""
        devices = self.facts.find(Device)
        ids = [device.id for device in devices]
        keys, ending = self.credentials.known(ids), self.credentials.ends(ids)
        states, latest = self.readings.states(), self.readings.latest(ids)
        now = self.clock.now()
        forks = find_forks(self.readings.conflicts(since=now - OF_LATE))
        refused = self.readings.refusals(since=now - OF_LATE)
        places = [p for p in self.facts.find(Installation) if p.from_at <= now and (p.to_at is None or now < p.to_at)]
        return [
            DeviceStatus(
                device=device,
                keys=tuple(keys.get(device.id, {})),
                ending=ending.get(device.id, {}),
                placed=tuple(place for place in places if place.device_id == device.id),
                state=states.get(device.id),
                last_seen=_last_seen(states.get(device.id), latest[device.id][1] if device.id in latest else None),
                fork=forks.get(device.id),
                refused=refused.get(device.id),
            )
            for device in devices
        ]


def _last_seen(state: DeviceState | None, arrived: datetime | None) -> datetime | None:
    return max((at for at in (state.received_at if state else None, arrived) if at is not None), default=None)
