"""Who farms which field, by which right, and what they ask the lender for; every name says that it is made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from cropcredit.demo.land import Plots
from cropcredit.demo.parameters import Region
from cropcredit.demo.season import Season
from cropcredit.demo.weather import Weather
from cropcredit.model import Application, Consent, Money, Party, PartyKind, Planting, Tenure
from cropcredit.model import Season as HarvestSeason

SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林郑"
GIVEN = (
    "建国",
    "秀英",
    "玉兰",
    "志强",
    "春梅",
    "桂花",
    "永福",
    "红霞",
    "立军",
    "淑珍",
    "海涛",
    "冬梅",
    "文华",
    "小燕",
    "德胜",
)
MADE = "（合成）"
"""Stands in every name: synthetic."""
DUE = (12, 15)
"""Month and day by which cotton and maize are sold."""
LEAST_HA = 0.45
"""Households with less land have no use for a loan that is worth its paperwork."""
DOUBTFUL = ("f-doubt-crossing", "f-doubt-overlap", "f-doubt-outside")
NO_CONSENT = "a-060"
"""The application that must be refused: nobody asked this family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All made records of people and what they do with the land."""

    parties: tuple[Party, ...]
    tenures: tuple[Tenure, ...]
    plantings: tuple[Planting, ...]
    consents: tuple[Consent, ...]
    applications: tuple[Application, ...]

    def owners(self) -> dict[str, str]:
        """Give the operating party by field id."""
        return {tenure.field_id: tenure.party_id for tenure in self.tenures}


def settle(region: Region, plots: Plots, season: Season, weather: Weather) -> People:
    """Give every registered field to somebody, and let some of them apply."""
    dice = region.dice("people")
    holdings = _holdings(region, plots, dice)
    parties = [_party(region, plots, number, kind, rows, dice) for number, (kind, rows) in enumerate(holdings, 1)]
    tenures = [
        _tenure(party, str(plots.field_id[row]), dice)
        for party, (_, rows) in zip(parties, holdings, strict=True)
        for row in rows
    ]
    doubters = [parties[3], parties[40], parties[90]]
    tenures += [_tenure(party, field, dice) for party, field in zip(doubters, DOUBTFUL, strict=True)]
    plantings = _plantings(region, plots, season, weather, dice)
    consents = tuple(_consent(region, party, dice) for party in parties)
    applications = _applications(region, parties, holdings, plots, plantings, dice)
    silent = applications[-1].party_id
    return People(
        parties=tuple(parties),
        tenures=tuple(tenures),
        plantings=tuple(plantings),
        consents=tuple(consent for consent in consents if consent.party_id != silent),
        applications=tuple(applications),
    )


def _holdings(region: Region, plots: Plots, dice: np.random.Generator) -> list[tuple[PartyKind, NDArray[np.int_]]]:
    """Share the fields out: the largest to family farms, the rest of each village among its households."""
    rows, area = plots.registered, plots.area_ha
    large = rows[np.argsort(-area[rows], kind="stable")][: 4 * region.people.family_farms]
    large = large[np.argsort(plots.village[large], kind="stable")]
    farms = [(PartyKind.FAMILY_FARM, part) for part in np.array_split(large, region.people.family_farms)]
    villages = np.unique(plots.village)
    shares = np.diff(np.linspace(0, region.people.households, len(villages) + 1).round().astype(int))
    homes: list[tuple[PartyKind, NDArray[np.int_]]] = []
    for village, households in zip(villages, shares, strict=True):
        fields = np.setdiff1d(rows[plots.village[rows] == village], large)
        fields = dice.permutation(fields)
        cuts = np.sort(dice.choice(np.arange(1, len(fields)), size=min(households, len(fields)) - 1, replace=False))
        homes += [(PartyKind.HOUSEHOLD, part) for part in np.split(fields, cuts)]
    return farms + homes


def _party(
    region: Region, plots: Plots, number: int, kind: PartyKind, rows: NDArray[np.int_], dice: np.random.Generator
) -> Party:
    name = str(dice.choice(list(SURNAMES))) + str(dice.choice(GIVEN))
    township = int(plots.township[rows[0]])
    identity = f"{region.label}-{region.seed}-{number}"
    return Party(
        id=f"p-{number:03d}",
        known_at=_moment(date(region.harvest_year - 1, 9, 15)),
        kind=kind,
        name=name + ("家庭农场" if kind is PartyKind.FAMILY_FARM else "") + MADE,
        branch=branch_of(region, township),
        admin_unit=region.township[township].code,
        identity_hash=hashlib.sha256(identity.encode()).hexdigest(),
        identity_last4=f"{int(dice.integers(0, 10_000)):04d}",
        synthetic=True,
    )


def branch_of(region: Region, township: int) -> str:
    """Give the branch of the lender that serves a township: three in the east, two in the west."""
    return region.branches[0 if township < 3 else 1]  # noqa: PLR2004 - how the made lender is cut


def _tenure(party: Party, field_id: str, dice: np.random.Generator) -> Tenure:
    moved = party.kind is PartyKind.FAMILY_FARM
    return Tenure(
        id=f"t-{field_id}",
        known_at=party.known_at,
        party_id=party.id,
        field_id=field_id,
        role="operator",
        right="transfer" if moved else "contract",
        from_on=date(2022 if moved else 1999, 10, 1),
        to_on=date(2032, 9, 30) if moved else None,
        rent_per_ha=int(dice.integers(90, 125)) * 10_000 if moved else 0,
        rent_currency="CNY" if moved else "",
    )


def _plantings(
    region: Region, plots: Plots, season: Season, weather: Weather, dice: np.random.Generator
) -> list[Planting]:
    """Declare what stands on the registered fields: areas rounded to 0.1 mu, now and then too large."""
    found = []
    for crop in season.crops:
        local = HarvestSeason(region.harvest_year, crop.model.season)
        for i, row in enumerate(crop.plots):
            if row >= len(plots.boundary) or not plots.field_id[row]:
                continue
            mu = plots.area_ha[row] * 15 * (1.35 if dice.random() < 0.02 else dice.normal(1.0, 0.02))  # noqa: PLR2004
            sown = weather.first_on + timedelta(int(crop.sown[i]))
            found.append(
                Planting(
                    id=f"pl-{str(plots.field_id[row])[2:]}-{crop.code}",
                    known_at=_moment(sown + timedelta(12)),
                    field_id=str(plots.field_id[row]),
                    season_id=str(local),
                    crop=crop.code,
                    declared_area_ha=round(max(round(float(mu), 1), 0.1) / 15, 5),
                    sowing_on=sown,
                    harvest_on=sown + timedelta(len(crop.growth.lai)),
                )
            )
    return found


def _consent(region: Region, party: Party, dice: np.random.Generator) -> Consent:
    given = region.today - timedelta(days=int(dice.integers(12, 60)))
    return Consent(
        id=f"c-{party.id}",
        known_at=given,
        party_id=party.id,
        purpose="credit_assessment",
        data_kinds=("satellite", "sensors", "finance", "identity"),
        language="zh",
        text_version="2026-01",
        given_at=given,
        witness="网点经理" + MADE,
    )


def _applications(
    region: Region,
    parties: list[Party],
    holdings: list[tuple[PartyKind, NDArray[np.int_]]],
    plots: Plots,
    plantings: list[Planting],
    dice: np.random.Generator,
) -> list[Application]:
    """Let all family farms and some households ask for credit on the crops that stand in the field."""
    standing = {p.field_id: p for p in plantings if p.harvest_on > region.today.date()}
    farms = region.people.family_farms
    area = np.array([plots.area_ha[rows].sum() for _, rows in holdings])
    worth_it = farms + np.flatnonzero(area[farms:] > LEAST_HA)
    homes = np.sort(dice.choice(worth_it, region.people.applications - farms, replace=False))
    found = []
    for number, at in enumerate([*range(farms), *homes.tolist()], 1):
        mine = [standing[str(plots.field_id[row])] for row in holdings[at][1]]
        found.append(_application(region, f"a-{number:03d}", parties[at], mine, dice))
    return found


def _application(
    region: Region, number: str, party: Party, plantings: list[Planting], dice: np.random.Generator
) -> Application:
    """Ask for most of the season's inputs; what the family lives on and earns elsewhere stands beside it."""
    area = sum(planting.declared_area_ha for planting in plantings)
    cost = sum(planting.declared_area_ha * (9_200 if planting.crop == "cotton" else 6_900) for planting in plantings)
    farm = party.kind is PartyKind.FAMILY_FARM
    own = cost * dice.uniform(0.1, 0.35)
    draw = dice.uniform(18_000, 36_000) if farm else dice.uniform(3_500, 9_000)
    off_farm = draw * (dice.uniform(0.3, 0.8) if farm else dice.uniform(0.6, 1.3))
    debt = area * dice.choice([0, 0, 0, 800, 2_500])
    asked = max(round((cost - own) * dice.uniform(0.75, 1.15), -2), 1_000.0)
    applied = region.today - timedelta(days=int(dice.integers(1, 11)), hours=int(dice.integers(0, 7)))
    return Application(
        id=number,
        known_at=applied,
        party_id=party.id,
        planting_ids=tuple(planting.id for planting in plantings),
        branch=party.branch,
        requested=Money.of(asked, "CNY"),
        due_on=date(region.harvest_year, *DUE),
        own_funds=_yuan(own),
        off_farm_income=_yuan(off_farm),
        household_draw=_yuan(draw),
        debt_service=_yuan(debt),
        synthetic=True,
    )


def _yuan(amount: float) -> Money:
    return Money.of(round(float(amount), -1), "CNY")


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(4), UTC)
