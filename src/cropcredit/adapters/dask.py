"""The same work on a dask.distributed cluster: Spread over the workers of a running scheduler.

Workers need cropcredit installed and the workspace under the same path (a shared file system). What a worker that dies
had in hand is given to another; a unit is written whole under the name of its content, so nothing is lost or counted
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from cropcredit.errors import RefusedInput, StoreUnavailable
from cropcredit.ports import DoneT, JobT

if TYPE_CHECKING:
    from distributed import Client

IN_HAND = 4
"""Jobs per thread of the cluster that are handed out ahead, so that ten thousand tiles never wait in memory."""
CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class OnCluster:
    """Run jobs on the workers of a scheduler."""

    scheduler: str
    """Address as the scheduler prints it, e.g. ``tcp://10.0.0.5:8786``."""

    def __call__(self, work: Callable[[JobT], DoneT], jobs: Sequence[JobT]) -> Iterator[DoneT]:
        """Run ``work(job)`` for every job, results in the order in which they finish; the first error stops the rest.

        Raises
        ------
        RefusedInput
            If dask is not installed, or the cluster has no worker.
        StoreUnavailable
            If the scheduler does not answer, or jobs keep killing their workers; what is finished stays finished.
        """
        if not jobs:
            return
        with _connected(self.scheduler) as client:
            yield from _run(client, work, jobs)


def _run(client: Client, work: Callable[[JobT], DoneT], jobs: Sequence[JobT]) -> Iterator[DoneT]:
    from distributed import as_completed  # noqa: PLC0415 - an optional library, slow to import
    from distributed.scheduler import KilledWorker  # noqa: PLC0415 - as above

    waiting = iter(jobs)
    threads = sum(client.nthreads().values())
    shared = client.scatter(work, broadcast=True)
    running = as_completed(
        [client.submit(_call, shared, job, pure=False) for job in islice(waiting, IN_HAND * threads)]
    )
    try:
        for future in running:
            yield future.result()
            future.release()
            for job in islice(waiting, 1):
                running.add(client.submit(_call, shared, job, pure=False))
    except KilledWorker as error:
        raise StoreUnavailable(
            f"the cluster loses its workers over one job ({error.task}): have they memory?"
        ) from error
    finally:
        client.cancel(list(running.futures))


def _call(work: Callable[[JobT], DoneT], job: JobT) -> DoneT:
    return work(job)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    try:
        from distributed import Client  # noqa: PLC0415 - an optional library, slow to import
    except ImportError:
        raise RefusedInput(
            "needs dask.distributed", where="--scheduler", cure='pip install "cropcredit[dask]"'
        ) from None
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise StoreUnavailable(f"no dask scheduler answers at {scheduler}: start one with dask scheduler") from error
    with client:
        if not client.nthreads():
            raise RefusedInput("the cluster has no worker", where=scheduler, cure=f"start one: dask worker {scheduler}")
        yield client
