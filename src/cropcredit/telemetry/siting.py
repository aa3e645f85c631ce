"""Whether a soil probe stands in the soil, at its depth, with a calibration that fits the texture.

Water that soil can hold is known by its texture: more than its pores, or less than what drying air leaves, is no soil.
The daily wave of warmth dies out with depth: a probe said to be deep that swings like the air is not buried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cropcredit.telemetry.evidence import Check, answer, not_assessed, suspicion
from cropcredit.telemetry.physics import CYCLE_DAYS
from cropcredit.telemetry.tracks import Floats, Grid, Track


@dataclass(frozen=True, slots=True)
class Pores:
    """What a texture holds, % of volume."""

    wilting: float
    """At 1500 kPa."""
    capacity: float
    """At 33 kPa."""
    porosity: float
    widest: float
    """Porosity of one soil in six: mean plus one standard deviation."""


PORES = {
    "sand": Pores(3.3, 9.1, 43.7, 50.0),
    "loamy sand": Pores(5.5, 12.5, 43.7, 50.6),
    "sandy loam": Pores(9.5, 20.7, 45.3, 55.5),
    "loam": Pores(11.7, 27.0, 46.3, 55.1),
    "silt loam": Pores(13.3, 33.0, 50.1, 58.2),
    "silt": Pores(13.3, 33.0, 50.1, 58.2),
    "sandy clay loam": Pores(14.8, 25.5, 39.8, 46.4),
    "clay loam": Pores(19.7, 31.8, 46.4, 51.9),
    "silty clay loam": Pores(20.8, 36.6, 47.1, 52.4),
    "silt clay loam": Pores(20.8, 36.6, 47.1, 52.4),
    "sandy clay": Pores(23.9, 33.9, 43.0, 49.0),
    "silty clay": Pores(25.0, 38.7, 47.9, 53.3),
    "clay": Pores(27.2, 39.6, 47.5, 52.3),
}
"""Rawls, Brakensiek & Saxton (1982), Transactions of the ASAE 25, 1316-1320 and 1328, table 2; silt as silt loam."""
ANY_SOIL = Pores(3.3, 39.6, 60.0, 60.0)
"""Where nobody named a texture: no mineral soil holds less or more."""
ABOVE_AT = 3.0
"""Points of volume above the widest pores."""
DRY_AT = 0.6
"""Share below half of the wilting point: a dielectric probe in air shows next to nothing."""
IN_WATER_AT = 0.9
"""Share of the time in the water that drains within days."""
THAWED_C = 1.0
"""A dielectric probe does not see ice: below this it shows too little."""
REACH_CM = 18.0
"""The daily wave falls to 1/e within this depth at most: wet sand, thermal diffusivity 1 mm²/s (Hillel 1998)."""
SURFACE_GAIN = 1.5
"""A bare surface swings so much more than the air above it."""
SWING_AT = 1.4
"""Times the largest daily wave that is possible."""
LEAST_STEPS = 48


def pores_of(texture: str) -> Pores | None:
    """Look up a texture class; the bounds of any mineral soil for an empty name, None for an unknown one.

    Examples
    --------
    >>> pores_of("Silty_Clay loam").capacity, pores_of("peat") is None, pores_of("") is ANY_SOIL
    (36.6, True, True)
    """
    name = " ".join(texture.lower().replace("_", " ").replace("-", " ").split())
    return ANY_SOIL if not name else PORES.get(name)


def soil_water(track: Track, values: Floats, warmth: Floats | None, *, flooded: bool) -> list[Check]:
    """Ask whether soil of this texture can hold what the probe says.

    Parameters
    ----------
    track : Track
        ``soil.moisture``; only % of volume can be judged.
    values : ndarray, shape (steps,)
        The same on the grid.
    warmth : ndarray or None
        Soil temperature at the probe, on the grid.
    flooded : bool
        The field stands under water by intent (paddy).
    """
    codes = ("above_porosity", "below_air_dry", "stands_in_water")
    pores = pores_of(track.texture)
    if track.kind not in ("volumetric", "") or pores is None:
        return [not_assessed(code, "no_texture", track) for code in codes]
    thawed = values if warmth is None else np.where(warmth >= THAWED_C, values, np.nan)
    known = thawed[np.isfinite(thawed)]
    if len(known) < LEAST_STEPS // 2:
        because = "too_short" if np.isfinite(values).sum() < LEAST_STEPS else "cold"
        return [not_assessed(code, because, track) for code in codes]
    usual, high = float(np.median(known)), float(np.quantile(known, 0.9))
    told: dict[str, str | float] = {"level": usual, "texture": track.texture or "soil"}
    above = suspicion(float(np.quantile(known, 0.75)) - pores.widest, at=ABOVE_AT)
    dry = pores.wilting / 2
    share = float((known > (pores.capacity + pores.porosity) / 2).mean())
    return [
        answer("above_porosity", above, track, **told, bound=pores.widest),
        answer("below_air_dry", suspicion(1 - high / dry, at=DRY_AT), track, **told, bound=dry),
        not_assessed("stands_in_water", "flooded", track)
        if flooded
        else answer("stands_in_water", suspicion(share, at=IN_WATER_AT), track, **told, share=share),
    ]


def not_buried(track: Track, swing: float | None, air_swing: float | None, grid: Grid) -> Check:
    """Ask whether the daily wave is damped as it must be at this depth.

    Parameters
    ----------
    track : Track
        ``soil.temperature``.
    swing, air_swing : float or None
        Half of the daily range of this channel and of the air near by, K; None: not known.
    """
    if track.depth_cm is None or air_swing is None:
        return not_assessed("not_buried", "no_air", track)
    if swing is None or grid.days < CYCLE_DAYS:
        return not_assessed("not_buried", "too_short", track)
    most = SURFACE_GAIN * max(air_swing, 1.0) * float(np.exp(-track.depth_cm / REACH_CM))
    doubt = suspicion(swing / most, at=SWING_AT)
    return answer("not_buried", doubt, track, swing=swing, most=most, depth=track.depth_cm)
