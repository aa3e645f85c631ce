"""What a device believes the time to be."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.errors import BadInput
from firmware_sim.message import ClockSource

MODES = "ntp, rtc, none, 1970, drift:PPM or offset:SECONDS"


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """A clock and its fault.

    ``ntp`` is right and says so, ``rtc`` is right and unsynchronised, ``none`` has no time, ``1970`` starts at
    zero with every boot, ``drift:PPM`` is set at the start of a boot and then runs fast (or slow, below zero),
    ``offset:SECONDS`` is ahead (or behind).
    """

    source: ClockSource = "ntp"
    drift_ppm: float = 0.0
    offset_ms: int = 0
    from_zero: bool = False

    @classmethod
    def parse(cls, text: str) -> DeviceClock:
        """Read a mode from the command line.

        Examples
        --------
        >>> DeviceClock.parse("drift:50").read(1_000_000, 1_000_000)
        ('rtc', 1000050)
        """
        mode, _, amount = text.partition(":")
        try:
            if mode == "drift":
                return cls("rtc", drift_ppm=float(amount))
            if mode == "offset":
                return cls("rtc", offset_ms=round(float(amount) * 1000))
        except ValueError as error:
            raise BadInput(f"clock {text!r}: {amount!r} is not a number") from error
        known = {"ntp": cls(), "rtc": cls("rtc"), "none": cls("none"), "1970": cls("rtc", from_zero=True)}
        if text not in known:
            raise BadInput(f"clock {text!r} is not known; known: {MODES}")
        return known[text]

    def read(self, true_ms: int, up_ms: int) -> tuple[ClockSource, int | None]:
        """Tell (source, ms since 1970) for an instant ``up_ms`` after the start of the boot."""
        if self.source == "none":
            return "none", None
        start = 0 if self.from_zero else true_ms
        drifted = round(up_ms * self.drift_ppm / 1e6) + (up_ms if self.from_zero else 0)
        return self.source, max(0, start + drifted + self.offset_ms)
