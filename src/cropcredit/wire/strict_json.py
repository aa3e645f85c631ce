"""A slow and exact JSON reader, for telling why a message was refused.

It knows what the quick decoder cannot say: whether the bytes were one JSON text at all, at any depth of nesting, and
whether a member name stood twice in one object (RFC 8259, with the uniqueness of I-JSON, RFC 7493).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cropcredit.errors import ContractError

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    (?P<sign>[{}\[\]:,])
    | (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
    | (?P<number>-?(?:0|[1-9][0-9]*)(?P<real>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))
    | (?P<word>true|false|null)
    | (?P<end>\Z))""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}
_VALUE = frozenset("{[v")
_LONGEST_INTEGER = 400
"""Digits; longer ones lie outside binary64, which is all the caller wants to know."""


def parse(text: str, *, deepest: int | None = None) -> Any:
    """Read one JSON text.

    Parameters
    ----------
    text : str
        The text.
    deepest : int, optional
        Levels of nesting allowed; None: any.

    Raises
    ------
    ContractError
        ``json``, when it is not one JSON text, a member name is repeated, or it is nested deeper than allowed.

    Examples
    --------
    >>> parse('{"m": [1, 2.5, "x"]}')
    {'m': [1, 2.5, 'x']}
    """
    builder = _Builder()
    for kind, value, at in _tokens(text):
        if kind not in builder.expected:
            raise ContractError("json", f"not one JSON text: unexpected {text[at : at + 10]!r} at character {at}")
        builder.take(kind, value)
        if deepest is not None and builder.depth > deepest:
            raise ContractError("json", f"nested deeper than {deepest} levels")
    return builder.root


def _tokens(text: str) -> Iterator[tuple[str, Any, int]]:
    """Cut into (kind, value, position); the kind is a punctuation sign, ``v`` for a plain value, or ``$``."""
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ContractError("json", f"not one JSON text: unexpected {text[at : at + 10]!r} at character {at}")
        at = match.end()
        if match["sign"]:
            yield match["sign"], None, match.start("sign")
        elif match["end"] is not None:
            yield "$", None, at
            return
        else:
            yield "v", _plain(match), match.start()


def _plain(match: re.Match[str]) -> Any:
    if (string := match["string"]) is not None:
        value = json.loads(string)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ContractError("json", "a string holds half of a surrogate pair")
        return value
    if (number := match["number"]) is not None:
        return float(number) if match["real"] or len(number) > _LONGEST_INTEGER else int(number)
    return _WORDS[match["word"]]


class _Builder:
    """Puts tokens together on a stack of its own, so that no depth of nesting exhausts Python's."""

    def __init__(self) -> None:
        self.root: Any = None
        self.expected: frozenset[str] = _VALUE
        self._open: list[Any] = []
        self._names: list[str | None] = []

    @property
    def depth(self) -> int:
        """Containers that are open."""
        return len(self._open)

    def take(self, kind: str, value: Any) -> None:
        if kind in "{[":
            self._enter({} if kind == "{" else [])
        elif kind in "}]":
            self._open.pop()
            self._names.pop()
            self._after_value()
        elif kind == ":":
            self.expected = _VALUE
        elif kind == ",":
            self.expected = frozenset("v") if isinstance(self._open[-1], dict) else _VALUE
        elif kind == "v":
            self._plain(value)

    def _plain(self, value: Any) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._names[-1] is None:
            self._name(value)
        else:
            self._place(value)
            self._after_value()

    def _name(self, name: Any) -> None:
        if not isinstance(name, str):
            raise ContractError("json", "not one JSON text: a member name is a string")
        if name in self._open[-1]:
            raise ContractError("json", f"member {name[:40]!r} stands twice in one object")
        self._names[-1] = name
        self.expected = frozenset(":")

    def _enter(self, container: Any) -> None:
        self._place(container)
        self._open.append(container)
        self._names.append(None)
        self.expected = frozenset("v}") if isinstance(container, dict) else _VALUE | {"]"}

    def _place(self, value: Any) -> None:
        if not self._open:
            self.root = value
        elif isinstance(self._open[-1], dict):
            self._open[-1][self._names[-1]] = value
            self._names[-1] = None
        else:
            self._open[-1].append(value)

    def _after_value(self) -> None:
        if not self._open:
            self.expected = frozenset("$")
        else:
            self.expected = frozenset(",}") if isinstance(self._open[-1], dict) else frozenset(",]")
