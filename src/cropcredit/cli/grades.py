"""telemetry grade: how far a device's readings can be trusted, every reason, and every question that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from cropcredit.bootstrap import App
from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, open_app, out, show_json, show_table
from cropcredit.errors import MalformedInput
from cropcredit.telemetry import Check, GradeReason
from cropcredit.usecases.telemetry import SensorSummary
from dashboards.formats import Formats
from dashboards.grades import sentence
from dashboards.words import Words


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
            (name, one.grade, " ".join(one.windows), "; ".join(f"{_spoken(r.code)} {r.windows}x" for r in one.reasons))
            for name, one in seasons.items()
        ]
        show_table(f"Season of {planting}", ("device", "grade", "by month", "reasons"), rows)
        out.print("a month's reasons in full: telemetry grade --field FIELD --as-of DATE --days 30", markup=False)
        return
    found = opened.summarise_sensors(field_id=field, store_id=store, as_of=at, days=days)
    if as_json:
        told = [
            {"device": d.device_id, "suspicion": d.evidence.suspicion, "evidence": d.evidence} for d in found.devices
        ]
        show_json(told)
        return
    _show(opened, found, checks=checks)


def _show(opened: App, found: SensorSummary, *, checks: bool) -> None:
    names = {name: quantity.en for name, quantity in opened.summarise_sensors.quantities.items()}
    formats = Formats("en", opened.settings.time_zone)
    rows = [
        (
            d.device_id,
            d.evidence.grade,
            d.readings,
            d.missing,
            "\n".join(_said(reason, names, formats) for reason in d.evidence.reasons),
        )
        for d in found.devices
    ]
    columns = ("device", "grade", "readings", "missing", "reasons")
    show_table(f"Sensors at {found.place}", columns, rows, right=columns[2:4])
    if not rows:
        out.print("no device stands there: devices place", markup=False)
    if checks:
        asked = [
            (d.device_id, _spoken(check.code), f"{check.quantity} {check.channel}".strip(), _answer(check))
            for d in found.devices
            for check in d.evidence.checks
        ]
        show_table("Questions", ("device", "question", "about", "suspicion"), asked)


def _said(reason: GradeReason, names: Mapping[str, str], formats: Formats) -> str:
    words = sentence(reason.code, reason.facts, names, Words("en"), formats)
    return f"{reason.grade}, {reason.meaning}: {' '.join(words.split())}"


def _spoken(code: str) -> str:
    """Write a code where there is no room for a sentence, or a question that has no facts yet."""
    return code.replace("_", " ")


def _answer(check: Check) -> str:
    return f"open: {_spoken(check.because)}" if check.suspicion is None else f"{check.suspicion:.2f}"
