"""Pixels and boundaries: files, catalogues, and what was observed in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from cropcredit.model import FieldObservations, FieldSeries, RasterInfo, SceneDraft, SceneQuery, VectorTable, Window


class RasterReader(Protocol):
    """Reads pixels; everything it knows about files stays inside."""

    def info(self, href: str, *, band: int = 1) -> RasterInfo: ...

    def read(self, href: str, windows: Iterable[Window], *, band: int = 1) -> Iterator[NDArray[Any]]:
        """Open once and read the digital numbers of one window after another, shape (rows, columns), unresampled."""
        ...

    def content_hash(self, hrefs: Sequence[str]) -> str: ...


class VectorFiles(Protocol):
    """Reads vector files of any format and coordinate system."""

    def read(self, path: str, *, crs: str = "", encoding: str = "", layer: str = "") -> VectorTable:
        """Read all features.

        Parameters
        ----------
        crs : str, optional
            Coordinate system to assume where the file names none.
        encoding : str, optional
            Of a shapefile's text; without it, what its .cpg file says.

        Raises
        ------
        MissingCRS, EmptyInput, MalformedInput
            If the file names no coordinate system, holds nothing, or cannot be read.
        """
        ...


class SceneFiles(Protocol):
    """Finds scenes in folders and files."""

    def describe(self, path: str, product: str) -> list[SceneDraft]:
        """Describe the scenes at ``path``, in order of their names."""
        ...


class SceneCatalogue(Protocol):
    """Finds scenes in catalogues that others publish."""

    def search(self, query: SceneQuery) -> Iterator[SceneDraft]:
        """Describe the scenes that fit, each once, in the order of the catalogue.

        An item that cannot be used says why (``problem``) and does not end the search.

        Raises
        ------
        RefusedInput
            If there is no catalogue, or it knows no such collection.
        StoreUnavailable
            If it does not answer, after several tries.
        """
        ...


class CoverageCache(Protocol):
    """Coverage matrices, content-addressed by grid and field set."""

    def has(self, key: str) -> bool: ...
    def load(self, key: str) -> dict[str, NDArray[Any]] | None: ...
    def save(self, key: str, arrays: dict[str, NDArray[Any]]) -> None: ...


class ObservationStore(Protocol):
    """The Parquet dataset of field observations, partitioned by tile and month."""

    def has(self, unit: str) -> bool:
        """Say whether the unit of work with this content key is finished."""
        ...

    def write(self, unit: str, observations: Sequence[FieldObservations]) -> None:
        """Write one unit whole: to a temporary name, then renamed; equal content gives equal bytes."""
        ...

    def read(self, units: Sequence[str], *, index: str = "") -> list[FieldObservations]:
        """Read the named units whole, or one index of them, in that order.

        Raises
        ------
        UnknownRecord
            If one is not there.
        """
        ...

    def series(self, index: str, units: Sequence[str], field_ids: Sequence[str] | None = None) -> FieldSeries:
        """Read one index over time from the named units."""
        ...
