"""Faults of what devices say: repetition and contradiction (row 10), backfill (11), clocks (12), nonsense (13)."""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cropcredit.telemetry.dating import Dating, date_reading
from firmware_sim.message import up_message
from tests.debian import find_tool
from tests.faults.hand import Hand
from tests.faults.line import Failed, FaultLine, wait
from tests.faults.oracle import Account, Name, quantile, read_keys
from tests.faults.stage import Stage

MEGABYTE = 1 << 20
YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)
CONTRACT = Path(__file__).parents[2] / "data" / "contracts" / "telemetry-v1"


def repeated_and_contradicted(stage: Stage) -> Account:
    """Row 10: everything twice, again marked DUP, and again with other content: the first stands, the rest is kept."""
    line = stage.started()
    line.finished(line.simulate(*stage.live, "--duplicate", "1", "--reorder", "0.2"))
    ledger = line.ledger()
    keys = read_keys(line.keys)
    forged: dict[Name, bytes] = {}
    for device in line.device_ids:
        own = sorted(name for name in ledger if name[0] == device)
        for name in stage.rng.sample(own, 5):
            forged[name] = up_message(name[1], name[2], _other_content(ledger[name].payload), key=keys[device])
        told = _say_again(line, device, [ledger[name].payload for name in own], _of(forged, device))
        if told != {seq for (_, _, seq) in _of(forged, device)}:
            raise Failed(f"{device} was not told of its conflicts: {sorted(told)}")
    wait(lambda: line.counts()["conflicts"] == len(forged), f"{len(forged)} conflicts are set aside", within_s=30)
    line.stop_ingest()
    found = line.account()
    if line.store().conflicts != set(forged.items()):
        raise Failed("what was set aside is not what contradicted")
    found.note = f"{len(forged)} contradictions injected"
    return found


def _of(forged: dict[Name, bytes], device: str) -> dict[Name, bytes]:
    return {name: payload for name, payload in forged.items() if name[0] == device}


def _other_content(payload: bytes) -> bytes:
    """Cut the content out of a signed message, with another first value."""
    content = payload[payload.index(b',"ts"') : payload.index(b',"kid"')]
    return re.sub(rb'"v":[-0-9.e]+', b'"v":1.5', content, count=1)


def _say_again(line: FaultLine, device: str, again: Sequence[bytes], forged: dict[Name, bytes]) -> set[int]:
    """Send old messages marked DUP, then the forged ones; gives the seqs of which an ack says ``conflict``."""
    topic = f"farm/v1/{device}"
    with Hand(line.device_port, device, line.passwords()[device]) as hand:
        hand.subscribe(f"{topic}/ack")
        hand.send(f"{topic}/up", again, dup=True)
        hand.send(f"{topic}/up", forged.values())
        told: set[int] = set()
        end = time.monotonic() + 20
        while len(told) < len(forged) and time.monotonic() < end:
            for message in hand.listen(0.1):
                told |= {seq for seq, reason in json.loads(message.payload)["rej"] if reason == "conflict"}
    return told


def backfill_beside_live(stage: Stage) -> Account:
    """Row 11: devices with a backlog of old readings measure on, beside others: what is live does not wait for it."""
    days, many = (30, 4) if stage.form.long else (1, 3)
    line = stage.started(audit=False)
    old = line.devices_file(line.device_ids[:many], "old")
    others = line.devices_file(line.device_ids[many:], "others")
    begun_ms = int(time.time() * 1000)
    backlog = ("--backlog", days, "--backlog-step", "60")
    runs = [line.simulate(*stage.live, *backlog, name="old", devices=old)]
    runs += [line.simulate(*stage.live, name="others", devices=others)]
    for run in runs:
        line.finished(run)
    line.stop_ingest()
    found = line.account()
    live = [one for one in line.ledger().values() if _claimed_ms(one.payload) >= begun_ms]
    found.latencies_s = sorted((one.settled_at or 0.0) - one.recorded_at for one in live)
    found.note = f"{found.sent - len(live)} old readings; latencies are of the {len(live)} live ones"
    if quantile(found.latencies_s, 0.99) > stage.form.live_p99_s:
        raise Failed(f"live readings waited {quantile(found.latencies_s, 0.99):.1f} s (p99) behind the backfill")
    return found


def _claimed_ms(payload: bytes) -> int:
    return int(json.loads(payload)["ts"])


CLOCKS = ("1970", "years:10", "dst@1", "reset@1", "step:-3600@1", "drift:50", "none")
MAD = frozenset({"1970", "years:10"})
"""Clocks that are wrong whenever they are read."""


def clocks_wrong(stage: Stage) -> Account:
    """Row 12: 1970, ten years ahead, an hour forth and back, reset, drift, none: stored as claimed, and doubted."""
    line = stage.started(devices=2 * len(CLOCKS))
    pairs = {clock: line.device_ids[2 * place : 2 * place + 2] for place, clock in enumerate(CLOCKS)}
    runs = []
    for number, (clock, own) in enumerate(pairs.items()):
        file = line.devices_file(own, f"clock{number}")
        arguments = (*stage.live, "--clock", clock, "--power-loss", "2")
        runs.append(line.simulate(*arguments, name=f"clock{number}", devices=file))
    for run in runs:
        line.finished(run)
    line.stop_ingest()
    told: dict[str, Counter[Dating]] = {clock: _dated(line, own) for clock, own in pairs.items()}
    for clock in MAD:
        if set(told[clock]) != {Dating.WRONG}:
            raise Failed(f"clock {clock}: readings are dated by {dict(told[clock])}")
    found = line.account()
    found.note = f"{sum(counted[Dating.WRONG] for counted in told.values())} readings of a wrong clock doubted"
    return found


