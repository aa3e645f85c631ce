"""``devices check``: the first-reading wizard, in an installer's words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated

import typer

from cropcredit.cli.common import HERE, Home, Json, counted, open_app, out, show_json
from cropcredit.cli.devices import app
from cropcredit.usecases.first_reading import CheckInstallation, Finding, InstallationCheck, Verdict

__all__ = ["app"]

EVERY_S = 2.0
MARKS = {
    Verdict.OK: ("✓", "green"),
    Verdict.LOOK: ("?", "yellow"),
    Verdict.WRONG: ("✗", "red"),
    Verdict.WAIT: ("…", "cyan"),
}
UNITS = {
    "fraction": "a fraction of 1: multiply by 100 in the device",
    "tenfold": "ten times too large: a tenth of it would fit",
    "fahrenheit": "degrees Fahrenheit: switch the device to Celsius",
    "kelvin": "kelvin: switch the device to Celsius",
    "us_per_cm": "µS/cm: divide by 1000 in the device",
    "ms_per_m": "mS/m: divide by 100 in the device",
    "pascal": "pascal: divide by 100 in the device",
    "kilopascal": "kilopascal: multiply by 10 in the device",
    "mmhg": "millimetres of mercury: multiply by 1.333 in the device",
}
WORDS = {
    "registered": "registered{model}",
    "unknown": "not registered: is the id right? cropcredit devices add {device}",
    "revoked": "its keys were revoked: cropcredit devices add {device} --rotate",
    "placed": "stands at {place}, channel {channel}",
    "not_placed": "nobody said where it stands: cropcredit devices place {device} --field FIELD (or --store STORE)",
    "heard": "heard at {arrived:.16}",
    "not_heard": "not heard yet: is it switched on, has it signal, has it this broker's address and its own key?",
    "refused": "it speaks, but is refused: {messages}, last {last:.16} ({reason}): {detail}; "
    "see telemetry quarantine --device {device}",
    "also_refused": "{messages} of it refused, last {last:.16}: see telemetry quarantine --device {device}",
    "clock": "its clock is right",
    "clock_none": "it has no clock: its readings are dated by their arrival",
    "clock_wrong": "its clock is off by {hours:g} h: set it, or let it take the network's time",
    "clock_of_season": "it keeps today's time, and this workspace a made season's, {days:g} days off: its readings are "
    "dated by their arrival and graded clock_wrong; let live devices speak to a workspace without --synthetic-today",
    "weak_signal": "weak signal ({dbm:g} dBm): a higher antenna or another place would lose fewer messages",
    "channel_unplaced": "{quantity} on channel {channel}: nobody placed that channel",
    "wrong_kind_of_place": "{quantity} does not belong at such a place: field and store may be mixed up",
    "depth_differs": "{quantity}: channel {channel} does not say {cm:g} cm, the depth it was placed with",
    "moisture_kind": "{quantity}: volumetric, saturation or tension? Say soil_moisture_kind in devices place --from",
    "value": "{quantity} {channel} {value:g} {unit}",
    "unit": "{quantity} {channel} {value:g} {unit} looks like {slip}",
    "unusual": "{quantity} {channel} {value:g} {unit} is unlike farmland or its neighbours: is the probe in its place?",
}
CLOSING = {
    Verdict.OK: "All is well: you may leave.",
    Verdict.LOOK: "It works; look at the lines with a question mark before you leave.",
    Verdict.WRONG: "Put right what is marked with ✗, then run this again.",
    Verdict.WAIT: "Nothing was heard in time; leave it switched on and run this again.",
}


@app.command()
def check(
    device_id: Annotated[str, typer.Argument(help="The device that was just put up.")],
    *,
    wait: Annotated[float, typer.Option(min=0, metavar="S", help="How long to wait for its first reading.")] = 600.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Only what arrives from now on counts as heard.")] = False,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Tell an installer on the spot whether device, place and units are right; waits for the first reading."""
    opened = open_app(home)
    since = opened.clock.now() - timedelta(seconds=1) if fresh else None
    found = wait_for_first(opened.check_installation, device_id, since=since, seconds=wait, quiet=as_json)
    if as_json:
        show_json({"device": found.device_id, "verdict": found.verdict, "findings": found.findings})
    else:
        show(found, {name: quantity.unit for name, quantity in opened.summarise_sensors.quantities.items()})
    raise typer.Exit(code=int(found.verdict in (Verdict.WRONG, Verdict.WAIT)))


def wait_for_first(
    checking: CheckInstallation, device_id: str, *, since: datetime | None, seconds: float, quiet: bool
) -> InstallationCheck:
    """Check until the device was heard, or refused, or ``seconds`` are over."""
    end = time.monotonic() + seconds
    found = checking(device_id, since=since)
    if found.verdict is Verdict.WAIT and not quiet:
        out.print(f"waiting up to {seconds:g} s for {device_id}; press its button if it has one", markup=False)
    while found.verdict is Verdict.WAIT and time.monotonic() < end:
        time.sleep(min(EVERY_S, max(0.0, end - time.monotonic())))
        found = checking(device_id, since=since)
    return found


def show(found: InstallationCheck, units: Mapping[str, str]) -> None:
    """Print the findings, one line each, and what to do now; ``units`` are those of the quantities."""
    for finding in found.findings:
        mark, colour = MARKS[finding.verdict]
        out.print(f"[{colour}]{mark}[/] ", end="")
        out.print(worded(found.device_id, finding, units), markup=False, highlight=False)
    out.print(CLOSING[found.verdict], markup=False, style="bold")


def worded(device_id: str, finding: Finding, units: Mapping[str, str] = MappingProxyType({})) -> str:
    """Put one finding into a sentence; a value is said in its quantity's unit."""
    facts = dict(finding.facts) | {"device": device_id}
    facts["unit"] = units.get(str(facts.get("quantity")), "").replace("Cel", "°C")
    if "slip" in facts:
        facts["slip"] = UNITS[str(facts["slip"])]
    if "count" in facts:
        facts["messages"] = counted(int(facts["count"]), "message")
    if "model" in facts:
        facts["model"] = f": {facts['model']}" if facts["model"] else ""
    return " ".join(WORDS[finding.code].format(**facts).split())
