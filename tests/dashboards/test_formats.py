from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cropcredit.model import Money
from dashboards.formats import GAP, Formats

ZH, EN = Formats("zh", "Asia/Shanghai"), Formats("en", "Asia/Shanghai")


def spaced(text: str) -> str:
    return text.replace(GAP, " ")


@pytest.mark.parametrize(
    ("money", "zh", "en"),
    [
        pytest.param(Money(7_000_000, "CNY"), "70,000 元", "CNY 70,000", id="whole yuan"),
        pytest.param(Money(23_150, "CNY"), "231.50 元", "CNY 231.50", id="with fen"),
        pytest.param(Money(0, "CNY"), "0 元", "CNY 0", id="nothing"),
        pytest.param(Money(1500, "UGX"), "UGX 1,500", "UGX 1,500", id="a currency without minor units"),
        pytest.param(Money(-5_025, "CNY"), "-50.25 元", "CNY -50.25", id="a debt"),
    ],
)
def test_money_is_written_for_each_reader(money: Money, zh: str, en: str) -> None:
    assert spaced(ZH.money(money)) == zh
    assert spaced(EN.money(money)) == en


def test_chinese_readers_see_mu_beside_hectares() -> None:
    assert spaced(ZH.area(1.0)) == "15.0 亩（1.00 公顷）"
    assert spaced(EN.area(1.0)) == "1.00 ha"


def test_chinese_readers_see_jin_per_mu_beside_tonnes_per_hectare() -> None:
    assert spaced(ZH.yield_per_area(7.5)) == "7.50 吨/公顷（1,000 斤/亩）"
    assert spaced(EN.yield_per_area(7.5)) == "7.50 t/ha"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(0.0, "0.0 %", id="never"),
        pytest.param(0.0001, "< 0.1 %", id="seldom is not never"),
        pytest.param(0.05, "5.0 %", id="one in twenty"),
        pytest.param(0.9999, "> 99.9 %", id="nearly always is not always"),
        pytest.param(1.0, "100.0 %", id="always"),
    ],
)
def test_shares_never_round_to_certainty(value: float, written: str) -> None:
    assert spaced(EN.share(value)) == written


def test_days_and_instants_are_those_of_the_workspace() -> None:
    late = datetime(2025, 5, 31, 17, 30, tzinfo=UTC)
    assert spaced(ZH.instant(late)) == "2025年6月1日 01:30"
    assert spaced(EN.instant(late)) == "1 Jun 2025 01:30"
    assert EN.local(late) == date(2025, 6, 1)


@given(some.integers(min_value=-(10**14), max_value=10**14), some.sampled_from(["CNY", "KES", "UGX"]))
def test_no_minor_unit_is_lost_in_writing(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    digits = EN.money(money).partition(GAP)[2].replace(",", "")
    assert Money.of(digits, currency) == money
