"""What bad firmware says: every kind of broken message, with the reason that the contract gives its refusal.

:data:`BROKEN` breaks a message so that nobody can tell which one it was; it is published once, beside the sound one.
:data:`POISON` changes what a message says and leaves its number readable; it takes a number of its own and is sent
until it is settled. The first line of each docstring is what ``python -m firmware_sim modes`` prints.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.message import Content

LIMIT = 8192
"""Bytes that the contract allows."""
SOUND = b'{"q":"soil.moisture","v":23.4,"c":"d30"}'
Breaker = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True, slots=True)
class Broken:
    """One kind of fault."""

    reason: str
    """As the contract's table of refusals says; empty when the broker already drops it."""
    make: Breaker
    what: str
    """In one line."""
    level: str = "up"
    """Last level of the topic it is published under."""


def _cut(payload: bytes, rng: random.Random) -> bytes:
    return payload[: rng.randrange(1, len(payload) - 1)]


def _value(text: bytes) -> Breaker:
    """Put something in front of the measurements."""

    def made(payload: bytes, _: random.Random) -> bytes:
        head, opening, tail = payload.partition(b'"m":[')
        return head + opening + text + (b"" if tail.startswith(b"]") else b",") + tail

    return made


def _member(name: bytes, text: bytes) -> Breaker:
    """Give a member another value."""
    pattern = re.compile(rb'"%b":("[^"]*"|[^,}]*)' % name)
    return lambda payload, _: pattern.sub(b'"%b":%b' % (name, text), payload, count=1)


def _inside_text(raw: bytes) -> Breaker:
    return lambda payload, _: payload.replace(b'"clk":"', b'"clk":"' + raw, 1)


def _flipped(payload: bytes, rng: random.Random) -> bytes:
    """Change one digit of the signature; a message without one gets a wrong one."""
    if b',"mac":"' not in payload:
        return payload[:-1] + b',"kid":"k1","mac":"%b"}' % (b"0" * 64)
    at = payload.rindex(b',"mac":"') + 8 + rng.randrange(64)
    return payload[:at] + (b"1" if payload[at : at + 1] == b"0" else b"0") + payload[at + 1 :]


def _bytes(raw: bytes) -> Breaker:
    return lambda _, __: raw


def _cut_pack(_: bytes, rng: random.Random) -> bytes:
    pack = b'[{"bn":"soil.moisture/d10","bt":1.7e9,"u":"%","v":23.4}]'
    return pack[: rng.randrange(1, len(pack) - 1)]


