"""Reference evapotranspiration of grass from daily weather, after FAO-56; vectorised over places and days.

References
----------
Allen, R. G., Pereira, L. S., Raes, D. & Smith, M. (1998). Crop evapotranspiration. FAO Irrigation and Drainage Paper
56, Rome: equations 6-13, 21-25, 37-40 and 52, and what to do with missing data (chapter 3).
ASCE-EWRI (2005). The ASCE standardized reference evapotranspiration equation.
"""

from __future__ import annotations

import numpy as np

from cropcredit.agronomy.series import Floats

SOLAR_CONSTANT = 0.0820
"""MJ m⁻² min⁻¹."""
MM_PER_MJ = 0.408
"""Water that one MJ/m² evaporates, mm (1 / latent heat of 2.45 MJ/kg)."""
STEFAN_BOLTZMANN = 4.903e-9
"""MJ K⁻⁴ m⁻² day⁻¹."""
ALBEDO = 0.23
WIND_M_S = 2.0
"""Wind at 2 m where it is not measured: the mean of over 2,000 stations (FAO-56, chapter 3)."""
OVERCAST = 0.3
"""Smallest share of the clear-sky radiation that the longwave balance is reckoned with (ASCE-EWRI 2005)."""
_KELVIN = 273.16


def extraterrestrial_radiation(latitude_deg: Floats, day_of_year: Floats) -> Floats:
    """Solar radiation on top of the atmosphere, MJ m⁻² day⁻¹ (equation 21).

    Parameters
    ----------
    latitude_deg, day_of_year : ndarray
        Shapes that broadcast; north is positive, days count from 1.

    Examples
    --------
    FAO-56, example 8, on 3 September at 20°S:

    >>> float(extraterrestrial_radiation(np.array(-20.0), np.array(246)).round(1))
    32.2
    """
    latitude, angle = np.radians(latitude_deg), 2 * np.pi * np.asarray(day_of_year) / 365
    nearness = 1 + 0.033 * np.cos(angle)
    declination = 0.409 * np.sin(angle - 1.39)
    sunset = np.arccos(np.clip(-np.tan(latitude) * np.tan(declination), -1.0, 1.0))
    across = np.cos(latitude) * np.cos(declination) * np.sin(sunset)
    along = sunset * np.sin(latitude) * np.sin(declination)
    return np.asarray(np.maximum(24 * 60 / np.pi * SOLAR_CONSTANT * nearness * (along + across), 0.0))


def hargreaves(t_min_c: Floats, t_max_c: Floats, ra_mj_m2: Floats) -> Floats:
    """Compute reference evapotranspiration where only temperatures are known, mm per day (equation 52).

    Parameters
    ----------
    t_min_c, t_max_c : ndarray
        °C.
    ra_mj_m2 : ndarray
        From :func:`extraterrestrial_radiation`.

    Examples
    --------
    FAO-56, example 20, near Lyon in July:

    >>> float(hargreaves(np.array(14.8), np.array(26.6), np.array(40.6)).round(1))
    5.0
    """
    middle, span = (t_min_c + t_max_c) / 2, np.maximum(t_max_c - t_min_c, 0.0)
    return np.asarray(np.maximum(0.0023 * MM_PER_MJ * ra_mj_m2 * (middle + 17.8) * np.sqrt(span), 0.0))


def penman_monteith(
    t_min_c: Floats,
    t_max_c: Floats,
    solar_mj_m2: Floats,
    ra_mj_m2: Floats,
    *,
    vapour_kpa: Floats | None = None,
    wind_m_s: float = WIND_M_S,
    elevation_m: float = 0.0,
) -> Floats:
    """Compute reference evapotranspiration where radiation is measured too, mm per day (equation 6).

    Parameters
    ----------
    t_min_c, t_max_c : ndarray
        °C.
    solar_mj_m2, ra_mj_m2 : ndarray
        Radiation at the ground and on top of the atmosphere, MJ m⁻² day⁻¹.
    vapour_kpa : ndarray, optional
        Actual vapour pressure. Default: the dew point is the lowest temperature (equation 48).
    wind_m_s : float
        At 2 m.
    elevation_m : float
        Above the sea.
    """
    middle = (t_min_c + t_max_c) / 2
    saturated = (_saturation(t_min_c) + _saturation(t_max_c)) / 2
    vapour = _saturation(t_min_c) if vapour_kpa is None else vapour_kpa
    slope = 4098 * _saturation(middle) / (middle + 237.3) ** 2
    gamma = 0.665e-3 * 101.3 * ((293 - 0.0065 * elevation_m) / 293) ** 5.26
    net = (1 - ALBEDO) * solar_mj_m2 - _longwave(t_min_c, t_max_c, solar_mj_m2, ra_mj_m2, vapour, elevation_m)
    drying = gamma * 900 / (middle + 273) * wind_m_s * (saturated - vapour)
    et0 = (MM_PER_MJ * slope * net + drying) / (slope + gamma * (1 + 0.34 * wind_m_s))
    return np.asarray(np.maximum(et0, 0.0))


def reference_et(
    t_min_c: Floats, t_max_c: Floats, latitude_deg: Floats, day_of_year: Floats, *, solar_mj_m2: Floats | None = None
) -> Floats:
    """Compute reference evapotranspiration by the better method that each day's weather allows, mm.

    Parameters
    ----------
    t_min_c, t_max_c : ndarray, shape (places, days)
        °C; NaN: unknown.
    latitude_deg : ndarray, shape (places,)
    day_of_year : ndarray, shape (days,)
    solar_mj_m2 : ndarray, shape (places, days), optional
        NaN where it was not measured: Hargreaves then.
    """
    ra = extraterrestrial_radiation(np.asarray(latitude_deg)[:, None], day_of_year)
    simple = hargreaves(t_min_c, t_max_c, ra)
    if solar_mj_m2 is None:
        return simple
    return np.where(np.isfinite(solar_mj_m2), penman_monteith(t_min_c, t_max_c, solar_mj_m2, ra), simple)


def _saturation(temperature_c: Floats) -> Floats:
    return np.asarray(0.6108 * np.exp(17.27 * temperature_c / (temperature_c + 237.3)))


def _longwave(
    t_min_c: Floats, t_max_c: Floats, solar: Floats, ra: Floats, vapour: Floats, elevation_m: float
) -> Floats:
    """Net outgoing longwave radiation, MJ m⁻² day⁻¹ (equation 39); never incoming, however dark the sky."""
    clear_sky = (0.75 + 2e-5 * elevation_m) * ra
    clearness = np.clip(solar / np.where(clear_sky > 0, clear_sky, np.inf), OVERCAST, 1.0)
    black = STEFAN_BOLTZMANN * ((t_max_c + _KELVIN) ** 4 + (t_min_c + _KELVIN) ** 4) / 2
    return np.asarray(black * (0.34 - 0.14 * np.sqrt(vapour)) * (1.35 * clearness - 0.35))
