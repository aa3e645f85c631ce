"""devices: registered, placed, given another key, revoked, listed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Json, counted, err, open_app, out, show_json, show_table
from cropcredit.cli.handed_keys import Handed, hand_out
from cropcredit.errors import MalformedInput
from cropcredit.model import Device, Refusals
from cropcredit.usecases.device_tables import DEVICE_COLUMNS, PLACE_COLUMNS, installation, since_when
from cropcredit.usecases.devices import DeviceStatus
from cropcredit.usecases.other_formats import without_profile

app = typer.Typer(
    name="devices", help="Farm devices: register, place, give another key, revoke, list.", no_args_is_help=True
)

_DEVICES_FORM = "CSV columns: " + ", ".join(c.name for c in DEVICE_COLUMNS)
_PLACES_FORM = "CSV columns: " + ", ".join(c.name for c in PLACE_COLUMNS)
SHOWN = 3
"""Devices that are named one by one."""

Keys = Annotated[Path | None, typer.Option("--keys", metavar="FILE", help="Write the keys here, for you alone.")]
Certificates = Annotated[
    Path | None,
    typer.Option(
        "--certificates",
        metavar="DIR",
        help="Also issue a certificate in each device's name: DEVICE.crt, DEVICE.key and the ca.crt by which it knows "
        "the broker (cropcredit broker --tls certificates).",
    ),
]
Grace = Annotated[
    str, typer.Option("--grace", metavar="TIME", help="How long the old key counts beside the new: 7d, 12h, 0.")
]


@app.command()
def add(
    device_id: Annotated[str | None, typer.Argument(help="Device id: letters, digits, dot, dash, underscore.")] = None,
    *,
    model: Annotated[str, typer.Option(help="Make and model.")] = "",
    from_file: Annotated[Path | None, typer.Option("--from", metavar="FILE", help=_DEVICES_FORM)] = None,
    keys: Keys = None,
    certificates: Certificates = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Take registered devices too: another key, see devices rotate.")
    ] = False,
    grace: Grace = "7d",
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Register devices and print their keys, once: CSV device,kid,secret,password (python -m firmware_sim reads it)."""
    if (device_id is None) == (from_file is None):
        raise MalformedInput("name one device, or a table with --from")
    opened = open_app(home)
    if from_file is not None:
        devices = opened.device_tables.devices(from_file)
    else:
        devices = [Device(id=str(device_id), model=model, known_at=opened.clock.now())]
    beside = time_span(grace)
    hand_out(
        lambda: opened.add_devices(devices, rotate=rotate, grace=beside, certified=certificates is not None),
        Handed(keys=keys, certificates=certificates, authority=home / "broker" / "tls" / "ca.crt", as_json=as_json),
    )
    profiles = opened.ingest_messages.decoders
    _tell_unread(without_profile(devices, profiles), profiles)


