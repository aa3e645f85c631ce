"""Results worth keeping because they are dear to compute: coverage matrices as .npz files."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cropcredit.adapters.atomic import replacing


@dataclass(frozen=True, slots=True, kw_only=True)
class NpzCache:
    """CoverageCache in a folder; deleting it costs time and nothing else."""

    folder: Path

    def has(self, key: str) -> bool:
        """Say whether something whole is kept under ``key``."""
        return zipfile.is_zipfile(self._path(key))

    def load(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Read what was kept under ``key``; None where nothing usable was."""
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (FileNotFoundError, zipfile.BadZipFile, ValueError, EOFError):
            return None

    def save(self, key: str, arrays: dict[str, NDArray[Any]]) -> None:
        """Keep arrays under ``key``."""
        with replacing(self._path(key)) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"
