"""yield models, yield promote: what was learned and stored, what is in use, and who put it there."""

from __future__ import annotations

from typing import Annotated

import typer

from cropcredit.agronomy.features import PARTS
from cropcredit.cli.common import HERE, Home, Json, open_app, out, show_json, show_table
from cropcredit.usecases.models import SHORT, StoredModel


def models(
    crop: Annotated[str, typer.Option(help="Only models of this crop.")] = "",
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """List the stored models: which is in use, since when and why, and how it did on years it had not seen."""
    found = open_app(home).list_models(crop)
    if as_json:
        show_json(found)
        return
    if not found:
        out.print("No model is stored; learn one: cropcredit yield train")
        return
    columns = ["model", "crop", "used", "promoted", "by", "years", "labels", "answers", "skill", "before it", "reason"]
    show_table(f"{len(found)} stored models", columns, [_row(one) for one in found], right=["labels", "skill"])


def promote(
    model_id: Annotated[str, typer.Argument(metavar="MODEL_ID", help="Id of a stored model, or its beginning.")],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it is put into use; kept for good.")],
    by: Annotated[str, typer.Option("--by", metavar="USER", help="Account of the person.")] = "",
    home: Home = HERE,
    as_json: Json = False,
) -> None:
    """Put an earlier or another stored model into use for its crop, and keep who, when and why."""
    promotion = open_app(home).promote_model(model_id, reason=reason, by=by)
    if as_json:
        show_json(promotion)
        return
    out.print(f"{promotion.crop}: model {promotion.model_id[:SHORT]} is in use", markup=False, highlight=False)


def _row(one: StoredModel) -> tuple[str, ...]:
    seen = f" at {one.parts}/{PARTS}" if one.parts else ""
    return (
        one.model_id[:SHORT],
        one.crop,
        "yes" if one.in_use else "",
        f"{one.promoted_at:%Y-%m-%d %H:%M}" if one.promoted_at else "",
        one.promoted_by,
        f"{one.years[0]}-{one.years[1]}",
        str(one.labels),
        one.use + seen,
        f"{one.skill:+.3f}" if one.parts else "",
        (one.predecessor or "")[:SHORT],
        one.reason,
    )
