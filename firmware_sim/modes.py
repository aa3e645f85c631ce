"""What there is to choose from, a line each: attacks, ageing, broken messages, clocks, climates, soils, sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from firmware_sim import ageing, attacks
from firmware_sim.clock import CLOCKS
from firmware_sim.malformed import BROKEN, POISON, Broken
from firmware_sim.soil import SITES, TEXTURES
from firmware_sim.weather import CLIMATES


def lines() -> Iterator[str]:
    """Give the list."""
    yield from _titled("attacks (--attack NAME:SHARE): what people do", _told(attacks.ATTACKS, attacks.APPLIES))
    yield from _titled(
        "ageing (--ageing NAME:SHARE): what befalls honest devices", _told(ageing.AGEING, ageing.APPLIES)
    )
    yield from _titled("clocks (--clock MODE)", CLOCKS)
    yield from _titled("broken messages (--malformed-kinds): nobody can tell whose", _broken(BROKEN))
    yield from _titled("poison (--poison): refused for what it says, and settled", _broken(POISON))
    yield from _titled(
        "climates (--climate)", {n: f"around {c.latitude_deg:.0f}° N, {c.mean_c:.0f} °C" for n, c in CLIMATES.items()}
    )
    yield from _titled(
        "textures (--texture): wilting point, field capacity, saturation in volume %",
        {n: f"{t.wilting:.0f}, {t.capacity:.0f}, {t.saturation:.0f}" for n, t in TEXTURES.items()},
    )
    yield from _titled("sites (--site)", {name: site.what for name, site in SITES.items()})


def _titled(title: str, told: Mapping[str, str]) -> Iterator[str]:
    yield f"{title}:"
    width = max(map(len, told))
    yield from (f"  {name:<{width}}  {what}" for name, what in told.items())
    yield ""


def _told(changes: Mapping[str, Callable[..., object]], applies: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {n: f"{(c.__doc__ or '').splitlines()[0]} ({', '.join(applies[n])})" for n, c in changes.items()}


def _broken(kinds: Mapping[str, Broken]) -> dict[str, str]:
    return {name: f"{one.what} → {one.reason or 'never arrives'}" for name, one in kinds.items()}
