"""Look back at batch runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cropcredit.ports import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns:
    """List the manifests of batch runs."""

    runs: RunStore

    def __call__(self, kind: str = "") -> list[dict[str, Any]]:
        """Give the manifests of one kind (``ndvi``, ``yield`` …), or of all, oldest first."""
        return self.runs.manifests(kind)
