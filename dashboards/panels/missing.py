"""What a form still lacks, told before the use case has to refuse it; the use case checks again."""

from __future__ import annotations

from collections.abc import Sequence

from cropcredit.model import Money, Outcome


def to_recommend(outcome: Outcome, amount: Money, offered: Money, reasons: Sequence[str], note: str) -> str:
    """Name the text that says what a recommendation lacks; empty if it lacks nothing."""
    above = outcome in (Outcome.ACCEPT, Outcome.REDUCE) and amount > offered
    overridden = any(code.startswith("override_") for code in reasons) and bool(note.strip())
    lacks = {
        "needs_reason": outcome is not Outcome.ACCEPT and not reasons,
        "needs_note": outcome in (Outcome.REFER, Outcome.DECLINE) and not note.strip(),
        "needs_less": outcome is Outcome.REDUCE and amount >= offered,
        "needs_override": above and not overridden,
    }
    return next((name for name, lacking in lacks.items() if lacking), "")
