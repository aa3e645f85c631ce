"""What grows: series, season metrics, yield models with intervals, their validation."""

from cropcredit.agronomy.phenology import SeasonMetrics, season_metrics
from cropcredit.agronomy.series import DailyCurves, despike, smooth, usable, whittaker
from cropcredit.agronomy.validation import Validation, gate, leave_one_year_out

__all__ = [
    "DailyCurves",
    "SeasonMetrics",
    "Validation",
    "despike",
    "gate",
    "leave_one_year_out",
    "season_metrics",
    "smooth",
    "usable",
    "whittaker",
]
