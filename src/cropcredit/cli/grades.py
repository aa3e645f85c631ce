"""telemetry grade: how far a device's readings can be trusted, every reason, and every question that was asked."""

from __future__ import annotations

from typing import Annotated

import typer

from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, open_app, out, show_json, show_table
from cropcredit.errors import MalformedInput
from cropcredit.telemetry import Check, GradeReason
from cropcredit.usecases.telemetry import SensorSummary


def grade(
    *,
    field: Annotated[str, typer.Option(metavar="ID", help="Devices on this field.")] = "",
    store: Annotated[str, typer.Option(metavar="ID", help="Devices in this grain store.")] = "",
    planting: Annotated[str, typer.Option(metavar="ID", help="Over this planting's season, month by month.")] = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="Length of the window that ends now, or at --as-of.")] = 30,
    checks: Annotated[bool, typer.Option("--checks", help="Show every question, also those left open.")] = False,
    as_of: AsOf = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Grade devices A to D with reasons; A: as good as it gets, D: do not rely on it alone.

    What cannot be compared with anything stays open (not assessed): it costs nothing and earns nothing. Reasons of
    maintenance (drift, a clogged gauge, silence) are work for a technician, never a mark against the farmer.
    """
    if sum(map(bool, (field, store, planting))) != 1:
        raise MalformedInput("grades are asked for one place", cure="give one of --field, --store, --planting")
    opened = open_app(home)
    at = as_of_instant(opened, as_of)
    if planting:
        seasons = opened.grade_season(planting, as_of=at)
        if as_json:
            show_json(seasons)
            return
        rows = [
            (name, one.grade, " ".join(one.windows), "; ".join(f"{r.code} {r.windows}x" for r in one.reasons))
            for name, one in seasons.items()
        ]
        show_table(f"Season of {planting}", ("device", "grade", "by month", "reasons"), rows)
        return
    found = opened.summarise_sensors(field_id=field, store_id=store, as_of=at, days=days)
    if as_json:
        told = [
            {"device": d.device_id, "suspicion": d.evidence.suspicion, "evidence": d.evidence} for d in found.devices
        ]
        show_json(told)
        return
    _show(found, checks=checks)


def _show(found: SensorSummary, *, checks: bool) -> None:
    rows = [
        (d.device_id, d.evidence.grade, d.readings, d.missing, "\n".join(map(_said, d.evidence.reasons)))
        for d in found.devices
    ]
    columns = ("device", "grade", "readings", "missing", "reasons")
    show_table(f"Sensors at {found.place}", columns, rows, right=columns[2:4])
    if not rows:
        out.print("no device stands there: devices place", markup=False)
    if checks:
        asked = [
            (d.device_id, check.code, f"{check.quantity} {check.channel}".strip(), _answer(check))
            for d in found.devices
            for check in d.evidence.checks
        ]
        show_table("Questions", ("device", "question", "about", "suspicion"), asked)


def _said(reason: GradeReason) -> str:
    facts = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{value}" for name, value in reason.facts)
    return f"{reason.code} ({reason.grade}, {reason.meaning}): {facts}".rstrip(": ")


def _answer(check: Check) -> str:
    return f"open: {check.because}" if check.suspicion is None else f"{check.suspicion:.2f}"