CBOR = "senml-cbor"
BROKEN = {
    "truncated": Broken("json", _cut, "cut off somewhere, as by a full buffer"),
    "empty": Broken("json", lambda _, __: b"", "no byte at all"),
    "nan": Broken("json", _value(b'{"q":"soil.moisture","v":NaN,"c":"n"}'), "NaN, which JSON does not know"),
    "infinity": Broken("json", _value(b'{"q":"soil.moisture","v":-Infinity,"c":"n"}'), "minus infinity"),
    "twice": Broken("json", lambda p, _: p.replace(b'"seq":', b'"seq":1,"seq":', 1), "one member twice"),
    "trailing": Broken("json", lambda p, _: p + b"}", "a brace too many"),
    "two_texts": Broken("json", lambda p, _: p + p, "two messages in one"),
    "nul": Broken("json", lambda p, _: b"\x00" + p, "a zero byte in front"),
    "bom": Broken("json", lambda p, _: b"\xef\xbb\xbf" + p, "a byte order mark"),
    "utf16": Broken("json", lambda p, _: p.decode().encode("utf-16-le"), "UTF-16, two bytes a letter"),
    "surrogate": Broken("json", _inside_text(b"\\ud800"), "half of a surrogate pair"),
    "single_quotes": Broken("json", lambda p, _: p.replace(b'"', b"'"), "apostrophes for quotation marks"),
    "latin1": Broken("utf8", _inside_text(b"\xff"), "a byte that UTF-8 does not know"),
    "overlong": Broken("utf8", _inside_text(b"\xc0\xaf"), "an overlong UTF-8 form"),
    "coded_surrogate": Broken("utf8", _inside_text(b"\xed\xa0\x80"), "a surrogate coded in UTF-8"),
    "too_long": Broken("size", lambda p, _: p[:-1] + b" " * LIMIT + p[-1:], "more than 8192 bytes"),
    "far_too_long": Broken("size", lambda p, _: p[:-1] + b" " * 200_000 + p[-1:], "200 kB"),
    "ten_megabytes": Broken(
        "", lambda p, _: p[:-1] + b" " * 10_000_000 + p[-1:], "10 MB: the broker throws the device off"
    ),
    "version": Broken("version", lambda p, _: p.replace(b'{"v":1', b'{"v":2', 1), "a version of the future"),
    "no_object": Broken("schema", lambda _, rng: rng.choice((b"[]", b"null", b"42", b'"on"')), "JSON, but no object"),
    "nested": Broken("schema", lambda _, __: b"[" * 4000 + b"]" * 4000, "brackets nested 4000 deep"),
    "nested_member": Broken("schema", _value(b'{"q":' * 900 + b"1" + b"}" * 900), "objects nested 900 deep in m"),
    "huge_seq": Broken("schema", _member(b"seq", b"99999999999"), "a seq beyond 32 bits"),
    "huge_boot": Broken("schema", _member(b"boot", b"1" + b"0" * 300), "a boot of 301 digits"),
    "text_seq": Broken("schema", _member(b"seq", b'"17"'), "a seq in quotation marks"),
    "float_seq": Broken("schema", _member(b"seq", b"17.0"), "a seq with a decimal point"),
    "true_boot": Broken("schema", _member(b"boot", b"true"), "true for a boot"),
    "negative_seq": Broken("schema", _member(b"seq", b"-1"), "a negative seq"),
    "flipped_mac": Broken("mac", _flipped, "one digit of the signature is wrong"),
    "cbor_bomb": Broken("cbor", _bytes(b"\x9a\xff\xff\xff\xff"), "CBOR: a list of four thousand million", CBOR),
    "cbor_long_text": Broken("cbor", _bytes(b"\x7b" + b"\x7f" * 8), "CBOR: a text longer than any memory", CBOR),
    "cbor_nested": Broken("cbor", _bytes(b"\x81" * 5000 + b"\x00"), "CBOR: lists nested 5000 deep", CBOR),
    "cbor_endless": Broken("cbor", _bytes(b"\x9f" + b"\xa0" * 9), "CBOR: a list that never ends", CBOR),
    "cbor_bignum": Broken(
        "cbor", _bytes(b"\x81\xa1\x02\xc2\x59\x40\x00" + b"\xff" * 2**14), "CBOR: a number of 39,000 digits", CBOR
    ),
    "senml_cut": Broken("json", _cut_pack, "SenML: a pack cut off somewhere", "senml"),
    "senml_nan": Broken("json", _bytes(b'[{"n":"soil.moisture","u":"%","v":NaN}]'), "SenML: NaN", "senml"),
    "senml_version": Broken(
        "version", _bytes(b'[{"bver":99,"n":"soil.moisture","u":"%","v":1}]'), "SenML: version 99", "senml"
    ),
}
"""Kinds that nobody can attribute."""
USUAL_BROKEN = tuple(kind for kind, one in BROKEN.items() if one.level == "up" and one.reason and kind != "flipped_mac")
"""What ``--malformed`` draws from; 10 MB, a wrong signature (not all devices sign) and SenML only when asked for."""


def _measured(*parts: bytes) -> Breaker:
    """Let a content measure something else."""
    return lambda content, _: content[: content.index(b',"m":[')] + b',"m":[%b]' % b",".join(parts)


def _moisture(value: bytes) -> Breaker:
    return _measured(b'{"q":"soil.moisture","v":%b,"c":"d30"}' % value)


def _said(content: Content) -> Breaker:
    return lambda _, __: content.encode()


POISON = {
    "range": Broken("range", _moisture(b"140"), "140 % soil moisture"),
    "quantity": Broken("quantity", _measured(b'{"q":"soil.wetness","v":1,"c":""}'), "a quantity nobody knows"),
    "repeated": Broken("repeated", _measured(SOUND, SOUND), "one quantity and channel twice"),
    "text_value": Broken("schema", _moisture(b'"wet"'), "a word for a number"),
    "null_value": Broken("schema", _moisture(b"null"), "null for a number"),
    "true_value": Broken("schema", _moisture(b"true"), "true for a number"),
    "overflow": Broken("schema", _moisture(b"1e400"), "1e400, beyond any float"),
    "no_channel": Broken("schema", _measured(b'{"q":"soil.moisture","v":1}'), "a measurement without channel"),
    "null_channel": Broken("schema", _measured(b'{"q":"soil.moisture","v":1,"c":null}'), "null for a channel"),
    "too_many": Broken(
        "schema", _measured(*(b'{"q":"soil.moisture","v":1,"c":"%d"}' % i for i in range(65))), "65 measurements"
    ),
    "unknown_member": Broken("schema", lambda c, _: b',"fun":1' + c, "a member that the contract does not know"),
    "huge_up": Broken("schema", _said(Content(clk="none", ts=None, up=10**40, values=())), "an uptime of 41 digits"),
    "no_ts": Broken("clock", _said(Content(clk="ntp", ts=None, up=0, values=())), "a clock without time"),
    "ts_of_none": Broken("clock", _said(Content(clk="none", ts=0, up=0, values=())), "a time without clock"),
}
"""Kinds that are refused for what they say, and settled."""
