"""MQTT 3.1.1 packets of the ingest session, many at once.

To read one packet costs paho as much as it costs us to decode and store a reading. So what makes up the traffic of
ingest, PUBLISH at QoS 0 and 1 coming in and PUBLISH and PUBACK going out, is cut and written here in large pieces.
Every other packet, and one that the end of what has arrived cuts in two, is left to paho.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

from cropcredit.usecases.decoding import Message

_PUBLISH, _QOS_1, _RETAINED = 0x30, 0x02, 0x01
_KIND_AND_QOS_2 = 0xF4
_MORE = 0x80
_LONGEST_LENGTH = 4
"""Bytes of the remaining length."""
_SHORTEST = 3
"""Bytes of a body: the length of the topic, and a topic of one letter."""
_PUBACK = struct.Struct(">HH")
_PUBACK_HEAD = 0x4002


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """A message, and how it is acknowledged to the broker."""

    epoch: int
    """Number of the connection it came by: packet ids start again with the next one."""
    mid: int
    """Packet id; 0 at QoS 0, where nothing is acknowledged."""
    message: Message


def cut_publishes(received: bytes, at: int, *, most: int, epoch: int) -> tuple[list[Delivery], int]:
    r"""Cut whole PUBLISH packets at QoS 0 and 1 off the front of what was received (MQTT 3.1.1, section 3.3).

    Parameters
    ----------
    received : bytes
        What the broker sent.
    at : int
        Where in it the next packet begins.
    most : int
        How many packets to cut at most.
    epoch : int
        Number of the connection.

    Returns
    -------
    deliveries, at
        In order of arrival; and where the first packet begins that is of another kind, malformed, or not whole.

    Examples
    --------
    >>> deliveries, at = cut_publishes(b"\x32\x06\x00\x01a\x00\x07x" + b"\xd0\x00", 0, most=9, epoch=1)
    >>> [(one.mid, one.message.topic, one.message.payload) for one in deliveries], at
    ([(7, 'a', b'x')], 8)
    """
    found: list[Delivery] = []
    size = len(received)
    while len(found) < most and at + 1 < size and received[at] & _KIND_AND_QOS_2 == _PUBLISH:
        head, length, begin = received[at], received[at + 1], at + 2
        if length & _MORE:
            length, begin = _long_length(received, at + 1)
        end = begin + length
        if not begin or length < _SHORTEST or end > size:
            break
        name_end = begin + 2 + (received[begin] << 8 | received[begin + 1])
        payload, mid = name_end, 0
        if head & _QOS_1:
            payload += 2
            mid = 0 if payload > end else received[name_end] << 8 | received[name_end + 1]
        if payload > end or name_end == begin + 2:
            break
        topic = str(received[begin + 2 : name_end], "utf-8", "backslashreplace")
        found.append(Delivery(epoch, mid, Message(topic, received[payload:end], bool(head & _RETAINED))))
        at = end
    return found, at


def _long_length(received: bytes, at: int) -> tuple[int, int]:
    """Read a remaining length of several bytes; gives it and where it ends, 0 where it does not end well."""
    length = 0
    for shift, byte in enumerate(received[at : at + _LONGEST_LENGTH]):
        length |= (byte & 127) << 7 * shift
        if not byte & _MORE:
            return length, at + shift + 1
    return 0, 0


def publish_packet(topic: str, payload: bytes) -> bytes:
    r"""Encode PUBLISH at QoS 0 (MQTT 3.1.1, section 3.3).

    Examples
    --------
    >>> publish_packet("a", b"x")
    b'0\x04\x00\x01ax'
    """
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + payload
    length, rest = b"", len(body)
    while rest & ~127:
        length += bytes((rest & 127 | _MORE,))
        rest >>= 7
    return b"\x30" + length + bytes((rest,)) + body


def puback_packets(mids: Iterable[int]) -> bytes:
    r"""Encode PUBACK (MQTT 3.1.1, section 3.4) for each packet id, in their order.

    Examples
    --------
    >>> puback_packets([258, 1])
    b'@\x02\x01\x02@\x02\x00\x01'
    """
    return b"".join([_PUBACK.pack(_PUBACK_HEAD, mid) for mid in mids])
