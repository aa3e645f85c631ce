"""Network servers and SenML over a real mosquitto: who may say it, that it is stored once, that nobody answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters.broker import Kind
from cropcredit.adapters.mqtt import Subscriber
from cropcredit.bootstrap import build
from cropcredit.model import Device, Source
from tests.integration.telemetry.line import Line, until

GOLDEN = Path(__file__).parents[3] / "data" / "contracts" / "network-servers" / "valid"
EUI = "70b3d57ed0001234"
GONE = b'{"online":false}'


class Talker:
    """A client that listens to what the server tells a device of its name."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self.heard: list[str] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=username)
        self._client.username_pw_set(username, password)
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        ready = threading.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(f"farm/v1/{username}/#", 1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(10)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@dataclass
class Farm:
    """A line on mosquitto with a LoRaWAN probe, its network server, and a mast that speaks SenML."""

    line: Line
    passwords: dict[str, str]
    talkers: list[Talker] = field(default_factory=list)

    def come(self, name: str) -> Talker:
        self.talkers.append(Talker(self.line.broker.port, name, self.passwords[name]))
        return self.talkers[-1]

    def kept(self) -> list[Source]:
        return sorted(r.source for r, _ in self.line.app.ingest_messages.store.readings([EUI, "mast-3"]))

    def counted(self, what: str) -> int:
        return self.line.app.ingest_messages.store.counts()[what]


@pytest.fixture
def farm(make_line: Callable[[Kind], Line], debian_tool: Callable[[str], Path]) -> Iterator[Farm]:
    debian_tool("mosquitto")
    line = make_line("mosquitto")
    now = line.app.clock.now()
    devices = [Device(id=EUI, model="Dragino LSE01", known_at=now), Device(id="mast-3", known_at=now)]
    passwords = {key.device_id: key.password for key in line.app.add_devices(devices)}
    passwords["lora"] = line.app.let_bridge_in("lora").password
    line.broker.start()
    farm = Farm(line, passwords)
    yield farm
    for talker in farm.talkers:
        talker.close()


def golden(name: str) -> tuple[str, bytes]:
    case = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return case["topic"], bytes.fromhex(case["hex"]) if "hex" in case else case["bytes"].encode()


def _has_heard(subscriber: Subscriber, states: int) -> bool:
    return subscriber.health.states == states


def test_a_message_of_each_format_is_stored_once_and_answered_by_nobody(farm):
    server, mast, probe = farm.come("lora"), farm.come("mast-3"), farm.come(EUI)
    topic, event = golden("chirpstack")
    with farm.line.ingesting() as subscriber:
        for round_ in (1, 2):
            server.say(*golden("things-stack-decoded"))
            server.say(topic, event.replace(b'"object":{', b'"object":{"water_SOIL":28.15,'))
            mast.say(*golden("senml-pack"))
            mast.say(*golden("senml-pack-cbor"))
            mast.say("farm/v1/mast-3/state", GONE)
            until(partial(_has_heard, subscriber, round_))
            assert farm.kept() == sorted([Source.CHIRPSTACK, Source.THINGS_STACK] + [Source.SENML] * 6)
    assert (farm.counted("conflicts"), farm.counted("quarantined")) == (0, 0)
    assert mast.heard + probe.heard == [], "what is not counted is not acknowledged"


def test_a_device_cannot_speak_for_a_network_server_nor_the_server_for_a_device(farm):
    server, mast = farm.come("lora"), farm.come("mast-3")
    with farm.line.ingesting() as subscriber:
        mast.say(*golden("things-stack-decoded"))
        mast.say(*golden("chirpstack"))
        mast.say("farm/v1/mast-4/senml", golden("senml-pack")[1])
        server.say(*golden("senml-pack"))
        server.say("farm/v1/mast-3/up", b"{}")
        server.say("farm/v1/mast-3/state", GONE)
        server.say(*golden("things-stack-decoded"))
        until(lambda: subscriber.health.readings == 1)
    assert farm.kept() == [Source.THINGS_STACK]
    assert (farm.counted("quarantined"), subscriber.health.states) == (0, 0), "the broker let nothing of it through"


def test_a_network_server_whose_login_is_taken_away_says_nothing_more(farm):
    server = farm.come("lora")
    with farm.line.ingesting() as subscriber:
        server.say(*golden("things-stack-decoded"))
        until(lambda: subscriber.health.readings == 1)
        farm.line.app.let_bridge_in.end("lora")
        farm.line.broker.reload()
        until(lambda: not server._client.is_connected())
    assert farm.kept() == [Source.THINGS_STACK]


def test_a_workspace_describes_models_of_its_own_and_they_come_before_those_that_ship(tmp_path):
    own = """
    [[decoder]]
    model = "Dragino LSE01"
    [[decoder.field]]
    name = "water"
    quantity = "soil.moisture"
    unit = "%"
    channel = "d10"
    """
    line = Line(tmp_path / "lender", kind="iotcore")
    assert {field.name for field in line.app.ingest_messages.decoders["dragino-lse01"].fields} > {"water_SOIL"}
    (line.home / "decoders.toml").write_text(own)
    decoders = build(line.settings).ingest_messages.decoders
    assert {field.name for field in decoders["dragino-lse01"].fields} == {"water"}
    assert "dragino-lht65" in decoders
