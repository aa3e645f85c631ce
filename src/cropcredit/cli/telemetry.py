"""broker, ingest and telemetry: readings come in, and what is wrong with them is shown."""

from __future__ import annotations

import logging
from threading import Event
from typing import Annotated, Literal

import typer

from cropcredit.adapters.broker_conf import Door
from cropcredit.cli.archive import export, retain
from cropcredit.cli.common import HERE, Home, Json, counted, open_app, out, progress, registered, show_json, show_table
from cropcredit.cli.grades import grade
from cropcredit.cli.quarantine import conflicts, quarantine, replay
from cropcredit.config import http_address
from cropcredit.service import Watch, serve_ingest, stopping_on_signals

log = logging.getLogger(__name__)

top = typer.Typer()
app = typer.Typer(
    name="telemetry", help="What came in: grades, gaps, quarantine, roll-ups, archive.", no_args_is_help=True
)


@top.command()
def broker(
    *,
    listen: Annotated[str, typer.Option(help="Address to listen on. Default: the workspace's broker_host.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port. 0: the workspace's broker_port.")] = 0,
    kind: Annotated[
        Literal["auto", "mosquitto", "iotcore"], typer.Option(help="auto: Debian's mosquitto, else the iotcore wheel.")
    ] = "auto",
    tls: Annotated[
        Literal["off", "password", "certificates"],
        typer.Option(
            help="Let devices in encrypted, at --tls-port, by their password or by a certificate in their name "
            "(devices add --certificates DIR); the plain port then serves this machine alone."
        ),
    ] = "off",
    tls_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the encrypted listener.")] = 8883,
    name: Annotated[
        list[str] | None,
        typer.Option(help="Host name or address by which devices reach the encrypted listener; may be repeated."),
    ] = None,
    home: Home = HERE,
) -> None:
    """Run the MQTT broker of this workspace until interrupted.

    With --tls an authority of the workspace's own is made in HOME/broker/tls: ca.crt is for the devices, ca.key for
    nobody (back it up: without it no certificate can be issued or revoked). The broker's certificate is renewed at a
    start within 60 days of its end; a device's lasts 5 years. devices revoke ends sessions and certificates at once.
    """
    _log_to_stderr()
    opened = open_app(home)
    host = listen or opened.settings.broker_host
    door = None if tls == "off" else Door(tls=tls, host=host, port=tls_port)
    chosen = None if kind == "auto" else kind
    server = opened.make_broker(host=host, port=port or None, kind=chosen, door=door, names=name or ())
    stop = Event()
    with stopping_on_signals(stop), server:
        server.serve(stop)


@top.command()
def ingest(
    *,
    http: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Where to tell health (/healthz) and Prometheus metrics (/metrics); port 0: any free one, the log "
            "says which; off: nowhere. Default: the workspace's ingest_http, 127.0.0.1:0.",
        ),
    ] = "",
    home: Home = HERE,
) -> None:
    """Take readings from the broker into the store until interrupted; one per workspace.

    Exit codes: 0 after SIGTERM, with everything in hand committed and acknowledged; 2 when another ingest is at work or
    takes over, or the loop ended by an error; 70 when it hung (ingest_hang_s, 60 s). A supervisor starts it anew.
    """
    _log_to_stderr()
    opened = open_app(home)
    settings = opened.settings
    if settings.clock_shift_s:
        log.warning(
            "this workspace's clock is that of a made season (%s): devices that keep today's time are dated by arrival "
            "and graded clock_wrong; they belong to one without --synthetic-today",
            f"{opened.clock.now():%Y-%m-%d}",
        )
    watch = Watch(
        folder=settings.home,
        http=http_address(http or settings.ingest_http),
        hang_s=settings.ingest_hang_s,
        count_devices=opened.count_silent,
    )
    serve_ingest(opened.make_subscriber(), lease=opened.ingest_lease, watch=watch)


@app.command()
def gaps(
    device: Annotated[list[str] | None, typer.Argument(help="Devices; default: all.")] = None,
    *,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show which messages are missing: open (may still come) or lost on the device."""
    opened = open_app(home)
    found = opened.find_gaps(registered(opened, device))
    if as_json:
        show_json([{**_plain(gap), "size": gap.size} for gap in found])
        return
    rows = [(gap.device_id, gap.boot, gap.first, gap.last, gap.size, gap.kind.value) for gap in found]
    show_table("Gaps", ("device", "boot", "from seq", "to seq", "messages", "kind"), rows)
    out.print(f"{counted(sum(gap.size for gap in found), 'message')} in {counted(len(found), 'gap')}", markup=False)


app.command()(grade)
app.command()(quarantine)
app.command()(replay)
app.command()(conflicts)
app.command()(export)
app.command()(retain)


@app.command()
def rollup(
    device: Annotated[list[str] | None, typer.Argument(help="Devices; default: all that lack something.")] = None,
    *,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Bring hourly and daily roll-ups up to date; whoever reads them does the same for the devices in question."""
    opened = open_app(home)
    rolled = opened.refresh_rollups(registered(opened, device), progress=progress)
    if as_json:
        show_json({"readings": rolled})
        return
    out.print(f"{counted(rolled, 'reading')} rolled up", markup=False)


def _plain(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
