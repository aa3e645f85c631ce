"""The law of the price at harvest: a dated local farm-gate price times what a series did over the same months.

Volatility times the square root of time is the wrong law: harvest depresses prices, tails are fat, regimes change.
Over 60 years maize from June to October fell below its nominal 1, 5, 10 and 20 % quantiles in 10, 20, 28 and 35 % of
years. So the law here is the empirical one of the *same calendar months* in all published years.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from datetime import date, datetime, timedelta

from cropcredit.credit.sampling import PRICE_TAIL, QuantileLaw
from cropcredit.errors import CurrencyMismatch, MissingEvidence
from cropcredit.model import FarmGatePrice, PriceSeries, end_of_day

FEWEST_YEARS = 10
"""Changes below this number say nothing about a bad year."""


def published(series: PriceSeries, as_of: datetime) -> int:
    """Count the months of a series that were published by ``as_of``."""
    return bisect_right(range(len(series.values)), as_of, key=lambda index: _published_at(series, index))


def seasonal_changes(series: PriceSeries, *, to_month: int, months: int, as_of: datetime) -> tuple[float, ...]:
    """Give the relative changes over ``months`` ending in calendar month ``to_month``, one per year, oldest first.

    Parameters
    ----------
    series : PriceSeries
        Monthly, consecutive.
    to_month : int
        Calendar month of the sale, 1-12.
    months : int
        Length of the change, at least 1.
    as_of : datetime
        Only months published by then count.

    Returns
    -------
    tuple of float
        ``value(end) / value(start)``, unitless.

    Examples
    --------
    >>> from datetime import UTC
    >>> series = PriceSeries(id="w", known_at=datetime(2000, 2, 1, tzinfo=UTC), crop="winter_wheat", source="toy",
    ...     unit="USD/t", first_month=date(2000, 1, 1), values=(100.0, 110.0, 121.0), publication_lag_days=10)
    >>> seasonal_changes(series, to_month=3, months=2, as_of=datetime(2001, 1, 1, tzinfo=UTC))
    (1.21,)
    """
    values = series.values[: published(series, as_of)]
    first_end = (to_month - series.first_month.month) % 12
    ends = [end for end in range(first_end, len(values), 12) if end >= months]
    return tuple(values[end] / values[end - months] for end in ends)


def horizon_months(priced_on: date, sold_on: date, *, floor: int) -> int:
    """Count the months from the dated price to the sale, never fewer than ``floor``."""
    return max(floor, 1, (sold_on.year - priced_on.year) * 12 + sold_on.month - priced_on.month)


def price_law(
    price: FarmGatePrice, series: PriceSeries, *, sold_on: date, as_of: datetime, currency: str, floor_months: int
) -> QuantileLaw:
    """Give the law of the farm-gate price on the day of sale.

    The n sorted changes stand at levels i/(n+1): the next year is as likely to fall into any of the n+1 gaps, the one
    below the worst year seen included.

    Parameters
    ----------
    price : FarmGatePrice
        The local anchor, in the loan's currency.
    series : PriceSeries
        Gives relative changes only; its own currency and unit cancel.
    sold_on : date
        Day of sale.
    as_of : datetime
        Instant of the computation.
    currency : str
        ISO 4217 code of the loan.
    floor_months : int
        Shortest horizon.

    Returns
    -------
    QuantileLaw
        Major units of ``currency`` per kg.

    Raises
    ------
    CurrencyMismatch
        If the anchor is in another currency than the loan.
    MissingEvidence
        If the series holds fewer than :data:`FEWEST_YEARS` such changes.
    """
    if price.currency != currency:
        raise CurrencyMismatch(price.currency, currency, where=f"price {price.id}")
    months = horizon_months(price.dated_on, sold_on, floor=floor_months)
    changes = sorted(seasonal_changes(series, to_month=sold_on.month, months=months, as_of=as_of))
    if len(changes) < FEWEST_YEARS:
        raise MissingEvidence(
            f"only {len(changes)} published changes over {months} months to month {sold_on.month}",
            where=f"price series {series.id}",
            cure=f"import a series of more than {FEWEST_YEARS + math.ceil(months / 12)} years",
        )
    levels = tuple((rank + 1) / (len(changes) + 1) for rank in range(len(changes)))
    return QuantileLaw(levels, tuple(float(price.per_kg) * change for change in changes), PRICE_TAIL)


def _published_at(series: PriceSeries, index: int) -> datetime:
    years, month = divmod(series.first_month.month + index, 12)
    following = date(series.first_month.year + years, month + 1, 1)
    return end_of_day(following + timedelta(days=series.publication_lag_days - 1), "UTC")
