"""What data/demo/region.toml says, typed; the file carries the meaning and source of each number."""

from __future__ import annotations

import tomllib
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np

from cropcredit.config import data_dir
from cropcredit.errors import MalformedInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """The raster grid of the region."""

    name: str
    crs: str
    west_m: float
    north_m: float
    size_px: int
    pixel_m: float

    @property
    def size_m(self) -> float:
        """Length of a side, metres."""
        return self.size_px * self.pixel_m

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine (a, b, c, d, e, f) of the pixels."""
        return (self.pixel_m, 0.0, self.west_m, 0.0, -self.pixel_m, self.north_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """How the land is cut."""

    villages_per_township: int
    fields: int
    strip_width_m: float
    strip_width_sigma: float
    strip_length_m: tuple[float, float]
    strips_per_row: int
    rows: int
    track_m: float
    merge_share: float
    crops: dict[str, float]
    irrigated_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Township:
    """One administrative unit; yields, weather and prices are known per township."""

    code: str
    zh: str
    rain_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Normals and variability of the weather generator; lists run January to December."""

    first_on: date
    last_on: date
    latitude_deg: float
    t_mean_c: tuple[float, ...]
    t_range_c: tuple[float, ...]
    rain_mm: tuple[float, ...]
    wet_days: tuple[float, ...]
    persistence: float
    rain_shape: float
    year_rain_sigma: float
    t_sigma_c: float
    t_memory: float
    krs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Soil:
    """One texture: volumetric water at field capacity and wilting point, and its fertility."""

    share: float
    fc: float
    wp: float
    vigour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CropModel:
    """Parameters of one crop; see ``growth`` for the formulas."""

    sown: str
    sown_spread_days: float
    harvest_on: str
    tb: float
    tc: float
    lai_max: float
    lai_autumn: float
    tt_autumn: tuple[float, float]
    tt_rise: tuple[float, float]
    tt_fall: tuple[float, float]
    tt_flower: float
    tt_ripe: float
    t_optimum: tuple[float, float]
    t_limits: tuple[float, float]
    rue: float
    hi: float
    moisture: float
    root_m: float
    heat_c: float
    season: str
    year_offset: int
    price_cny_kg: Decimal
    trend: float

    def sown_on(self, harvest_year: int) -> date:
        """Give the usual day of sowing for a harvest year."""
        return date.fromisoformat(f"{harvest_year + self.year_offset}-{self.sown}")

    def harvested_on(self, harvest_year: int) -> date:
        """Give the usual day of harvest."""
        return date.fromisoformat(f"{harvest_year}-{self.harvest_on}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Log-scale standard deviations between fields."""

    vigour: float
    season: float
    unseen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """When the satellite passes and what spoils its view."""

    first_on: date
    every_days: int
    dense: tuple[date, date]
    dense_days: int
    cloud_mean: tuple[float, ...]
    missed_cloud: float
    psf_sigma_m: float
    registration_sigma_m: float
    noise: dict[str, float]
    baseline: str
    offset: int
    cloud_height_m: float
    available_after_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known about years past."""

    first_harvest_year: int
    fields_per_township: int
    index_every_days: int
    index_noise: float
    index_lag_days: int
    label_noise: float
    published_after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """The devices and how often they read."""

    soil_probes: int
    weather_stations: int
    grain_stores: int
    from_on: date
    every_hours: int
    soil_noise_pct: float


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """How many of whom."""

    households: int
    family_farms: int
    applications: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Everything the generator uses."""

    seed: int
    label: str
    today: datetime
    branches: tuple[str, str]
    tile: Tile
    land: Land
    township: tuple[Township, ...]
    weather: Climate
    soil: dict[str, Soil]
    crop: dict[str, CropModel]
    spread: Spread
    sky: Sky
    history: History
    sensors: Sensors
    people: People

    @property
    def harvest_year(self) -> int:
        """The year of the story."""
        return self.today.year

    def dice(self, part: str) -> np.random.Generator:
        """Give the random numbers of one part: independent of all others, the same on every run."""
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])


def load_region(file: Path | None = None) -> Region:
    """Read the parameters; without ``file`` those that came with the package.

    Raises
    ------
    MalformedInput
        If the file does not have the documented form.
    """
    path = file or data_dir() / "demo" / "region.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Region)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MalformedInput(f"is not a demo region: {error}", where=str(path)) from error
