"""What ``cropcredit doctor`` looks at: the things that spoil data quietly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from cropcredit.adapters import line_health
from cropcredit.adapters.certificates import CertificateAuthority
from cropcredit.adapters.findings import Finding

GIGABYTE = 1_000_000_000
LOW_DISK_GB = 2
CJK_FONTS = ("NotoSansCJK", "NotoSerifCJK", "wqy", "SourceHanSans", "DroidSansFallback", "PingFang", "simsun", "msyh")
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def examine(
    home: Path,
    *,
    database: str,
    broker: tuple[str, int],
    holder: Callable[[], str],
    now: datetime,
    released_on: datetime,
) -> list[Finding]:
    """Look at clock, disk and fonts of this machine, and along the line from the devices to the store.

    Parameters
    ----------
    home : Path
        Folder of the workspace.
    database : str
        Where the records and readings are, without a password.
    broker : tuple of str and int
        Host and port at which devices and ingest meet.
    holder : callable
        Says who holds the lease of ingest; empty: nobody.
    now : datetime
        What the clock says.
    released_on : datetime
        An instant that has certainly passed: a clock before it is wrong.
    """
    return [
        _clock(now, released_on, home),
        _disk(home),
        Finding(name="database", ok=True, found=database, cure=""),  # whoever asks has opened it
        line_health.look_at_broker(home, *broker),
        line_health.look_at_ingest(home, holder),
        line_health.look_at_certificates(CertificateAuthority(home / "broker" / "tls"), now),
        line_health.look_at_secrets(home),
        _fonts(),
    ]


def _clock(now: datetime, released_on: datetime, home: Path) -> Finding:
    newest = max((datetime.fromtimestamp(p.stat().st_mtime, UTC) for p in home.glob("*")), default=released_on)
    behind = max(newest, released_on) - now
    ok = behind.total_seconds() < 1
    return Finding(
        name="clock",
        ok=ok,
        found=now.isoformat(timespec="seconds") + ("" if ok else f", behind this workspace's files by {behind}"),
        cure="" if ok else "set the clock before importing anything: known_at comes from it",
    )


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free / GIGABYTE
    ok = free >= LOW_DISK_GB
    return Finding(
        name="disk", ok=ok, found=f"{free:.1f} GB free", cure="" if ok else "make room: a full disk stops ingest"
    )


def _fonts() -> Finding:
    names = _font_files()
    found = next((name for name in names if any(font.lower() in name.lower() for font in CJK_FONTS)), "")
    return Finding(
        name="fonts",
        ok=bool(found),
        found=found or "no Chinese font",
        cure="" if found else "apt install fonts-noto-cjk",
    )


def _font_files() -> Iterable[str]:
    for folder in FONT_FOLDERS:
        yield from (path.name for path in Path(folder).expanduser().rglob("*.[to]t[fc]"))
