"""The same work on one processor or on several; implementations of :class:`cropcredit.ports.Spread`."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TypeVar

Job = TypeVar("Job")
Done = TypeVar("Done")


def one_by_one(work: Callable[[Job], Done], jobs: Sequence[Job]) -> Iterator[Done]:
    """Run ``work(job)`` for every job, here and in order."""
    return map(work, jobs)


@dataclass(frozen=True, slots=True)
class InProcesses:
    """Run jobs in processes of this machine."""

    workers: int

    def __call__(self, work: Callable[[Job], Done], jobs: Sequence[Job]) -> Iterator[Done]:
        """Run ``work(job)`` for every job, results in the order in which they finish.

        Processes are spawned, not forked, so that no lock or open file of this one is inherited. The first error stops
        the rest: jobs not yet begun are dropped, what is finished stays finished.

        Parameters
        ----------
        work : callable
            A function of a module, or a partial of one whose values may be sent to another process.
        """
        if not jobs:
            return
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.workers, mp_context=spawn, initializer=_end_with_parent) as pool:
            futures = [pool.submit(work, job) for job in jobs]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: killed, it cannot say that there is no more work."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
