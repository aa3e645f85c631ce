"""What a run comes to: one summary for programs, a few lines for people; what a stored reading costs in airtime."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_sim.fleet import Fleet
from firmware_sim.journal import Journal
from firmware_sim.link import Traffic

HEADER_B = 52
"""IPv4 and TCP with time stamps, of every packet."""
MONTH_S = 30 * 86_400
COUNTED = (
    "readings", "poisoned", "sent", "resent", "acked", "rejected", "duplicated", "malformed", "wrong_name",
    "wrong_topic", "acks", "states", "connects", "power_losses", "outages", "wipes", "stolen", "renumbered",
    "broken_heard", "bytes", "bytes_received",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A way through the air: usable rates, and what the modem draws while it sends and hears.

    Rates as in the 3GPP standards, at half of the peak; power as in data sheets of common modules at full power
    (23 dBm, 3.6 V). A field in a valley needs more, a device that sleeps between packets the same.
    """

    up_bit_s: float
    down_bit_s: float
    sends_w: float
    hears_w: float


BEARERS = {
    "nb-iot": Bearer(up_bit_s=31_000, down_bit_s=13_000, sends_w=0.79, hears_w=0.17),
    "lte-m": Bearer(up_bit_s=190_000, down_bit_s=150_000, sends_w=0.70, hears_w=0.19),
    "gprs": Bearer(up_bit_s=20_000, down_bit_s=40_000, sends_w=1.40, hears_w=0.30),
}


def cost(counts: Counter[str], traffic: Traffic, *, bearer: str, interval_s: int) -> dict[str, Any]:
    """Say what was carried, and what of it each reading costs that the store has acknowledged.

    Parameters
    ----------
    counts : Counter
        Of the run: ``acked``, ``acks``, ``resent``, ``bytes``.
    traffic : Traffic
        Bytes that TCP carried (TLS and MQTT included), and packets.
    bearer : str
        A name of :data:`BEARERS`.
    interval_s : int
        Seconds between readings, for the month's sum.
    """
    way = BEARERS[bearer]
    out = traffic.bytes_out + HEADER_B * traffic.packets_out
    heard = traffic.bytes_in + HEADER_B * traffic.packets_in
    said: dict[str, Any] = {"bearer": bearer, "wire_bytes_out": out, "wire_bytes_in": heard}
    said |= {"packets_out": traffic.packets_out, "packets_in": traffic.packets_in, "per_stored": None}
    stored = counts["acked"]
    if not stored or not out:
        return said
    sends_s, hears_s = 8 * out / way.up_bit_s / stored, 8 * heard / way.down_bit_s / stored
    said["per_stored"] = {
        "published_bytes": round(counts["bytes"] / stored, 1),
        "wire_bytes_out": round(out / stored, 1),
        "wire_bytes_in": round(heard / stored, 1),
        "acks": round(counts["acks"] / stored, 4),
        "resends": round(counts["resent"] / stored, 4),
        "airtime_s": round(sends_s + hears_s, 4),
        "battery_j": round(sends_s * way.sends_w + hears_s * way.hears_w, 4),
    }
    said["mb_per_device_month"] = round((out + heard) / stored * MONTH_S / interval_s / 1e6, 2)
    return said


def by_kind(counts: Counter[str], prefix: str) -> tuple[dict[str, int], dict[str, int]]:
    """Sum what was injected, by kind and by the reason that its refusal must have."""
    kinds, reasons = Counter[str](), Counter[str]()
    for name, count in counts.items():
        group, _, rest = name.partition(":")
        if group == prefix:
            kind, _, reason = rest.partition(":")
            kinds[kind] += count
            reasons[reason or "nobody hears of it"] += count
    return dict(kinds), dict(reasons)


def summary(fleet: Fleet, journal: Journal, *, seconds: float, bearer: str) -> dict[str, Any]:
    """Account for a run."""
    totals, counts = journal.totals(), fleet.counts
    broken, broken_reasons = by_kind(counts, "kind")
    poisons, poison_reasons = by_kind(counts, "poison")
    used = resource.getrusage(resource.RUSAGE_SELF)
    said: dict[str, Any] = {"complete": fleet.drained, "devices": len(fleet.nodes)}
    said |= {name: counts[name] for name in COUNTED}
    said |= {
        "lost": journal.lost,
        "outstanding": totals.outstanding,
        "seconds": round(seconds, 3),
        "all_online_s": _rounded(fleet.around.all_online_s),
        "all_online_cpu_s": _rounded(fleet.around.all_online_cpu_s),
        "ack_s": waits(fleet.around.waits),
        "cpu_s": round(used.ru_utime + used.ru_stime, 3),
        "peak_memory_mb": _peak_mb(used),
        "journal": {
            "recorded": totals.recorded, "acked": totals.acked, "rejected": totals.rejected, "lost": totals.lost,
        },
        "refused": unexpected(journal),
        "malformed_kinds": broken,
        "malformed_reasons": broken_reasons,
        "poison_kinds": poisons,
        "poison_reasons": poison_reasons,
        "cost": cost(counts, fleet.around.traffic, bearer=bearer, interval_s=fleet.plan.interval_s),
        "left": journal.left(),
    }  # fmt: skip
    return said


def waits(seconds: Iterable[float]) -> dict[str, float | None]:
    """Say how long live readings wait, from first sending to acknowledgement: half of them, 99 of 100, the longest.

    Examples
    --------
    >>> waits(range(101))
    {'p50': 50, 'p99': 99, 'max': 100}
    >>> waits([])
    {'p50': None, 'p99': None, 'max': None}
    """
    ordered = sorted(round(one, 4) for one in seconds)
    if not ordered:
        return dict.fromkeys(("p50", "p99", "max"))
    last = len(ordered) - 1
    return {"p50": ordered[round(0.5 * last)], "p99": ordered[round(0.99 * last)], "max": ordered[last]}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _peak_mb(used: resource.struct_rusage) -> float:
    """Give the most memory this program has had; ``ru_maxrss`` would count that of whoever started it, too."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        peak_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        peak_kb = used.ru_maxrss
    return round(peak_kb / 1024, 1)


def unexpected(journal: Journal) -> dict[str, int]:
    """Count by reason the refusals of what was not broken on purpose."""
    return {reason: count for (reason, injected), count in sorted(journal.refusals().items()) if not injected}


def words(said: dict[str, Any]) -> list[str]:
    """Say in a few lines what a person wants to know."""
    lines = [
        (
            f"{said['acked']} readings acknowledged by the store, {said['rejected']} refused,"
            f" {said['outstanding']} held, {said['lost']} lost on the device; {said['resent']} sent again"
        ),
    ]
    each, month = said["cost"]["per_stored"], said["cost"].get("mb_per_device_month")
    if each:
        lines.append(
            f"each stored reading cost {each['wire_bytes_out']:.0f} bytes out and {each['wire_bytes_in']:.0f} in,"
            f" {each['acks']:.2f} acknowledgements, {each['airtime_s']:.2f} s of {said['cost']['bearer']},"
            f" {each['battery_j']:.2f} J; {month} MB a month for one device"
        )
    return lines
