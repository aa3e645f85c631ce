"""telemetry quarantine, replay and conflicts: what was refused, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cropcredit.cli.common import (
    HERE,
    Home,
    Json,
    counted,
    open_app,
    out,
    progress,
    registered,
    show_json,
    show_table,
    since_instant,
)
from cropcredit.model import Quarantined, Reading

EXCERPT = 60

Reason = Annotated[str, typer.Option(help="Only what was refused for this reason when it was tried last.")]
OneDevice = Annotated[str, typer.Option("--device", help="Only messages of this device.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Only what arrived since this date or instant."),
]


def quarantine(
    *,
    reason: Reason = "",
    device: OneDevice = "",
    since: Since = None,
    passed_too: Annotated[bool, typer.Option("--all", help="Also what passed when it was replayed.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, latest first.")] = 100,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show refused messages with their reason; their bytes are kept."""
    opened = open_app(home)
    found = opened.show_quarantine(
        reason=reason,
        device_id=device,
        since=since_instant(opened, since),
        passed_too=passed_too,
        limit=limit,
    )
    if as_json:
        show_json([_plain(entry) for entry in found.messages])
        return
    columns = ("last arrived", "times", "device", "reason", "detail", "topic", "begins with")
    show_table("Quarantine", columns, [_row(entry) for entry in found.messages], right=("times",))
    out.print(_by_reason(found.by_reason) or "empty", markup=False)
    if found.by_reason:
        out.print("when what was wrong is put right: cropcredit telemetry replay --dry-run", markup=False)


def replay(
    *,
    reason: Reason = "",
    device: OneDevice = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Store nothing: only say what would pass.")] = False,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Try refused messages again, after a device was registered, a catalogue or a profile completed, a defect mended.

    What passes is a reading from now on: computations for an earlier instant never see it. What does not stays, with
    the reason that holds now. A message whose sender was not certain passes only with a valid signature, and what was
    refused as too much (rate) is tried only with --reason rate: the device still holds it and sends it again.
    """
    done = open_app(home).replay_quarantine(reason=reason, device_id=device, dry_run=dry_run, progress=progress)
    if as_json:
        show_json({"dry_run": dry_run, "passed": done.passed, "refused": done.refused, "states": done.states})
        return
    verb, devices = "would pass" if dry_run else "passed", counted(len(done.devices), "device")
    out.print(f"{done.passed} {verb}, of {devices}; still refused: {_by_reason(done.refused) or '0'}")
    if done.states:
        out.print(f"not replayed: {counted(done.states, 'state')}; a device tells its state anew every ten minutes")
    if done.refused:
        out.print("why: cropcredit telemetry quarantine --reason REASON", markup=False)


def conflicts(
    device: Annotated[list[str] | None, typer.Argument(help="Devices; default: all.")] = None,
    *,
    since: Since = None,
    as_json: Json = False,
    home: Home = HERE,
) -> None:
    """Show messages that contradict a stored reading: a cloned key, or firmware that uses a number twice."""
    opened = open_app(home)
    found = opened.show_conflicts(registered(opened, device), since=since_instant(opened, since))
    if as_json:
        show_json(
            [
                {
                    "device": c.said.device_id,
                    "boot": c.said.boot,
                    "seq": c.said.seq,
                    "received_at": c.received_at,
                    "stands": _measured(c.stands),
                    "said": _measured(c.said),
                    "payload": _text(c.payload),
                }
                for c in found
            ]
        )
        return
    rows = [
        (
            c.said.device_id,
            c.said.boot,
            c.said.seq,
            c.received_at.isoformat(timespec="seconds"),
            _worded(c.stands),
            _worded(c.said),
        )
        for c in found
    ]
    show_table("Conflicts", ("device", "boot", "seq", "arrived", "stands", "was said against it"), rows)
    devices = {c.said.device_id for c in found}
    out.print(f"{counted(len(found), 'conflict')} of {counted(len(devices), 'device')}", markup=False)
    if found:
        out.print(
            "the first reading stands; if two devices share a key: cropcredit devices rotate DEVICE", markup=False
        )


def _row(entry: Quarantined) -> tuple[Any, ...]:
    refused = entry.rejection
    reason = f"{refused.reason}, then {entry.outcome}" if entry.outcome else refused.reason
    return (
        entry.last_at.isoformat(timespec="seconds"),
        entry.times,
        refused.device_id,
        reason,
        refused.detail,
        refused.topic,
        _text(refused.payload[:EXCERPT]),
    )


def _plain(entry: Quarantined) -> dict[str, Any]:
    refused = entry.rejection
    return {
        "number": entry.number,
        "first_at": entry.first_at,
        "last_at": entry.last_at,
        "times": entry.times,
        "device_id": refused.device_id,
        "boot": refused.boot,
        "seq": refused.seq,
        "topic": refused.topic,
        "reason": refused.reason,
        "detail": refused.detail,
        "replayed_at": entry.replayed_at,
        "outcome": entry.outcome,
        "payload": _text(refused.payload),
    }


def _measured(reading: Reading) -> list[dict[str, Any]]:
    return [{"quantity": m.quantity, "value": m.value, "channel": m.channel} for m in reading.measurements]


def _worded(reading: Reading) -> str:
    return (
        ", ".join(f"{m.quantity} {m.channel} {m.value:g}".replace("  ", " ") for m in reading.measurements) or "empty"
    )


def _by_reason(by_reason: Any) -> str:
    ranked = sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason}" for reason, count in ranked)


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace")
