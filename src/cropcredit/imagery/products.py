"""Every product we read."""

from __future__ import annotations

from datetime import timedelta

from cropcredit.errors import UnknownName
from cropcredit.imagery import masks
from cropcredit.imagery.optical import check_sentinel2, landsat, sentinel2
from cropcredit.imagery.product import Bools, Measured, Product, Sample
from cropcredit.imagery.radar import sentinel1
from cropcredit.imagery.ready import mod13q1, ready_made

__all__ = ["PRODUCTS", "Bools", "Measured", "Product", "Sample", "product_of"]


def product_of(name: str, *, where: str = "") -> Product:
    """Look a product up; raises UnknownName."""
    if name not in PRODUCTS:
        raise UnknownName("product", name, tuple(PRODUCTS), where=where)
    return PRODUCTS[name]


def _ready_made(name: str) -> Product:
    return Product(required=(name,), lag=timedelta(days=1), layers=(name.upper(),), measure=ready_made)


PRODUCTS: dict[str, Product] = {
    "s2-l2a": Product(
        required=("red", "nir"),
        lag=timedelta(days=1),
        layers=("NDVI", "EVI2", "NDRE"),
        measure=sentinel2,
        check=check_sentinel2,
        mask="scl",
        cloudy=masks.scl_cloudy,
        cloud=masks.SCL_CLOUD,
    ),
    "landsat-c2-l2": Product(  # tier 1 needs the final ephemeris
        required=("red", "nir"),
        lag=timedelta(days=17),
        layers=("NDVI", "EVI2"),
        measure=landsat,
        mask="qa",
        cloudy=masks.qa_cloudy,
        cloud=masks.QA_DILATED_CLOUD,
    ),
    "sentinel-1-rtc": Product(required=("vv",), lag=timedelta(days=1), layers=("VV", "VH"), measure=sentinel1),
    "mod13q1": Product(  # 16 days of compositing and a week of work
        required=("ndvi",), lag=timedelta(days=24), layers=("NDVI",), measure=mod13q1, mask="reliability"
    ),
    "ndvi": _ready_made("ndvi"),
    "evi2": _ready_made("evi2"),
    "ndre": _ready_made("ndre"),
}
