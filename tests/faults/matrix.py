"""The rows of the fault matrix, how they are played, and the table they make."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.report import Row
from tests.faults import of_brokers, of_guards, of_messages, of_networks, of_stores, of_time
from tests.faults.line import Failed
from tests.faults.oracle import Account, quantile
from tests.faults.stage import Fault, Form, Skipped, Stage

FAULTS: tuple[Fault, ...] = (
    Fault(number=1, name="broker killed", how="SIGKILL mid-stream", run=of_brokers.broker_killed),
    Fault(number=2, name="broker killed, ingest down", how="SIGKILL both", run=of_brokers.both_killed),
    Fault(number=3, name="broker restarted", how="sessions kept; deleted", run=of_brokers.broker_restarted),
    Fault(number=4, name="ingest killed", how="at 5 points of a batch", run=of_brokers.ingest_killed),
    Fault(number=5, name="ingest stopped", how="SIGSTOP past keepalive", run=of_brokers.ingest_stopped),
    Fault(number=6, name="two ingests", how="same identity", run=of_brokers.two_ingests),
    Fault(number=7, name="disk full", how="8 MB, then 64", run=of_stores.disk_full),
    Fault(number=8, name="database away", how="locked; PG restarted, killed", run=of_stores.database_locked_or_gone),
    Fault(number=9, name="power lost", how="copies at random instants", run=of_stores.power_lost),
    Fault(
        number=10,
        name="repeated, contradicted",
        how="all twice, DUP, other content",
        run=of_messages.repeated_and_contradicted,
    ),
    Fault(
        number=11,
        name="backfill beside live",
        how="a day of minutes (long: 30)",
        run=of_messages.backfill_beside_live,
    ),
    Fault(number=12, name="clocks wrong", how="1970, +10 y, jumps, drift, none", run=of_messages.clocks_wrong),
    Fault(number=13, name="nonsense", how="every kind, large, deep", run=of_messages.nonsense),
    Fault(number=14, name="network bad", how="RST, half-open, 1 B/s, parted", run=of_networks.network_bad),
    Fault(number=15, name="flood", how="one device beyond 100x", run=of_guards.flood),
    Fault(number=16, name="keys misused", how="revoked, rotated, copied", run=of_guards.keys_misused),
    Fault(number=17, name="soak", how="ordinary work, memory and files", run=of_time.soak),
    Fault(number=18, name="upgrade", how="schema 0002; quarantine replayed", run=of_time.upgraded),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a row."""

    fault: Fault
    account: Account
    seconds: float
    trouble: str = ""
    skipped: str = ""

    @property
    def failed(self) -> bool:
        """Say whether the row was staged and not survived."""
        return not self.skipped and bool(self.trouble or self.account.wrong)

    @property
    def verdict(self) -> str:
        """Word the outcome."""
        if self.skipped:
            return f"skipped: {self.skipped}"
        return f"FAILED: {self.trouble or self.account.wrong}" if self.failed else "ok"


def play(faults: Sequence[Fault], form: Form, *, seed: int, at_once: int, tell: Callable[[str], None]) -> list[Result]:
    """Play rows, several at the same time: each has a workspace, a broker and devices of its own."""
    room = Path(tempfile.mkdtemp(prefix="faults-"))
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [pool.submit(_play, fault, form, room, seed, tell) for fault in faults]
        results = [future.result() for future in waiting]
    if any(result.failed for result in results):
        tell(f"workspaces and logs of the rows that failed: {room}")
    else:
        room.rmdir()
    return results


def _play(fault: Fault, form: Form, room: Path, seed: int, tell: Callable[[str], None]) -> Result:
    folder = room / f"row{fault.number:02d}"
    folder.mkdir()
    stage = Stage(form=form, room=folder, rng=random.Random(f"{seed}/{fault.number}"))
    begun, account, trouble, skipped = time.monotonic(), Account(), "", ""
    try:
        account = fault.run(stage)
    except Skipped as reason:
        skipped = str(reason)
    except Failed as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 - a row that breaks is a row that failed; the others go on
        trouble = f"{type(error).__name__}: {error}"
    finally:
        stage.close()
    result = Result(
        fault=fault, account=account, seconds=time.monotonic() - begun, trouble=trouble, skipped=skipped
    )  # fmt: skip
    if not result.failed:
        shutil.rmtree(folder)
    tell(f"row {fault.number:2} {fault.name}: {result.verdict} ({result.seconds:.0f} s)")
    return result


_COLUMNS = (
    "#", "fault", "how", "sent", "stored", "lost", "doubled", "corrupt", "conflicts", "quarantined/injected",
    "redelivered", "outbox", "p50 s", "p99 s", "s", "verdict",
)  # fmt: skip


def table(results: Sequence[Result]) -> str:
    """Lay the results out as a table."""
    rows = [_COLUMNS, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _cells(result: Result) -> tuple[str, ...]:
    a = result.account
    counts = (a.sent, a.stored, a.lost, a.doubled, a.corrupted, a.conflicts)
    return (
        str(result.fault.number), result.fault.name, result.fault.how, *map(str, counts),
        f"{a.quarantined}/{a.injected}", str(a.redelivered), str(a.outbox),
        f"{quantile(a.latencies_s, 0.5):.2f}", f"{quantile(a.latencies_s, 0.99):.2f}", f"{result.seconds:.0f}",
        result.verdict + (f" ({a.note})" if a.note else ""),
    )  # fmt: skip


def row_of(result: Result, form: Form) -> Row:
    """Give a row as every benchmark hands it in: what went wrong, counted."""
    a, fault = result.account, result.fault
    return Row(
        bar=f"{fault.number} {fault.name}: lost, doubled, corrupted, invented or misjudged",
        value=a.lost + a.doubled + a.corrupted + a.invented + a.misjudged,
        unit="readings",
        target="0",
        ok=not result.failed,
        peer=f"{result.verdict}; sent {a.sent}, stored {a.stored}, quarantined {a.quarantined} of {a.injected}, "
        f"redelivered {a.redelivered}, p99 {quantile(a.latencies_s, 0.99):.2f} s",
        command=f"make faults ARGS='{'--long ' * form.long}--only {fault.number}'",
    )
