"""The batch on a real cluster of two workers: one is killed in the middle, and nothing is lost or there twice."""

import os
import signal
import threading

import pytest
from distributed import LocalCluster

from cropcredit.adapters.dask import OnCluster
from cropcredit.errors import RadiometryError, RefusedInput, StoreUnavailable
from cropcredit.model import parse_as_of
from tests.integration.imagery.test_resume import AS_OF, SCENES, bank, written  # noqa: F401 - bank is a fixture


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=50
    ) as two:
        yield two


def kill_one_when_work_is_under_way(cluster, home, killed):
    """Wait for the second finished unit, then end a worker's process for good."""
    while len(list(home.glob("observations/**/*.parquet"))) < 2:
        if killed.wait(0.005):
            return
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    killed.set()


def test_a_worker_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(bank, cluster):  # noqa: F811 - a fixture
    straight, spread = bank("straight", opened=True), bank("spread", opened=True)
    as_of = parse_as_of(AS_OF, "UTC")
    straight.refresh_ndvi(as_of=as_of)
    killed = threading.Event()
    home = spread.settings.home
    hunter = threading.Thread(target=kill_one_when_work_is_under_way, args=(cluster, home, killed))
    hunter.start()
    run = spread.refresh_ndvi(as_of=as_of, spread=OnCluster(cluster.scheduler_address))
    was_killed = killed.is_set()
    killed.set()
    hunter.join()
    assert was_killed, "the worker died before the work was done"
    assert len(set(run.units)) == len(run.units) == SCENES
    assert written(home) == written(straight.settings.home)


def test_an_error_of_a_worker_comes_back_with_its_facts(cluster):
    with pytest.raises(RadiometryError, match=r"s1: the offset was taken out twice; add it again"):
        list(OnCluster(cluster.scheduler_address)(refuse, ["s1"]))


def test_results_come_back_however_many_jobs_there_are(cluster):
    assert sorted(OnCluster(cluster.scheduler_address)(abs, range(-50, 0))) == list(range(1, 51))
    assert list(OnCluster(cluster.scheduler_address)(abs, [])) == []


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("cropcredit.adapters.dask.CONNECT_S", 0.5)
    with pytest.raises(StoreUnavailable, match="no dask scheduler answers at tcp://127"):
        list(OnCluster("tcp://127.0.0.1:9")(abs, [1]))


def test_a_cluster_without_workers_says_how_to_start_one():
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1", silence_logs=50) as empty,
        pytest.raises(RefusedInput, match="the cluster has no worker; start one: dask worker tcp://127"),
    ):
        list(OnCluster(empty.scheduler_address)(abs, [1]))


def refuse(scene):
    raise RadiometryError("the offset was taken out twice", where=scene, cure="add it again")
