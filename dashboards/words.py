"""The catalogue of texts: one TOML file per language, equal keys, named placeholders."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"zh": "中文", "en": "English"}
FOLDER = Path(__file__).parent / "words"


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Turn nested tables into dotted keys.

    Examples
    --------
    >>> flatten({"queue": {"title": "Queue"}})
    {'queue.title': 'Queue'}
    """
    flat: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat |= flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return flat


@cache
def catalogue(language: str) -> dict[str, str]:
    """Read the texts of one language, once per process."""
    return flatten(tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8")))


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language."""

    language: str

    def __call__(self, key: str, **facts: object) -> str:
        """Give the text under a dotted key, filled with facts.

        A key that does not exist is our own mistake and raises KeyError; the tests walk every key.
        """
        return catalogue(self.language)[key].format_map(facts)

    def code(self, group: str, code: str, **facts: object) -> str:
        """Give the text of a code that data brings along; a code without a text is shown as it is, never hidden."""
        text = catalogue(self.language).get(f"{group}.{code}")
        if text is None:
            return code.replace("_", " ")
        for name in (name for name, value in facts.items() if value == ""):
            text = text.replace(f" {{{name}}}", "")  # what is empty takes the blank before it along
        return text.format_map(_Open(facts))

    def codes(self, group: str) -> list[str]:
        """List the codes of a group that have a text, in the order of the catalogue."""
        start = f"{group}."
        return [key.removeprefix(start) for key in catalogue(self.language) if key.startswith(start)]

    def knows(self, group: str, code: str) -> bool:
        """Say whether a code has a text."""
        return f"{group}.{code}" in catalogue(self.language)


class _Open(dict[str, object]):
    """Leaves a fact that the data did not bring visibly open."""

    def __missing__(self, key: str) -> str:
        return f"[{key}?]"


def plain(text: str) -> str:
    r"""Escape what Markdown would take for markup, so that a name is shown as it was written.

    Examples
    --------
    >>> plain("A*B [x]")
    'A\\*B \\[x\\]'
    """
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+!|~<>$:" else letter for letter in text)
