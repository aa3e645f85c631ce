"""What grows: series, season metrics, yield models with intervals, their validation."""

from cropcredit.agronomy.double_logistic import Refinement, refine_seasons
from cropcredit.agronomy.notebook import curves_of, seasons_of, table_of
from cropcredit.agronomy.phenology import SeasonMetrics, find_seasons, season_metrics
from cropcredit.agronomy.series import DailyCurves, smooth, usable
from cropcredit.agronomy.smoothers import robust_whittaker, whittaker
from cropcredit.agronomy.spikes import despike
from cropcredit.agronomy.turns import season_windows
from cropcredit.agronomy.validation import Validation, gate, validate

__all__ = [
    "DailyCurves",
    "Refinement",
    "SeasonMetrics",
    "Validation",
    "curves_of",
    "despike",
    "find_seasons",
    "gate",
    "refine_seasons",
    "robust_whittaker",
    "season_metrics",
    "season_windows",
    "seasons_of",
    "smooth",
    "table_of",
    "usable",
    "validate",
    "whittaker",
]
