"""What a device believes the time to be."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.errors import BadInput
from firmware_sim.message import ClockSource

CLOCKS = {
    "ntp": "right, and set over the network",
    "rtc": "right, and nobody checks",
    "none": "no clock at all: only milliseconds since the start",
    "1970": "begins at 1970 with every boot",
    "drift:PPM": "runs fast, below zero slow (a cheap quartz: 50)",
    "offset:SECONDS": "ahead, below zero behind",
    "years:N": "N years ahead, below zero behind",
    "step:SECONDS@AFTER": "jumps by SECONDS, AFTER seconds into each boot; below zero backwards",
    "dst@AFTER": "sets itself an hour ahead, AFTER seconds into each boot, as for summer time",
    "reset@AFTER": "falls back to 1970, AFTER seconds into each boot",
}
"""Modes and what they do, as ``python -m firmware_sim modes`` prints them."""
MODES = ", ".join(CLOCKS)
YEAR_MS = 31_556_952_000
LATEST_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class DeviceClock:
    """A clock and its fault; :data:`CLOCKS` says what there is."""

    source: ClockSource = "ntp"
    drift_ppm: float = 0.0
    offset_ms: int = 0
    step_ms: int = 0
    step_after_ms: int = 0
    """Milliseconds of a boot after which ``step_ms`` is added."""
    zero_after_ms: int | None = None
    """Milliseconds of a boot after which it shows 1970; None: never."""

    @classmethod
    def parse(cls, text: str) -> DeviceClock:
        """Read a mode from the command line.

        Examples
        --------
        >>> DeviceClock.parse("drift:50").read(1_000_000, 1_000_000)
        ('rtc', 1000050)
        >>> DeviceClock.parse("step:-60@10").read(1_000_000, 10_000)
        ('rtc', 940000)
        """
        if text in ("ntp", "none", "rtc"):
            return cls(text)  # type: ignore[arg-type] # one of the three
        if text == "1970":
            return cls("rtc", zero_after_ms=0)
        head, _, after = text.partition("@")
        mode, _, size = head.partition(":")
        try:
            if mode in ("drift", "offset", "years") and not after:
                return _shifted(mode, float(size))
            if mode in ("dst", "reset") and not size:
                after_ms = _ms(after)
                return (
                    cls("rtc", zero_after_ms=after_ms) if mode == "reset" else cls("ntp", 0.0, 0, 3_600_000, after_ms)
                )
            if mode == "step":
                return cls("rtc", step_ms=_ms(size), step_after_ms=_ms(after))
        except (ValueError, OverflowError) as error:
            raise BadInput(f"clock {text!r}: {(after or size)!r} is not a number") from error
        raise BadInput(f"clock {text!r} is not known; known: {MODES}")

    def read(self, true_ms: int, up_ms: int) -> tuple[ClockSource, int | None]:
        """Tell (source, ms since 1970) for an instant ``up_ms`` after the start of the boot."""
        if self.source == "none":
            return "none", None
        shown = true_ms + round(up_ms * self.drift_ppm / 1e6)
        if self.zero_after_ms is not None and up_ms >= self.zero_after_ms:
            shown = up_ms - self.zero_after_ms
        stepped = self.step_ms if up_ms >= self.step_after_ms else 0
        return self.source, min(max(0, shown + self.offset_ms + stepped), LATEST_MS)


def _shifted(mode: str, size: float) -> DeviceClock:
    if mode == "drift":
        return DeviceClock("rtc", drift_ppm=size)
    return DeviceClock("rtc", offset_ms=round(size * (1000 if mode == "offset" else YEAR_MS)))


def _ms(text: str) -> int:
    return round(float(text) * 1000)
