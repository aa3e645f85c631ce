"""Official yields with slips put into them on purpose, and how many of those are found: print with ``-m``."""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cropcredit.agronomy.labels import sift
from cropcredit.model import YieldLabel

SETS = {
    "es-wheat": ("winter_wheat", "yield_wheat_ES.csv"),
    "es-maize": ("maize", "yield_maize_ES.csv"),
    "nl-wheat": ("winter_wheat", "yield_wheat_NL.csv"),
    "fr-maize": ("maize", "YIELD_NUTS3_FR.csv"),
}
SINGLE_SHARE, REGION_SHARE = 0.03, 0.10
SHORTEST_BLOCK = 5
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Labels = list[YieldLabel]
Slipped = tuple[Labels, set[int]]
"""Labels, and the positions of those that were changed."""
Inject = Callable[[Labels, np.random.Generator], Slipped]


def read(folder: Path, name: str, *, figures: bool = False) -> Labels:
    """Read a set of official yields, with area and production where asked for."""
    crop, file = SETS[name]
    with (folder / name / file).open(encoding="utf-8") as lines:
        return [label for row in csv.DictReader(lines) for label in _label(crop, row, figures=figures)]


def _label(crop: str, row: dict[str, str], *, figures: bool) -> Iterator[YieldLabel]:
    region, year = row.get("adm_id") or row["loc_id"], row.get("harvest_year") or row["year"]
    area, production = (float(row.get(name) or 0) if figures else 0.0 for name in ("harvest_area", "production"))
    if row["yield"]:
        yield YieldLabel(
            id=f"{region}/{year}",
            known_at=LONG_AGO,
            crop=crop,
            harvest_year=int(year),
            t_ha=float(row["yield"]),
            region=region,
            source="official",
            area_ha=area or None,
            production_t=production or None,
        )


def clean(labels: Labels) -> Labels:
    """Leave out what is suspect before anything was changed."""
    return sift(labels)[0]


def change(labels: Labels, at: set[int], factor: float) -> Slipped:
    return [replace(x, t_ha=x.t_ha * factor) if i in at else x for i, x in enumerate(labels)], at


