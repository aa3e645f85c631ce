"""What becomes of other formats in a batch, with the store in memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.model import Device, Rejection, Source
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.ingest import Ingested, IngestMessages
from cropcredit.usecases.other_formats import ModelOf
from tests.fakes import FakeCredentials, FakeFacts, FakeReadings

DATA = Path(__file__).parents[3] / "data"
QUANTITIES = load_quantities(DATA / "catalogues" / "quantities.toml")
DECODERS = load_decoders(DATA / "catalogues" / "decoders.toml", QUANTITIES)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EUI = "70b3d57ed0001234"
SECRET = {"k1": bytes(32)}


class MovingClock:
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class RememberingStore(FakeReadings):
    """Remembers what was refused, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.refused_so_far: list[Rejection] = []

    def add(self, readings, rejections, **more):
        self.refused_so_far += rejections
        return super().add(readings, rejections, **more)


class Desk:
    """An ingest that knows a LoRaWAN device and a mast, and has revoked another."""

    def __init__(self, *, signed_only: bool = False, model: str = "Dragino LSE01") -> None:
        self.store = RememberingStore()
        known: dict[str, Any] = {EUI: SECRET, "mast-3": SECRET, "70b3d57ed0001235": SECRET}
        credentials = FakeCredentials(**known)
        credentials.revoke("70b3d57ed0001235", at=NOON)
        self.model = model
        self.ingest = IngestMessages(
            store=self.store,
            credentials=credentials,
            clock=MovingClock(),
            quantities=QUANTITIES,
            signed_only=signed_only,
            decoders=DECODERS,
            model_of=lambda device_id: self.model if device_id == EUI else "",
        )

    def __call__(self, *messages: Message) -> Ingested:
        return self.ingest(messages)

    def kept(self) -> list[tuple[str, int, int, Source]]:
        return [(r.device_id, r.boot, r.seq, r.source) for r, _ in self.store.readings([EUI, "mast-3"])]

    def refused(self) -> list[tuple[str, str, int | None]]:
        return [(r.reason, r.device_id, r.seq) for r in self.store.refused_so_far]


def golden(name: str, **changed: str) -> Message:
    case = json.loads((DATA / "contracts" / "network-servers" / f"{name}.json").read_text(encoding="utf-8"))
    payload = bytes.fromhex(case["hex"]) if "hex" in case else case["bytes"].encode()
    for before, after in changed.items():
        payload = payload.replace(before.encode(), after.encode())
    return Message(case["topic"], payload)


def test_readings_of_every_door_lie_side_by_side_and_nobody_is_acknowledged():
    desk = Desk()
    done = desk(golden("valid/things-stack-decoded"), golden("valid/senml-pack"))
    desk.model = "Decentlab DL-TRS12"
    done = desk(golden("valid/chirpstack"))
    assert done.replies == (), "a network server does not listen, and SenML knows no acknowledgement"
    sources = [source for *_, source in desk.kept()]
    assert sources == [Source.CHIRPSTACK, Source.THINGS_STACK] + [Source.SENML] * 6
    assert desk.refused() == []


@pytest.mark.parametrize("name", ["things-stack-decoded", "senml-pack", "senml-pack-cbor", "senml-without-a-clock"])
def test_a_redelivered_message_changes_nothing(name):
    desk = Desk()
    first = desk(golden(f"valid/{name}"))
    before = desk.kept()
    again = desk(golden(f"valid/{name}"), golden(f"valid/{name}"))
    assert again.readings == 2 * first.readings
    assert desk.kept() == before
    assert desk.store.counts()["conflicts"] == 0


def test_where_the_broker_does_not_tell_who_speaks_nothing_of_this_counts():
    desk = Desk(signed_only=True)
    done = desk(golden("valid/things-stack-decoded"), golden("valid/chirpstack"), golden("valid/senml-pack"))
    assert dict(done.refused) == {"unsigned": 3}
    assert desk.kept() == []


def test_a_device_that_is_unknown_or_revoked_is_refused_whoever_passes_its_words_on():
    desk = Desk()
    unknown = golden("valid/things-stack-decoded", **{"70B3D57ED0001234": "70B3D57ED0009999"})
    revoked = golden("valid/things-stack-decoded", **{"70B3D57ED0001234": "70B3D57ED0001235"})
    stranger = Message("farm/v1/mast-4/senml", b"[]")
    desk(unknown, revoked, stranger)
    assert sorted(desk.refused()) == [
        ("revoked", "70b3d57ed0001235", None),
        ("unknown", "70b3d57ed0009999", None),
        ("unknown", "mast-4", None),
    ]


def test_a_refused_frame_has_arrived_and_is_no_gap():
    desk = Desk()
    dry = golden("valid/things-stack-decoded", **{"23.10": "123.1", '"f_cnt":41': '"f_cnt":42'})
    done = desk(golden("valid/things-stack-decoded"), dry)
    assert desk.refused() == [("range", EUI, 43)]
    assert list(desk.store.spans([EUI]).values()) == [[(42, 43)]]
    assert done.replies == ()


def test_after_its_profile_is_written_a_quarantined_frame_can_be_sent_again():
    desk = Desk(model="Acme X1")
    desk(golden("valid/things-stack-decoded"))
    [(reason, _, _)] = desk.refused()
    assert reason == "decoder"
    desk.model = "Dragino LSE01"
    desk(golden("valid/things-stack-decoded"))
    assert [source for *_, source in desk.kept()] == [Source.THINGS_STACK]


def test_nonsense_on_their_topics_stops_nobody():
    desk = Desk()
    done = desk(
        Message(f"application/1/device/{EUI}/event/up", b"\xff"),
        Message("v3/a@b/devices/x/up", b"[" * 60000),
        Message("farm/v1/mast-3/senml-cbor", b""),
        Message("v3/a@b/devices/x/join", b"{}"),
        golden("valid/senml-pack"),
    )
    assert dict(done.refused) == {"utf8": 1, "json": 1, "cbor": 1, "topic": 1}
    assert done.readings == 6


def test_a_device_is_read_by_the_model_it_is_registered_with():
    facts = FakeFacts(Device(id=EUI, model="Dragino LSE01", known_at=NOON))
    assert (ModelOf(facts)(EUI), ModelOf(facts)("nobody")) == ("Dragino LSE01", "")
