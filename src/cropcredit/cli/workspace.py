"""init, doctor: a workspace and the machine around it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cropcredit.bootstrap import build
from cropcredit.cli.common import HERE, Home, Json, open_app, out, show_json, show_table
from cropcredit.config import FILE, Settings, data_dir
from cropcredit.errors import CropcreditError

app = typer.Typer()


@app.command()
def init(
    home: Home = HERE,
    lender: Annotated[str, typer.Option(help="Name of the lender, shown at the desk.")] = "cropcredit",
    time_zone: Annotated[str, typer.Option(help="IANA zone of the lender's days.")] = "Asia/Shanghai",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the loans.")] = "CNY",
    language: Annotated[str, typer.Option(help="First language of the desk: zh or en.")] = "zh",
    synthetic_today: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="For made data only: the day on which this workspace's clock starts. Devices that keep today's time "
            "are graded clock_wrong there.",
        ),
    ] = None,
) -> None:
    """Make a workspace: its settings file, its database, the default lending policy."""
    values: dict[str, object] = {"lender": lender, "time_zone": time_zone, "currency": currency, "language": language}
    settings = Settings.checked(home, values, where="init")
    if synthetic_today is not None:
        noon = datetime.combine(synthetic_today, time(12), ZoneInfo(settings.time_zone))
        shift = round((noon - datetime.now(UTC)) / timedelta(seconds=1))
        settings = Settings.checked(home, values | {"synthetic": True, "clock_shift_s": shift}, where="init")
    settings.save()
    try:
        opened = build(settings)
    except CropcreditError:
        (settings.home / FILE).unlink()  # a workspace without its database could not be made a second time
        raise
    default = data_dir() / "catalogues" / "policy.toml"
    if opened.import_policy.currency_of(default) == settings.currency:
        opened.import_policy(default)
    else:
        out.print(f"No lending policy in {currency} comes along; bring one: cropcredit import policy FILE")
    if "CROPCREDIT_DATABASE_URL" in os.environ:
        where = f"every later command needs it, or database_url in {settings.home / FILE}"
        out.print(f"Its database is that of CROPCREDIT_DATABASE_URL: {where}")
    out.print(f"Workspace ready at [bold]{settings.home}[/]. Next: cropcredit doctor --home {home}")


@app.command()
def doctor(home: Home = HERE, as_json: Json = False) -> None:
    """Look at clock, disk, broker, ingest, certificates, secrets and fonts; exit 1 when something needs care."""
    opened = open_app(home)
    shift = timedelta(seconds=opened.settings.clock_shift_s)  # the machine is examined, not the season of a demo
    findings = opened.examine(now=opened.clock.now() - shift)
    if as_json:
        show_json(findings)
    else:
        rows = [("ok" if f.ok else "!!", f.name, f.found, f.cure) for f in findings]
        show_table("doctor", ["", "what", "found", "what to do"], rows)
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)
