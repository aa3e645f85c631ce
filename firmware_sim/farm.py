"""Readings of a made-up village as a source: what was measured before the run (the backlog), and what is now."""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Iterator, Mapping
from zlib import crc32

import numpy as np

from firmware_sim import ageing, attacks, signals
from firmware_sim.device import Reading
from firmware_sim.errors import BadInput
from firmware_sim.message import Value
from firmware_sim.plan import Span
from firmware_sim.scenario import Cast
from firmware_sim.site import Site
from firmware_sim.stations import Series, Stations

CHANGES = attacks.ATTACKS | ageing.AGEING
APPLIES = attacks.APPLIES | ageing.APPLIES
MOST_VALUES = 40_000_000
"""Live values that are kept in memory: 320 MB."""
DAY_MS = 86_400_000
TAKE_S = 0.05
"""Longest turn of measuring: those who are connected must not wait for those whose first reading is made up."""


class Farm:
    """Devices of one village that measure every ``interval_s``, each at its own moment.

    Parameters
    ----------
    cast : Cast
        Who plays what.
    seed : int
        Of weather, soils, sensors and moments.
    start_ms, seconds : int, float
        Readings are made from ``start_ms`` (ms since 1970) for ``seconds``.
    interval_s : float
        Seconds between readings of one device.
    each : int
        Most live readings per device; 0 means as many as fit.
    backlog_days, backlog_step_s : float
        What was measured before and never sent: so many days, every so many seconds (0: as ``interval_s``). The live
        readings then show the weather in these steps.
    """

    digest = ""
    live = True

    def __init__(
        self, cast: Cast, *, seed: int, start_ms: int, seconds: float, interval_s: float, each: int = 0,
        backlog_days: float = 0.0, backlog_step_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._step_ms = round(1000 * (backlog_step_s if backlog_days and backlog_step_s else interval_s))
        self._interval_ms, self._start_ms, self._end_ms = round(interval_s * 1000), start_ms, start_ms + seconds * 1000
        self._old_rows = int(backlog_days * DAY_MS / self._step_ms)
        self._first_ms = start_ms - self._old_rows * self._step_ms
        self._each, self._cast, self._seed = each, cast, seed
        self._village = self._laid_out()
        self._measuring: dict[int, Stations] = {}
        self._series: dict[str, _Rows] = {}
        self._due = [(start_ms + self._phase_ms(name), 0, name) for name in cast.roles]
        heapq.heapify(self._due)
        self.silent: Mapping[str, Span] = {
            name: span for name in cast.roles if (span := self._silence(name)) is not None
        }
        self.gone: Mapping[str, int] = {name: at for name in cast.roles if (at := self._theft(name)) is not None}

    def _laid_out(self) -> signals.Village:
        rows = self._old_rows + int((self._end_ms - self._start_ms) / self._step_ms) + 1
        values = 12 * (rows - self._old_rows) * len(self._cast.roles)
        if values > MOST_VALUES:
            raise BadInput(
                f"{values:,} live values do not fit into memory: fewer devices, seconds, or a longer interval"
            )
        roles = self._cast.roles
        return signals.village(
            self._seed, list(roles), days=(rows + 0.5) * self._step_ms / DAY_MS, step_s=self._step_ms / 1000,
            start_ms=self._first_ms, climate=self._cast.climate, kind={n: r.kind for n, r in roles.items()},
            texture={n: r.texture for n, r in roles.items()}, site={n: r.site for n, r in roles.items()},
        )  # fmt: skip

    # --- the source ------------------------------------------------------------------------------------------------

    def begun_ms(self, device_id: str) -> int | None:  # noqa: ARG002 - all were switched on together
        """Tell when the devices were switched on, if that is earlier than now."""
        return self._first_ms if self._old_rows else None

    def backlog(self) -> Iterator[Reading]:
        """Give what each device measured before the run, device by device, oldest first."""
        for name in self._cast.roles if self._old_rows else ():
            series, phase = self._changed(name), self._phase_ms(name) % self._step_ms
            self._series[name] = _Rows(series, first=self._old_rows)
            rows = _Rows(series, first=0)
            for row in range(self._old_rows):
                if values := rows.values(row):
                    yield self._reading(name, self._first_ms + row * self._step_ms + phase, values)

    def take(self, limit: int, *, now_ms: int) -> list[Reading]:
        """Give the readings due by ``now_ms``."""
        made: list[Reading] = []
        begun = time.monotonic()
        while time.monotonic() - begun < TAKE_S and self._due and self._due[0][0] <= now_ms and len(made) < limit:
            at_ms, count, name = heapq.heappop(self._due)
            if at_ms >= self._end_ms or at_ms >= self.gone.get(name, at_ms + 1):
                continue
            if values := self._rows(name).values((at_ms - self._first_ms) // self._step_ms):
                made.append(self._reading(name, at_ms, values))
            if not self._each or count + 1 < self._each:
                heapq.heappush(self._due, (at_ms + self._interval_ms, count + 1, name))
        return made

    @property
    def exhausted(self) -> bool:
        """Say whether no device has another reading to make."""
        return not self._due or self._due[0][0] >= self._end_ms

    # --- one device ------------------------------------------------------------------------------------------------

    def _rng(self, name: str, purpose: str) -> random.Random:
        return random.Random(f"{self._seed}/{name}/{purpose}")

    def _phase_ms(self, name: str) -> int:
        """Give a device its moment: soon after the start, but not with more than 500 others in a second."""
        return round(self._rng(name, "phase").random() * min(max(1000, 2 * len(self._cast.roles)), self._interval_ms))

    def _first_changed(self, name: str) -> int:
        return int(self._cast.roles[name].begins * len(self._village.times_ms))

    def _silence(self, name: str) -> Span | None:
        """Let a lapsed SIM card be a real silence: the device measures on, and sends it all when the card is paid."""
        if self._cast.roles[name].change != "sim_lapsed":
            return None
        begins = self._cast.roles[name].begins or 0.3
        lasts_ms = (self._end_ms - self._start_ms) * (1 - begins) * self._rng(name, "lapse").uniform(0.3, 0.7)
        first = self._start_ms + round(begins * (self._end_ms - self._start_ms))
        return first, first + round(lasts_ms)

    def _theft(self, name: str) -> int | None:
        """Let a stolen device be gone; from a grain store only the grain is taken."""
        role = self._cast.roles[name]
        if role.change != "theft" or role.kind == "grain":
            return None
        return self._start_ms + round((role.begins or 0.5) * (self._end_ms - self._start_ms))

    def _rows(self, name: str) -> _Rows:
        if name not in self._series:
            self._series[name] = _Rows(self._changed(name), first=self._old_rows)
        return self._series[name]

    def _changed(self, name: str) -> Series:
        role = self._cast.roles[name]
        series = self._measured(name)
        if not role.change or name in self.silent or name in self.gone:
            return series
        site = Site(
            times_ms=self._village.times_ms, series=series, neighbour=self._measured(self._village.neighbour(name)),
            history=self._measured(name, earlier_ms=signals.YEAR_MS), first_row=self._first_changed(name),
        )  # fmt: skip
        return CHANGES[role.change](np.random.default_rng((self._seed, crc32(name.encode()), 7)), site)

    def _measured(self, name: str, *, earlier_ms: int = 0) -> Series:
        if earlier_ms not in self._measuring:
            self._measuring[earlier_ms] = self._village.measuring(earlier_ms=earlier_ms)
        return self._measuring[earlier_ms].measure(name)

    def _reading(self, name: str, at_ms: int, values: tuple[Value, ...]) -> Reading:
        """Add what every device tells of itself: a battery that the sun charges, signal, a closed case."""
        dice = crc32(f"{self._seed}/{name}/{at_ms}".encode())
        charge_v = 3.7 + 0.2 * max(0.0, math.sin(2 * math.pi * at_ms / DAY_MS)) + 0.01 * (dice // 16 % 3)
        return Reading(name, at_ms, values, bat=_text(round(charge_v, 2)), sig=str(-89 + dice % 9), open=False)


class _Rows:
    """Readings of one device, row by row as number texts."""

    def __init__(self, series: Series, *, first: int) -> None:
        self._keys, self._first = list(series), first
        self._table = np.column_stack([series[key][first:] for key in self._keys])

    def values(self, row: int) -> tuple[Value, ...]:
        """Give what was measured in a row; nothing when the device was silent."""
        numbers = self._table[row - self._first].tolist()
        named = zip(self._keys, numbers, strict=True)
        return tuple((q, _text(number), c) for (q, c), number in named if not math.isnan(number))


def _text(number: float) -> str:
    """Write a number as JSON without the zero that costs airtime.

    Examples
    --------
    >>> _text(12.0), _text(0.25), _text(-0.0)
    ('12', '0.25', '0')
    """
    text = repr(number + 0.0)
    return text.removesuffix(".0")
