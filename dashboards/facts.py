"""Facts that rules and reasons bring along, made readable: ``key=value`` pairs get their unit by their name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cropcredit.model import Cap, Money, Offer, Reason
from dashboards.session import Desk

MONEY = (
    "cap", "cash", "costs", "debt_service", "gain", "gap", "minimum", "needed", "own_funds", "pledged"
)  # fmt: skip
SHARES = ("advance", "alpha", "p05_below_median", "shortfall", "viable_area_share")
AREAS = ("declared_ha", "financed_ha")


def readable(pairs: Iterable[tuple[str, str]], currency: str, desk: Desk) -> dict[str, str]:
    """Write each fact with its unit; one whose name is not known here is shown as it came."""
    formats, words = desk.formats, desk.words
    forms: dict[str, Callable[[str], str]] = {
        **dict.fromkeys(MONEY, lambda text: formats.money(Money.of(text, currency))),
        **dict.fromkeys(SHARES, lambda text: formats.share(float(text))),
        **dict.fromkeys(AREAS, lambda text: formats.area(float(text))),
        "crop": desk.crop,
        "dscr_min": lambda text: formats.number(float(text)),
        "scenario": lambda text: words.code("scenario", text),
        "rule": lambda text: words.code("rule.name", text),
    }
    return {name: forms.get(name, str)(text) for name, text in pairs}


def of_cap(cap: Cap, offer: Offer, desk: Desk) -> dict[str, str]:
    """Give the facts of a cap: its amount, and what its basis names."""
    pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in cap.basis.split())]
    return {"amount": desk.formats.money(cap.amount)} | readable(pairs, offer.amount.currency, desk)


def sentence(reason: Reason, currency: str, desk: Desk) -> str:
    """Put a reason into words."""
    never = dict(reason.facts).get("viable_area_share") == "0.00"
    code = "full_need_never_viable" if never else reason.code
    return desk.words.code("reason", code, **readable(reason.facts, currency, desk))
