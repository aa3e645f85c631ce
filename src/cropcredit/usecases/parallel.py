"""The same work on several processors."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")


def in_processes(work: Callable[[Job], Done], jobs: Sequence[Job], *, workers: int) -> Iterator[Done]:
    """Run ``work(job)`` for every job, results in the order in which they finish.

    Processes are spawned, not forked, so that no lock or open file of this one is inherited. The first error stops the
    rest: jobs not yet begun are dropped, what is finished stays finished.

    Parameters
    ----------
    work : callable
        A function of a module, or a partial of one whose values may be sent to another process.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=workers, mp_context=spawn) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
