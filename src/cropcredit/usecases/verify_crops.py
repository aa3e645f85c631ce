"""Lay out what is declared of each planting for verification: its calendar, its place, what hides it from above.

=========================  =============================================================================================
reason                     meaning
=========================  =============================================================================================
``greenhouse``             grown under glass or film: cannot be seen from above
``orchard``                trees: their greenness does not tell the year's crop
``intercrop``              two crops stand on the field together, and are seen as one
``film``                   plastic film may still hide the canopy
``out_of_calendar``        sown or harvested outside of every season of the crop there
``no_season``              nothing grew in the declared season
``never_bare``             the field was green all the time from before sowing: grass, trees or another crop
``started_before_sowing``  what stands there began to grow before the declared sowing
``peak_out_of_window``     the field was greenest when the declared crop is not
``green_after_harvest``    the field stayed green long after the declared harvest
``two_seasons``            two crops grew where one is declared
``other_crop_likelier``    the curve looks like those of other crops around
``ambiguous``              something speaks against the declared crop, but not enough
``neighbours_alike``       most fields of the crop there show the same: weather, or an unusual season
``calendar_unsure``        outside of the usual season, as far as that is known there
``no_calendar``            when the crop grows there is not known: only the curve was asked
``share_unknown``          the crop conforms, but how much of the field it covers cannot be told
=========================  =============================================================================================

The first three, and ``mixed_pixel``, leave an estimate at its region's expectation: nothing seen counts for or against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cropcredit.agronomy.crop_calendar import SeasonWindow, calendar_gap
from cropcredit.agronomy.curve_tests import lowest_seen
from cropcredit.agronomy.features import SeasonCalendar
from cropcredit.agronomy.planted_share import planted_share
from cropcredit.agronomy.series import Bools, DailyCurves, Floats
from cropcredit.agronomy.verification import CONFORM, NOT_ASSESSED, Declared, Verification, verify
from cropcredit.model import Crop, CropCalendar, Field, FieldSeries, Planting
from cropcredit.ports import Catalogues

HIDDEN = frozenset({"greenhouse", "orchard", "intercrop", "mixed_pixel"})
"""Reasons for which what was seen of a field tells nothing of the planting."""
TOGETHER_DAYS = 30
"""Two plantings that stand on one field for longer than this are an intercrop; less is one sown into the other."""
ANYWHERE = "*"


NOTHING_SEEN = Verification(outcome=NOT_ASSESSED, reason="no_observations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verification says of one planting; the defaults say that nothing was seen."""

    found: Verification = NOTHING_SEEN
    planted_share: float | None = None
    """Share of the field seen planted; None where it cannot be known."""
    calendar: bool = True
    """False where no calendar tells when the crop grows there."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Name what is doubtful or not known of the planting."""
        conforms = self.found.outcome == CONFORM
        codes = {
            self.found.reason: bool(self.found.reason),
            "no_calendar": conforms and not self.calendar,
            "share_unknown": conforms and self.planted_share is None,
        }
        return tuple(code for code, holds in codes.items() if holds)

    @property
    def hidden(self) -> bool:
        """Say whether what was seen of the field tells nothing of the planting."""
        return self.found.outcome == NOT_ASSESSED and self.found.reason in HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claims:
    """What is declared and known beforehand, one entry per planting."""

    crops: Mapping[str, Crop]
    calendar_gap: Floats
    calendar_sure: Bools
    hidden: tuple[str, ...]
    """Why a planting cannot be seen from above, as far as that is known without looking; empty where it can."""


def read_claims(
    plantings: Sequence[Planting],
    fields: Mapping[str, Field],
    catalogues: Catalogues,
    local: Sequence[CropCalendar] = (),
) -> Claims:
    """Look up what the catalogues and the lender's own calendars say of each planting.

    Parameters
    ----------
    plantings : sequence of Planting
        Of known crops on known fields.
    fields : mapping of field id to Field
    local : sequence of CropCalendar
        Accepted beside the catalogue.
    """
    crops = {code: catalogues.crop(code) for code in {planting.crop for planting in plantings}}
    gap, sure = np.full(len(plantings), np.nan), np.ones(len(plantings), dtype=bool)
    for code in crops:
        rows = np.array([i for i, planting in enumerate(plantings) if planting.crop == code], dtype=int)
        gap[rows], sure[rows] = _calendar([plantings[i] for i in rows], fields, catalogues, local)
    together = _together(plantings)
    hidden = tuple("intercrop" if p.id in together else _system(crops[p.crop]) for p in plantings)
    return Claims(crops=crops, calendar_gap=gap, calendar_sure=sure, hidden=hidden)


def unseen(claims: Claims) -> list[Verdict]:
    """Give the verdicts of plantings of which nothing was seen at all."""
    return [
        Verdict(found=Verification(outcome=NOT_ASSESSED, reason=why)) if why else Verdict() for why in claims.hidden
    ]


