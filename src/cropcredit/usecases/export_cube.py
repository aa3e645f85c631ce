"""Hand the observations of a run to a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cropcredit.imagery import cube
from cropcredit.ports import FieldStore, ObservationStore
from cropcredit.usecases.refresh_ndvi import NdviRun

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportCube:
    """Write the field cube of a run: dims (field, time)."""

    fields: FieldStore
    observations: ObservationStore
    write: Callable[[xr.Dataset, str], None]

    def __call__(self, run: NdviRun, path: str) -> None:
        """Write all units that belong in the series."""
        seen = self.observations.read(run.units)
        points = ((field.id, field.boundary.representative_point()) for field in self.fields.read(as_of=run.as_of))
        dataset = cube(seen, {name: (point.x, point.y) for name, point in points})
        dataset.attrs |= {"run_id": run.run_id, "as_of": run.as_of.isoformat(), "product": run.product}
        self.write(dataset, path)
