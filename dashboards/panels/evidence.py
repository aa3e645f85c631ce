"""The evidence behind a number: which versions of which records, under which model and policy."""

from __future__ import annotations

import streamlit as st

from cropcredit.model import InputRef, Offer
from dashboards.session import Desk

BEHIND: dict[str, tuple[str, ...]] = {
    "requested": ("Application",),
    "needed": ("Application", "Planting", "Field", "CostSheet", "Tenure"),
    "cash": ("Application", "Planting", "Field", "YieldEstimate", "FarmGatePrice", "PriceSeries", "CostSheet"),
    "rate": ("LendingPolicy",),
    "yield": ("Planting", "YieldEstimate"),
}
"""Which kinds of records stand behind which number; a name not listed here shows them all."""


def behind(offer: Offer, number: str) -> list[InputRef]:
    """Choose the references that belong to a number; all of them where none is listed."""
    kinds = BEHIND.get(number, ())
    return [ref for ref in offer.inputs if ref.kind in kinds] or list(offer.inputs)


def evidence(desk: Desk, offer: Offer, number: str) -> None:
    """Open a number into its evidence."""
    words = desk.words
    with st.popover(words("evidence.open"), type="tertiary", icon=":material/search:"):
        st.markdown(
            "\n".join(
                (
                    f"- {words('evidence.as_of')}: {desk.formats.instant(offer.as_of)}",
                    f"- {words('evidence.policy')}: `{offer.policy_id}`",
                    f"- {words('evidence.models')}: {', '.join(f'`{name[:16]}`' for name in offer.model_ids) or '—'}",
                    f"- {words('evidence.code')}: `{offer.code_version}`",
                )
            )
        )
        rows = [f"| {words.code('kind', r.kind)} | `{r.id}` | `{r.sha256[:12]}` |" for r in behind(offer, number)]
        head = f"| {words('evidence.kind')} | {words('evidence.id')} | SHA-256 |\n|---|---|---|"
        st.markdown("\n".join((head, *rows)))
        st.caption(words("evidence.note"))
