"""What is cut from the stream in large pieces is what paho reads from it packet by packet."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import paho.mqtt.client as paho
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion

from cropcredit.adapters import mqtt
from cropcredit.adapters.mqtt_packets import cut_publishes, puback_packets, publish_packet
from cropcredit.usecases.ingest import Ingested

Heard = list[tuple[int, str, bytes, bool]]
CONNACK, PINGRESP, SUBACK = b"\x20\x02\x00\x00", b"\xd0\x00", b"\x90\x03\x00\x01\x01"


def packet(head: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    length.append(rest)
    return bytes((head,)) + length + body


def publish(topic: bytes, payload: bytes, mid: int, *, dup: bool = False, retain: bool = False) -> bytes:
    """PUBLISH at QoS 1; at QoS 0 when ``mid`` is 0."""
    head = 0x30 | (0x02 if mid else 0) | (0x08 if dup and mid else 0) | retain
    return packet(head, len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if mid else b"") + payload)


TOPICS = st.sampled_from([b"farm/v1/a/up", b"x", b"farm/\xff", "farm/é".encode()])
PUBLISHES = st.builds(
    publish,
    TOPICS,
    st.binary(max_size=20) | st.integers(100, 20_000).map(bytes),
    st.integers(0, 65535),
    dup=st.booleans(),
    retain=st.booleans(),
)
STREAMS = st.lists(PUBLISHES | st.sampled_from([PINGRESP, SUBACK]), max_size=12).map(b"".join)
CUTS = st.lists(st.floats(0, 1), max_size=6)


@contextmanager
def wired(client: paho.Client) -> Iterator[socket.socket]:
    """Connect a client to this test, which then is its broker; gives the broker's end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client.connect("127.0.0.1", listener.getsockname()[1], keepalive=600)
        broker, _ = listener.accept()
    with broker:
        broker.sendall(CONNACK)
        yield broker
        client.disconnect()


def pieces(stream: bytes, cuts: Sequence[float]) -> list[bytes]:
    at = [0, *sorted(round(cut * len(stream)) for cut in cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(at) if begin < end]


def heard_by_paho(parts: Sequence[bytes]) -> Heard:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="p", clean_session=False, manual_ack=True)
    heard: Heard = []
    client.on_message = lambda _client, _data, m: heard.append(
        (m.mid, m._topic.decode("utf-8", "backslashreplace"), bytes(m.payload), m.retain)
    )
    with wired(client) as broker:
        played(broker, parts, client.loop_read, heard)
    return heard[:-1]


def heard_by_ingest(parts: Sequence[bytes]) -> Heard:
    subscriber = mqtt.Subscriber(
        host="", port=0, username="x", password="x", topics=("t",), handle=lambda _messages: NOTHING
    )
    with wired(subscriber._client) as broker:
        played(broker, parts, subscriber._exchange, subscriber._pending)
    heard = [one.message for one in subscriber._pending]
    assert {one.epoch for one in subscriber._pending} == {1}
    return [(one.mid, m.topic, m.payload, m.retained) for one, m in zip(subscriber._pending, heard, strict=True)][:-1]


def played(broker: socket.socket, parts: Sequence[bytes], read: Callable[[], object], heard: Sequence[object]) -> None:
    """Send piece after piece and let the client read, until it has heard the last message, which is ours."""
    for part in parts:
        broker.sendall(part)
        read()
    before, end = len(heard), time.monotonic() + 5
    broker.sendall(publish(b"end", b"", 1))
    while not heard or len(heard) == before or "end" not in str(heard[-1]):
        assert time.monotonic() < end, "waited in vain"
        read()


NOTHING = Ingested(readings=0, states=0, refused={}, replies=())


@given(STREAMS, CUTS)
def test_ingest_hears_what_paho_hears_however_the_stream_is_cut(stream: bytes, cuts: list[float]):
    parts = pieces(stream, cuts)
    assert heard_by_ingest(parts) == heard_by_paho(parts)


def test_a_payload_that_looks_like_packets_is_not_cut_where_its_own_packet_was():
    inner = publish(b"inner", b"", 5)
    outer = publish(b"outer", 2 * inner, 7)
    parts = [outer[: -len(inner)], outer[-len(inner) :]]
    assert heard_by_ingest(parts) == heard_by_paho(parts) == [(7, "outer", 2 * inner, False)]


@given(st.binary(max_size=40) | STREAMS, st.integers(0, 8), st.integers(0, 3))
def test_cutting_any_bytes_in_two_steps_gives_what_one_step_gives(stream: bytes, at: int, most: int):
    whole, end = cut_publishes(stream, at, most=100, epoch=5)
    first, between = cut_publishes(stream, at, most=most, epoch=5)
    second, last = cut_publishes(stream, between, most=100, epoch=5)
    assert len(first) <= most
    assert (first + second, last) == (whole, end)
    assert end == at if not whole else at < end <= len(stream)


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x30", id="no length"),
        pytest.param(b"\x30\x80\x80\x80\x80\x01", id="a length of five bytes"),
        pytest.param(b"\x30\x02\x00\x00", id="no topic"),
        pytest.param(b"\x30\x04\x00\x09ab", id="a topic longer than its packet"),
        pytest.param(b"\x32\x04\x00\x01a\x00", id="half a packet id"),
        pytest.param(b"\x34\x06\x00\x01a\x00\x07x", id="QoS 2"),
        pytest.param(b"\x36\x06\x00\x01a\x00\x07x", id="QoS 3"),
        pytest.param(publish(b"a", b"x", 7)[:-1], id="the last byte is not there yet"),
        pytest.param(publish(b"a", bytes(300), 7)[:2], id="half a length"),
        pytest.param(PINGRESP, id="another kind"),
    ],
)
def test_what_is_no_whole_sound_publish_is_left_to_paho(cut: bytes):
    sound = publish(b"a", b"x", 7)
    deliveries, end = cut_publishes(sound + cut, 0, most=9, epoch=1)
    assert ([one.mid for one in deliveries], end) == ([7], len(sound))


@pytest.mark.parametrize("size", [0, 1, 120, 122, 123, 124, 16_000, 16_377, 16_378, 16_379, 16_380, 2_097_200])
def test_what_ingest_publishes_is_read_back_whole(size: int):
    sent = publish_packet("a/bé", bytes(size))
    ((one,), end) = cut_publishes(sent, 0, most=9, epoch=1)
    assert (one.message.topic, one.message.payload, one.mid, end) == ("a/bé", bytes(size), 0, len(sent))


def test_acknowledgements_keep_their_order():
    assert puback_packets([1, 65535, 2]) == b"\x40\x02\x00\x01\x40\x02\xff\xff\x40\x02\x00\x02"
