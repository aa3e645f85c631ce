"""What readings are worth: gaps, clock, physics, evidence grade, daily summaries."""

from cropcredit.telemetry.around import Around, Neighbour, PastDays, WeatherDays
from cropcredit.telemetry.dating import Dated, Dating, date_reading
from cropcredit.telemetry.evidence import Check, Evidence, Grade, GradeReason, Meaning
from cropcredit.telemetry.gaps import Gap, GapKind, find_gaps, silent_since
from cropcredit.telemetry.grade import grade_values, grade_window
from cropcredit.telemetry.heard import Heard, Messages, heard
from cropcredit.telemetry.summary import Day, daily, resets
from cropcredit.telemetry.tracks import Course, Grid, Track, grid_for

__all__ = [
    "Around",
    "Check",
    "Course",
    "Dated",
    "Dating",
    "Day",
    "Evidence",
    "Gap",
    "GapKind",
    "Grade",
    "GradeReason",
    "Grid",
    "Heard",
    "Meaning",
    "Messages",
    "Neighbour",
    "PastDays",
    "Track",
    "WeatherDays",
    "daily",
    "date_reading",
    "find_gaps",
    "grade_values",
    "grade_window",
    "grid_for",
    "heard",
    "resets",
    "silent_since",
]
