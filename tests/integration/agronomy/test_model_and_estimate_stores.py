"""Models and estimates: fake and real sit the same exam; the real ones also survive their files being looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from cropcredit.adapters.estimates import ParquetEstimates
from cropcredit.adapters.models import JsonModels
from cropcredit.errors import MalformedInput, StoreUnavailable, UnknownRecord
from cropcredit.model import Promotion
from tests.fakes import FakeEstimates, FakeModels
from tests.lending import estimate

MAY, JUNE = datetime(2025, 5, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)
ARTEFACT = {"form": "test", "slope": 0.1, "parts": [1, 2.5, None]}


@pytest.fixture(params=["fake", "json"])
def models(request, tmp_path):
    return FakeModels() if request.param == "fake" else JsonModels(folder=tmp_path / "models")


@pytest.fixture(params=["fake", "parquet"])
def estimates(request, tmp_path):
    return FakeEstimates() if request.param == "fake" else ParquetEstimates(folder=tmp_path / "estimates")


def for_planting(planting_id: str, as_of: datetime, **changes):
    return replace(estimate(), id=planting_id, planting_id=planting_id, as_of=as_of, known_at=as_of, **changes)


def promotion(model_id: str, **changes) -> Promotion:
    usual = Promotion(model_id=model_id, crop="maize", at=MAY, by="li.na", reason="it held in the drought")
    return replace(usual, **changes)


def test_a_model_comes_back_as_it_went_and_has_one_name(models):
    model_id = models.save(ARTEFACT, "# card")

    assert models.save(dict(reversed(ARTEFACT.items())), "# card") == model_id
    assert models.load(model_id) == ARTEFACT


def test_no_model_is_in_use_until_one_is_promoted(models):
    first, second = models.save(ARTEFACT, "# 1"), models.save({"slope": 2}, "# 2")
    assert models.current("maize") is None

    for model_id in (first, second, second, first):
        models.promote(promotion(model_id))

    assert models.current("maize") == first
    assert models.promoted("maize") == [first, second, first]
    assert models.promotions() == [promotion(model_id) for model_id in (first, second, first)]
    assert models.ids() == sorted([first, second])
    assert models.promoted("winter_wheat") == []
    assert models.current("winter_wheat") is None


def test_an_unknown_model_cannot_be_loaded_or_promoted(models):
    with pytest.raises(UnknownRecord, match="no model with id 'nope'"):
        models.load("nope")
    with pytest.raises(UnknownRecord, match="no model with id 'nope'"):
        models.promote(promotion("nope"))


def test_a_model_file_that_was_changed_is_refused(tmp_path):
    models = JsonModels(folder=tmp_path)
    model_id = models.save(ARTEFACT, "# card")
    file = tmp_path / f"{model_id}.json"
    file.write_text(json.dumps({**ARTEFACT, "slope": 9}), "utf-8")

    with pytest.raises(MalformedInput, match="was changed after it was stored"):
        models.load(model_id)
    assert (tmp_path / f"{model_id}.md").read_text("utf-8") == "# card"


def test_a_store_from_before_reasons_still_reads_and_goes_on(tmp_path):
    models = JsonModels(folder=tmp_path)
    old, new = models.save(ARTEFACT, "# 1"), models.save({"slope": 2}, "# 2")
    (tmp_path / "current.json").write_text(json.dumps({"maize": [old]}), "utf-8")
    assert models.promotions() == [promotion(old, at=None, by="", reason="")]

    models.promote(promotion(new))

    assert models.promoted("maize") == [old, new]
    assert models.ids() == sorted([old, new])


def test_promotions_are_only_ever_added_and_half_a_line_is_none(tmp_path):
    models, log = JsonModels(folder=tmp_path), tmp_path / "promotions.jsonl"
    first, second = models.save(ARTEFACT, "# 1"), models.save({"slope": 2}, "# 2")
    models.promote(promotion(first))
    before = log.read_bytes()
    log.write_bytes(before + b'{"crop": "mai')  # the power went

    assert models.promoted("maize") == [first]
    models.promote(promotion(second))

    assert log.read_bytes().startswith(before)
    assert models.promoted("maize") == [first, second]
    log.write_bytes(b"{}\n" + before)
    with pytest.raises(MalformedInput, match=r"promotions.jsonl: line 1 is no promotion: .*; restore it from a backup"):
        models.promotions()


def test_a_disk_that_refuses_a_promotion_is_told(tmp_path):
    models = JsonModels(folder=tmp_path)
    model_id = models.save(ARTEFACT, "# card")
    (tmp_path / "promotions.jsonl").mkdir()

    with pytest.raises(StoreUnavailable, match=r"promotions.jsonl cannot be written"):
        models.promote(promotion(model_id))


def test_an_estimate_comes_back_as_it_went(estimates):
    told = for_planting("P1", MAY, reasons=("cold_start", "mixed_pixel"), inputs=("ab" * 32,), skill=None)

    estimates.write("r1", [told])

    assert estimates.latest(["P1"], as_of=MAY) == {"P1": told}


def test_the_latest_estimate_not_after_the_instant_is_given(estimates):
    may, june = for_planting("P1", MAY), for_planting("P1", JUNE)
    estimates.write("r2", [june])
    estimates.write("r1", [may, for_planting("P2", MAY)])

    assert estimates.latest(["P1", "P2"], as_of=JUNE) == {"P1": june, "P2": for_planting("P2", MAY)}
    assert estimates.latest(["P1"], as_of=MAY) == {"P1": may}
    assert estimates.latest(["P1"], as_of=datetime(2025, 4, 1, tzinfo=UTC)) == {}
    assert estimates.latest(["P9"], as_of=JUNE) == {}


def test_a_run_without_estimates_leaves_no_file(tmp_path):
    ParquetEstimates(folder=tmp_path).write("r1", [])

    assert list(tmp_path.iterdir()) == []


def test_equal_estimates_give_equal_bytes_and_any_tool_can_read_them(tmp_path):
    told = [for_planting("P2", MAY), for_planting("P1", MAY)]
    for name in ("a", "b"):
        ParquetEstimates(folder=tmp_path / name).write("r1", told)

    one, two = (next((tmp_path / name).glob("*.parquet")) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()
    table = pq.read_table(one)
    assert table["planting_id"].to_pylist() == ["P1", "P2"]
    assert len(table["t_ha"][0]) == 7
