"""Thirty days of honest air and soil, by the hour, for tests that change one thing."""

from __future__ import annotations

from typing import Any

import numpy as np

from cropcredit.telemetry import Check, GradeReason, Grid, Track

DAYS = 30
GRID = Grid(start_s=0.0, step_s=3600, count=24 * DAYS)
DAILY = Grid(start_s=0.0, step_s=86_400, count=DAYS)
HOURS = np.arange(24 * DAYS)
DAY = np.arange(DAYS, dtype=float)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def weather(seed: int = 7) -> np.ndarray:
    """Give how warm each day is, °C, shape (days,): neighbours share it."""
    return 15 + np.convolve(dice(seed).normal(0, 3, DAYS + 4), np.ones(5) / 2.2, "valid")


def air(seed: int = 0, *, swing: float = 6.0, noise: float = 0.2, days: np.ndarray | None = None) -> np.ndarray:
    means = np.repeat(weather() if days is None else days, 24)
    return means + swing * np.cos(2 * np.pi * (HOURS - 15) / 24) + dice(seed).normal(0, noise, len(HOURS))


def rain() -> np.ndarray:
    """Give rain by day, mm: three soaking rains and some drizzle."""
    mm = np.zeros(DAYS)
    mm[[5, 14, 23]], mm[[9, 18]] = 30.0, 2.0
    return mm


def soil(seed: int = 0, *, depth: float = 20.0, answers: bool = True) -> np.ndarray:
    """Give soil moisture by the hour, % of volume: dries, and wets when it rains."""
    level, course = 24.0, []
    mm = rain()
    for hour in HOURS:
        level -= 0.015 * (level - 8) / 16 * 20 / depth
        if answers and hour % 24 == 12 and mm[hour // 24] >= 20:
            level += 6 * 20 / depth
        course.append(level)
    return np.array(course) + dice(seed).normal(0, 0.1, len(HOURS))


def track(quantity: str, values: np.ndarray, *, channel: str = "", step_s: int = 3600, **more: Any) -> Track:
    known = np.isfinite(values)
    at_s = (np.arange(len(values)) * step_s + step_s / 2)[known]
    return Track(quantity=quantity, channel=channel, at_s=at_s, values=values[known], **more)


def doubt(check: Check) -> float:
    """Give the suspicion of a check that was assessed."""
    assert check.suspicion is not None, check.because
    return check.suspicion


def reason(check: Check) -> GradeReason:
    """Give the reason of a check that has one."""
    assert check.reason is not None, check
    return check.reason
