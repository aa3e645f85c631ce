"""Money at rest: integer minor units with an ISO 4217 code; unit prices as decimals per kilogram."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from cropcredit.errors import CurrencyMismatch, MalformedInput

EXPONENT: dict[str, int] = {"JPY": 0, "RWF": 0, "UGX": 0, "VND": 0, "XOF": 0, "XAF": 0}
"""Digits after the decimal point where they are not two (ISO 4217)."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units of one currency.

    Examples
    --------
    >>> Money(125_000, "KES") + Money(1, "KES")
    Money(minor=125001, currency='KES')
    >>> Money.of("1250.50", "CNY").minor
    125050
    """

    minor: int
    """Amount in minor units (fen, cents)."""
    currency: str
    """ISO 4217 code."""

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # a float would be stored, and never read back
            raise MalformedInput(f"{self.minor!r} is not a whole number of minor units", cure="use Money.of")
        if len(self.currency) != 3 or not self.currency.isupper():  # noqa: PLR2004 - ISO 4217 codes have three letters
            raise MalformedInput(f"{self.currency!r} is not an ISO 4217 currency code")

    @classmethod
    def of(cls, major: Decimal | str | float, currency: str) -> Money:
        """Round an amount in major units (yuan, shillings) to the nearest minor unit, half to even.

        Raises
        ------
        MalformedInput
            If it is infinite or not a number.
        """
        scaled = Decimal(str(major)).scaleb(EXPONENT.get(currency, 2))
        if not scaled.is_finite():
            raise MalformedInput(f"{major!r} is not an amount")
        return cls(int(scaled.to_integral_value(ROUND_HALF_EVEN)), currency)

    @property
    def major(self) -> Decimal:
        """Amount in major units."""
        return Decimal(self.minor).scaleb(-EXPONENT.get(self.currency, 2))

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other
