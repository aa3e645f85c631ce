"""What ``cropcredit doctor`` looks at along the line from the devices to the store."""

from __future__ import annotations

import json
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cropcredit.adapters.broker import mosquitto_path, read_record
from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.adapters.findings import Finding
from cropcredit.errors import CropcreditError

PATIENCE_S = 2.0
CERTIFICATES_WARN = timedelta(days=60)
"""Long enough to visit the devices."""
SECRETS = ("cropcredit.db", "cropcredit.toml", "identity.key", "broker")
"""Files of a workspace that hold secrets: keys of devices, the database's password, passwords of the broker."""


def look_at_broker(home: Path, host: str, port: int) -> Finding:
    """Say whether the broker answers, and whether it tells who speaks."""
    program = "mosquitto" if mosquitto_path() else "iotcore (wheel)"
    try:
        with socket.create_connection((host, port), timeout=1):
            pass
    except OSError:
        cure = f"start it: cropcredit broker (will use {program})"
        return Finding(name="broker", ok=False, found=f"no answer at {host}:{port}", cure=cure)
    record = read_record(home / "broker")
    if not record:
        kind = "not started from this workspace: only signed messages count"
    elif record.get("acl"):
        kind = f"{record.get('kind')}: user names are tied to topics"
    else:
        kind = f"{record.get('kind')}: no access lists, so only signed messages count"
    door = record.get("door")
    if isinstance(door, dict):
        kind += f"; encrypted ({door.get('tls')}) at {door.get('host')}:{door.get('port')}"
    return Finding(name="broker", ok=True, found=f"answers at {host}:{port}, {kind}")


def look_at_ingest(home: Path, holder: Callable[[], str]) -> Finding:
    """Say who ingests, and how it fares."""
    try:
        who = holder()
    except CropcreditError as error:
        return Finding(name="ingest", ok=False, found=str(error), cure="look after the database")
    if not who:
        return Finding(name="ingest", ok=False, found="nobody ingests", cure="start it: cropcredit ingest")
    problems = _problems(home)
    return Finding(
        name="ingest",
        ok=not problems,
        found=f"{who}: " + ("; ".join(problems) if problems else "well"),
        cure="look at its log" if problems else "",
    )


def look_at_certificates(authority: CertificateAuthority, now: datetime) -> Finding:
    """Say which certificates end soon."""
    if not authority.made:
        return Finding(name="certificates", ok=True, found="none: devices log in with passwords")
    ends = authority.ends()
    soon = [(until, name) for until, name in ends if until < now + CERTIFICATES_WARN]
    first = f"the first ends on {ends[0][0].date()} ({ends[0][1]})"
    if not soon:
        return Finding(name="certificates", ok=True, found=f"{len(ends)}, {first}")
    cure = "devices rotate DEVICE --certificates DIR; the broker renews its own when it starts"
    return Finding(name="certificates", ok=False, found=f"{len(soon)} of {len(ends)} end soon, {first}", cure=cure)


def look_at_secrets(home: Path) -> Finding:
    """Say which secrets other users of this machine could read."""
    if not home.stat().st_mode & stat.S_IXOTH:
        return Finding(name="secrets", ok=True, found="the workspace is closed to other users")
    open_ = [name for name in SECRETS if (home / name).exists() and (home / name).stat().st_mode & 0o007]
    return Finding(
        name="secrets",
        ok=not open_,
        found=f"others may read {', '.join(open_)}" if open_ else "for their owner alone",
        cure=f"chmod o-rwx {home}" if open_ else "",
    )


def _problems(home: Path) -> list[str]:
    """Ask the ingest that runs; one that tells its health nowhere has none that we know of."""
    try:
        url = json.loads((home / "ingest.json").read_text())["http"] + "/healthz"
        if not url.startswith("http://"):
            return ["tells its health at a strange place"]
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - checked above
            return list(json.load(answer)["problems"])
    except urllib.error.HTTPError as error:
        with error:
            return list(json.load(error)["problems"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError) as error:
        return [f"does not tell its health: {error}"]
