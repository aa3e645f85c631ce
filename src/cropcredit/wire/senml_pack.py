"""SenML packs (RFC 8428), JSON or CBOR, resolved into records that stand alone (section 4.6)."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import cbor2
import msgspec

from cropcredit.errors import ContractError
from cropcredit.wire import plain_json

ABSOLUTE_FROM = 2**28
"""Times below are seconds from now, times from here on seconds since 1970."""
MOST_RECORDS = 512
DEEPEST = 4
"""Levels of nesting: a pack holds records, a record may hold a tag, the tag a decimal fraction."""
LABELS = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb"}
LABELS |= {5: "s", 6: "t", 7: "ut", 8: "vd"}
VERSIONS = frozenset({*range(1, 11), 26})
"""Drafts and RFC 8428 (10); 26 adds the feature of secondary units (RFC 9100, RFC 8798)."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]{0,255}")
_DECIMAL_FRACTION = 4
_VALUES: dict[str, tuple[type, ...]] = {"v": (), "vs": (str,), "vb": (bool,), "vd": (str, bytes)}
"""Labels of values, and their types beside numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A resolved record: nothing before it in the pack is needed to understand it."""

    name: str
    unit: str = ""
    time: float
    """Seconds since 1970; before the present where the pack gave a relative time."""
    ago: float | None = None
    """The relative time as given, s; None where the pack gave an absolute one."""
    value: float | str | bytes | bool | None = None
    sum: float | None = None

    def encoded(self) -> bytes:
        """Give the record as a pack of its own, JSON."""
        value, kind = self.value, {str: "vs", bool: "vb", bytes: "vd"}.get(type(self.value), "v")
        members = {"n": self.name, "u": self.unit or None, "t": self.time, kind: value, "s": self.sum}
        return msgspec.json.encode([{name: said for name, said in members.items() if said is not None}])


def load_json(payload: bytes) -> list[dict[str, Any]]:
    """Read the records of a JSON pack as they stand; raises ContractError ``size``, ``utf8``, ``json``, ``schema``."""
    return _records(plain_json.load(payload))


def load_cbor(payload: bytes) -> list[dict[str, Any]]:
    """Read the records of a CBOR pack as they stand, labels as in JSON.

    Nothing that takes more than its own bytes is unpacked: of all tags only decimal fractions (RFC 8428, section 6),
    no big numbers, no references, four levels of nesting.

    Raises
    ------
    ContractError
        ``size``, ``cbor``, ``schema``.
    """
    if len(payload) > plain_json.LONGEST:
        raise ContractError("size", f"{len(payload)} bytes, at most {plain_json.LONGEST} are allowed")
    stream = io.BytesIO(payload)
    reader = cbor2.CBORDecoder(
        stream,
        max_depth=DEEPEST,
        allow_duplicate_keys=False,
        semantic_decoders=_OnlyDecimals(),
    )
    try:
        pack = reader.decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise ContractError("cbor", f"not one CBOR item: {str(error)[:120]}") from None
    if stream.tell() != len(payload):
        raise ContractError("cbor", f"{len(payload) - stream.tell()} bytes follow the pack")
    return [{_label(key): value for key, value in record.items()} for record in _records(pack)]


def resolve(records: list[dict[str, Any]], *, now: float) -> list[Record]:
    """Resolve the records of a pack: base values applied, times absolute, in the order of the pack.

    Parameters
    ----------
    records : list of dict
        By JSON label.
    now : float
        Seconds since 1970: what relative times count from.

    Raises
    ------
    ContractError
        ``version`` for a version or mandatory extension (a label that ends in ``_``) that is not understood,
        ``schema`` for what is no SenML.

    Examples
    --------
    >>> [one] = resolve([{"bn": "urn:dev:ow:1:", "bt": 1.3e9, "bu": "Cel", "n": "t", "t": 10, "v": 23.1}], now=0)
    >>> one.name, one.unit, one.time, one.value
    ('urn:dev:ow:1:t', 'Cel', 1300000010.0, 23.1)
    """
    base: dict[str, Any] = {}
    found, versions = [], set()
    for number, record in enumerate(records, 1):
        _understood(record, number)
        base |= {label: record[label] for label in ("bn", "bt", "bu", "bv", "bs") if label in record}
        versions.add(record["bver"] if "bver" in record else base.get("bver", 10))
        base |= {"bver": record["bver"]} if "bver" in record else {}
        resolved = _resolved(record, base, number, now)
        if resolved is not None:
            found.append(resolved)
    if len(versions) > 1:
        raise ContractError("schema", "records of one pack have different versions")
    return found


