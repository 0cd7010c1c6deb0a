"""A price: what a usage costs, the most that one to come may cost, and what multipliers make of it."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gatekey.errors import BadBody
from gatekey.pricing import UNKNOWN, Price, Rates, cost
from gatekey.pricing.rates import CLASSES, INPUT, OUTPUT, UNITS
from gatekey.wire.usage import Usage

DOLLAR = 10**9
COUNTS = some.integers(0, 10**9)
RATES = some.integers(0, 10**12) | some.none()
rated = some.builds(Rates, **dict.fromkeys(CLASSES, RATES))
used = some.builds(Usage, **dict.fromkeys(CLASSES, COUNTS))


def test_it_is_rounded_up_once_at_the_end() -> None:
    price = Price((Rates(input=1, output=1),))
    assert price.cost(Usage(input=1)) == 1
    assert price.cost(Usage(input=1, output=1)) == 1
    assert price.cost(Usage(input=600_000, output=500_000)) == 2
    assert price.cost(Usage()) == 0


def test_an_hour_is_3_600_000_ms_exactly() -> None:
    price = Price((Rates(audio_ms=36 * DOLLAR // 100),))
    assert price.cost(Usage(audio_ms=3_600_000)) == 36 * DOLLAR // 100
    assert price.cost(Usage(audio_ms=1)) == 100
    assert Price((Rates(images=7),)).cost(Usage(images=3)) == 21
    assert Price((Rates(characters=15 * DOLLAR),)).cost(Usage(characters=2)) == 30_000


def test_a_class_that_was_used_and_has_no_price_makes_it_unpriced() -> None:
    price = Price((Rates(input=1, output=1),))
    for name in ("cache_write", "cache_write_1h", "input_audio", "output_audio", "output_image", *UNITS):
        assert price.cost(Usage(input=1, **{name: 1})) is None
        assert price.cost(Usage(input=1, **{name: 0})) == 1


def test_what_is_billed_alike_takes_the_others_price() -> None:
    price = Price((Rates(input=10**6, output=2 * 10**6, input_audio=3 * 10**6),))
    assert price.cost(Usage(cache_read=1, input_image=1, reasoning=1, cache_read_audio=1)) == 1 + 1 + 2 + 3


def test_a_long_prompt_makes_the_whole_call_dearer() -> None:
    price = Price((Rates(input=10**6, output=10**6), Rates(100, input=2 * 10**6, output=3 * 10**6)))
    assert price.cost(Usage(input=100, output=1)) == 101
    assert price.cost(Usage(input=60, cache_read=41, output=1)) == 2 * 101 + 3


@given(usage=used, first=rated, second=rated, above=some.integers(1, 2 * 10**9))
def test_no_call_costs_more_than_the_bound_of_what_it_used(
    usage: Usage, first: Rates, second: Rates, above: int
) -> None:
    values = {name: getattr(second, name) for name in CLASSES}
    price = Price((first, Rates(above, **values)))
    units = {"images": usage.images, "audio_ms": usage.audio_ms, "characters": usage.characters}
    bound, exact = price.bound(usage.prompt, usage.completion, **units), price.cost(usage)
    if bound is not None and exact is not None:
        assert 0 <= exact <= bound


@given(usage=used, rates=rated)
def test_it_is_the_sum_over_the_classes(usage: Usage, rates: Rates) -> None:
    part = dict(zip(("images", "audio_ms"), (Fraction(1), Fraction(1, 3_600_000)), strict=True))
    expected: Fraction | None = Fraction(0)
    for name in CLASSES:
        count, rate = getattr(usage, name), rates.rate(name)
        if count:
            expected = (
                None
                if rate is None or expected is None
                else expected + count * rate * part.get(name, Fraction(1, 1_000_000))
            )
    found = Price((rates,)).cost(usage)
    assert found == (None if expected is None else -(-expected.numerator // expected.denominator))


def test_a_bound_is_not_known_where_a_side_has_no_price() -> None:
    assert Price((Rates(input=10**6),)).bound(5, 0) == 5
    assert Price((Rates(input=10**6),)).bound(5, 1) is None
    assert Price((Rates(output=10**6),)).bound(5, 1) is None
    assert Price((Rates(images=7),)).bound(100, 100, images=2) == 14
    assert UNKNOWN.bound(1, 1) is None
    assert {*INPUT, *OUTPUT, *UNITS} == {*CLASSES}


class TestCost:
    """By a price of one's own, else as told, else by the table."""

    TOLD = Usage(input=10, told=77)
    TABLE = Price((Rates(input=10**6),))

    @pytest.mark.parametrize(
        ("usage", "price", "expected"),
        [
            (TOLD, None, 77),
            (TOLD, TABLE, 77),
            (TOLD, Price((Rates(input=10**6),), own=True), 10),
            (Usage(input=10), TABLE, 10),
            (Usage(input=10), None, None),
            (Usage(input=10, told=0), TABLE, 0),
            (Usage(input=10), UNKNOWN, None),
        ],
    )
    def test_whose_price_holds(self, usage: Usage, price: Price | None, expected: int | None) -> None:
        assert cost(usage, price) == expected

    def test_a_multiplier_of_everything_holds_for_what_is_told_too(self) -> None:
        assert cost(self.TOLD, self.TABLE.times({"default": 1.5})) == 116
        assert cost(self.TOLD, UNKNOWN.times({"default": 2})) == 154
        assert cost(Usage(input=10), self.TABLE.times({"default": 1.5})) == 15

    def test_a_multiplier_of_a_class_cannot_hold_for_what_is_told(self) -> None:
        assert cost(self.TOLD, self.TABLE.times({"request_token": 3})) == 30


