"""MQTT 3.1.1 packets as the fault matrix sees them pass: cut apart, and the few fields it asks for."""

from __future__ import annotations

from dataclasses import dataclass

PUBLISH, PUBACK, SUBACK = 3, 4, 9
DUP = 0x08


class Splitter:
    """Cuts a stream of bytes into whole packets; what is cut off waits for the rest."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; give the packets that are whole now."""
        buffer, at, found = self._rest + data, 0, []
        while (end := _end(buffer, at)) is not None:
            found.append(buffer[at:end])
            at = end
        self._rest = buffer[at:]
        return found


def _end(buffer: bytes, at: int) -> int | None:
    length, shift = 0, 0
    for place in range(at + 1, min(len(buffer), at + 5)):
        length |= (buffer[place] & 127) << shift
        shift += 7
        if buffer[place] < 128:
            end = place + 1 + length
            return end if end <= len(buffer) else None
    return None


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH packet."""

    topic: str
    payload: bytes
    mid: int
    """Packet id; 0 at QoS 0."""
    dup: bool


def kind(packet: bytes) -> int:
    """Give the packet type (MQTT 3.1.1, table 2.1)."""
    return packet[0] >> 4


def published(packet: bytes) -> Published:
    """Read a PUBLISH packet."""
    at = 1
    while packet[at] >= 128:
        at += 1
    at += 1
    size = int.from_bytes(packet[at : at + 2], "big")
    topic, at = packet[at + 2 : at + 2 + size], at + 2 + size
    mid = 0
    if packet[0] & 0x06:
        mid, at = int.from_bytes(packet[at : at + 2], "big"), at + 2
    return Published(topic.decode("utf-8", "backslashreplace"), packet[at:], mid, bool(packet[0] & DUP))


def acknowledged(packet: bytes) -> int:
    """Read the packet id of a PUBACK."""
    return int.from_bytes(packet[2:4], "big")


def publish(topic: str, payload: bytes, *, mid: int, dup: bool = False) -> bytes:
    r"""Write a PUBLISH packet at QoS 1.

    Examples
    --------
    >>> publish("a", b"x", mid=258)
    b'2\x06\x00\x01a\x01\x02x'
    """
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + payload
    length, rest = b"", len(body)
    while rest >= 128:
        length += bytes((rest % 128 | 128,))
        rest //= 128
    return bytes((0x32 | (DUP if dup else 0),)) + length + bytes((rest,)) + body


def device_of(topic: str) -> str:
    """Read the device level of a contract v1 topic; empty where there is none."""
    levels = topic.split("/")
    return levels[2] if levels[:2] == ["farm", "v1"] and len(levels) == 4 else ""
