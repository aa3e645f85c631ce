"""JSON of other people's services: quick, and as strict as the contract where strictness costs nothing."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from cropcredit.errors import ContractError

LONGEST = 64 * 1024
"""Bytes of a message in another format; fifty gateways that heard one frame need half of that."""


def load(payload: bytes) -> Any:
    """Read one JSON text.

    Raises
    ------
    ContractError
        ``size``, ``utf8``, ``json`` (also: a member twice in one object, NaN, Infinity, half of a surrogate pair,
        nested without end).
    """
    if len(payload) > LONGEST:
        raise ContractError("size", f"{len(payload)} bytes, at most {LONGEST} are allowed")
    try:
        said = json.loads(payload.decode(), object_pairs_hook=_members, parse_constant=_no_number)
        if b"\\ud" in payload or b"\\uD" in payload:  # half of a pair, which json lets pass, is no text
            msgspec.json.decode(payload)
    except UnicodeDecodeError as error:
        raise ContractError("utf8", f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise ContractError("json", "nested without end") from None
    except (ValueError, msgspec.DecodeError) as error:
        raise ContractError("json", f"not one JSON text: {str(error)[:120]}") from None
    return said


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ContractError("json", "a member stands twice in one object")
    return found


def _no_number(name: str) -> NoReturn:
    raise ContractError("json", f"{name} is not JSON")
