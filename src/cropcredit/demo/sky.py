"""The season's scenes: reflectance of the ground through a blurred, shifted, noisy and cloudy view.

A pixel mixes what lies in it (``ground``), blurred by the point spread, shifted by the day's registration error.
Clouds are thresholded smooth noise; their shadows fall away from the sun; thin edges brighten without being seen. The
classification (SCL) knows most of it, not all. Digital numbers follow Sentinel-2 L2A since processing baseline 04.00:
DN = 10000·ρ + 1000, DN 0 = no data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cropcredit.demo.ground import COVERS, Ground
from cropcredit.demo.growth import reflectance
from cropcredit.demo.parameters import Region, Sky
from cropcredit.demo.season import Season

Raster = NDArray[np.float32]
NODATA, DEFECTIVE, SHADOW, VEGETATION, BARE, WATER, UNCLASSIFIED, MEDIUM, HIGH, CIRRUS = 0, 1, 3, 4, 5, 6, 7, 8, 9, 10
OVERPASS = time(2, 58, tzinfo=UTC)
"""About 10:50 local solar time at 117 °E."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """One scene as the archive ships it."""

    acquired_at: datetime
    available_at: datetime
    red: NDArray[np.uint16]
    nir: NDArray[np.uint16]
    scl: NDArray[np.uint8]
    """At 20 m: half as many rows and columns."""
    cloud_share: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Veil:
    opacity: Raster
    shadow: NDArray[np.bool_]


def overpasses(region: Region) -> list[date]:
    """Give the days of acquisition, denser while wheat turns into maize; none after the story's present."""
    sky, days, day = region.sky, [], region.sky.first_on
    while day < region.today.date():
        days.append(day)
        dense = sky.dense[0] <= day < sky.dense[1]
        day += timedelta(sky.dense_days if dense else sky.every_days)
    return days


def take(region: Region, ground: Ground, season: Season, day: date) -> Picture:
    """Take the picture of one day."""
    sky, dice = region.sky, region.dice(f"sky {day}")
    red, nir = _surface(ground, season, day)
    shift = dice.normal(0, sky.registration_sigma_m / region.tile.pixel_m, 2)
    blur = sky.psf_sigma_m / region.tile.pixel_m
    red, nir = (_shifted(ndimage.gaussian_filter(band, blur, truncate=3), shift) for band in (red, nir))
    clear_red, clear_nir = red.copy(), nir.copy()
    veil = _veil(region, day, dice)
    haze = np.float32(dice.gamma(1.5, 0.002))
    red, nir = (_seen_through(band, veil, haze, bright) for band, bright in ((red, 0.55), (nir, 0.58)))
    scl = _classify(clear_red, clear_nir, veil, sky, dice)
    covered = _swath(region, dice)
    acquired = datetime.combine(day, OVERPASS)
    return Picture(
        acquired_at=acquired,
        available_at=acquired + timedelta(hours=sky.available_after_hours),
        red=_digital(red, sky, covered, sky.noise["red"], dice),
        nir=_digital(nir, sky, covered, sky.noise["nir"], dice),
        scl=np.where(covered[::2, ::2], scl, NODATA).astype(np.uint8),
        cloud_share=float((veil.opacity > 0.3).mean()),  # noqa: PLR2004 - what one would call a cloud
    )


def _surface(ground: Ground, season: Season, day: date) -> tuple[Raster, Raster]:
    """Reflectance of every pixel under a clear sky, before the view blurs it."""
    row = season.day(day)
    plots = reflectance(season.lai[row], brightness=season.brightness[row])
    unevenness = 0.035 * ground.texture
    bands = []
    for values, cover, sign in zip(plots, zip(*COVERS, strict=True), (-1, 1), strict=True):
        columns = np.concatenate([values, cover]).astype(np.float32)
        bands.append((ground.mixing @ columns).reshape(ground.shape) * (1 + sign * unevenness))
    return bands[0].astype(np.float32), bands[1].astype(np.float32)


def _shifted(band: Raster, shift: NDArray[np.float64]) -> Raster:
    """Move a band by a fraction of a pixel, linearly."""
    for axis, step in enumerate(shift):
        share = np.float32(min(abs(step), 1.0))
        band = (1 - share) * band + share * np.roll(band, 1 if step > 0 else -1, axis=axis)
    return band