def _dated(line: FaultLine, own: Sequence[str]) -> Counter[Dating]:
    """See how two devices' readings are dated, and that each claim is kept and judged for itself."""
    store = line.app.ingest_messages.store
    boots, readings = store.boots(own), list(store.readings(own))
    order = [(reading.device_id, reading.boot, reading.seq) for reading, _ in readings]
    if order != sorted(order):
        raise Failed(f"readings of {own[0]} do not come back by boot and seq")
    ledger, found = line.ledger(), Counter[Dating]()
    for reading, received_at in readings:
        dating = date_reading(reading, received_at, boots, not_before=YEAR_2020).dating
        claim = json.loads(ledger[reading.device_id, reading.boot, reading.seq].payload).get("ts")
        at = reading.observed_at
        if (None if at is None else round(at.timestamp() * 1000)) != claim:
            raise Failed(f"{reading.device_id} claimed {claim}, and {at} is kept")
        absurd = at is not None and not YEAR_2020 <= at <= received_at + timedelta(minutes=10)
        if absurd != (dating is Dating.WRONG) or (at is None) != (dating in (Dating.BOOT, Dating.ARRIVAL)):
            raise Failed(f"{reading.device_id}: {at}, received {received_at}, is dated by {dating}")
        found[dating] += 1
    return found


def nonsense(stage: Stage) -> Account:
    """Row 13: whatever bad firmware can emit: all of it quarantined with its reason, none stops the rest."""
    cases = _golden_refusals()
    (device,) = {case["topic"].split("/")[2] for case in cases}
    line = stage.started(others=[device])
    memory = line.memory_kb()
    odds = ("--malformed", "0.3", "--wrong-name", "0.1", "--poison", "0.2")
    devices = line.simulate(*stage.live, *odds, "--ledger")
    expected = {_bytes(case): case["reason"] for case in cases}
    with Hand(line.device_port, device, line.passwords()[device]) as hand:
        for case in cases:
            hand.send(case["topic"], [_bytes(case)] * (1 + stage.form.rounds))
    line.finished(devices)
    expected |= _large(line, device)
    line.injected = list(expected)
    by_hand = len(expected)
    wait(lambda: {p for _, p in line.store().quarantined} >= expected.keys(), "all is in quarantine", within_s=60)
    grown_mb = (line.memory_kb() - memory) / 1024
    line.stop_ingest()
    simulated = line.nonsense()
    _check_reasons(line, {sha256(payload).digest(): reason for payload, reason in expected.items()} | simulated)
    if grown_mb > 100:
        raise Failed(f"memory grew by {grown_mb:.0f} MB")
    found = line.account()
    found.note = f"{by_hand} kinds by hand, {len(simulated)} by devices; memory grew {grown_mb:.1f} MB"
    return found


def _golden_refusals() -> list[dict[str, Any]]:
    """Read the contract's invalid messages that a device can bring to this broker, signed or not."""
    cases = [json.loads(file.read_text("utf-8")) for file in sorted((CONTRACT / "invalid").glob("*.json"))]
    return [case for case in cases if case["reason"] not in ("topic", "unsigned", "unknown") and "key" not in case]


def _bytes(case: dict[str, Any]) -> bytes:
    return base64.b64decode(case["base64"]) if "base64" in case else str(case["bytes"]).encode()


def _large(line: FaultLine, device: str) -> dict[bytes, str]:
    """Send what is far too large or deep."""
    topic, found = f"farm/v1/{device}/up", {}
    for payload, reason in (
        (b'{"v":1,"m":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "size"),
        (b"[" * 4000 + b"]" * 4000, "schema"),
        (b'{"v":' + b"9" * 8000 + b"}", "schema"),
        (bytes(200_000), "size"),
        (b"\xbf" * 8000, "utf8"),  # CBOR maps without an end
    ):
        with Hand(line.device_port, device, line.passwords()[device]) as hand:
            hand.send(topic, [payload])
        found[payload] = reason
    return found | _beyond_the_broker(line, device, topic)


def _beyond_the_broker(line: FaultLine, device: str, topic: str) -> dict[bytes, str]:
    """Send 10 MB: our broker hangs up on it; through one without a limit it must reach quarantine like any other."""
    password = line.passwords()[device]
    with Hand(line.device_port, device, password) as hand:
        try:
            hand.send(topic, [bytes(10 * MEGABYTE)])
        except ConnectionError:
            pass
        else:
            raise Failed("the broker took 10 MB from a device")
    line.broker.stop()
    roomy = line.broker.directory / "roomy.conf"
    text = (line.broker.directory / "mosquitto.conf").read_text()
    roomy.write_text(re.sub(r"(?m)^(message_size_limit|max_packet_size) .*\n", "", text))
    line.run([str(find_tool("mosquitto")), "-c", str(roomy)])
    payload = b"\x01" * (10 * MEGABYTE)
    wait(lambda: _takes(line.device_port, device, password, topic, payload), "a broker takes 10 MB", within_s=20)
    return {payload: "size"}


def _takes(port: int, device: str, password: str, topic: str, payload: bytes) -> bool:
    try:
        with Hand(port, device, password) as hand:
            return hand.send(topic, [payload]) == 1
    except OSError:
        return False  # it is still coming up


_PRECEDED = {"spoof": ("spoof", "schema", "clock")}
"""Another's name on a message that is poison besides: the contract's table decides which reason comes first."""


def _check_reasons(line: FaultLine, expected: dict[bytes, str]) -> None:
    got = {sha256(payload).digest(): (reason, payload) for (_, payload), reason in line.store().quarantined.items()}
    for digest, reason in expected.items():
        found, payload = got.get(digest, ("", b""))
        if found not in _PRECEDED.get(reason, (reason,)):
            raise Failed(f"{payload[:50]!r}… was refused as {found or 'nothing'}, not {reason}")