@app.command()
def rotate(
    device_ids: Annotated[list[str], typer.Argument(metavar="DEVICE…", help="Registered devices.")],
    *,
    grace: Grace = "7d",
    finish: Annotated[
        bool, typer.Option("--finish", help="The devices have changed over: end their old keys now.")
    ] = False,
    keys: Keys = None,
    certificates: Certificates = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Give devices another key; the old one ends by itself after --grace, or with --finish.

    Until then messages signed with either key count, and either certificate. The broker knows one password per
    device: until then the old one, from then on the new one; a device that holds both tries one after the other. Choose
    a time longer than any device is offline: what it signed with the old key and sends later is refused.
    """
    opened = open_app(home)
    if finish:
        opened.rotate_keys.finish(device_ids)
        said = f"only the newest key of {', '.join(device_ids)} counts now"
        show_json({"finished": device_ids}) if as_json else out.print(said, markup=False)
        return
    beside = time_span(grace)
    hand_out(
        lambda: opened.rotate_keys(device_ids, grace=beside, certified=certificates is not None),
        Handed(
            keys=keys,
            certificates=certificates,
            authority=home / "broker" / "tls" / "ca.crt",
            as_json=as_json,
            done="changed the key of",
        ),
    )


@app.command()
def place(
    device_id: Annotated[str | None, typer.Argument(help="A registered device.")] = None,
    *,
    field: Annotated[str, typer.Option(help="Field where it stands.")] = "",
    store: Annotated[str, typer.Option(help="Grain store where it stands.")] = "",
    channel: Annotated[str, typer.Option(help="Channel of its readings; * covers all.")] = "*",
    since: Annotated[
        str, typer.Option(help="Since when it stands there: a date (its start) or an instant. Default: now.")
    ] = "",
    depth_cm: Annotated[float | None, typer.Option(help="Depth below the surface, cm.")] = None,
    from_file: Annotated[Path | None, typer.Option("--from", metavar="FILE", help=_PLACES_FORM)] = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Say where devices stand; readings reach a field or store only through this."""
    if (device_id is None) == (from_file is None):
        raise MalformedInput("name one device, or a table with --from")
    opened = open_app(home)
    if from_file is not None:
        places = opened.device_tables.places(from_file)
    else:
        now = opened.clock.now()
        from_at = since_when(since, opened.settings.time_zone) if since else now
        places = [
            installation(
                device_id=str(device_id), channel=channel, from_at=from_at, field_id=field, store_id=store,
                depth_cm=depth_cm, known_at=now,
            )
        ]  # fmt: skip
    stored = opened.place_devices(places)
    if as_json:
        show_json(stored)
    else:
        out.print(f"placed {counted(len(stored), 'device or channel', 'devices or channels')}", markup=False)


@app.command()
def bridge(
    name: Annotated[str | None, typer.Argument(help="A name for the network server; without one, list them.")] = None,
    *,
    end: Annotated[bool, typer.Option("--end", help="Take its login away.")] = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Another password; the old one ends at once.")] = False,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Give a network server (ChirpStack, The Things Stack) a login of its own and print its password, once.

    It may pass on what LoRaWAN devices said and nothing else; its devices are registered with devices add, by their
    DevEUI in lower-case hex and with their --model. What is read: data/contracts/network-servers.
    """
    opened = open_app(home)
    if name is None:
        names = opened.let_bridge_in.access.bridges()
        show_json(names) if as_json else show_table("Network servers", ("name",), [(one,) for one in names])
    elif end:
        opened.let_bridge_in.end(name)
        out.print(f"{name} may log in no more", markup=False)
    else:
        login = opened.let_bridge_in(name, rotate=rotate)
        said = {"username": login.name, "password": login.password}
        show_json(said) if as_json else out.print("\n".join(f"{k} {v}" for k, v in said.items()), markup=False)


@app.command()
def revoke(
    device_id: Annotated[str, typer.Argument(help="A registered device.")], *, as_json: Json = False, home: Home = HERE
) -> None:
    """Take a device's keys, login and certificates away: the broker ends its session, ingest refuses it at once."""
    open_app(home).revoke_device(device_id)
    show_json({"revoked": device_id}) if as_json else out.print(f"revoked {device_id}", markup=False)


@app.command("list")
def list_(*, as_json: Json = False, home: Home = HERE) -> None:
    """List devices with their keys, places and last signs of life."""
    devices = open_app(home).list_devices()
    if as_json:
        show_json(devices)
        return
    rows = [
        (
            status.device.id,
            status.device.model,
            ", ".join(_key(key, status.ending) for key in status.keys) or "revoked",
            " ".join(f"{p.field_id or p.store_id}:{p.channel}" for p in status.placed),
            "online" if status.state is not None and status.state.online else "",
            _heard(status),
            _doubt(status),
        )
        for status in devices
    ]
    show_table("Devices", ("device", "model", "keys", "placed at", "state", "last seen", "doubt"), rows)
    if any(status.fork for status in devices):
        out.print("contradictions: cropcredit telemetry conflicts DEVICE; if it is a clone: devices rotate, or revoke")
    if any(status.refused for status in devices):
        out.print("refused: cropcredit telemetry quarantine --device DEVICE says why and what came")


def time_span(text: str) -> timedelta:
    """Read a span of time: days, hours or minutes (``7d``, ``12h``, ``30m``), or 0.

    Raises
    ------
    MalformedInput
        If it is none.
    """
    match = re.fullmatch(r"(\d{1,4})([dhm])|0", text)
    if match is None:
        raise MalformedInput("is no span of time", where=text, cure="write 7d, 12h, 30m or 0")
    units = {"d": "days", "h": "hours", "m": "minutes"}
    return timedelta(**{units[match[2]]: int(match[1])}) if match[2] else timedelta(0)


def _heard(status: DeviceStatus) -> str:
    if status.last_seen is not None:
        return status.last_seen.isoformat(timespec="seconds")
    return "never" if status.refused is None else f"heard, but refused: {_refused(status.refused)}"


def _doubt(status: DeviceStatus) -> str:
    cloned = f"cloned? {counted(status.fork.count, 'contradiction')}" if status.fork else ""
    refused = f"refused: {_refused(status.refused)}" if status.refused and status.last_seen else ""
    return "; ".join(filter(None, (cloned, refused)))


def _refused(found: Refusals) -> str:
    return f"{counted(found.count, 'message')}, last {found.last_at.isoformat(timespec='seconds')}"


def _tell_unread(devices: Sequence[Device], known: Collection[str]) -> None:
    """Say of which devices behind a network server little will be read; on stderr, since keys go to stdout."""
    for device in devices[:SHOWN]:
        model = f"model {device.model!r} has no profile" if device.model else "no model was said"
        err.print(f"{device.id}: {model}: only what its network server normalizes will be read", markup=False)
    if devices:
        more = f"and {len(devices) - SHOWN} devices more; " if len(devices) > SHOWN else ""
        cure = f"profiles are {', '.join(sorted(known))}; add others to decoders.toml of the workspace"
        err.print(f"{more}{cure}, or correct it: devices add DEVICE --model MODEL --rotate", markup=False)


def _key(key_id: str, ending: Mapping[str, datetime]) -> str:
    return key_id + (f" until {ending[key_id].isoformat(timespec='minutes')}" if key_id in ending else "")
