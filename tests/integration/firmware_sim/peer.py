"""What a simulated fleet needs around it: a real broker, and the smallest server that keeps and acknowledges."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

Facts = dict[str, Any]


def wait_for(condition: Callable[[], bool], *, within_s: float = 120.0, what: str = "condition") -> None:
    """Wait until ``condition`` holds; fail when it does not in time."""
    until = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {within_s} s")
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Mosquitto:
    """A mosquitto on a free port of this machine, without any memory of its own."""

    def __init__(self, executable: Path, folder: Path, *, extra: tuple[str, ...] = ("allow_anonymous true",)) -> None:
        self.port = free_port()
        self._executable, self._config = executable, folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "max_queued_messages 1000000"]
        if os.geteuid() == 0:  # as root mosquitto would change to a user who cannot read our files
            lines.append("user root")
        self._config.write_text("\n".join([*lines, "max_inflight_messages 1000", *extra]) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._executable, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._listens, what="mosquitto")

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Peer:
    """Keeps every message and acknowledges what it keeps, as section 3 of the contract says."""

    def __init__(
        self, port: int, *, refuse: Callable[[Facts], str] = lambda _: "", password: str = "", ca: Path | None = None
    ) -> None:
        self.kept: dict[tuple[str, int, int], bytes] = {}
        self.refused: dict[tuple[str, int, int], str] = {}
        self.unreadable: list[bytes] = []
        self.states: dict[str, list[Facts]] = defaultdict(list)
        self.arrivals: Counter[tuple[str, int, int]] = Counter()
        self.changed: list[tuple[str, int, int]] = []
        self.order: list[tuple[str, int, int]] = []
        self.deaf = threading.Event()
        self._refuse, self._lock = refuse, threading.Lock()
        self._due: set[tuple[str, int]] = set()
        self._seqs: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._upto: Counter[tuple[str, int]] = Counter()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="peer", clean_session=False)
        self.client.reconnect_delay_set(1, 1)
        self.client.username_pw_set("peer", password or None)
        if ca is not None:
            self.client.tls_set(ca_certs=str(ca))
        self.client.on_connect = lambda c, *_: c.subscribe([("farm/v1/+/up", 1), ("farm/v1/+/state", 1)])
        self.client.on_message = self._on_message
        self.client.connect_async("127.0.0.1", port, 20)
        self.client.loop_start()
        self._stop = threading.Event()
        self._acker = threading.Thread(target=self._ack_loop, daemon=True)
        self._acker.start()
        wait_for(self.client.is_connected, what="peer connects")

    def close(self) -> None:
        self._stop.set()
        self._acker.join()
        self.client.disconnect()
        self.client.loop_stop()

    def wait_for_readings(self, count: int) -> None:
        """Wait until so many different readings have arrived."""
        wait_for(lambda: len(self.kept) >= count, what=f"{count} readings")

    def command(self, device: str, **facts: int) -> None:
        self.client.publish(f"farm/v1/{device}/cmd", json.dumps({"v": 1, "version": 1} | facts), qos=1, retain=True)

    def _on_message(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        _, _, device, level = message.topic.split("/")
        if level == "state":
            self.states[device].append(json.loads(message.payload))
        elif not self.deaf.is_set():
            with self._lock:
                self._keep(device, bytes(message.payload))

    def _keep(self, device: str, payload: bytes) -> None:
        facts = _attributed(payload, device)
        if facts is None:
            self.unreadable.append(payload)
            return
        name = (device, facts["boot"], facts["seq"])
        self.arrivals[name] += 1
        self.order.append(name)
        reason = self._refuse(facts)
        if reason:
            self.refused[name] = reason
        elif self.kept.setdefault(name, payload) != payload:
            self.changed.append(name)
        self._seqs[name[:2]].add(name[2])
        self._due.add(name[:2])

    def _ack_loop(self) -> None:
        while not self._stop.wait(0.02):
            with self._lock:
                due, self._due = self._due, set()
                acks = [(device, self._ack(device, boot)) for device, boot in due]
            for device, ack in acks:
                self.client.publish(f"farm/v1/{device}/ack", json.dumps(ack), qos=0)

    def _ack(self, device: str, boot: int) -> Facts:
        seqs = self._seqs[device, boot]
        while self._upto[device, boot] + 1 in seqs:
            self._upto[device, boot] += 1
        upto = self._upto[device, boot]
        ranges: list[list[int]] = []
        for seq in sorted(s for s in seqs if s > upto) if len(seqs) > upto else ():
            if ranges and ranges[-1][1] == seq - 1:
                ranges[-1][1] = seq
            else:
                ranges.append([seq, seq])
        rejected = [[s, why] for (d, b, s), why in self.refused.items() if (d, b) == (device, boot)][-64:]
        return {"v": 1, "boot": boot, "upto": upto, "ranges": ranges[:64], "rej": rejected}


def _attributed(payload: bytes, device: str) -> Facts | None:
    """Read a message as far as its number; None when nobody can tell which one it is."""
    try:
        facts = json.loads(payload.decode("utf-8"), parse_constant=_not_json, object_pairs_hook=_once)
        json.dumps(facts, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or len(payload) > 8192 or facts.get("v") != 1 or facts.get("dev", device) != device:
        return None
    numbered = all(type(facts.get(name)) is int and 0 < facts[name] < 2**32 for name in ("boot", "seq"))
    return facts if numbered and _depth(payload) <= 8 else None


def _depth(payload: bytes) -> int:
    """Count how deep brackets nest; no string of a telemetry message holds one."""
    return max(accumulate((byte in b"{[") - (byte in b"}]") for byte in payload))


def _not_json(name: str) -> None:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> Facts:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)
