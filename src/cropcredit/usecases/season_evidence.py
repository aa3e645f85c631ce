"""What the sensors on a field were worth over a planting's season, window by window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from cropcredit.model import Planting, end_of_day
from cropcredit.ports import Clock, FactStore
from cropcredit.telemetry.evidence import Evidence
from cropcredit.telemetry.season import SeasonEvidence, season_grade
from cropcredit.usecases.telemetry import SummariseSensors

WINDOW = timedelta(days=30)
SHORTEST = timedelta(days=10)
"""A rest of the season that is shorter belongs to the window before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeSeason:
    """Grade each device on a planting's field over the season so far."""

    facts: FactStore
    summarise: SummariseSensors
    clock: Clock
    zone: str

    def __call__(self, planting_id: str, *, as_of: datetime | None = None) -> dict[str, SeasonEvidence]:
        """Give the grade by device, as known at ``as_of`` (None: now); a season not yet begun has none.

        Raises
        ------
        UnknownRecord
            If there is no such planting.
        """
        at = as_of or self.clock.now()
        planting = self.facts.get(Planting, planting_id, as_of=at)
        found: dict[str, list[Evidence]] = {}
        for begun, ended in self.windows(planting, at):
            days = max((ended - begun).days, 1)
            summary = self.summarise(field_id=planting.field_id, as_of=at, until=ended, days=days)
            for device in summary.devices:
                found.setdefault(device.device_id, []).append(device.evidence)
        return {device_id: season_grade(windows) for device_id, windows in sorted(found.items())}

    def windows(self, planting: Planting, at: datetime) -> list[tuple[datetime, datetime]]:
        """Cut the season so far, from sowing to harvest, into windows."""
        begun = datetime.combine(planting.sowing_on, time(0), ZoneInfo(self.zone))
        end = min(at, end_of_day(planting.harvest_on, self.zone))
        found: list[tuple[datetime, datetime]] = []
        while begun < end:
            ended = begun + WINDOW if end - begun >= WINDOW + SHORTEST else end
            found.append((begun, ended))
            begun = ended
        return found
