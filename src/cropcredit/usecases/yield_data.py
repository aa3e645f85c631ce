"""What is known about a crop's past, laid out for learning: labels sifted, index joined, seasons cut."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from cropcredit.agronomy.features import TAIL_DAYS, RegionIndex, RegionTable, SeasonCalendar, believable, region_table
from cropcredit.agronomy.labels import RegionYear, Suspect, sift
from cropcredit.errors import EmptyInput, MalformedInput, MissingEvidence, UnknownName
from cropcredit.model import CropCalendar, Record, RegionSeries, YieldLabel, digest
from cropcredit.ports import Catalogues, FactStore

ANYWHERE = "*"
_MIDDLE = 15
NO_SEASON_DAYS = 30
"""No crop is sown and harvested within these."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CropData:
    """Everything a model of one crop learns from."""

    crop: str
    labels: tuple[YieldLabel, ...]
    """Regional labels that are not suspect."""
    suspects: tuple[Suspect, ...]
    calendars: dict[str, SeasonCalendar]
    table: RegionTable
    """Region-seasons of the labelled years."""
    without_index: tuple[str, ...]
    """Regions with labels but no index; empty where there is no index at all."""
    known_by: datetime
    """Latest instant at which anything in it became known."""
    fingerprint: str
    """Hash over all records it was made from."""


def facts_of(facts: FactStore, crop: str, as_of: datetime | None) -> list[Record]:
    """Read what the workspace knew at ``as_of`` about a crop's past."""
    return [
        *facts.find(YieldLabel, as_of=as_of, crop=crop),
        *facts.find(RegionSeries, as_of=as_of, crop=crop),
        *facts.find(CropCalendar, as_of=as_of, crop=crop),
    ]


def labelled_crops(records: Iterable[Record]) -> list[str]:
    """List the crops that have regional labels."""
    return sorted({r.crop for r in records if isinstance(r, YieldLabel) and not r.planting_id})


def crop_data(
    crop: str,
    records: Sequence[Record],
    catalogues: Catalogues,
    years: tuple[int, int] | None = None,
    keep: Collection[RegionYear] = (),
    *,
    until: str = "",
) -> CropData:
    """Lay the records of one crop out as region-seasons.

    Parameters
    ----------
    records : sequence of Record
        Labels, region series and calendars; other crops are passed over.
    years : tuple of int, optional
        First and last harvest year to use.
    keep : collection of (region, harvest year)
        Suspect labels that somebody has looked at, and that are learned from all the same.
    until : str
        Day of the harvest year, ``MM-DD``, after which the index is not looked at.

    Raises
    ------
    EmptyInput
        If no usable label is left.
    MalformedInput
        If labels are refused (:func:`cropcredit.agronomy.labels.sift`), or none of their regions has an index.
    """
    begin, end = years or (-9999, 9999)
    regional = [r for r in records if isinstance(r, YieldLabel) and r.crop == crop and not r.planting_id]
    good, suspects = sift([label for label in regional if begin <= label.harvest_year <= end], keep=keep)
    if not good:
        raise _nothing_left(crop, years, suspects)
    calendars = calendars_of(crop, records, catalogues)
    harvests = sorted({label.harvest_year for label in good})
    span = range(harvests[0], harvests[-1] + 1)
    last = _last_day(span[-1], calendars)
    months = [r for r in records if isinstance(r, RegionSeries) and r.crop == crop and r.days[0] <= last]
    main = main_index(months)
    index = region_index([month for month in months if month.index == main])
    _refuse_strangers(good, index)
    yields = {(label.region, label.harvest_year): label.t_ha for label in good}
    used = sorted([*good, *months], key=lambda record: (type(record).__name__, record.id))
    return CropData(
        crop=crop,
        labels=tuple(good),
        suspects=tuple(suspects),
        calendars=calendars,
        table=season_table(yields, months, calendars, span, until=until),
        without_index=tuple(sorted({label.region for label in good} - set(index))) if index else (),
        known_by=max(record.known_at for record in used),
        fingerprint=digest(used),
    )