def verify_plantings(
    curves: DailyCurves,
    series: FieldSeries,
    rows: Sequence[int],
    plantings: Sequence[Planting],
    units: Mapping[str, str],
    claims: Claims,
) -> list[Verdict]:
    """Verify every planting and estimate how much of its field is planted.

    Parameters
    ----------
    curves : DailyCurves
        Rows are plantings.
    series : FieldSeries
        The looks behind the curves; ``rows`` are the plantings' fields in it.
    units : mapping of field id to administrative unit
    """
    day = (series.acquired_at.astype("datetime64[D]") - curves.first_on).astype(int)
    declared = _declared(curves, series, rows, plantings, units, claims)
    mean = series.mean[rows]
    found, tests = verify(curves, declared, lowest=lowest_seen(curves, mean, day))
    share = np.full(len(plantings), np.nan)
    if series.std is not None:
        inside = day < curves.values.shape[1]
        share = planted_share(
            mean[:, inside],
            series.std[rows][:, inside],
            series.clear_fraction[rows][:, inside],
            day[inside],
            peak=tests.peak,
            base=tests.base,
            rise=tests.rise,
            group=np.char.add(np.char.add(declared.crop, "/"), np.char.add(declared.season, declared.region)),
        )
    return [
        Verdict(
            found=one,
            planted_share=float(s) if one.outcome == CONFORM and np.isfinite(s) else None,
            calendar=bool(np.isfinite(gap)),
        )
        for one, s, gap in zip(found, share, claims.calendar_gap, strict=True)
    ]


def _declared(
    curves: DailyCurves,
    series: FieldSeries,
    rows: Sequence[int],
    plantings: Sequence[Planting],
    units: Mapping[str, str],
    claims: Claims,
) -> Declared:
    crops = [claims.crops[planting.crop] for planting in plantings]
    mixed = [why or "mixed_pixel" * bool(series.mixed_pixel[row]) for why, row in zip(claims.hidden, rows, strict=True)]
    return Declared(
        field=np.array(rows, dtype=int),
        crop=np.array([crop.code for crop in crops], dtype=np.str_),
        season=np.array([planting.season_id for planting in plantings], dtype=np.str_),
        region=np.array([units[planting.field_id] for planting in plantings], dtype=np.str_),
        start=(_days([planting.sowing_on for planting in plantings]) - curves.first_on).astype(int),
        end=(_days([planting.harvest_on for planting in plantings]) - curves.first_on).astype(int),
        peak_share=np.array([crop.peak_share for crop in crops], dtype=float).reshape(-1, 2),
        calendar_gap=claims.calendar_gap,
        calendar_sure=claims.calendar_sure,
        film_share=np.array([crop.film_share for crop in crops], dtype=float),
        unmeasurable=np.array(mixed, dtype=np.str_),
    )


def _calendar(
    plantings: Sequence[Planting], fields: Mapping[str, Field], catalogues: Catalogues, local: Sequence[CropCalendar]
) -> tuple[Floats, Bools]:
    """Give the days outside of the calendar of one crop, and whether that calendar is held against anybody."""
    crop, places = plantings[0].crop, [fields[planting.field_id] for planting in plantings]
    centre = shapely.centroid(np.array([place.boundary for place in places], dtype=object))
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    windows, here = [], []
    for season in catalogues.seasons(crop):
        windows.append(SeasonWindow.of_season(season))
        here.append(np.array([season.holds(*place) for place in zip(x, y, strict=True)], dtype=bool))
    for own in local:
        if own.crop == crop:
            windows.append(SeasonWindow.of_calendar(SeasonCalendar(own.sowing_doy, own.harvest_doy)))
            here.append(np.array([own.region == ANYWHERE or p.admin_unit.startswith(own.region) for p in places]))
    if not windows:
        return np.full(len(plantings), np.nan), np.ones(len(plantings), dtype=bool)
    applies = np.stack(here, axis=1)
    gap = calendar_gap(
        _days([planting.sowing_on for planting in plantings]),
        _days([planting.harvest_on for planting in plantings]),
        windows,
        applies,
    )
    doubtful = np.array([not window.sure for window in windows])
    return gap, ~(applies & doubtful).any(axis=1)


def _together(plantings: Sequence[Planting]) -> set[str]:
    """Name the plantings that share their field with another one for long."""
    by_field: dict[str, list[Planting]] = {}
    for planting in plantings:
        by_field.setdefault(planting.field_id, []).append(planting)
    found = set()
    for here in by_field.values():
        for i, one in enumerate(here):
            for other in here[i + 1 :]:
                both = min(one.harvest_on, other.harvest_on) - max(one.sowing_on, other.sowing_on)
                if both.days > TOGETHER_DAYS:
                    found |= {one.id, other.id}
    return found


def _system(crop: Crop) -> str:
    return "" if crop.system == "open" else crop.system


def _days(days: Sequence[object]) -> NDArray[np.datetime64]:
    return np.array(days, dtype="datetime64[D]")
