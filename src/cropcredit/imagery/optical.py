"""Surface reflectance of Sentinel-2 and Landsat."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cropcredit.imagery import masks
from cropcredit.imagery.product import Measured, Sample, has_data
from cropcredit.imagery.radiometry import (
    LANDSAT_FILL_DN,
    S2_FIRST_BASELINE_WITH_OFFSET,
    baseline_number,
    check_dn,
    check_red,
    landsat_reflectance,
    s2_offset_dn,
    s2_reflectance,
)
from cropcredit.model import Offset, Scene


def sentinel2(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read Sentinel-2 L2A: the offset once, scene classes as the mask; raises RadiometryError."""
    check_dn(samples["red"].dn, nodata=samples["red"].nodata, where=scene.id)
    add = s2_offset_dn(scene.offset, scene.processing_baseline, where=scene.id)
    values = {n: s2_reflectance(s.dn, add, nodata=s.nodata) for n, s in samples.items() if n != "scl"}
    seen = np.isfinite(values["red"]) & np.isfinite(values["nir"])
    scl = samples["scl"].dn if "scl" in samples else np.full(len(seen), masks.SCL_VEGETATION, dtype=np.uint8)
    return Measured(
        values=values,
        clear=masks.scl_clear(scl) & seen,
        clear_wet=masks.scl_clear(scl, wet=True) & seen,
        doubtful=masks.scl_doubtful(scl),
        present=seen,
    )


def check_sentinel2(scene: Scene, samples: Mapping[str, Sample], seen: Measured) -> None:
    """Stop where the offset was taken out twice, or never; raises RadiometryError."""
    red = seen.values["red"]
    vegetated = samples["scl"].dn == masks.SCL_VEGETATION if "scl" in samples else np.zeros(len(red), dtype=bool)
    check_red(red, seen.clear, vegetated, offset_may_be_left=_offset_said_gone(scene), where=scene.id)


def _offset_said_gone(scene: Scene) -> bool:
    """Tell whether only the source's word stands for it that an offset is gone: of old baselines nobody need say it."""
    baseline = scene.processing_baseline
    may_have_had_one = not baseline or baseline_number(baseline) >= S2_FIRST_BASELINE_WITH_OFFSET
    return scene.offset is Offset.APPLIED and may_have_had_one


def landsat(scene: Scene, samples: Mapping[str, Sample]) -> Measured:
    """Read Landsat 4-9 Collection 2 Level 2: one scale and offset for all, quality bits as the mask.

    Cells whose reflectance lies outside [0, 1] have data, but of no ground that anybody knows: they are not clear.
    Numbers that are no digital numbers raise RadiometryError.
    """
    check_dn(samples["red"].dn, nodata=samples["red"].nodata, where=scene.id)
    values = {name: landsat_reflectance(s.dn) for name, s in samples.items() if name != "qa"}
    red, nir = samples["red"], samples["nir"]
    present = has_data(red) & has_data(nir) & (red.dn != LANDSAT_FILL_DN) & (nir.dn != LANDSAT_FILL_DN)
    seen = np.isfinite(values["red"]) & np.isfinite(values["nir"])
    qa = samples["qa"].dn if "qa" in samples else np.full(len(seen), masks.QA_CLEAR, dtype=np.uint16)
    return Measured(
        values=values,
        clear=masks.qa_clear(qa) & seen,
        clear_wet=masks.qa_clear(qa, wet=True) & seen,
        doubtful=np.zeros(len(seen), dtype=bool),
        present=present,
    )
