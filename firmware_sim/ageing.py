"""What happens to honest devices: wear, weather, animals and thieves. A case for maintenance, never for a refusal.

The same form as :mod:`.attacks`: pure functions of dice and site. :data:`AGEING` names them all; the first line of a
docstring is what ``python -m firmware_sim modes`` prints. What is never sent is NaN.
"""

from __future__ import annotations

import numpy as np

from firmware_sim.site import NOISE, Change, Site, copy_of, followed, night_row, ramp, seen
from firmware_sim.stations import TIP_MM, Series, stepped
from firmware_sim.weather import DAY_S


def probe_drift(rng: np.random.Generator, site: Site) -> Series:
    """Soil probe ages: its moisture moves 2 to 5 points up or down over the window."""
    out, sign = copy_of(site), rng.choice((-1, 1))
    for quantity, channel in out:
        if quantity == "soil.moisture":
            out[quantity, channel] = seen(quantity, out[quantity, channel] + sign * rng.uniform(2, 5) * ramp(site))
    return out


def clogged_gauge(rng: np.random.Generator, site: Site) -> Series:
    """Leaves clog the rain gauge: a fifth of the rain at most comes through, hours late."""
    out = copy_of(site)
    counter = out["weather.rain", ""]
    fallen = np.diff(counter, prepend=counter[0])
    through = np.where(np.arange(len(fallen)) > site.first_row, fallen * rng.uniform(0, 0.2), 0.0)
    slow = followed(np.cumsum(through), site, hours=6)
    clean = np.where(np.arange(len(fallen)) <= site.first_row, fallen, 0.0)
    out["weather.rain", ""] = stepped(np.floor((counter[0] + np.cumsum(clean) + slow) / TIP_MM + 1e-6) * TIP_MM, TIP_MM)
    return out


def creep(rng: np.random.Generator, site: Site) -> Series:
    """Load cells creep: the weight breathes with the day's warmth, 0.1 to 0.4 % for 10 degrees, and sags slowly."""
    out = copy_of(site)
    weight, air_c = out["store.weight", ""], out["air.temperature", ""]
    full = float(np.nanmax(weight))
    moved = full * (rng.choice((-1, 1)) * rng.uniform(1e-4, 4e-4) * (air_c - 20) - rng.uniform(0, 0.006) * ramp(site))
    rows = np.arange(len(weight)) >= site.first_row
    out["store.weight", ""] = seen("store.weight", np.where(rows, weight + moved, weight))
    return out


def sim_lapsed(rng: np.random.Generator, site: Site) -> Series:
    """SIM card has lapsed: nothing is heard for 5 to 20 days (a live device sends it all once the card is paid)."""
    rows = len(site.times_ms)
    first = max(site.first_row, int(rng.uniform(0.1, 0.5) * rows))
    step_s = float(np.diff(site.times_ms[:2])[0]) / 1000 if rows > 1 else DAY_S
    return _silent(site, first, first + int(rng.uniform(5, 20) * DAY_S / step_s))


def theft(rng: np.random.Generator, site: Site) -> Series:
    """Something is stolen by night: a tenth to two thirds of the grain, or the device itself."""
    row = night_row(rng, site)
    if ("store.weight", "") not in site.series:
        return _silent(site, row, len(site.times_ms))
    out = copy_of(site)
    taken = out["store.weight", ""][row:] * rng.uniform(0.1, 0.65)
    out["store.weight", ""][row:] -= stepped(taken, 1)
    return out


def loose_probe(rng: np.random.Generator, site: Site) -> Series:
    """Soil shrinks away from the probe: air around it reads as dry and as warm as air."""
    out, air_c = copy_of(site), followed(site.series["air.temperature", ""], site, hours=2)
    rows, share = np.arange(len(air_c)) >= site.first_row, rng.uniform(0.1, 0.35)
    for quantity, channel in out:
        values, noise = out[quantity, channel], rng.normal(0, NOISE[quantity], len(air_c))
        if quantity == "soil.moisture":
            out[quantity, channel] = np.where(rows, seen(quantity, values * share + noise), values)
        elif quantity == "soil.temperature":
            out[quantity, channel] = np.where(rows, seen(quantity, 0.3 * values + 0.7 * air_c + noise), values)
    return out


def stuck(rng: np.random.Generator, site: Site) -> Series:
    """One sensor hangs and repeats its last value."""
    out = copy_of(site)
    keys = sorted(key for key in out if key[0] not in ("weather.rain", "weather.solarRadiation", "wind.speed"))
    key = keys[int(rng.integers(len(keys)))]
    row = max(site.first_row, 0)
    out[key][row:] = out[key][row]
    return out


def spikes(rng: np.random.Generator, site: Site) -> Series:
    """Bad contacts: once in a hundred readings a value jumps to nowhere."""
    out = copy_of(site)
    for key, values in out.items():
        hit = (rng.random(len(values)) < 0.01) & (np.arange(len(values)) >= site.first_row)  # noqa: PLR2004
        spread = 0.5 * abs(float(np.nanmedian(values))) + 1
        if key[0] != "weather.rain":
            out[key] = np.where(hit, seen(key[0], values + rng.choice((-1, 1), len(values)) * spread), values)
    return out


def _silent(site: Site, first: int, last: int) -> Series:
    out = copy_of(site)
    for values in out.values():
        values[first:last] = np.nan
    return out


AGEING: dict[str, Change] = {
    "probe_drift": probe_drift,
    "clogged_gauge": clogged_gauge,
    "creep": creep,
    "sim_lapsed": sim_lapsed,
    "theft": theft,
    "loose_probe": loose_probe,
    "stuck": stuck,
    "spikes": spikes,
}
APPLIES: dict[str, tuple[str, ...]] = {
    "probe_drift": ("soil",),
    "clogged_gauge": ("soil", "weather"),
    "creep": ("grain",),
    "sim_lapsed": ("soil", "weather", "grain"),
    "theft": ("soil", "weather", "grain"),
    "loose_probe": ("soil",),
    "stuck": ("soil", "weather", "grain"),
    "spikes": ("soil", "weather", "grain"),
}
"""Kinds of device that each befalls."""
