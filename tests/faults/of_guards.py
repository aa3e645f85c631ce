"""What ingest must refuse so that the others fare well: a flood (row 15), and keys that are revoked or copied (16)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

from firmware_sim.message import up_message
from tests.faults.hand import Hand
from tests.faults.line import Failed, FaultLine, wait
from tests.faults.oracle import Account
from tests.faults.stage import NONSENSE, Stage

FLOODER = "flooder"
MOST_KEPT = 200
"""Rows of quarantine that a flood may take in an hour, at most."""
_CONTENT = b',"ts":1767225600000,"clk":"rtc","up":5,"m":[{"q":"soil.moisture","v":20.5,"c":"d30"}]'


def flood(stage: Stage) -> Account:
    """Row 15: one device far above a hundredfold: its excess is refused as ``rate``, the others do not notice."""
    line = stage.started(others=[FLOODER])
    line.set_aside(FLOODER)
    devices = line.simulate(*stage.live, *NONSENSE)
    wait(line.stored, "readings flow")
    count = 100_000 if stage.form.long else 12_000
    messages = [up_message(1, seq, _CONTENT, key=None) for seq in range(1, count + 1)]
    begun = time.monotonic()
    with Hand(line.device_port, FLOODER, line.passwords()[FLOODER]) as hand:
        hand.send(f"farm/v1/{FLOODER}/up", messages, window=5000)
    sent_in = time.monotonic() - begun
    line.finished(devices)
    wait(lambda: sum(_fared(line)) >= count, "the flood is judged, message by message", within_s=120)
    line.stop_ingest()
    stored, limited = _fared(line)
    if not limited:
        raise Failed(f"all {count} messages of the flood were taken")
    others = [topic for (topic, _), reason in line.store().quarantined.items() if reason == "rate"]
    if any(f"/{FLOODER}/" not in topic for topic in others):
        raise Failed("an honest device was limited")
    if len(others) > MOST_KEPT:
        raise Failed(f"the flood filled quarantine with {len(others)} rows")
    settled = sum(last - first + 1 for first, last in line.look.settled().get((FLOODER, 1), []))
    if settled != stored:
        raise Failed(f"{settled} settled of the flood, {stored} stored: what is limited must come again")
    found = line.account()
    found.note = f"{count / sent_in:.0f}/s: {stored} stored, {limited} limited in {len(others)} rows"
    return found


def _fared(line: FaultLine) -> tuple[int, int]:
    """Count what became of the flood: (stored, refused as too much)."""
    store = line.store()
    return sum(device == FLOODER for device, _, _ in store.readings), store.arrivals["rate"]


def keys_misused(stage: Stage) -> Account:
    """Row 16: revoked while it speaks; rotated, the old key beside the new; copied, and counting from one again."""
    line = stage.started()
    revoked, rotated, cloned = line.device_ids[:3]
    with _watched(line):
        honest = line.simulate(*stage.endless, *NONSENSE, devices=line.devices_file(line.device_ids[3:], "honest"))
        _revoke(line, stage, revoked)  # while the others speak
        _rotate(line, stage, rotated)
        forks = _copy(line, stage, cloned)
        line.finished(line.enough(honest))
        line.stop_ingest()
    for device in (revoked, cloned):
        line.set_aside(device)
    found = line.account()
    found.note = f"revoked in one breath, rotated without a gap, {forks} forks of a copied key"
    return found


@contextmanager
def _watched(line: FaultLine) -> Iterator[None]:
    """Watch over the broker, as ``cropcredit broker`` does: changed passwords count there too."""
    stop = Event()
    thread = Thread(target=line.broker.serve, args=(stop,), kwargs={"every_s": 0.1})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _revoke(line: FaultLine, stage: Stage, device: str) -> None:
    """From the next batch on nothing of it is stored, and it cannot log in again."""
    file = line.devices_file([device], "revoked")
    run = line.simulate(*stage.live, "--readings", "1000", name="revoked", devices=file)
    wait(lambda: _of(line, device), "the device is heard")
    line.app.revoke_device(device)
    wait(lambda: not _enters(line, device, line.passwords()[device]), "the broker shuts it out", within_s=30)
    for _ in range(2):  # the batch in hand may have looked up its keys before
        others = line.look.readings()
        wait(lambda: line.look.readings() > others, "another batch is stored")  # noqa: B023 - waited for here
    stored = _of(line, device)
    run.terminate()
    _ended(run)
    again = line.simulate(*stage.live, "--seconds", "10", "--patience", "2", name="revoked", devices=file)
    _ended(again)
    if _of(line, device) != stored:
        raise Failed(f"{_of(line, device) - stored} readings of a revoked device were stored")


def _rotate(line: FaultLine, stage: Stage, device: str) -> None:
    """A new key beside the old one: the device loses nothing, whichever it uses, until the old one ends."""
    old = line.devices_file([device], "rotated-old")
    line.finished(line.simulate(*stage.live, "--readings", "5", name="rotated", devices=old))
    (issued,) = line.app.rotate_keys([device], grace=timedelta(hours=1))
    line.finished(line.simulate(*stage.live, "--readings", "5", name="rotated", devices=old))
    line.app.rotate_keys.finish([device])
    wait(lambda: _enters(line, device, issued.password), "the new password counts")
    new = line.home / "rotated-new.devices.csv"
    new.write_text(f"device,kid,secret,password\n{device},{issued.key_id},{issued.secret},{issued.password}\n")
    line.finished(line.simulate(*stage.live, "--readings", "5", name="rotated-new", devices=new))
    if _enters(line, device, line.passwords()[device]):
        raise Failed("the old password still opens the broker")


def _copy(line: FaultLine, stage: Stage, device: str) -> int:
    """The same identity in a second device that counts for itself: every clash is kept, and the first one stands."""
    file = line.devices_file([device], "cloned")
    interval_s, seconds = stage.form.interval_s / 4, stage.form.readings * stage.form.interval_s / 4 + 10
    fast = (*stage.live, "--interval", interval_s, "--seconds", seconds)  # which of them clash is a matter of numbers
    line.finished(line.simulate(*fast, name="cloned", devices=file))
    first = {name: payload for name, payload in line.store().readings.items() if name[0] == device}
    line.finished(line.simulate(*fast, "--ignore-cmd", name="copy", devices=file), refusals=True)
    now = {name: payload for name, payload in line.store().readings.items() if name[0] == device}
    if not first.items() <= now.items():
        raise Failed("a copied key overwrote readings")
    forks = line.app.show_conflicts([device])
    if len(forks) < stage.form.readings - 1:
        raise Failed(f"{len(forks)} forks are told, of {stage.form.readings} readings that clash")
    return len(forks)


def _of(line: FaultLine, device: str) -> int:
    return sum(name[0] == device for name in line.store().readings)


def _enters(line: FaultLine, device: str, password: str) -> bool:
    try:
        Hand(line.device_port, device, password).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return False
    return True


def _ended(run: subprocess.Popen[str]) -> None:
    wait(lambda: run.poll() is not None, "the simulator ends")
