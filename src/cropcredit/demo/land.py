"""Townships, villages and their parcels: blocks of narrow strips between tracks, each village turned its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import affinity

from cropcredit.demo.parameters import Land, Region

Floats = NDArray[np.float64]
RIDGE_M = 0.6
"""Half the width of the earth ridge between neighbours' parcels."""
BACKGROUND_PLOTS = 90
"""Kinds of unregistered cropland that fill the rest of the tile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Village:
    """Where a village lies and how its land is turned."""

    township: int
    centre: tuple[float, float]
    """Projected, metres."""
    angle_deg: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plots:
    """All pieces of cropland, by column: first the parcels with a boundary, then the kinds of background land."""

    boundary: NDArray[np.object_]
    """Projected polygons of the parcels alone."""
    village: NDArray[np.int_]
    township: NDArray[np.int_]
    field_id: NDArray[np.str_]
    """Empty where the parcel is not in the register."""
    cotton: NDArray[np.bool_]
    """Cotton once a year; the others grow wheat and then maize."""
    soil: NDArray[np.str_]
    fc: Floats
    wp: Floats
    vigour: Floats
    """Lasting fertility and skill, around 1."""
    irrigations: NDArray[np.int_]

    @property
    def registered(self) -> NDArray[np.int_]:
        """Rows that are in the register, in order of field id."""
        rows = np.flatnonzero(self.field_id != "")
        return rows[np.argsort(self.field_id[rows])]

    @property
    def area_ha(self) -> Floats:
        """Projected area of the parcels."""
        return np.asarray(shapely.area(self.boundary) / 10_000)


def lay_out(region: Region) -> tuple[list[Village], Plots]:
    """Cut the land of the whole tile and choose which parcels are in the register."""
    dice = region.dice("land")
    villages = _villages(region, dice)
    cut = [_parcels(region.land, village, dice) for village in villages]
    boundary = np.concatenate(cut)
    village = np.repeat(np.arange(len(villages)), [len(parcels) for parcels in cut])
    township = np.array([v.township for v in villages])[village]
    field_id = _register(region, village, township, dice)
    every = np.concatenate([township, np.arange(BACKGROUND_PLOTS) % len(region.township)])
    return villages, Plots(
        boundary=boundary,
        village=village,
        field_id=np.concatenate([field_id, np.full(BACKGROUND_PLOTS, "")]),
        **agronomy(region, every, dice),
    )


def agronomy(region: Region, township: NDArray[np.int_], dice: np.random.Generator) -> dict[str, Any]:
    """Draw soil, vigour, watering and crop of plots that lie in these townships."""
    n, names = len(township), np.array(list(region.soil))
    soils = list(region.soil.values())
    kind = dice.choice(len(soils), size=n, p=[soil.share for soil in soils])
    sigma = region.spread.vigour
    good = np.array([soil.vigour for soil in soils])[kind]
    watered = dice.random(n) < region.land.irrigated_share
    return {
        "township": township,
        "soil": names[kind],
        "fc": np.array([soil.fc for soil in soils])[kind],
        "wp": np.array([soil.wp for soil in soils])[kind],
        "vigour": good * dice.lognormal(-(sigma**2) / 2, sigma, n),
        "irrigations": np.where(watered, dice.integers(1, 5, n), 0),
        "cotton": dice.random(n) < region.land.crops["cotton"],
    }


def doubtful(plots: Plots, region: Region) -> dict[str, shapely.Polygon]:
    """Make the three entries of the register that nobody should trust, projected.

    One whose corners were walked in the wrong order and crosses itself, one laid over another household's parcel, one
    that lies outside the tile.
    """
    rows, tile = plots.registered, region.tile
    corners = [(0, 0), (90, 62), (90, 0), (0, 62)]
    x, y = tile.west_m + tile.size_m * 0.52, tile.north_m - tile.size_m * 0.06
    crossing = shapely.Polygon([(x + dx, y + dy) for dx, dy in corners])
    neighbour = affinity.translate(plots.boundary[rows[7]], xoff=9.0, yoff=4.0)
    outside = affinity.translate(plots.boundary[rows[11]], xoff=tile.size_m * 1.3, yoff=0)
    return {"f-doubt-crossing": crossing, "f-doubt-overlap": neighbour, "f-doubt-outside": outside}


def _villages(region: Region, dice: np.random.Generator) -> list[Village]:
    """Place the villages on a jittered grid; the middle ones form one township, the others one per quarter."""
    per_side = round((len(region.township) * region.land.villages_per_township) ** 0.5)
    step = region.tile.size_m / per_side
    at = (np.stack(np.meshgrid(*[np.arange(per_side) + 0.5] * 2), -1).reshape(-1, 2) - per_side / 2) * step
    order = np.argsort(np.hypot(*at.T), kind="stable")
    ring = order[region.land.villages_per_township :]
    order[region.land.villages_per_township :] = ring[np.argsort(np.arctan2(*at[ring].T), kind="stable")]
    place = at[order] + dice.uniform(-0.18, 0.18, at.shape) * step
    middle = np.array([region.tile.west_m, region.tile.north_m]) + np.array([0.5, -0.5]) * region.tile.size_m
    angles = dice.uniform(-35, 35, len(place))
    return [
        Village(
            township=i // region.land.villages_per_township,
            centre=(float(x), float(y)),
            angle_deg=float(angles[i]),
        )
        for i, (x, y) in enumerate(place + middle)
    ]


def _parcels(land: Land, village: Village, dice: np.random.Generator) -> NDArray[np.object_]:
    """Cut one village's land into rows of strips; corners are shared between neighbours and slightly off."""
    parcels: list[shapely.Geometry] = []
    lengths = dice.uniform(*land.strip_length_m, land.rows)
    bottom = -float(lengths.sum() + land.track_m * (land.rows - 1)) / 2
    for length in lengths:
        width = land.strip_width_m * dice.lognormal(0, land.strip_width_sigma, land.strips_per_row)
        edge = np.concatenate([[0.0], np.cumsum(width)]) - width.sum() / 2
        low, middle, high = (
            np.stack([edge + dice.normal(0, 1.8, len(edge)), np.full(len(edge), bottom + share * length)], -1)
            for share in (0.0, 0.5, 1.0)
        )
        parcels += _row(low, middle, high, land.merge_share, dice)
        bottom += float(length) + land.track_m
    turned = [affinity.rotate(parcel, village.angle_deg, origin=(0, 0)) for parcel in parcels]
    placed = [affinity.translate(parcel, *village.centre) for parcel in turned]
    return np.asarray(shapely.buffer(placed, -RIDGE_M, join_style="mitre"))


