"""devices: registered, placed, revoked, listed."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

from cropcredit.cli.common import HERE, Home, Json, open_app, out, show_json, show_table
from cropcredit.errors import MalformedInput, RefusedInput
from cropcredit.model import Device
from cropcredit.usecases.device_tables import DEVICE_COLUMNS, PLACE_COLUMNS, installation, since_when
from cropcredit.usecases.devices import AddDevices, IssuedKey

app = typer.Typer(name="devices", help="Farm devices: register, place, revoke, list.", no_args_is_help=True)

_DEVICES_FORM = "CSV columns: " + ", ".join(c.name for c in DEVICE_COLUMNS)
_PLACES_FORM = "CSV columns: " + ", ".join(c.name for c in PLACE_COLUMNS)


@app.command()
def add(
    device_id: Annotated[str | None, typer.Argument(help="Device id: letters, digits, dot, dash, underscore.")] = None,
    *,
    model: Annotated[str, typer.Option(help="Make and model.")] = "",
    from_file: Annotated[Path | None, typer.Option("--from", metavar="FILE", help=_DEVICES_FORM)] = None,
    keys: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the keys here, for you alone.")] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give registered devices a new key beside the old.")] = False,
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
    issued = _add(opened.add_devices, devices, keys, rotate=rotate)
    if as_json:
        show_json([{"device": key.device_id, "kid": key.key_id} for key in issued])
    elif keys is not None:
        out.print(f"registered {len(issued)} devices; keys in {keys}", markup=False)


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
        out.print(f"placed {len(stored)} devices or channels", markup=False)


@app.command()
def revoke(device_id: Annotated[str, typer.Argument(help="A registered device.")], *, home: Home = HERE) -> None:
    """Take a device's keys and login away; ingest refuses it from the next batch on."""
    open_app(home).revoke_device(device_id)
    out.print(f"revoked {device_id}", markup=False)


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
            " ".join(status.keys) or "revoked",
            " ".join(f"{p.field_id or p.store_id}:{p.channel}" for p in status.placed),
            "online" if status.state is not None and status.state.online else "",
            status.last_seen.isoformat(timespec="seconds") if status.last_seen else "never",
        )
        for status in devices
    ]
    show_table("Devices", ("device", "model", "keys", "placed at", "state", "last seen"), rows)


def _add(adding: AddDevices, devices: Sequence[Device], keys: Path | None, *, rotate: bool) -> list[IssuedKey]:
    """Register and hand the keys out; the file is opened first, so that no key is issued that cannot be written."""
    if keys is None:
        issued = adding(devices, rotate=rotate)
        _write(sys.stdout, issued)
        return issued
    try:
        descriptor = os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RefusedInput(f"cannot be made: {error.strerror}", where=str(keys)) from error
    with os.fdopen(descriptor, "w", newline="") as file:
        try:
            issued = adding(devices, rotate=rotate)
        except Exception:  # whatever went wrong, no empty key file stays behind
            keys.unlink()
            raise
        _write(file, issued)
    return issued


def _write(file: TextIO, issued: Sequence[IssuedKey]) -> None:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("device", "kid", "secret", "password"))
    rows.writerows((key.device_id, key.key_id, key.secret, key.password) for key in issued)