def single(factor: float) -> Inject:
    """Change three labels of a hundred, anywhere."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        some = rng.choice(len(labels), max(round(SINGLE_SHARE * len(labels)), 1), replace=False)
        return change(labels, set(some.tolist()), factor)

    return inject


def block(factor: float) -> Inject:
    """Change, in one region of ten, a block of at least five years and at most half of them."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        long = [years for years in by_region(labels) if len(years) >= 2 * SHORTEST_BLOCK]
        at: set[int] = set()
        for k in rng.choice(len(long), max(round(REGION_SHARE * len(long)), 1), replace=False):
            size = int(rng.integers(SHORTEST_BLOCK, len(long[k]) // 2 + 1))
            first = int(rng.integers(0, len(long[k]) - size + 1))
            at |= set(long[k][first : first + size])
        return change(labels, at, factor)

    return inject


def region(factor: float) -> Inject:
    """Change all years of one region of ten."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        regions = by_region(labels)
        some = rng.choice(len(regions), max(round(REGION_SHARE * len(regions)), 1), replace=False)
        return change(labels, {i for k in some for i in regions[k]}, factor)

    return inject


def year(factor: float) -> Inject:
    """Change all regions in one year."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        one = rng.choice(sorted({x.harvest_year for x in labels}))
        return change(labels, {i for i, x in enumerate(labels) if x.harvest_year == one}, factor)

    return inject


def province(factor: float) -> Inject:
    """Change, in one year, the regions whose codes begin alike."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        one = labels[int(rng.integers(len(labels)))]
        alike = (i for i, x in enumerate(labels) if x.region[:4] == one.region[:4])
        return change(labels, {i for i in alike if labels[i].harvest_year == one.harvest_year}, factor)

    return inject


def carried(times: int) -> Inject:
    """Carry the yield of one year on over the following, in one region of ten."""

    def inject(labels: Labels, rng: np.random.Generator) -> Slipped:
        regions = [years for years in by_region(labels) if len(years) > times]
        changed, at = list(labels), set()
        for k in rng.choice(len(regions), max(round(REGION_SHARE * len(regions)), 1), replace=False):
            first = int(rng.integers(0, len(regions[k]) - times))
            origin, *later = regions[k][first : first + times + 1]
            if labels[later[-1]].harvest_year - labels[origin].harvest_year == times:
                at |= set(later)
                for i in later:
                    changed[i] = replace(labels[i], t_ha=labels[origin].t_ha)
        return changed, at

    return inject


def by_region(labels: Labels) -> list[list[int]]:
    """Give positions by region, each in the order of its years."""
    found = defaultdict(list)
    for i in sorted(range(len(labels)), key=lambda i: labels[i].harvest_year):
        found[labels[i].region].append(i)
    return [found[name] for name in sorted(found)]


@dataclass(frozen=True, slots=True)
class Found:
    """How a rule did."""

    slipped: int
    found: int
    accused: int
    """Labels that were left as they were, and yet suspected."""
    clean: int

    @property
    def share(self) -> float:
        return self.found / max(self.slipped, 1)

    @property
    def false_share(self) -> float:
        return self.accused / max(self.clean, 1)

    def __add__(self, other: Found) -> Found:
        return Found(*(getattr(self, n) + getattr(other, n) for n in ("slipped", "found", "accused", "clean")))


def measure(labels: Labels, inject: Inject, *, rounds: int, seed: int = 0) -> Found:
    """Put slips in, round after round, and count."""
    rng, total = np.random.default_rng(seed), Found(0, 0, 0, 0)
    for _ in range(rounds):
        slipped, at = inject(labels, rng)
        suspects = {(s.label.region, s.label.harvest_year) for s in sift(slipped)[1]}
        hit = {i for i, x in enumerate(slipped) if (x.region, x.harvest_year) in suspects}
        total += Found(len(at), len(hit & at), len(hit - at), len(slipped) - len(at))
    return total


SINGLES = {f"single x{factor:g}": single(factor) for factor in (10, 0.1, 15, 1 / 15, 100, 1000)}
BLOCKS = {f"block x{factor:g}": block(factor) for factor in (2, 0.5, 2.471, 0.4047, 4.047, 0.7, 1.2, 10, 0.1, 15)}
REGIONS = {f"region x{factor:g}": region(factor) for factor in (10, 0.1, 15, 2)}
YEARS = {"all regions, a year x10": year(10), "all regions, a year x0.1": year(0.1)}
COPIES = {f"carried on {times} years": carried(times) for times in (1, 2, 3)}
DROUGHTS = {"drought x0.25 everywhere": year(0.25), "drought x0.25 in a province": province(0.25)}
FIGURES = {f"yield alone x{factor:.4g}": single(factor) for factor in (2, 0.5, 2.471, 0.7, 1.15, 0.9, 10, 0.1)}


def main() -> None:
    folder = Path(os.environ.get("CROPCREDIT_REAL_DATA", "../shared/data")) / "yields"
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    plain = {name: clean(read(folder, name)) for name in SETS}
    told = {name: clean(read(folder, name, figures=True)) for name in list(SETS)[:3]}
    for sets, kinds in ((plain, SINGLES | BLOCKS | REGIONS | YEARS | COPIES | DROUGHTS), (told, FIGURES)):
        for kind, inject in kinds.items():
            each = {name: measure(labels, inject, rounds=rounds) for name, labels in sets.items()}
            cells = [f"{name} {f.share:6.1%} ({f.false_share:.2%})" for name, f in each.items()]
            total = sum(each.values(), Found(0, 0, 0, 0))
            line = f"{kind:28} all {total.share:6.1%} ({total.false_share:.2%})  " + "  ".join(cells)
            print(line, flush=True)  # noqa: T201 - the table is what it is run for


if __name__ == "__main__":
    main()
