"""Yields that were copied: from the year before, or from another region, to all digits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.special import comb, gammaln

from cropcredit.model import YieldLabel

BY_CHANCE = 0.01
"""A repetition is doubted when fewer than so many like it are expected by chance in the whole file."""
SEVERAL = 3
"""So many regions with one value in one year are a group of their own."""
RARE = 0.01
"""Chance of two yields being equal below which their being equal counts as agreement of two regions."""
ONE_SERIES_SHARE, ONE_SERIES_YEARS = 0.5, 5
"""Regions that agree in this share of so many years or more have one official series between them."""
DIGITS = 6
"""Digits that count; what comes after them is left of a conversion."""
SMALLEST_SPREAD = 0.05
"""Smallest spread of a region's yields between years, share of the median yield."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class _File:
    """The labels of a file, and how likely two of them are equal by chance."""

    labels: Sequence[YieldLabel]

    @cached_property
    def values(self) -> list[float]:
        return [float(f"{label.t_ha:.{DIGITS}g}") for label in self.labels]

    @cached_property
    def by_region(self) -> dict[str, dict[int, int]]:
        """Position of each label, by region and year."""
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for at, label in sorted(enumerate(self.labels), key=lambda pair: pair[1].harvest_year):
            found[label.region][label.harvest_year] = at
        return found

    @cached_property
    def counts(self) -> Counter[float]:
        return Counter(self.values)

    @cached_property
    def spread(self) -> float:
        """Typical standard deviation of a region's yields between years, t/ha."""
        several = [[self.values[at] for at in years.values()] for years in self.by_region.values()]
        own = [float(np.std(values)) for values in several if len(values) >= ONE_SERIES_YEARS]
        floor = SMALLEST_SPREAD * float(np.median(self.values))
        return max(float(np.median(own)) if own else floor, floor)

    @cached_property
    def step(self) -> float:
        """Smallest difference between two values of the file, t/ha."""
        distinct = np.unique(self.values)
        return float(np.diff(distinct).min()) if len(distinct) > 1 else 1.0

    def chance(self, value: float, times: int) -> float:
        """Chance that another label has this value: of its last digit, or as often as others have it.

        A round value (8.0 among 8.123) was estimated, and estimates repeat; so its own last digit counts.
        """
        decimals = len(f"{value:.{DIGITS}f}".rstrip("0").partition(".")[2])
        by_digit = 0.5 * max(10.0**-decimals, self.step) / self.spread
        return min(max(by_digit, (self.counts[value] - times + 1) / len(self.values)), 1.0)


def copies(labels: Sequence[YieldLabel]) -> dict[int, str]:
    """Say which labels are copies and of what, by position.

    From year to year the first keeps its place; among regions nobody knows whose the value was, and all are doubted.
    Regions with one series between them (:func:`shared_series`) are one region here.
    """
    file = _File([label for label in labels if label.t_ha > 0])
    at = [position for position, label in enumerate(labels) if label.t_ha > 0]
    if not at:
        return {}
    together = _groups(file)
    found = {**dict(_from_other_regions(file, together)), **dict(_from_years_before(file))}
    return {at[position]: detail for position, detail in found.items()}


def shared_series(labels: Sequence[YieldLabel]) -> list[tuple[str, ...]]:
    """List groups of regions that carry one series, as islands carry that of their province.

    Nothing is wrong with such labels, but they are one yield and no independent evidence.
    """
    positive = [label for label in labels if label.t_ha > 0]
    return sorted(set(_groups(_File(positive)).values())) if positive else []


def _from_years_before(file: _File) -> Iterator[tuple[int, str]]:
    for years in file.by_region.values():
        run: list[int] = []
        for year, at in [*years.items(), (-1, -1)]:
            if run and at >= 0 and year - 1 in years and file.values[at] == file.values[run[-1]]:
                run.append(at)
                continue
            if len(run) > 1 and (_expected_runs(file, run) < BY_CHANCE or _whole_row(file, run)):
                first = file.labels[run[0]]
                for copy in run[1:]:
                    yield copy, f"{first.t_ha:g} t/ha again, to all digits, as in {first.harvest_year}"
            run = [at]


