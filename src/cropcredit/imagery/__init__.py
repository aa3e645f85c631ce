"""From digital numbers to an index per field and date: grids, radiometry, masks, coverage, statistics. No files."""

from cropcredit.imagery.acquisitions import Acquisition, acquisitions
from cropcredit.imagery.collapse import Verdict, judge
from cropcredit.imagery.coverage import Coverage, cover, coverage_key
from cropcredit.imagery.grids import cell_area, coarse_cells, footprint, refinement
from cropcredit.imagery.layers import Layers, bands_for, layers, reflectances, united
from cropcredit.imagery.masks import widened
from cropcredit.imagery.products import PRODUCTS, Sample, product_of
from cropcredit.imagery.reading import Piece, plan
from cropcredit.imagery.series import assemble, cube
from cropcredit.imagery.views import Rings, View, around, whole
from cropcredit.imagery.zonal import observe

__all__ = [
    "PRODUCTS",
    "Acquisition",
    "Coverage",
    "Layers",
    "Piece",
    "Rings",
    "Sample",
    "Verdict",
    "View",
    "acquisitions",
    "around",
    "assemble",
    "bands_for",
    "cell_area",
    "coarse_cells",
    "cover",
    "coverage_key",
    "cube",
    "footprint",
    "judge",
    "layers",
    "observe",
    "plan",
    "product_of",
    "refinement",
    "reflectances",
    "united",
    "whole",
    "widened",
]
