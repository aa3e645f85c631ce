"""stores: what lies in them, as far as it can be counted on."""

from __future__ import annotations

from typing import Annotated

import typer

from cropcredit.cli.common import HERE, AsOf, Home, Json, as_of_instant, open_app, out, show_json, show_table
from cropcredit.errors import UnknownRecord
from cropcredit.model import Party
from cropcredit.telemetry.stored_grain import Alarm

app = typer.Typer(name="stores", help="Stored grain: quantities, quality, alarms.", no_args_is_help=True)

WORDS = {
    "damp": "damp: {moisture_pct} % at {celsius} °C lets mould grow",
    "mouldy": "mould: {moisture_pct} % at {celsius} °C spoils within weeks",
    "heating": "probe {probe} heats by itself: {celsius} °C",
    "sudden_loss": "{kg:,.0f} kg gone on {on} without a movement",
    "unexplained_rise": "{kg:,.0f} kg more on {on} without a delivery",
    "shortfall": "the scale misses {share:.1%} of what was inspected",
    "not_inspected": "never inspected: weigh and test it, then import inspections",
    "overdrawn": "{kg:,.0f} kg more carried out than was there: correct the movements, or inspect it again",
    "stale_inspection": "inspected {days:.0f} days ago: inspect it again",
    "lies_ahead": "what the book says of {since} does not count before then",
    "not_watched": "no scale that can be believed watches it: see devices list",
}


@app.command("list")
def list_(
    store: Annotated[str, typer.Option(help="Only this store.")] = "",
    party: Annotated[str, typer.Option(help="Only lots of this owner.")] = "",
    *,
    as_of: AsOf = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show each lot: what was inspected, what is left of it at standard moisture, the haircut, and what is wrong."""
    opened = open_app(home)
    at = as_of_instant(opened, as_of)
    found = opened.take_stock(store_id=store, party_id=party, as_of=at)
    if party and not found and party not in {one.id for one in opened.facts.find(Party, as_of=at)}:
        raise UnknownRecord("party", party, cure="its id is that of the table of parties")
    if as_json:
        show_json([{**_plain(one), "pledgeable_kg": one.quantity.pledgeable_kg} for one in found])
        return
    rows = [
        (
            one.lot.id,
            one.lot.store_id,
            one.lot.party_id,
            one.lot.crop,
            "never" if one.inspection is None else f"{one.inspection.weight_kg:,.0f}",
            f"{one.quantity.standard_kg:,.0f}",
            f"{one.quantity.haircut:.0%}",
            f"{one.quantity.pledgeable_kg:,.0f}",
            "; ".join(worded(alarm) for alarm in one.alarms) or "none",
        )
        for one in found
    ]
    columns = ("lot", "store", "owner", "crop", "inspected kg", "standard kg", "haircut", "counts kg", "alarms")
    show_table("Stored grain", columns, rows, right=columns[4:8])
    if strays := opened.take_stock.strays(as_of=at):
        out.print(
            f"inspections or movements name lots that nobody brought in: {', '.join(strays)};"
            " nothing of them is counted: correct them, or import lots",
            markup=False,
            style="yellow",
        )
    if not found and party:
        out.print(f"{party} has no lots", markup=False)
    elif not found:
        out.print("no lots: bring them in with import lots, then import inspections", markup=False)


def worded(alarm: Alarm) -> str:
    """Put an alarm into a sentence."""
    return WORDS[alarm.code].format(**dict(alarm.facts))


def _plain(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}  # type: ignore[attr-defined]
