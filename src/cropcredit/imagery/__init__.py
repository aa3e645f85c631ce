"""From digital numbers to an index per field and date: grids, radiometry, masks, coverage, statistics. No files."""

from cropcredit.imagery.collapse import Verdict, judge
from cropcredit.imagery.coverage import Coverage, cover, coverage_key
from cropcredit.imagery.grids import cell_area, coarse_cells, footprint, refinement, strips
from cropcredit.imagery.layers import PRODUCTS, Layers, Sample, layers
from cropcredit.imagery.masks import widen_clouds
from cropcredit.imagery.series import assemble, cube
from cropcredit.imagery.zonal import observe

__all__ = [
    "PRODUCTS",
    "Coverage",
    "Layers",
    "Sample",
    "Verdict",
    "assemble",
    "cell_area",
    "coarse_cells",
    "cover",
    "coverage_key",
    "cube",
    "footprint",
    "judge",
    "layers",
    "observe",
    "refinement",
    "strips",
    "widen_clouds",
]
