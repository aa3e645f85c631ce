"""The map of a case: our own layers on an empty style, so that no tile server learns where a farmer lives."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pydeck
import shapely

from cropcredit.model import Field

EMPTY_STYLE = "data:application/json," + quote(
    json.dumps(
        {
            "version": 8,
            "sources": {},
            "layers": [{"id": "paper", "type": "background", "paint": {"background-color": "#f1f4ee"}}],
        }
    )
)
"""An inline style: ``map_style`` None or "" would still ask a public tile host."""

INK, EDGE = [34, 48, 42], [31, 111, 74]
FILLS = ([111, 176, 120, 150], [222, 184, 92, 150], [120, 160, 200, 150], [200, 130, 130, 150])
METRES_PER_DEGREE = 111_320.0
"""Along a meridian; along a parallel times cos(latitude). Good to 0.6 %, enough to draw a scale bar."""
METRES_PER_KM = 1000
PIXELS = 300
"""Width that the map has on a phone; on a wider screen more of the neighbourhood is seen."""
SCALES_M = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def scale_length(width_m: float) -> int:
    """Choose the longest round length that fills at most a third of the map's width.

    Examples
    --------
    >>> scale_length(350), scale_length(12)
    (100, 10)
    """
    return max((length for length in SCALES_M if length <= width_m / 3), default=SCALES_M[0])


def zoom_level(width_deg: float, *, pixels: int) -> float:
    """Give the zoom of a web map at which ``width_deg`` degrees of longitude fill ``pixels``.

    At zoom 0 the whole world, 360 degrees, is 512 pixels wide.

    Examples
    --------
    >>> zoom_level(360, pixels=512), zoom_level(180, pixels=512)
    (0.0, 1.0)
    """
    return min(math.log2(360 / width_deg * pixels / 512), 17.5)


def scale_bar(west: float, south: float, length_m: int, latitude: float) -> list[list[float]]:
    """Draw a horizontal line of ``length_m`` metres on the ground, from its west end, in degrees."""
    degrees = length_m / (METRES_PER_DEGREE * math.cos(math.radians(latitude)))
    return [[west, south], [west + degrees, south]]


def field_map(fields: Sequence[Field], labels: Sequence[str], groups: Sequence[int]) -> pydeck.Deck:
    """Draw fields with their labels, a scale bar and an arrow to the north.

    Parameters
    ----------
    fields : sequence of Field
        Boundaries in EPSG:4326; at least one.
    labels : sequence of str
        One per field.
    groups : sequence of int
        One per field; equal numbers get equal colours.
    """
    west, south, east, north = shapely.total_bounds([field.boundary for field in fields])
    latitude = (south + north) / 2
    squeeze = math.cos(math.radians(latitude))
    width = max(east - west, (north - south) / squeeze, 60 / METRES_PER_DEGREE) * 1.7
    middle, half = (west + east) / 2, width / 2
    length = scale_length(width * squeeze * METRES_PER_DEGREE)
    bar = scale_bar(middle - half * 0.85, latitude - half * 0.72 * squeeze, length, latitude)
    named = f"{length} m" if length < METRES_PER_KM else f"{length // METRES_PER_KM} km"
    north_at = [middle + half * 0.82, latitude - half * 0.72 * squeeze]
    return pydeck.Deck(
        layers=[
            _outlines(fields, groups),
            _texts(
                [
                    {"at": [point.x, point.y], "text": label}
                    for label, point in zip(labels, (f.boundary.representative_point() for f in fields), strict=True)
                ]
            ),
            pydeck.Layer("PathLayer", [{"path": bar}], get_path="path", get_color=INK, width_min_pixels=3),
            _texts([{"at": bar[0], "text": named}], anchor="start", offset=[0, -12]),
            _texts([{"at": north_at, "text": "▲ N"}], 15),
        ],
        initial_view_state=pydeck.ViewState(
            longitude=middle, latitude=latitude, zoom=zoom_level(width, pixels=PIXELS), pitch=0, bearing=0
        ),
        views=[pydeck.View("MapView", controller={"dragRotate": False, "touchRotate": False, "scrollZoom": False})],
        map_style=EMPTY_STYLE,
        tooltip={"text": "{label}"},
    )


def _outlines(fields: Sequence[Field], groups: Sequence[int]) -> pydeck.Layer:
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(field.boundary),
            "properties": {"fill": FILLS[group % len(FILLS)]},
            "label": field.id,
        }
        for field, group in zip(fields, groups, strict=True)
    ]
    return pydeck.Layer(
        "GeoJsonLayer",
        {"type": "FeatureCollection", "features": features},
        get_fill_color="properties.fill",
        get_line_color=EDGE,
        line_width_min_pixels=2,
        pickable=True,
    )


def _texts(
    rows: list[dict[str, Any]], size: int = 13, *, anchor: str = "middle", offset: Sequence[int] = (0, 0)
) -> pydeck.Layer:
    return pydeck.Layer(
        "TextLayer",
        rows,
        get_position="at",
        get_text="text",
        get_size=size,
        get_color=INK,
        get_text_anchor=f"'{anchor}'",
        get_pixel_offset=list(offset),
        character_set="'auto'",
        font_family="'Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif'",
        background=True,
        get_background_color=[255, 255, 255, 190],
        background_padding=[4, 2],
    )
