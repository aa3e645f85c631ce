"""Forty-one live messages of a Dragino LSE01, from the network server's envelope to what the officer sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cropcredit.adapters.catalogues import load_decoders, load_quantities
from cropcredit.adapters.database.readings import DatabaseReadings
from cropcredit.model import Device
from cropcredit.telemetry import Grade
from cropcredit.usecases.decoding import Message
from cropcredit.usecases.device_tables import installation
from cropcredit.usecases.ingest import IngestMessages
from cropcredit.usecases.other_formats import ModelOf
from cropcredit.usecases.telemetry import FindGaps, SummariseSensors
from tests.fakes import FakeCredentials, FakeFacts

pytestmark = pytest.mark.real_data
CATALOGUES = Path(__file__).parents[3] / "data" / "catalogues"
QUANTITIES = load_quantities(CATALOGUES / "quantities.toml")
EUI = "a8404194a1875ff3"
STARTED = datetime(2023, 6, 20, tzinfo=UTC)
ASKED = datetime(2023, 6, 23, tzinfo=UTC)


class Then:
    at = STARTED

    def now(self) -> datetime:
        return self.at


def test_live_messages_become_a_summary_that_says_how_far_to_trust_it(real_data, make_url, opened):
    file = real_data / "telemetry" / "tts-lse01-live" / "lse01_tts_v3_uplinks.json"
    live = json.loads(file.read_text(encoding="utf-8"))
    place = installation(
        device_id=EUI, channel="*", from_at=STARTED, field_id="f", soil_moisture_kind="volumetric", known_at=STARTED
    )
    facts = FakeFacts(Device(id=EUI, model="Dragino LSE01", known_at=STARTED), place)
    store, clock = DatabaseReadings(opened(make_url("sqlite"))), Then()
    ingest = IngestMessages(
        store=store,
        credentials=FakeCredentials(a8404194a1875ff3={"k1": bytes(32)}),
        clock=clock,
        quantities=QUANTITIES,
        signed_only=False,
        decoders=load_decoders(CATALOGUES / "decoders.toml", QUANTITIES),
        model_of=ModelOf(facts),
    )
    for again in range(2):
        for message in live:
            clock.at = datetime.fromisoformat(message["received_at"]) + timedelta(hours=again)
            topic = f"v3/app@ttn/devices/{message['end_device_ids']['device_id']}/up"
            assert ingest([Message(topic, json.dumps(message).encode())]).replies == ()
    assert store.counts() == {"readings": 41, "measurements": 123, "conflicts": 0, "quarantined": 0}

    clock.at = ASKED
    look = SummariseSensors(facts=facts, readings=store, clock=clock, quantities=QUANTITIES, zone="Africa/Dakar")
    seen = look(field_id="f", days=3)
    assert {(s.quantity.name, s.last_value) for s in seen.series} == {
        ("soil.moisture", 48.0),
        ("soil.temperature", 23.59),
        ("soil.ec", 0.422),
    }
    [device] = seen.devices
    assert (device.readings, device.missing) == (41, 84)
    reasons = {reason.code: reason.grade for reason in device.evidence.reasons}
    assert reasons["broker_durable"] is Grade.B
    assert reasons["missing"] is Grade.D, "two of three frames never came, and nobody sends them again"
    assert [(gap.first, gap.last, gap.kind.value) for gap in FindGaps(readings=store)([EUI])] == [(3, 86, "lost")]
