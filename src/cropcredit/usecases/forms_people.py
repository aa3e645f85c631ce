"""Tables of people and land: parties, consents, tenures, plantings, applications."""

from __future__ import annotations

from cropcredit.errors import MalformedInput
from cropcredit.model import Application, Consent, Party, PartyKind, Planting, Record, Tenure
from cropcredit.units import hectares
from cropcredit.usecases.cells import AREA_UNIT, CROP, CURRENCY, ID, KNOWN_AT, SYNTHETIC, Cells, Column, Form


def _parties(rows: list[Cells]) -> list[Record]:
    return [_party(row) for row in rows]


def _party(row: Cells) -> Party:
    number, keyed = row.maybe("identity_number"), row.context.identity
    if number and keyed is None:
        raise MalformedInput("identity_number cannot be hashed without a key", where=f"row {row.row}")
    return Party(
        id=row.text("id"),
        known_at=row.known_at(),
        kind=row.choice("kind", PartyKind),
        name=row.text("name"),
        branch=row.text("branch"),
        admin_unit=row.maybe("admin_unit"),
        identity_hash=keyed(number) if number and keyed else "",
        identity_last4=number[-4:],
        members=row.several("members"),
        synthetic=row.flag("synthetic"),
    )


def _consents(rows: list[Cells]) -> list[Record]:
    return [
        Consent(
            id=row.text("id"),
            known_at=row.known_at(),
            party_id=row.text("party_id"),
            purpose=row.text("purpose"),
            data_kinds=row.several("data_kinds"),
            language=row.text("language"),
            text_version=row.text("text_version"),
            given_at=row.instant("given_at"),
            witness=row.maybe("witness"),
            withdrawn_at=row.maybe_instant("withdrawn_at"),
        )
        for row in rows
    ]


def _tenures(rows: list[Cells]) -> list[Record]:
    return [_tenure(row) for row in rows]


def _tenure(row: Cells) -> Tenure:
    rent = row.per_ha("rent", "rent_unit") if row.maybe("rent") else None
    certified = row.maybe("registered_area")
    return Tenure(
        id=row.text("id"),
        known_at=row.known_at(row.day("from_on")),
        party_id=row.text("party_id"),
        field_id=row.text("field_id"),
        role=_one_of(row, "role", ("holder", "operator")),
        right=_one_of(row, "right", ("contract", "transfer", "lease", "own", "customary")),
        from_on=row.day("from_on"),
        to_on=row.maybe_day("to_on"),
        rent_per_ha=rent.minor if rent else 0,
        rent_currency=rent.currency if rent else "",
        registered_area_ha=_area(row, "registered_area") if certified else None,
    )


def _plantings(rows: list[Cells]) -> list[Record]:
    return [
        Planting(
            id=row.text("id"),
            known_at=row.known_at(row.day("sowing_on")),
            field_id=row.text("field_id"),
            season_id=row.text("season"),
            crop=row.crop(),
            declared_area_ha=_area(row, "declared_area"),
            sowing_on=row.day("sowing_on"),
            harvest_on=row.day("harvest_on"),
            variety=row.maybe("variety"),
            boundary_version=row.maybe("boundary_version"),
        )
        for row in rows
    ]


def _applications(rows: list[Cells]) -> list[Record]:
    return [
        Application(
            id=row.text("id"),
            known_at=row.known_at(),
            party_id=row.text("party_id"),
            planting_ids=row.several("planting_ids"),
            branch=row.text("branch"),
            requested=row.money("requested"),
            due_on=row.day("due_on"),
            own_funds=row.money("own_funds"),
            off_farm_income=row.money("off_farm_income"),
            household_draw=row.money("household_draw"),
            debt_service=row.money("debt_service"),
            purpose=row.maybe("purpose") or "inputs",
            pledged=row.money("pledged") if row.maybe("pledged") else None,
            synthetic=row.flag("synthetic"),
        )
        for row in rows
    ]


def _area(row: Cells, name: str) -> float:
    return hectares(row.number(name, low=0), row.text("area_unit"))


def _one_of(row: Cells, name: str, known: tuple[str, ...]) -> str:
    text = row.text(name)
    if text not in known:
        raise MalformedInput(f"{name} {text!r} is none of {', '.join(known)}", where=f"row {row.row}")
    return text


PEOPLE: tuple[Form, ...] = (
    Form(
        noun="parties",
        build=_parties,
        columns=(
            ID,
            Column("kind", "household, family_farm, cooperative, company or liability_group"),
            Column("name", "name as in the identity document"),
            Column("branch", "branch of the lender that serves the party"),
            Column("admin_unit", "code of the township or village", required=False),
            Column("identity_number", "kept only as keyed hash and last four characters", required=False),
            Column("members", "party ids of a group's members, separated by ;", required=False),
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
    Form(
        noun="consents",
        build=_consents,
        columns=(
            ID,
            Column("party_id", "who allows it"),
            Column("purpose", "credit_assessment is what sizing asks for"),
            Column("data_kinds", "of satellite, sensors, finance, identity, separated by ;"),
            Column("language", "language of the text that was signed"),
            Column("text_version", "version of that text"),
            Column("given_at", "when it was given"),
            Column("witness", "who saw it", required=False),
            Column("withdrawn_at", "when it was withdrawn", required=False),
            KNOWN_AT,
        ),
    ),
    Form(
        noun="tenures",
        build=_tenures,
        columns=(
            ID,
            Column("party_id", "who"),
            Column("field_id", "which field"),
            Column("role", "holder or operator; the operator's plantings repay"),
            Column("right", "contract, transfer, lease, own or customary"),
            Column("from_on", "first day"),
            Column("to_on", "last day; empty while it lasts", required=False),
            Column("rent", "yearly rent", required=False),
            Column("rent_unit", "currency/area: CNY/mu", required=False),
            Column("registered_area", "area in the certificate or contract", required=False),
            Column("area_unit", "ha, mu, acre or m2", required=False),
            KNOWN_AT,
        ),
    ),
    Form(
        noun="plantings",
        build=_plantings,
        columns=(
            ID,
            Column("field_id", "which field"),
            Column("season", "harvest year and local season: 2025-winter"),
            CROP,
            Column("declared_area", "area the farmer declares"),
            AREA_UNIT,
            Column("sowing_on", "day of sowing"),
            Column("harvest_on", "expected day of harvest"),
            Column("variety", "variety", required=False),
            Column("boundary_version", "boundary it was declared on; empty: the current one", required=False),
            KNOWN_AT,
        ),
    ),
    Form(
        noun="applications",
        build=_applications,
        columns=(
            ID,
            Column("party_id", "who asks"),
            Column("planting_ids", "plantings that repay, separated by ;"),
            Column("branch", "branch that works the case"),
            CURRENCY,
            Column("requested", "amount asked for"),
            Column("due_on", "day of repayment, after the last harvest is sold"),
            Column("own_funds", "own money for inputs"),
            Column("off_farm_income", "income from elsewhere until then"),
            Column("household_draw", "what the household lives on until then"),
            Column("debt_service", "existing debts due until then"),
            Column("purpose", "inputs, if empty", required=False),
            Column("pledged", "appraised value of what is pledged", required=False),
            SYNTHETIC,
            KNOWN_AT,
        ),
    ),
)
