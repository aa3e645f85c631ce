"""Everything learned about one crop, as it is stored: baselines, one model per horizon, errors on left-out years."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cropcredit.agronomy.baselines import BASELINES, Expectation, fit_expectation, region_sd
from cropcredit.agronomy.downscale import FieldSpread
from cropcredit.agronomy.features import PARTS, RegionTable, SeasonCalendar, labelled, seen_parts
from cropcredit.agronomy.fits import Fits, fit_best
from cropcredit.agronomy.forecasts import RegionForecast
from cropcredit.agronomy.intervals import region_scales, scale_of, wider, year_quantiles, year_sd
from cropcredit.agronomy.models import RegionalModel, learnable, model_from_json
from cropcredit.agronomy.scores import Scores
from cropcredit.agronomy.validation import MODEL, Gate, Validation, gate, validate
from cropcredit.model import PROBABILITIES

HORIZONS = (3, 4, 5, 6)
"""Parts of the season, of six, after which a model is tried; before, the baseline stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """What is used once so many parts of the season were seen, and how it did on left-out years."""

    gate: Gate
    offsets: dict[str, tuple[float, ...]]
    """Method -> quantiles of its errors at :data:`cropcredit.model.PROBABILITIES`, t/ha."""
    scales: dict[str, dict[str, float]]
    """Method -> region -> size of its errors beside all; offsets and spread are multiplied by it."""
    sd_t_ha: dict[str, float]
    scores: dict[str, Scores]
    model: RegionalModel | None = None
    """None where the gate keeps it out."""
    made_of: str = ""
    """Which models it combines, in words."""

    def scaled(self, method: str, region: str) -> tuple[float, ...]:
        """Give the quantiles of a method's errors in one region."""
        scale = self.scales[method].get(region, 1.0)
        return tuple(scale * offset for offset in self.offsets[method])


@dataclass(frozen=True, slots=True, kw_only=True)
class CropModel:
    """The learned knowledge of one crop; plain values in and out, so that it is stored as JSON."""

    crop: str
    baselines: dict[str, Expectation]
    horizons: dict[int, Horizon]
    """By parts seen; 0 is the season before anything is seen (baselines only)."""
    calendars: dict[str, SeasonCalendar]
    region_sd_t_ha: float
    """Spread of the level between regions: what is not known of a region without labels."""
    spread: FieldSpread

    def forecast(self, now: RegionTable) -> dict[tuple[str, int], RegionForecast]:
        """Forecast every row of ``now`` (this season's parts of all regions; yields are not looked at)."""
        seen = seen_parts(now)
        models = {h: part.model for h, part in self.horizons.items() if part.model is not None}
        guesses = {h: model.predict(now) for h, model in models.items()}
        sees = {h: model.sees(now) for h, model in models.items()}
        found: dict[tuple[str, int], RegionForecast] = {}
        for row, (region, year) in enumerate(zip(now.region.tolist(), now.year.tolist(), strict=True)):
            reached = max(h for h in self.horizons if h <= seen[row] and (h not in sees or sees[h][row]))
            part = self.horizons[reached]
            expected = {
                kind: float(line.predict(now.region[[row]], now.year[[row]])[0]) for kind, line in self._lines()
            }
            use = part.gate.use
            t_ha = float(guesses[reached][row]) if use == MODEL else expected[use]
            known = region in self.baselines["average"].lines
            found[region, year] = RegionForecast(
                t_ha=t_ha,
                offsets=part.scaled(use, region) if known else self._wider(part, use),
                sd_t_ha=part.sd_t_ha[use] * part.scales[use].get(region, 1.0)
                if known
                else float(np.hypot(part.sd_t_ha[use], self.region_sd_t_ha)),
                method=use,
                baseline=part.gate.baseline,
                baseline_t_ha=expected[part.gate.baseline],
                skill=part.gate.skill,
                reasons=self._reasons(reached, use, known=known),
            )
        return found

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "crop": self.crop,
            "baselines": {kind: line.to_json() for kind, line in self.baselines.items()},
            "horizons": {str(h): _horizon_json(part) for h, part in self.horizons.items()},
            "calendars": {region: [c.sowing_doy, c.harvest_doy] for region, c in self.calendars.items()},
            "region_sd_t_ha": self.region_sd_t_ha,
            "spread": self.spread.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CropModel:
        """Read :meth:`to_json` back."""
        return cls(
            crop=data["crop"],
            baselines={kind: Expectation.from_json(line) for kind, line in data["baselines"].items()},
            horizons={int(h): _horizon(part) for h, part in data["horizons"].items()},
            calendars={region: SeasonCalendar(*days) for region, days in data["calendars"].items()},
            region_sd_t_ha=data["region_sd_t_ha"],
            spread=FieldSpread(**data["spread"]),
        )

    def _lines(self) -> list[tuple[str, Expectation]]:
        return list(self.baselines.items())

    def _wider(self, part: Horizon, use: str) -> tuple[float, ...]:
        return tuple(wider(np.array(part.offsets[use]), part.sd_t_ha[use], self.region_sd_t_ha).tolist())

    def _reasons(self, reached: int, use: str, *, known: bool) -> tuple[str, ...]:
        codes = [] if known else ["region_without_labels"]
        if use != MODEL:
            tried = any(MODEL in part.scores for part in self.horizons.values())
            codes.append("no_regional_index" if not tried else "season_not_seen" if reached == 0 else "model_no_skill")
        return tuple(codes)


