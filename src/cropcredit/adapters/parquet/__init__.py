"""Parquet datasets: the field register (GeoParquet, fiboa columns) and the observations of fields."""

from cropcredit.adapters.parquet.fields import ParquetFields
from cropcredit.adapters.parquet.observations import ParquetObservations

__all__ = ["ParquetFields", "ParquetObservations"]
