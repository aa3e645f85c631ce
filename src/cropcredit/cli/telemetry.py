"""broker, ingest and telemetry: readings come in, and what is wrong with them is shown."""

from __future__ import annotations

import logging
from collections import Counter
from threading import Event
from typing import Annotated, Literal

import typer

from cropcredit.cli.common import HERE, Home, Json, open_app, out, show_json, show_table
from cropcredit.service import serve_ingest, stopping_on_signals

top = typer.Typer()
app = typer.Typer(name="telemetry", help="What came in: gaps and quarantine.", no_args_is_help=True)

EXCERPT = 60


@top.command()
def broker(
    *,
    listen: Annotated[str, typer.Option(help="Address to listen on. Default: the workspace's broker_host.")] = "",
    port: Annotated[int, typer.Option(max=65535, help="Port. Default: the workspace's broker_port.")] = 0,
    kind: Annotated[
        Literal["auto", "mosquitto", "iotcore"], typer.Option(help="auto: Debian's mosquitto, else the iotcore wheel.")
    ] = "auto",
    home: Home = HERE,
) -> None:
    """Run the MQTT broker of this workspace until interrupted."""
    _log_to_stderr()
    opened = open_app(home)
    server = opened.make_broker(host=listen or None, port=port or None, kind=None if kind == "auto" else kind)
    stop = Event()
    with stopping_on_signals(stop), server:
        server.serve(stop)


@top.command()
def ingest(*, home: Home = HERE) -> None:
    """Take readings from the broker into the store until interrupted; one per workspace."""
    _log_to_stderr()
    opened = open_app(home)
    serve_ingest(opened.make_subscriber(), lease=opened.ingest_lease)


@app.command()
def gaps(
    device: Annotated[list[str] | None, typer.Argument(help="Devices; default: all.")] = None,
    *,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show which messages are missing: open (may still come) or lost on the device."""
    found = open_app(home).find_gaps(device or None)
    if as_json:
        show_json([{**_plain(gap), "size": gap.size} for gap in found])
        return
    rows = [(gap.device_id, gap.boot, gap.first, gap.last, gap.size, gap.kind.value) for gap in found]
    show_table("Gaps", ("device", "boot", "from seq", "to seq", "messages", "kind"), rows)
    out.print(f"{sum(gap.size for gap in found)} messages in {len(found)} gaps", markup=False)


@app.command()
def quarantine(
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, latest first.")] = 100,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show refused messages with their reason; their bytes are kept."""
    found = open_app(home).show_quarantine(limit=limit)
    if as_json:
        show_json([{"last_at": at, **_plain(r), "payload": _text(r.payload)} for at, r in found])
        return
    rows = [
        (at.isoformat(timespec="seconds"), r.reason, r.detail, r.topic, _text(r.payload[:EXCERPT])) for at, r in found
    ]
    show_table("Quarantine", ("last arrived", "reason", "detail", "topic", "begins with"), rows)
    counted = Counter(rejection.reason for _, rejection in found)
    out.print(", ".join(f"{count} {reason}" for reason, count in counted.most_common()) or "empty", markup=False)


def _plain(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace")


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
