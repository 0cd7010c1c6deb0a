"""The list of prices: the documented form, and what it says is what is billed."""

from typing import Any

import pytest

from gatekey.catalog import Catalog
from gatekey.errors import NotFound, Unauthenticated
from gatekey.gateway.price_list import answer
from gatekey.pricing import Price, Table
from gatekey.wire.usage import Usage

CATALOG = Catalog()
TABLE = Table.parse(
    b'{"date": "2026-01-02", "providers": {"openai": {"a-model": {"input": 2.5, "cache_read": 0.25, "cache_write": 3,'
    b' "cache_write_1h": 4, "output": 10, "max_output": 9, "above": [{"tokens": 7, "input": 5}]},'
    b' "units": {"image": 0.04, "audio_hour": 0.36, "characters": 15}},'
    b' "together-ai": {"meta-llama/llama": {"input": 1, "output": 1}}}}'
)


def told(path: str) -> dict[str, Any]:
    return answer(path, TABLE, CATALOG, known=True)


def test_cents_for_a_token() -> None:
    found = told("openai/a-model-2026-05-05")
    assert found["pay_as_you_go"] == {
        "request_token": {"price": 0.00025},
        "response_token": {"price": 0.001},
        "cache_read_input_token": {"price": 0.000025},
        "cache_write_input_token": {"price": 0.0003},
        "request_image_token": {"price": 0.00025},
        "reasoning_token": {"price": 0.001},
        "additional_units": {"cache_write_1h_input_token": {"price": 0.0004}},
    }
    assert found["above"][0]["tokens"] == 7
    assert found["above"][0]["pay_as_you_go"]["request_token"] == {"price": 0.0005}
    assert (found["currency"], found["max_output_tokens"], found["as_of"]) == ("USD", 9, "2026-01-02")


def test_the_formula_names_rates_that_are_there() -> None:
    found = told("openai/a-model")
    for side in ("request", "response"):
        assert found["calculate"][side]["operation"] == "sum"
        for operand in found["calculate"][side]["operands"]:
            assert operand["operation"] == "multiply"
            _, rate = operand["operands"]
            assert rate["value"].removeprefix("rates.") in found["pay_as_you_go"]
    assert told("openai/units")["calculate"]["request"]["operands"] == []


def test_units_that_are_no_tokens() -> None:
    assert told("openai/units")["pay_as_you_go"] == {
        "image": {"default": {"default": {"price": 4}}},
        "additional_units": {"audio_hour": {"price": 36}, "character": {"price": 0.0015}},
    }


def test_a_price_that_is_set_as_it_is_shown_costs_the_same() -> None:
    shown = told("openai/a-model")["pay_as_you_go"]
    del shown["additional_units"]
    usage = Usage(input=3, cache_read=2, cache_write=1, output=4, reasoning=5)
    price = TABLE.find("openai", "a-model")
    assert price is not None
    assert Price.from_config({"pay_as_you_go": shown}).cost(usage) == price.cost(usage)


def test_a_model_may_have_slashes() -> None:
    assert told("together-ai/meta-llama/Llama")["pay_as_you_go"]["request_token"] == {"price": 0.0001}


@pytest.mark.parametrize(
    ("path", "param"),
    [("nobody/x", "provider"), ("", "provider"), ("openai", "model"), ("openai/", "model"), ("openai/x", "model")],
)
def test_what_is_not_known(path: str, param: str) -> None:
    with pytest.raises(NotFound) as failure:
        told(path)
    assert failure.value.param == param


def test_what_the_operator_has_set_is_told_to_those_who_have_a_key() -> None:
    with pytest.raises(Unauthenticated, match="the operator's own"):
        answer("openai/a-model", TABLE, CATALOG, known=False)
    shipped = Table.parse(b'{"providers": {"openai": {"b-model": {"input": 1}}}}', shipped=True)
    assert answer("openai/b-model", TABLE.over(shipped), CATALOG, known=False)["currency"] == "USD"