def _row(
    low: Floats, middle: Floats, high: Floats, merge_share: float, dice: np.random.Generator
) -> list[shapely.Geometry]:
    """Cut one row between its shared corners; some neighbours were joined by land transfer."""
    row: list[shapely.Geometry] = []
    first = 0
    while first < len(low) - 1:
        taken = int(dice.integers(3, 7)) if dice.random() < merge_share else 1
        last = min(first + taken, len(low) - 1)
        ring = [low[first], low[last], middle[last], high[last], high[first], middle[first]]
        row.append(shapely.Polygon(ring))
        first = last
    return row


def _register(
    region: Region, village: NDArray[np.int_], township: NDArray[np.int_], dice: np.random.Generator
) -> NDArray[np.str_]:
    """Choose the registered parcels, the same number in every village, and name them."""
    n_villages = int(village.max()) + 1
    share = np.diff(np.linspace(0, region.land.fields, n_villages + 1).round().astype(int))
    chosen = [
        np.sort(dice.choice(np.flatnonzero(village == v), size=share[v], replace=False)) for v in range(n_villages)
    ]
    names = np.full(len(village), "", dtype="U24")
    for t, unit in enumerate(region.township):
        rows = np.concatenate([c for c in chosen if township[c[0]] == t])
        names[rows] = [f"f-{unit.code}-{number:03d}" for number in range(1, len(rows) + 1)]
    return names
