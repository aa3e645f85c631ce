"""Batches: runs, where they are computed, how far they are; estimates and models they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cropcredit.model import Promotion, Record, YieldEstimate

JobT = TypeVar("JobT")
DoneT = TypeVar("DoneT")


class RunStore(Protocol):
    """Manifests of batch runs; wall-clock facts go to a separate log."""

    def write(
        self,
        run_id: str,
        manifest: dict[str, Any],
        log: dict[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, str]]] = ...,
    ) -> None:
        """Write a manifest, append to its log, and put named tables (rows by column) beside it."""
        ...

    def manifests(self, kind: str = "") -> list[dict[str, Any]]:
        """Read the manifests, oldest first."""
        ...


class EstimateStore(Protocol):
    """The Parquet dataset of yield estimates."""

    def write(self, run_id: str, estimates: Sequence[YieldEstimate]) -> None: ...
    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        """Give, per planting, the last estimate whose own ``as_of`` is not after this one."""
        ...


class ModelStore(Protocol):
    """Content-addressed model artefacts as JSON, with a card; never a pickle."""

    def save(self, artefact: dict[str, Any], card: str) -> str:
        """Store and return the model id (hash of the artefact)."""
        ...

    def load(self, model_id: str) -> dict[str, Any]: ...
    def ids(self) -> list[str]:
        """Name every stored model, in the order of their ids."""
        ...

    def current(self, crop: str) -> str | None:
        """Give the model in use for a crop."""
        ...

    def promoted(self, crop: str) -> list[str]:
        """Give every model that was ever put into use for a crop, latest last."""
        ...

    def promotions(self) -> list[Promotion]:
        """Give every promotion there ever was, latest last."""
        ...

    def promote(self, promotion: Promotion) -> None:
        """Put a stored model into use; nothing where it is already."""
        ...


class YieldArchive(Protocol):
    """Reads a folder of past yields in a form other people publish."""

    def read(self, folder: Path, mapping: str, *, crop: str = "", lag_days: int | None = None) -> list[Record]:
        """Read labels, index and calendars of one crop as records, as a data mapping says.

        Raises RefusedInput, naming file, row and column, or the member of the mapping.
        """
        ...


class Spread(Protocol):
    """Where many independent pieces of work are done: here, in processes, on a cluster."""

    def __call__(self, work: Callable[[JobT], DoneT], jobs: Sequence[JobT], /) -> Iterator[DoneT]:
        """Run ``work(job)`` for every job; results come in the order in which they finish, and the first error ends it.

        ``work`` may be sent to another process or machine, so it is a function of a module, or a partial of one.
        """
        ...


class Progress(Protocol):
    """Tells the person waiting how far long work is."""

    def __call__(self, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Open a bar of ``total`` units (0: nobody knows); call the result with the number of units done since."""
        ...
