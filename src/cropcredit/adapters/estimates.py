"""Yield estimates: a Parquet dataset with one file per run, ordered by the instant they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cropcredit.adapters.atomic import replacing
from cropcredit.model import YieldEstimate

_STAMP = "%Y%m%dT%H%M%S.%fZ"
_INSTANT = pa.timestamp("us", tz="UTC")
_TYPES = {
    "t_ha": pa.list_(pa.float64()),
    "reasons": pa.list_(pa.string()),
    "inputs": pa.list_(pa.string()),
    "known_at": _INSTANT,
    "as_of": _INSTANT,
    "shared_share": pa.float64(),
    "baseline_t_ha": pa.float64(),
    "skill": pa.float64(),
    "growth_percentile": pa.float64(),
    "verification_confidence": pa.float64(),
    "planted_share": pa.float64(),
    "qa_flag": pa.int16(),
}
SCHEMA = pa.schema([(field.name, _TYPES.get(field.name, pa.string())) for field in fields(YieldEstimate)])


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetEstimates:
    """EstimateStore in a folder; the file name carries as-of and run."""

    folder: Path

    def write(self, run_id: str, estimates: Sequence[YieldEstimate]) -> None:
        """Write the estimates of one run, all for one instant, whole or not at all."""
        if not estimates:
            return
        ordered = sorted(estimates, key=lambda estimate: estimate.planting_id)
        table = pa.Table.from_pylist([asdict(estimate) for estimate in ordered], schema=SCHEMA)
        stamp = ordered[0].as_of.astimezone(UTC).strftime(_STAMP)
        with replacing(self.folder / f"{stamp}_{run_id}.parquet") as partial:
            pq.write_table(table, partial, compression="zstd")

    def latest(self, planting_ids: Sequence[str], *, as_of: datetime) -> dict[str, YieldEstimate]:
        """Give, per planting, the last estimate whose own ``as_of`` is not after this one."""
        wanted, limit = set(planting_ids), as_of.astimezone(UTC).strftime(_STAMP)
        found: dict[str, YieldEstimate] = {}
        files = [f for f in self.folder.glob("*.parquet") if not f.name.startswith(".")]
        for file in sorted(files, key=_order, reverse=True):
            missing = wanted - found.keys()
            if not missing:
                break
            if file.name.split("_")[0] <= limit:
                rows = pq.read_table(file, filters=pc.field("planting_id").isin(sorted(missing)))
                found |= {row["planting_id"]: _estimate(row) for row in rows.to_pylist()}
        return {planting: found[planting] for planting in sorted(found)}


def _order(file: Path) -> tuple[str, int, str]:
    """Sort by as-of; of two runs for one instant, by when they were written."""
    return file.name.split("_")[0], file.stat().st_mtime_ns, file.name


def _estimate(row: dict[str, Any]) -> YieldEstimate:
    lists = {name: tuple(row[name]) for name in ("t_ha", "reasons", "inputs")}
    instants = {name: row[name].astimezone(UTC) for name in ("known_at", "as_of")}
    return YieldEstimate(**{**row, **lists, **instants})