def _nothing_left(crop: str, years: tuple[int, int] | None, suspects: Sequence[Suspect]) -> EmptyInput:
    """Say why there is nothing to learn from: no label, or none that is believed."""
    if suspects:
        [(rule, count)] = Counter(suspect.rule for suspect in suspects).most_common(1)
        first = next(suspect for suspect in suspects if suspect.rule == rule)
        where = f"{first.label.region} {first.label.harvest_year}"
        return EmptyInput(
            f"all {len(suspects)} yields of {crop!r} are suspect, {count} by {rule}: {where}: {first.detail}",
            cure="correct the unit, of yields or of area and production; or keep what is right: --keep REGION:YEAR",
        )
    between = "" if years is None else f" in {years[0]}-{years[1]}"
    return EmptyInput(f"no yield of {crop!r}{between}", cure="give labels: yield train --labels FILE")


def _refuse_strangers(labels: Sequence[YieldLabel], index: Mapping[str, RegionIndex]) -> None:
    """Refuse labels of which no region has an index, where there is one: the codes are of two systems."""
    regions = sorted({label.region for label in labels})
    if index and not any(region in index for region in regions):
        raise MalformedInput(
            f"none of {len(regions)} regions with yields has an index: {regions[0]} here, {min(index)} there",
            where=f"index of {labels[0].crop!r}",
            cure="write both files with the same region codes",
        )


def season_table(
    yields: Mapping[tuple[str, int], float],
    months: Sequence[RegionSeries],
    calendars: Mapping[str, SeasonCalendar],
    years: Sequence[int],
    *,
    until: str = "",
) -> RegionTable:
    """Lay out region-seasons with every index that is known of them; arguments as for ``region_table``."""
    by_name: dict[str, list[RegionSeries]] = defaultdict(list)
    for month in months:
        by_name[month.index].append(month)
    looks = {name: region_index(own) for name, own in sorted(by_name.items())}
    main = looks.pop(main_index(months), {})
    return region_table(yields, main, calendars, years, others=looks, until=until)


def main_index(months: Iterable[RegionSeries]) -> str:
    """Name the index whose seasons every model sees: NDVI where there is one, else the first by name."""
    names = sorted({month.index for month in months}, key=lambda name: (name != "ndvi", name))
    return names[0] if names else ""


def region_index(months: Iterable[RegionSeries]) -> dict[str, RegionIndex]:
    """Join the months of each region."""
    looks: dict[str, dict[date, float]] = defaultdict(dict)
    for month in sorted(months, key=lambda m: m.days[0]):
        looks[month.region].update(zip(month.days, month.ndvi, strict=True))
    return {
        region: RegionIndex(
            np.array(sorted(by_day), dtype="datetime64[D]"), np.array([v for _, v in sorted(by_day.items())])
        )
        for region, by_day in looks.items()
    }


def calendars_of(crop: str, records: Iterable[Record], catalogues: Catalogues) -> dict[str, SeasonCalendar]:
    """Give each region's calendar, and under ``""`` the one for all others.

    Raises
    ------
    MissingEvidence
        If neither the records nor the crop catalogue know when the crop grows.
    MalformedInput
        If what is listed is too short to be a season.
    """
    listed = {
        "" if c.region == ANYWHERE else c.region: SeasonCalendar(c.sowing_doy, c.harvest_doy)
        for c in records
        if isinstance(c, CropCalendar) and c.crop == crop
    }
    if listed:
        checked = believable(listed)
        if (days := checked.get("", next(iter(checked.values()))).days) < NO_SEASON_DAYS:
            raise MalformedInput(
                f"from sowing to harvest {days} days", where=f"calendar of {crop!r}", cure="correct the two days"
            )
        return {"": next(iter(checked.values())), **checked}
    try:
        known = catalogues.crop(crop)
    except UnknownName:
        raise MissingEvidence(f"no calendar of {crop!r}", cure="give one: yield train --calendar FILE") from None
    return {"": SeasonCalendar(_doy(known.planting_month), _doy(known.harvest_month))}


def region_of(admin_unit: str, regions: Iterable[str]) -> str:
    """Give the region a field's administrative unit lies in: the longest that begins it; else the unit itself.

    Examples
    --------
    >>> region_of("CN-371523", ["CN", "CN-37", "CN-13"])
    'CN-37'
    """
    return max((region for region in regions if admin_unit.startswith(region)), key=len, default=admin_unit)


def _last_day(year: int, calendars: dict[str, SeasonCalendar]) -> date:
    """Give the last day that is looked at in a season: what comes later is not learned from, so it may be unknown."""
    latest = max(calendar.window(year)[1] for calendar in calendars.values()) + TAIL_DAYS
    return date.fromisoformat(str(latest))


def _doy(month: int) -> int:
    return date(2001, month, _MIDDLE).timetuple().tm_yday
