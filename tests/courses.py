"""What was measured, put into columns from pairs of instant and value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from cropcredit.model import microseconds
from cropcredit.telemetry import Course, Track

Pairs = Sequence[tuple[datetime, float]]


def course_of(pairs: Pairs) -> Course:
    return Course(
        np.array([microseconds(at) for at, _ in pairs], np.int64), np.array([value for _, value in pairs], np.float64)
    )


def track_of(quantity: str, channel: str, pairs: Pairs, **more: Any) -> Track:
    course = course_of(pairs)
    return Track(quantity=quantity, channel=channel, at_s=course.at_us / 1e6, values=course.values, **more)