def learn(
    crop: str,
    table: RegionTable,
    calendars: Mapping[str, SeasonCalendar],
    *,
    done: Callable[[int], None] = lambda _: None,
) -> tuple[CropModel, dict[int, Validation]]:
    """Validate and fit a crop: one model per horizon where the index allows, let through only by the gate.

    Returns
    -------
    tuple of (CropModel, validations by horizon)
        Horizon 0 holds the baselines alone.
    """
    reachable = [h for h in HORIZONS if learnable(table, h)]
    fits = {h: Fits.of(table, h) for h in reachable}
    validations = {h: validate(table, horizon=h, fits=fits[h], done=done) for h in reachable}
    validations[0] = validate(table, horizon=PARTS, candidates=(), done=done)
    known = labelled(table)
    args = table.region[known], table.year[known], table.t_ha[known]
    baselines = {kind: fit_expectation(kind, *args) for kind in BASELINES}
    model = CropModel(
        crop=crop,
        baselines=baselines,
        horizons={h: _fit_horizon(fits.get(h), validation) for h, validation in sorted(validations.items())},
        calendars=dict(calendars),
        region_sd_t_ha=region_sd(table.region[known], table.t_ha[known]),
        spread=FieldSpread(),
    )
    return model, validations


def _fit_horizon(fits: Fits | None, validation: Validation) -> Horizon:
    """Decide, and fit what passes; ``fits``: those of the validation, None for baselines alone."""
    decided = gate(validation)
    found = fit_best(fits) if fits is not None and decided.use == MODEL else None
    errors = {name: validation.errors(name) for name in validation.predicted}
    scales = {name: region_scales(error, validation.region) for name, error in errors.items()}
    alike = {name: error / scale_of(scales[name], validation.region) for name, error in errors.items()}
    return Horizon(
        gate=decided,
        offsets={n: tuple(map(float, year_quantiles(e, validation.year, PROBABILITIES))) for n, e in alike.items()},
        scales=scales,
        sd_t_ha={name: year_sd(error, validation.year) for name, error in errors.items()},
        scores={name: validation.scores(name) for name in errors},
        model=None if found is None else found[1],
        made_of="" if found is None else str(found[0]),
    )


def _horizon_json(part: Horizon) -> dict[str, Any]:
    return {
        "gate": asdict(part.gate),
        "offsets": {name: list(offsets) for name, offsets in part.offsets.items()},
        "scales": part.scales,
        "sd_t_ha": part.sd_t_ha,
        "scores": {name: scores.to_json() for name, scores in part.scores.items()},
        "model": None if part.model is None else part.model.to_json(),
        "made_of": part.made_of,
    }


def _horizon(data: Mapping[str, Any]) -> Horizon:
    return Horizon(
        gate=Gate(**data["gate"]),
        offsets={name: tuple(offsets) for name, offsets in data["offsets"].items()},
        scales={name: dict(scales) for name, scales in data["scales"].items()},
        sd_t_ha=dict(data["sd_t_ha"]),
        scores={name: Scores.from_json(scores) for name, scores in data["scores"].items()},
        model=None if data["model"] is None else model_from_json(data["model"]),
        made_of=data["made_of"],
    )