def _records(pack: Any) -> list[dict[str, Any]]:
    if not isinstance(pack, list) or not pack or not all(isinstance(record, dict) for record in pack):
        raise ContractError("schema", "a pack is an array of records, at least one")
    if len(pack) > MOST_RECORDS:
        raise ContractError("size", f"{len(pack)} records, at most {MOST_RECORDS} are allowed")
    return pack


def _understood(record: Mapping[str, Any], number: int) -> None:
    for label in record:
        if label.endswith("_"):
            raise ContractError("version", f"record {number}: extension {label[:40]!r} must be understood, and is not")
    version = record.get("bver", 10)
    if not isinstance(version, int) or isinstance(version, bool):
        raise ContractError("schema", f"record {number}: bver is no whole number")
    if version not in VERSIONS:
        raise ContractError("version", f"record {number}: version {str(version)[:20]} is not understood")


def _resolved(record: Mapping[str, Any], base: Mapping[str, Any], number: int, now: float) -> Record | None:
    """Resolve one record; None for one that only sets base values."""
    said = _Said(record, base, number)
    if not said.has("n", "u", "t", "ut", "s", *_VALUES):
        return None
    value, total = said.value(), said.together("bs", "s")
    if value is None and total is None:
        raise ContractError("schema", f"record {number} has no value")
    name = said.text("bn") + said.text("n")
    if _NAME.fullmatch(name) is None:
        raise ContractError("schema", f"record {number}: {name[:80]!r} is no name")
    time = said.together("bt", "t") or 0.0
    ago = time if time < ABSOLUTE_FROM else None
    unit = said.text("u") or said.text("bu")
    return Record(name=name, unit=unit, time=time if ago is None else now + time, ago=ago, value=value, sum=total)


@dataclass(frozen=True, slots=True)
class _Said:
    """A record with the base values that stand before it."""

    record: Mapping[str, Any]
    base: Mapping[str, Any]
    number: int

    def has(self, *labels: str) -> bool:
        return any(label in self.record for label in labels)

    def text(self, label: str) -> str:
        text = self._of(label) if self._of(label) is not None else ""
        if not isinstance(text, str):
            raise self._wrong(label)
        return text

    def together(self, base: str, own: str) -> float | None:
        """Add a number to its base; one that is missing is 0, both missing are nothing."""
        parts = [self._number(label) for label in (base, own) if self._of(label) is not None]
        return _finite(sum(parts), self.number) if parts else None

    def value(self) -> float | str | bytes | bool | None:
        kinds = [kind for kind in _VALUES if kind in self.record]
        if len(kinds) > 1:
            raise ContractError("schema", f"record {self.number} has more than one value")
        if not kinds or kinds == ["v"]:
            return self.together("bv", "v") if kinds else None
        (kind,) = kinds
        value: str | bytes | bool = self.record[kind]
        if not isinstance(value, _VALUES[kind]):
            raise self._wrong(kind)
        return value.encode() if kind == "vd" and isinstance(value, str) else value

    def _of(self, label: str) -> Any:
        return self.base.get(label) if label in ("bn", "bt", "bu", "bv", "bs") else self.record.get(label)

    def _number(self, label: str) -> float:
        number = self._of(label)
        if not isinstance(number, (int, float, Decimal)) or isinstance(number, bool):
            raise self._wrong(label)
        try:
            return _finite(float(number), self.number)
        except OverflowError:
            raise self._wrong(label) from None

    def _wrong(self, label: str) -> ContractError:
        return ContractError("schema", f"record {self.number}: {label} has the wrong type or is out of bounds")


class _OnlyDecimals(dict[int, Any]):
    """Decoders of CBOR tags: the library's own for decimal fractions, a refusal for every other one."""

    def __missing__(self, tag: int) -> Any:
        if tag == _DECIMAL_FRACTION:
            raise KeyError(tag)
        return lambda *_: _refuse_tag(tag)


def _refuse_tag(tag: int) -> NoReturn:
    raise cbor2.CBORDecodeError(f"tag {tag} has no place in SenML")


def _label(key: Any) -> str:
    if isinstance(key, int) and not isinstance(key, bool) and key in LABELS:
        return LABELS[key]
    if isinstance(key, str) and key not in LABELS.values():
        return key
    raise ContractError("schema", f"label {str(key)[:40]!r} is none of CBOR SenML")


def _finite(value: float, number: int) -> float:
    if not math.isfinite(value):
        raise ContractError("schema", f"record {number}: a number out of bounds")
    return value
