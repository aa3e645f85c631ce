"""``yield features``: what is noteworthy of each planting, with its evidence."""

from __future__ import annotations

from typing import Annotated

import typer

from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, open_app, out, show_json, show_table
from cropcredit.errors import UnknownRecord
from cropcredit.usecases.field_events import FieldEvent
from cropcredit.usecases.field_features import FieldFeatures

COLUMNS = [
    "planting",
    "crop",
    "season",
    "clock",
    "°C day",
    "own z",
    "near z",
    "region %",
    "water mm",
    "stress",
    "events",
]


def features(
    plantings: Annotated[
        list[str] | None, typer.Argument(metavar="PLANTING…", help="Only these; default: all.")
    ] = None,
    *,
    home: Home = HERE,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show warmth, anomalies, events and water of plantings as of an instant; nothing later counts, nothing is stored.

    ``season``: how much of it has passed. ``clock``: seasons go by growing degree days where temperatures are known,
    else by the calendar, and say why. ``own z`` is against the field's own years, ``near z`` against the fields of the
    crop around it on the last clear day, ``region %`` its rank. ``water mm`` is what the roots still hold of what they
    could, ``stress`` the mean coefficient Ks since emergence (1: none). --json has everything, dates and evidence of
    each event included.
    """
    opened = open_app(home)
    found = opened.measure_fields(as_of=as_of_instant(opened, as_of))
    if plantings:
        known = {one.planting_id: one for one in found}
        for name in plantings:
            if name not in known:
                raise UnknownRecord("planting", name, where="yield features")
        found = [known[name] for name in plantings]
    if as_json:
        show_json(found)
        return
    show_table("features of plantings", COLUMNS, [_row(one) for one in found], right=COLUMNS[4:10])
    for one in found:
        for event in one.events:
            out.print(f"{one.planting_id}: {told(event)}", markup=False, highlight=False)


def _row(one: FieldFeatures) -> tuple[str, ...]:
    water = one.water
    return (
        one.planting_id,
        one.crop,
        f"{one.stage:.0%}" if one.stage <= 1 else "over",
        one.clock if not one.calendar_because else f"{one.clock}: {one.calendar_because}",
        _number(one.gdd_c_day, 0),
        _number(one.own_z, 1),
        _number(one.neighbour_z, 1),
        _number(one.region_percentile, 0),
        "" if water is None else f"{water.available_mm - water.depletion_mm:.0f} of {water.available_mm:.0f}",
        "" if water is None else f"{water.stress:.2f}",
        ", ".join(event.kind.value for event in one.events),
    )


def told(event: FieldEvent) -> str:
    """Put an event into one line."""
    sure = "" if event.confirmed else " (not confirmed)"
    others = "" if event.neighbours is None else f", {event.neighbours:.0%} of the neighbours too"
    unit = "of the usual index lacking" if event.kind == "drought" else "dB" if "vv_drop" in event.evidence else "lost"
    depth = f"{event.depth:.0%}" if event.kind == "drought" else f"{event.depth:.2f}"
    return (
        f"{event.kind.value}{sure} between {event.after_on} and {event.on}, {event.stage:.0%} of the season,"
        f" {depth} {unit}; {', '.join(event.evidence)}{others}"
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
