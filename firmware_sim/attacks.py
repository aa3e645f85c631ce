"""What people do to make a device tell a better story: each a pure function of dice and site.

An attacker has the device in his hands, so every one of these readings is rightly signed; only physics gives him away.
Each function returns new arrays and never changes what it is given. :data:`ATTACKS` names them all; the first line of
its docstring is what ``python -m firmware_sim modes`` prints.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim.site import COUNTERS, NOISE, STEPS, Change, Site, copy_of, followed, night_row, ramp, seen
from firmware_sim.stations import Series, stepped
from firmware_sim.weather import Floats


def bucket(rng: np.random.Generator, site: Site) -> Series:
    """Put the soil probe into a bucket of water, so that the field looks watered."""
    out, rows = copy_of(site), _rows(site)
    air_c = followed(site.series["air.temperature", ""], site, hours=4)
    for (quantity, channel), values in site.series.items():
        noise = rng.normal(0, NOISE[quantity], len(values))
        if quantity == "soil.moisture":
            changed = rng.uniform(42, 60) + 0.03 * (air_c - 20) + noise
        elif quantity == "soil.temperature":
            changed = air_c + rng.normal(0, 0.2) + noise
        elif quantity == "soil.ec":
            changed = rng.uniform(0.2, 0.8) * (1 + 0.02 * (air_c - 25)) + noise
        else:
            continue
        out[quantity, channel][rows] = seen(quantity, changed)[rows]
    return out


def last_year(rng: np.random.Generator, site: Site) -> Series:  # noqa: ARG001 - nothing is left to chance
    """Send last year's readings of the same device again, with new dates."""
    return _replaced(site, {key: _continued(key, values, site) for key, values in site.history.items()})


def copied(rng: np.random.Generator, site: Site) -> Series:  # noqa: ARG001
    """Send the neighbour's readings, to the last digit."""
    return _replaced(site, {key: _continued(key, values, site) for key, values in site.neighbour.items()})


def copied_late(rng: np.random.Generator, site: Site) -> Series:
    """Send the neighbour's readings some steps late."""
    rows = int(rng.integers(1, 9))
    late = {key: np.concatenate((values[:rows], values[:-rows])) for key, values in site.neighbour.items()}
    return _replaced(site, {key: _continued(key, values, site) for key, values in late.items()})


def copied_noisy(rng: np.random.Generator, site: Site) -> Series:
    """Send the neighbour's readings with a shift, a stretch and fresh noise, so that no two values are equal."""
    changed = {}
    for key, values in site.neighbour.items():
        if key[0] in COUNTERS:
            changed[key] = _continued(key, _stretched(values, rng.normal(1, 0.03)), site)
            continue
        mean = float(np.nanmean(values))
        moved = mean + (values - mean) * rng.normal(1, 0.03) + rng.normal(0, 0.02) * (abs(mean) + 1)
        changed[key] = seen(key[0], moved + rng.normal(0, NOISE[key[0]], len(values)))
    return _replaced(site, changed)


def constant(rng: np.random.Generator, site: Site) -> Series:
    """Invent readings: what the device last showed, plus the noise that its sensors are known for."""
    changed = {}
    for key, values in site.series.items():
        if key[0] in COUNTERS:
            changed[key] = np.full(len(values), values[site.first_row])
            continue
        noise = rng.normal(0, NOISE[key[0]], len(values))
        changed[key] = seen(key[0], float(np.nanmedian(values[: site.first_row + 1])) + noise)
    return _replaced(site, changed)


def drift_gain(rng: np.random.Generator, site: Site) -> Series:
    """Turn up the gain a little every day, until the reading is a quarter to a half too high."""
    return _drifted(site, lambda values: values * (1 + rng.uniform(0.25, 0.5) * ramp(site)))


def drift_offset(rng: np.random.Generator, site: Site) -> Series:
    """Add a little every day: 6 to 15 points of soil moisture, or 15 to 40 % of the stock, by the end."""

    def moved(values: Floats) -> Floats:
        first = float(values[site.first_row])
        most = rng.uniform(6, 15) if first <= 100 else first * rng.uniform(0.15, 0.4)  # noqa: PLR2004 - % or kg
        return values + most * ramp(site)

    return _drifted(site, moved)


def stones(rng: np.random.Generator, site: Site) -> Series:
    """Lay stones on the scale, by night and in up to three lots: 8 to 25 % of the stock, and no grain."""
    out = copy_of(site)
    weight = out["store.weight", ""]
    stock, lots = float(weight[site.first_row]), int(rng.integers(1, 4))
    for share in rng.dirichlet(np.ones(lots) * 3):
        row = night_row(rng, site)
        weight[row:] += stock * rng.uniform(0.08, 0.25) * share
    out["store.weight", ""] = seen("store.weight", weight)
    return out


ATTACKS: dict[str, Change] = {
    "bucket": bucket,
    "last_year": last_year,
    "copied": copied,
    "copied_late": copied_late,
    "copied_noisy": copied_noisy,
    "constant": constant,
    "drift_gain": drift_gain,
    "drift_offset": drift_offset,
    "stones": stones,
}
APPLIES: dict[str, tuple[str, ...]] = {
    "bucket": ("soil",),
    "last_year": ("soil", "weather", "grain"),
    "copied": ("soil", "weather", "grain"),
    "copied_late": ("soil", "weather", "grain"),
    "copied_noisy": ("soil", "weather", "grain"),
    "constant": ("soil", "weather", "grain"),
    "drift_gain": ("soil", "grain"),
    "drift_offset": ("soil", "grain"),
    "stones": ("grain",),
}
"""Kinds of device on which each makes sense."""


# --- parts -----------------------------------------------------------------------------------------------------------


def _rows(site: Site) -> slice:
    return slice(site.first_row, None)


def _replaced(site: Site, changed: Series) -> Series:
    """Put other values behind the first row, where the device has such a sensor."""
    out = copy_of(site)
    for key in out.keys() & changed.keys():
        out[key][_rows(site)] = changed[key][_rows(site)]
    return out


def _continued(key: tuple[str, str], values: Floats, site: Site) -> Floats:
    """Let a borrowed counter go on from where the device's own one stood; anything else is left as it is."""
    if key[0] not in COUNTERS or site.first_row == 0 or key not in site.series:
        return values
    before = site.first_row - 1
    return np.asarray(np.round(values - values[before] + site.series[key][before], 3))


def _stretched(counter: Floats, factor: float) -> Floats:
    return stepped(counter[0] + (counter - counter[0]) * factor, STEPS["weather.rain"])


def _drifted(site: Site, change: Callable[[Floats], Floats]) -> Series:
    """Change what earns credit: soil moisture at each depth, or the weight of the stock."""
    out = copy_of(site)
    for quantity, channel in out:
        if quantity in ("soil.moisture", "store.weight"):
            out[quantity, channel] = seen(quantity, change(out[quantity, channel]))
    return out
