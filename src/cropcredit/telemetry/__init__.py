"""What readings are worth: gaps, clock, physics, evidence grade, daily summaries."""

from cropcredit.telemetry.dating import Dated, Dating, date_reading
from cropcredit.telemetry.gaps import Gap, GapKind, find_gaps, silent_since
from cropcredit.telemetry.grade import Evidence, Grade, GradeReason, grade_window
from cropcredit.telemetry.summary import Day, daily, resets

__all__ = [
    "Dated",
    "Dating",
    "Day",
    "Evidence",
    "Gap",
    "GapKind",
    "Grade",
    "GradeReason",
    "daily",
    "date_reading",
    "find_gaps",
    "grade_window",
    "resets",
    "silent_since",
]
