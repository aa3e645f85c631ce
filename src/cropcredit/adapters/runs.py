"""Run manifests as JSON files; wall-clock facts in a log beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cropcredit.adapters.atomic import replacing


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRuns:
    """RunStore: ``<run id>/manifest.json`` and tables, the same bytes for the same inputs, and ``log.jsonl``."""

    folder: Path

    def write(
        self,
        run_id: str,
        manifest: dict[str, Any],
        log: dict[str, Any],
        tables: Mapping[str, Sequence[Mapping[str, str]]] = MappingProxyType({}),
    ) -> None:
        """Write the tables (CSV, empty ones too), then the manifest, and append to its log."""
        home = self.folder / run_id
        for name, rows in tables.items():
            with replacing(home / f"{name}.csv") as partial, partial.open("w", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, list(rows[0]) if rows else [name])
                table.writeheader()
                table.writerows(rows)
        with replacing(home / "manifest.json") as partial:
            partial.write_text(json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False) + "\n", "utf-8")
        with (home / "log.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(log, sort_keys=True) + "\n")

    def manifests(self, kind: str = "") -> list[dict[str, Any]]:
        """Read the manifests in the order in which their runs last finished."""
        found = sorted((_finished(path.with_name("log.jsonl")), path) for path in self.folder.glob("*/manifest.json"))
        read = (json.loads(path.read_text("utf-8")) for _, path in found)
        return [manifest for manifest in read if kind in ("", manifest.get("kind"))]


def _finished(log: Path) -> str:
    """Give ``finished_at`` of the last execution; empty for a run that was killed between manifest and log."""
    if not log.is_file():
        return ""
    return str(json.loads(log.read_text("utf-8").splitlines()[-1]).get("finished_at", ""))
