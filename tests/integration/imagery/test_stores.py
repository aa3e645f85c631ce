"""Field register, observations, runs and the coverage cache: fake and real sit the same exam."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest

from cropcredit.adapters.atomic import replacing
from cropcredit.adapters.memo import NpzCache
from cropcredit.adapters.parquet import ParquetFields, ParquetObservations
from cropcredit.adapters.runs import JsonRuns
from cropcredit.errors import StateConflict, StoreUnavailable, UnknownRecord
from cropcredit.fields import boundary_version, repair
from cropcredit.model import Field, FieldObservations
from tests.fakes import FakeCache, FakeFields, FakeObservations, FakeRuns
from tests.rasterfiles import square

MAY = datetime(2025, 5, 1, tzinfo=UTC)
JUNE = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture(params=["fake", "parquet"])
def fields(request, tmp_path):
    return FakeFields() if request.param == "fake" else ParquetFields(folder=tmp_path / "fields")


@pytest.fixture(params=["fake", "parquet"])
def observations(request, tmp_path):
    return FakeObservations() if request.param == "fake" else ParquetObservations(folder=tmp_path / "observations")


@pytest.fixture(params=["fake", "json"])
def runs(request, tmp_path):
    return FakeRuns() if request.param == "fake" else JsonRuns(folder=tmp_path / "runs")


@pytest.fixture(params=["fake", "npz"])
def cache(request, tmp_path):
    return FakeCache() if request.param == "fake" else NpzCache(folder=tmp_path / "cache")


def field(name="f1", *, left=0.0, known=MAY, **changes):
    boundary = square(left, 0, 100)
    plain = Field(id=name, collection="toy", boundary=boundary, area_ha=1.0, perimeter_m=400.0,
                  boundary_version=boundary_version(boundary), known_at=known)  # fmt: skip
    return replace(plain, **changes)


def test_a_field_comes_back_as_it_was(fields):
    drawn = repair(square(0, 0, 100).union(square(90, 0, 100)))
    original = field(boundary=drawn.boundary, crop_code="wheat", admin_unit="xinglin", time_zone="Asia/Shanghai",
                     determined_at=MAY, determination_method="driven", repaired="crossing",
                     original_wkb=b"\x01")  # fmt: skip
    assert fields.add([original]) == 1
    [back] = fields.read()
    for name in Field.__dataclass_fields__:
        ours, theirs = getattr(original, name), getattr(back, name)
        assert ours.equals_exact(theirs, 0) if name == "boundary" else ours == theirs, name


def test_a_boundary_already_held_is_not_added_again(fields):
    assert fields.add([field()]) == 1
    assert fields.add([field(known=JUNE)]) == 0


def test_each_instant_sees_the_boundary_known_then(fields):
    fields.add([field()])
    fields.add([field(left=50, known=JUNE)])
    assert [f.boundary_version for f in fields.read()] == [field(left=50).boundary_version]
    assert [f.boundary_version for f in fields.read(as_of=JUNE - timedelta(1))] == [field().boundary_version]
    assert fields.read(as_of=MAY - timedelta(1)) == []


def test_an_earlier_instant_may_become_known_later(fields):
    fields.add([field(known=JUNE)])
    assert fields.add([field()]) == 1
    assert len(fields.read(as_of=MAY)) == 1


def test_fields_come_by_id_and_those_asked_for_only(fields):
    fields.add([field("b"), field("a"), field("c")])
    assert [f.id for f in fields.read()] == ["a", "b", "c"]
    assert [f.id for f in fields.read(ids=["c", "x"])] == ["c"]


def test_two_boundaries_of_one_field_at_one_instant_are_refused(fields):
    fields.add([field()])
    with pytest.raises(StateConflict, match="field 'f1' already has another version known at 2025-05-01"):
        fields.add([field("f2"), field(left=50)])
    assert [f.id for f in fields.read()] == ["f1"]


def test_the_register_is_geoparquet_with_fiboa_columns(tmp_path):
    ParquetFields(folder=tmp_path).add([field(crop_code="wheat")])
    [part] = tmp_path.glob("part-*.parquet")
    frame = gpd.read_parquet(part)
    assert (frame.crs.to_epsg(), frame["metrics:area"].tolist()) == (4326, [10_000.0])
    assert {"id", "collection", "geometry", "metrics:perimeter", "crop:code", "determination:method"} < set(frame)


def seen(index="NDVI", scene="s1", day=1, ids=("a", "b"), value=0.5):
    numbers: dict[str, Any] = {
        name: np.full(len(ids), value)
        for name in ("mean", "std", "clear_fraction", "covered_pixels", "core_mean", "core_std",
                     "core_clear_fraction", "core_pixels", "core_buffer_m", "data_fraction")
    }  # fmt: skip
    return FieldObservations(scene_id=scene, tile="50SMJ", acquired_at=datetime(2025, 6, day, 3, tzinfo=UTC),
                             index=index, field_ids=np.array(ids), mixed_pixel=np.array([True, False]),
                             flagged=np.array([False, True]), **numbers)  # fmt: skip


def test_a_unit_comes_back_index_by_index(observations):
    observations.write("50SMJ/2025-06/u1", [seen(), seen("EVI2", value=np.nan)])
    evi2, ndvi = observations.read(["50SMJ/2025-06/u1"])
    assert (evi2.index, ndvi.index, ndvi.scene_id, ndvi.tile) == ("EVI2", "NDVI", "s1", "50SMJ")
    assert ndvi.acquired_at == datetime(2025, 6, 1, 3, tzinfo=UTC)
    assert ndvi.field_ids.tolist() == ["a", "b"]
    assert (ndvi.mixed_pixel.tolist(), ndvi.flagged.tolist()) == ([True, False], [False, True])
    assert np.isnan(evi2.core_mean).all()


def test_a_series_is_read_from_the_units_named(observations):
    observations.write("50SMJ/2025-06/u1", [seen()])
    observations.write("50SMJ/2025-06/u2", [seen(scene="s2", day=9, value=0.7)])
    got = observations.series("NDVI", ["50SMJ/2025-06/u1", "50SMJ/2025-06/u2"], ["b"])
    assert got.mean.tolist() == [[0.5, 0.7]]
    assert observations.series("NDRE", ["50SMJ/2025-06/u1"]).mean.shape == (0, 0)


def test_only_a_unit_written_is_finished(observations):
    assert not observations.has("50SMJ/2025-06/u1")
    observations.write("50SMJ/2025-06/u1", [seen()])
    assert observations.has("50SMJ/2025-06/u1")
    with pytest.raises(UnknownRecord, match="no unit of observations with id '50SMJ/2025-06/u2'"):
        observations.read(["50SMJ/2025-06/u2"])


def test_equal_observations_are_equal_bytes_in_their_partition(tmp_path):
    for folder in ("one", "two"):
        ParquetObservations(folder=tmp_path / folder).write("50SMJ/2025-06/u1", [seen(), seen("EVI2")])
    one, two = (tmp_path / folder / "tile=50SMJ/month=2025-06/u1.parquet" for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert pq.read_table(one).num_rows == 4


def test_runs_come_in_the_order_in_which_they_finished(runs):
    for run_id, kind, day in (("r2", "ndvi", 2), ("r1", "ndvi", 1), ("y1", "yield", 3)):
        runs.write(run_id, {"run_id": run_id, "kind": kind}, {"finished_at": f"2025-06-0{day}"})
    assert [m["run_id"] for m in runs.manifests("ndvi")] == ["r1", "r2"]
    assert len(runs.manifests()) == 3
    runs.write("r1", {"run_id": "r1", "kind": "ndvi"}, {"finished_at": "2025-06-09"})
    assert [m["run_id"] for m in runs.manifests("ndvi")] == ["r2", "r1"]


def test_a_run_killed_between_manifest_and_log_is_still_listed(tmp_path):
    runs = JsonRuns(folder=tmp_path)
    runs.write("r1", {"run_id": "r1"}, {"finished_at": "2025-06-01"})
    (tmp_path / "r1" / "log.jsonl").unlink()
    assert [m["run_id"] for m in runs.manifests()] == ["r1"]


def test_what_is_kept_comes_back_and_what_is_not_does_not(cache):
    cache.save("k", {"a": np.arange(3), "names": np.array(["x", "yy"])})
    back = cache.load("k")
    assert (back["a"].tolist(), back["names"].tolist()) == ([0, 1, 2], ["x", "yy"])
    assert cache.load("other") is None


def test_a_spoilt_cache_file_costs_time_and_nothing_else(tmp_path):
    cache = NpzCache(folder=tmp_path)
    (tmp_path / "k.npz").write_bytes(b"PK\x03\x04 cut short")
    assert cache.load("k") is None


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    target = tmp_path / "deep" / "file"
    with pytest.raises(ValueError, match="killed"), replacing(target) as partial:  # noqa: PT012 - dies half-way
        partial.write_text("half")
        raise ValueError("killed")
    assert list(target.parent.iterdir()) == []
    with replacing(target) as partial:
        partial.write_text("whole")
    assert target.read_text() == "whole"


def test_a_disk_that_refuses_is_named(tmp_path):
    (tmp_path / "no-folder").write_text("a file stands where a folder is wanted")
    with pytest.raises(StoreUnavailable, match=r"cannot be written"), replacing(tmp_path / "no-folder" / "file"):
        pass
