"""Where and what: fields with their boundaries, tenure, seasons, plantings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

import shapely

from cropcredit.errors import MalformedInput
from cropcredit.model.records import Record


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One boundary version of one field. Kept in the GeoParquet register (fiboa columns), not among the facts."""

    id: str
    collection: str
    """fiboa ``collection``: the register or file it came from; (collection, id) is unique."""
    boundary: shapely.Polygon | shapely.MultiPolygon
    """EPSG:4326, x = longitude."""
    area_ha: float
    """Geodesic area, hectares (fiboa ``metrics:area`` is m²)."""
    perimeter_m: float
    """Geodesic perimeter, metres (fiboa ``metrics:perimeter``)."""
    boundary_version: str
    """First 16 hex digits of the SHA-256 of the normalised boundary (WKB)."""
    known_at: datetime
    admin_unit: str = ""
    time_zone: str = "UTC"
    crop_code: str = ""
    """fiboa ``crop:code``, as declared in the register."""
    determined_at: datetime | None = None
    determination_method: str = "unknown"
    repaired: str = ""
    """What was wrong with the original boundary; empty when it was valid."""
    original_wkb: bytes | None = None
    """The boundary as received, where it was repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure(Record):
    """Who operates a field, by which right, from when to when."""

    KEYS: ClassVar[tuple[str, ...]] = ("party_id", "field_id")

    party_id: str
    field_id: str
    role: str
    """``holder`` or ``operator``; the operator's plantings repay the loan."""
    right: str
    """``contract`` (承包), ``transfer`` (流转), ``lease``, ``own``, ``customary``."""
    from_on: date
    to_on: date | None = None
    rent_per_ha: int = 0
    """Yearly rent, minor units of ``rent_currency`` per hectare."""
    rent_currency: str = ""
    registered_area_ha: float | None = None
    """Area in the land certificate or contract, hectares; None where the paper names none."""

    def covers(self, day: date) -> bool:
        """Say whether the tenure holds on that day."""
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)


@dataclass(frozen=True, slots=True, order=True)
class Season:
    """Harvest year and local season; up to three a year, and wheat crosses New Year.

    Examples
    --------
    >>> Season.parse("2025-winter")
    Season(harvest_year=2025, local='winter')
    >>> str(Season(2025, "winter"))
    '2025-winter'
    """

    harvest_year: int
    local: str
    """``winter``/``summer``, ``kharif``/``rabi``/``zaid``, ``long_rains``/``short_rains`` …"""

    @classmethod
    def parse(cls, text: str) -> Season:
        """Read ``YYYY-local``."""
        year, dash, local = text.partition("-")
        if not (dash and local and len(year) == 4 and year.isdigit()):  # noqa: PLR2004 - a year has four digits
            raise MalformedInput(f"{text!r} is not a season", cure="write harvest year and local season: 2025-winter")
        return cls(int(year), local)

    def __str__(self) -> str:
        return f"{self.harvest_year}-{self.local}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planting(Record):
    """One crop on one field in one season; estimates and loans belong to plantings, series to fields."""

    KEYS: ClassVar[tuple[str, ...]] = ("field_id", "season_id")

    field_id: str
    season_id: str
    """A :class:`Season` as text."""
    crop: str
    """Code of the crop catalogue."""
    declared_area_ha: float
    sowing_on: date
    harvest_on: date
    """Expected harvest; after ``sowing_on``."""
    variety: str = ""
    boundary_version: str = ""
    """Boundary the declaration was made on; empty: the one current at ``known_at``."""

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        Season.parse(self.season_id)
        if not self.declared_area_ha > 0:
            raise MalformedInput(f"declared area {self.declared_area_ha} ha of planting {self.id!r} is not positive")
        if self.harvest_on <= self.sowing_on:
            raise MalformedInput(f"planting {self.id!r} is harvested before it is sown")


@dataclass(frozen=True, slots=True, kw_only=True)
class CropWater:
    """What a crop asks of the soil's water, after FAO-56."""

    kc: tuple[float, float, float]
    """Crop coefficient at the beginning, in mid-season and at the end (table 12)."""
    stages: tuple[int, int, int, int]
    """Days of the initial, development, middle and late stage (table 11); their proportions count."""
    root_m: float
    """Depth of grown roots, m (table 22)."""
    depletion: float
    """Share of the available water that can be used without stress, at 5 mm of demand a day (table 22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """One crop of the catalogue."""

    code: str
    zh: str
    en: str
    standard_moisture_pct: float
    """Wet-basis moisture at which yields and prices are quoted, %."""
    post_harvest_loss: float
    """Share lost between field and sale."""
    planting_month: int
    """Typical month of sowing, where the season's own dates are not given (1-12)."""
    harvest_month: int
    system: str = "open"
    """``open``: an annual crop under the sky. ``greenhouse`` and ``orchard`` cannot be measured from above."""
    film_share: float = 0.0
    """Share of the season before which plastic film may hide the canopy; 0 where the crop is grown without."""
    peak_share: tuple[float, float] = (0.35, 0.95)
    """Where between sowing (0) and harvest (1) the greatest greenness may lie."""
    base_temp_c: float | None = None
    """Development stands still below this temperature, °C; None: seasons of this crop go by the calendar."""
    ceiling_temp_c: float | None = None
    """Development does not quicken above this temperature, °C."""
    water: CropWater | None = None
    """None: no water balance of this crop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowingSeason:
    """When a crop is usually sown and harvested in a region, in whole months."""

    region: str
    crop: str
    name: str
    """Local season: ``winter``, ``kharif``, ``second`` …"""
    sowing: tuple[int, int]
    """First and last month of sowing (1-12); the last may lie in the next year."""
    harvest: tuple[int, int]
    """First and last month of harvest; the first that follows the sowing."""
    source: str
    sure: bool = True
    """False where we would not hold the months against anybody."""
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """Where the region lies: west, south, east, north, degrees; generous at its borders."""

    def holds(self, longitude: float, latitude: float) -> bool:
        """Say whether a place lies in the region."""
        return any(west <= longitude <= east and south <= latitude <= north for west, south, east, north in self.boxes)
