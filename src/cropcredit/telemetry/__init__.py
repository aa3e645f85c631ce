"""What readings are worth: gaps, clock, physics, evidence grade, daily summaries."""

from cropcredit.telemetry.around import Around, Neighbour, PastDays, WeatherDays
from cropcredit.telemetry.dating import Dated, Dating, date_reading
from cropcredit.telemetry.evidence import Check, Evidence, Grade, GradeReason, Meaning
from cropcredit.telemetry.gaps import Gap, GapKind, find_gaps, silent_since
from cropcredit.telemetry.grade import grade_values, grade_window
from cropcredit.telemetry.summary import Day, daily, resets
from cropcredit.telemetry.tracks import Grid, Track, grid_for, track_of

__all__ = [
    "Around",
    "Check",
    "Dated",
    "Dating",
    "Day",
    "Evidence",
    "Gap",
    "GapKind",
    "Grade",
    "GradeReason",
    "Grid",
    "Meaning",
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
    "resets",
    "silent_since",
    "track_of",
]