class TestTimes:
    """`pricing_adjustments.multiplier`."""

    def test_each_class_by_its_own_factor_else_by_the_default(self) -> None:
        price = Price((Rates(input=100, cache_read=10, output=200, images=5),), 7)
        made = price.times({"default": 2, "response_token": 0.5, "image": {"default": 3}})
        assert made == Price((Rates(input=200, cache_read=20, output=100, images=15),), 7, own=True, factor=Fraction(2))

    def test_what_is_billed_as_another_follows_it_unless_it_has_its_own(self) -> None:
        made = Price((Rates(output=200),)).times({"response_token": 2})
        assert made.cost(Usage(reasoning=1_000_000)) == 400
        made = Price((Rates(output=200),)).times({"response_token": 2, "reasoning_token": 3})
        assert made.cost(Usage(reasoning=1_000_000)) == 600

    @pytest.mark.parametrize(
        ("multiplier", "param"),
        [
            (1, "pricing_adjustments.multiplier"),
            ({"tokens": 1}, "pricing_adjustments.multiplier.tokens"),
            ({"default": -1}, "pricing_adjustments.multiplier.default"),
            ({"request_token": True}, "pricing_adjustments.multiplier.request_token"),
            ({"image": 2}, "pricing_adjustments.multiplier.image"),
        ],
    )
    def test_a_bad_one_is_named(self, multiplier: Any, param: str) -> None:
        with pytest.raises(BadBody) as failure:
            Price(()).times(multiplier)
        assert failure.value.param == param


class TestFromConfig:
    """`pricing_config`: US cents for a token."""

    def test_cents_for_a_token_become_nano_dollars_for_a_million(self) -> None:
        config = {
            "type": "static",
            "pay_as_you_go": {
                "request_token": {"price": 0.00025},
                "response_token": {"price": 0.001},
                "cache_write_input_token": {"price": 0.0003},
                "image": {"default": {"default": {"price": 4}}},
            },
        }
        rates = Rates(
            input=5 * DOLLAR // 2, output=10 * DOLLAR, cache_write=3 * DOLLAR, cache_write_1h=3 * DOLLAR,
            images=DOLLAR // 25,
        )  # fmt: skip
        assert Price.from_config(config) == Price((rates,), own=True)

    @pytest.mark.parametrize(
        ("config", "param"),
        [
            ([], "pricing_config"),
            ({"type": "dynamic"}, "pricing_config.type"),
            ({}, "pricing_config.pay_as_you_go"),
            ({"pay_as_you_go": {}}, "pricing_config.pay_as_you_go"),
            ({"pay_as_you_go": {"tokens": {"price": 1}}}, "pricing_config.pay_as_you_go.tokens"),
            ({"pay_as_you_go": {"request_token": 1}}, "pricing_config.pay_as_you_go.request_token"),
            ({"pay_as_you_go": {"request_token": {}}}, "pricing_config.pay_as_you_go.request_token.price"),
            ({"pay_as_you_go": {"request_token": {"price": -1}}}, "pricing_config.pay_as_you_go.request_token.price"),
            ({"pay_as_you_go": {"request_token": {"price": 101}}}, "pricing_config.pay_as_you_go.request_token.price"),
            ({"pay_as_you_go": {"image": {"default": {}}}}, "pricing_config.pay_as_you_go.image.default.default"),
        ],
    )
    def test_a_bad_one_is_named(self, config: Any, param: str) -> None:
        with pytest.raises(BadBody) as failure:
            Price.from_config(config)
        assert failure.value.param == param
