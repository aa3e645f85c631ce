"""How money, areas, dates and shares are written, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cropcredit import units
from cropcredit.model import Money

GAP = "\u00a0"
"""No-break space: a number and its unit stay on one line."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Write values for people; ``language`` is ``zh`` or ``en``, ``zone`` the workspace's time zone.

    Examples
    --------
    >>> en = Formats("en", "Asia/Shanghai")
    >>> en.money(Money(7_000_000, "CNY")).replace(GAP, " "), en.share(0.042).replace(GAP, " ")
    ('CNY 70,000', '4.2 %')
    """

    language: str
    zone: str

    @property
    def chinese(self) -> bool:
        """Say whether the reader is Chinese."""
        return self.language == "zh"

    def money(self, amount: Money) -> str:
        """Write an amount; minor units appear only where there are some.

        Examples
        --------
        >>> Formats("zh", "UTC").money(Money(7_000_050, "CNY")).replace(GAP, " ")
        '70,000.50 元'
        """
        major = amount.major
        digits = f"{major:,}" if major % 1 else f"{major:,.0f}"
        if self.chinese and amount.currency == "CNY":
            return f"{digits}{GAP}元"
        return f"{amount.currency}{GAP}{digits}"

    def area(self, area_ha: float) -> str:
        """Write an area in hectares; for Chinese readers in mu, with the hectares beside.

        Examples
        --------
        >>> Formats("zh", "UTC").area(0.62).replace(GAP, " ")
        '9.3 亩（0.62 公顷）'
        """
        if not self.chinese:
            return f"{area_ha:,.2f}{GAP}ha"
        return f"{area_ha / units.hectares(1, 'mu'):,.1f}{GAP}亩（{area_ha:,.2f}{GAP}公顷）"

    def yield_per_area(self, t_ha: float) -> str:
        """Write a yield in t/ha; for Chinese readers with jin per mu beside.

        Examples
        --------
        >>> Formats("zh", "UTC").yield_per_area(6.0).replace(GAP, " ")
        '6.00 吨/公顷（800 斤/亩）'
        """
        if not self.chinese:
            return f"{t_ha:.2f}{GAP}t/ha"
        jin_per_mu = t_ha / units.tonnes_per_hectare(1, "jin/mu")
        return f"{t_ha:.2f}{GAP}吨/公顷（{jin_per_mu:,.0f}{GAP}斤/亩）"

    def share(self, value: float) -> str:
        """Write a probability or share in percent; what is not zero is never written as zero, nor 100 what is less."""
        percent = 100 * value
        if 0 < percent < 0.05:  # noqa: PLR2004 - half of the last digit shown
            return f"<{GAP}0.1{GAP}%"
        if 99.95 <= percent < 100:  # noqa: PLR2004
            return f">{GAP}99.9{GAP}%"
        return f"{percent:.1f}{GAP}%"

    def rate(self, value: float) -> str:
        """Write a yearly interest rate, or a part of one, in percent with two digits."""
        return f"{100 * value:.2f}{GAP}%"

    def number(self, value: float) -> str:
        """Write a plain number: three significant digits, or all digits before the point."""
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004

    def day(self, value: date) -> str:
        """Write a calendar day."""
        if self.chinese:
            return f"{value.year}年{value.month}月{value.day}日"
        return f"{value.day}{GAP}{value:%b}{GAP}{value.year}"

    def local(self, value: datetime) -> date:
        """Give the calendar day of an instant in the workspace's time zone."""
        return value.astimezone(ZoneInfo(self.zone)).date()

    def instant(self, value: datetime) -> str:
        """Write an instant in the workspace's time zone, to the minute."""
        local = value.astimezone(ZoneInfo(self.zone))
        return f"{self.day(local.date())}{GAP}{local:%H:%M}"
