"""Reasons of evidence grades in words: the desk's and the command line's, from one catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboards.formats import Formats
from dashboards.words import Words


def sentence(
    code: str, facts: Iterable[tuple[str, str | float]], names: Mapping[str, str], words: Words, formats: Formats
) -> str:
    """Put a reason into words; ``names`` are those of the quantities in the reader's language."""
    return words.code("grade_reason", code, **{name: _written(name, value, names, formats) for name, value in facts})


def _written(name: str, value: str | float, names: Mapping[str, str], formats: Formats) -> str:
    if isinstance(value, str):
        return names.get(value, value)
    return formats.share(value) if name == "share" else formats.number(value)