def _veil(region: Region, day: date, dice: np.random.Generator) -> _Veil:
    """Clouds of the day and their shadows: threshold smooth noise at the day's cloud share."""
    size, mean = region.tile.size_px, region.sky.cloud_mean[day.month - 1]
    share = float(np.clip(dice.beta(1.1 * mean, 1.1 * (1 - mean)), 0, 0.98))
    coarse = size // 10
    noise = sum(
        weight * ndimage.gaussian_filter(dice.standard_normal((coarse, coarse)), scale, mode="wrap") * scale
        for scale, weight in ((8.0, 1.0), (3.0, 0.45), (1.2, 0.2))
    )
    density = ndimage.zoom(np.asarray(noise, dtype=np.float32), size / coarse, order=1)[:size, :size]
    edge = np.quantile(density, 1 - share) if share > 0.01 else np.inf  # noqa: PLR2004 - under a percent: a clear day
    opacity = np.clip((density - edge) / (0.35 * density.std()) + 0.25, 0, 1) if np.isfinite(edge) else 0 * density
    zenith = np.radians(20 + 40 * abs((day.timetuple().tm_yday - 172) / 183))
    reach = region.sky.cloud_height_m * np.tan(zenith) / region.tile.pixel_m
    up, left = round(reach * np.cos(np.radians(35))), round(reach * np.sin(np.radians(35)))  # sun in the south-east
    opaque = opacity > 0.5  # noqa: PLR2004 - half the light is held back
    shadow = np.roll(opaque, (-up, -left), axis=(0, 1)) & (opacity < 0.3)  # noqa: PLR2004 - a cloud hides its shadow
    return _Veil(opacity=opacity.astype(np.float32), shadow=shadow)


def _seen_through(band: Raster, veil: _Veil, haze: np.float32, bright: float) -> Raster:
    lit = band * np.where(veil.shadow, np.float32(0.35), np.float32(1.0))
    return np.asarray(lit * (1 - veil.opacity) + np.float32(bright) * veil.opacity + haze, dtype=np.float32)


def _classify(red: Raster, nir: Raster, veil: _Veil, sky: Sky, dice: np.random.Generator) -> NDArray[np.uint8]:
    """Scene classes at 20 m: right for most pixels, blind to thin edges, now and then unsure."""
    red, nir, opacity, shadow = red[::2, ::2], nir[::2, ::2], veil.opacity[::2, ::2], veil.shadow[::2, ::2]
    index = (nir - red) / (nir + red)
    scl = np.where(index > 0.4, VEGETATION, BARE)  # noqa: PLR2004 - roughly where Sen2Cor draws it
    scl = np.where(nir < 0.05, WATER, scl)  # noqa: PLR2004 - water is dark in the near infrared
    blind = ndimage.zoom(dice.random((scl.shape[0] // 5, scl.shape[1] // 5)), 5, order=0) < sky.missed_cloud
    seen = ~blind
    scl = np.where(shadow & seen, SHADOW, scl)
    for least, kind in ((0.12, CIRRUS), (0.4, MEDIUM), (0.75, HIGH)):
        scl = np.where((opacity > least) & seen, kind, scl)
    unsure = dice.random(scl.shape) < 0.004  # noqa: PLR2004 - share of pixels it cannot name
    return np.asarray(np.where(unsure & (scl < MEDIUM) & (scl != SHADOW), UNCLASSIFIED, scl), dtype=np.uint8)


def _swath(region: Region, dice: np.random.Generator) -> NDArray[np.bool_]:
    """Where the satellite looked: on about one day in eight the edge of the swath cuts the tile."""
    size = region.tile.size_px
    if dice.random() > 1 / 8:
        return np.ones((size, size), dtype=bool)
    y, x = np.mgrid[0:size, 0:size]
    cut = (x + 0.25 * y) < size * dice.uniform(0.75, 1.1)
    return np.repeat(np.repeat(cut[::2, ::2], 2, axis=0), 2, axis=1)


def _digital(
    band: Raster, sky: Sky, covered: NDArray[np.bool_], noise: float, dice: np.random.Generator
) -> NDArray[np.uint16]:
    """Quantise reflectance to digital numbers with the sensor's noise and the baseline's offset."""
    measured = band + np.float32(noise) * dice.standard_normal(band.shape, dtype=np.float32)
    numbers = np.clip(np.rint(measured * 10_000) - sky.offset, 1, 65_535)
    return np.where(covered, numbers, 0).astype(np.uint16)