def _expected_runs(file: _File, run: list[int]) -> float:
    return float(len(file.values) * file.chance(file.values[run[0]], len(run)) ** (len(run) - 1))


def _whole_row(file: _File, run: Sequence[int]) -> bool:
    """Say whether area and production are the same as well."""
    rows = {(file.labels[at].area_ha, file.labels[at].production_t) for at in run}
    return len(rows) == 1 and None not in next(iter(rows))


def _from_other_regions(file: _File, together: dict[str, tuple[str, ...]]) -> Iterator[tuple[int, str]]:
    for (one, other), years in _agreements(file).items():
        if together.get(one) == together.get(other, ()):
            continue
        for year in years if _beyond_chance(file, (one, other), years) else _rows_of(file, (one, other), years):
            for region, origin in ((one, other), (other, one)):
                at = file.by_region[region][year]
                yield at, f"{file.labels[at].t_ha:g} t/ha, to all digits as {origin} in {year}"
    for year, regions in _same(file):
        series = {together.get(region, (region,)) for region in regions}
        positions = [file.by_region[region][year] for region in regions]
        if len(series) >= SEVERAL and _expected_groups(file, positions[0], len(series)) < BY_CHANCE:
            for at in positions:
                yield at, f"{file.labels[at].t_ha:g} t/ha, to all digits in {len(regions)} regions in {year}"


def _expected_groups(file: _File, at: int, size: int) -> float:
    """Give how many groups of this size chance would make; a year in which other values are equal too was rounded."""
    year = file.labels[at].harvest_year
    others = Counter(v for v, x in zip(file.values, file.labels, strict=True) if x.harvest_year == year)
    del others[file.values[at]]
    equal, pairs = sum(n * (n - 1) for n in others.values()), others.total() * (others.total() - 1)
    chance = max(file.chance(file.values[at], size), equal / max(pairs, 1))
    years = len({label.harvest_year for label in file.labels})
    return float(years * comb(len(file.by_region), size) * chance ** (size - 1))


def _rows_of(file: _File, pair: Pair, years: list[int]) -> list[int]:
    return [year for year in years if _whole_row(file, [file.by_region[region][year] for region in pair])]


def _beyond_chance(file: _File, pair: Pair, years: list[int]) -> bool:
    """Say whether two regions agree in more years than any pair would by chance."""
    both = len(file.by_region[pair[0]].keys() & file.by_region[pair[1]].keys())
    regions, k = len(file.by_region), len(years)
    ways = gammaln(both + 1) - gammaln(k + 1) - gammaln(both - k + 1) + np.log(regions * (regions - 1) / 2)
    each = sum(np.log(file.chance(file.values[file.by_region[pair[0]][year]], 2)) for year in years)
    return bool(ways + each < np.log(BY_CHANCE))


def _agreements(file: _File) -> dict[Pair, list[int]]:
    """Years in which two regions have the same value, where that is rare, or the same row."""
    found: dict[Pair, list[int]] = defaultdict(list)
    for year, regions in _same(file):
        for pair in combinations(regions, 2):
            found[pair].append(year)
    return found


def _same(file: _File) -> Iterator[tuple[int, list[str]]]:
    same: dict[tuple[int, tuple[float, ...]], list[str]] = defaultdict(list)
    for region, years in sorted(file.by_region.items()):
        for year, at in years.items():
            label, value = file.labels[at], file.values[at]
            if file.chance(value, file.counts[value]) < RARE:
                same[year, (value,)].append(region)
            elif label.area_ha and label.production_t:
                same[year, (value, label.area_ha, label.production_t)].append(region)
    yield from ((year, regions) for (year, _), regions in same.items() if len(regions) > 1)


def _groups(file: _File) -> dict[str, tuple[str, ...]]:
    group: dict[str, set[str]] = {}
    for (one, other), years in _agreements(file).items():
        both = len(file.by_region[one].keys() & file.by_region[other].keys())
        if both >= ONE_SERIES_YEARS and len(years) >= ONE_SERIES_SHARE * both:
            joined = group.get(one, {one}) | group.get(other, {other})
            group |= dict.fromkeys(joined, joined)
    return {region: tuple(sorted(regions)) for region, regions in group.items()}
