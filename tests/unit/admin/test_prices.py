"""Prices of one's own through the API: of an integration's models, of all of them, of a workspace."""

from typing import Any

from gatekey.store.workspaces import DEFAULT
from tests.unit.admin.asking import Ask, Control, held, key_of

OPENAI = {"name": "OpenAI", "ai_provider_id": "openai", "key": "sk-1", "slug": "i"}
PRICE = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.0001}, "response_token": {"price": 0}}}
MODEL = {"slug": "mine", "enabled": True, "is_custom": True}


def test_a_models_price_is_kept_as_it_came_and_taken_away(control: Control, ask: Ask) -> None:
    ask("POST", "/integrations", OPENAI)
    told = ask("PUT", "/integrations/i/models", {"models": [{**MODEL, "pricing_config": PRICE}]})[1]
    assert told["models"][0]["pricing_config"] == PRICE
    assert ask("GET", "/integrations/i/models")[1] == told
    assert held(control, DEFAULT, "i").pricing == {"mine": PRICE}
    ask("PUT", "/integrations/i/models", {"models": [{**MODEL, "pricing_config": None}]})
    assert held(control, DEFAULT, "i").pricing == {}


def test_what_all_its_prices_are_multiplied_with(control: Control, ask: Ask) -> None:
    adjusted = {"multiplier": {"default": 1.2, "request_token": 0, "image": {"default": 2}}}
    told = ask("POST", "/integrations", {**OPENAI, "pricing_adjustments": adjusted})[1]
    assert told["pricing_adjustments"] == adjusted
    assert held(control, DEFAULT, "i").adjustments == adjusted
    assert ask("PUT", "/integrations/i", {"name": "n"})[1]["pricing_adjustments"] == adjusted
    assert ask("PUT", "/integrations/i", {"pricing_adjustments": None})[1]["pricing_adjustments"] is None
    assert held(control, DEFAULT, "i").adjustments == {}


def test_a_workspaces_prices_are_its_own(control: Control, ask: Ask) -> None:
    other = ask("POST", "/admin/workspaces", {"name": "o", "defaults": {"prices": {"openai/gpt-4o": PRICE}}})[1]
    assert other["defaults"]["prices"] == {"openai/gpt-4o": PRICE}
    assert control.directory.prices(other["id"]) == {"openai/gpt-4o": PRICE}
    assert control.directory.prices(DEFAULT) == {}
    place = f"/admin/workspaces/{other['id']}"
    ask("PUT", place, {"defaults": {"metadata": {"a": "b"}}})
    assert control.directory.prices(other["id"]) == {"openai/gpt-4o": PRICE}
    assert ask("PUT", place, {"defaults": {"prices": {}}}, key_of(other["id"]))[0] == 403
    assert ask("PUT", place, {"defaults": {"prices": None}})[0] == 200
    assert control.directory.prices(other["id"]) == {}


NO_PRICE: list[tuple[dict[str, Any], str]] = [
    ({}, ".pay_as_you_go"),
    ({"pay_as_you_go": None}, ".pay_as_you_go"),
    ({"type": "dynamic", "pay_as_you_go": {}}, ".type"),
    ({"pay_as_you_go": {"request_token": 1}}, ".pay_as_you_go.request_token"),
    ({"pay_as_you_go": {"request_token": {"price": -1}}}, ".pay_as_you_go.request_token.price"),
    ({"pay_as_you_go": {"request_token": {"price": "1"}}}, ".pay_as_you_go.request_token.price"),
    ({"pay_as_you_go": {"request_token": {"price": True}}}, ".pay_as_you_go.request_token.price"),
    ({"pay_as_you_go": {"request_token": {"price": 1e300}}}, ".pay_as_you_go.request_token.price"),
    ({"pay_as_you_go": {"nonsense": {"price": 1}}}, ".pay_as_you_go.nonsense"),
    ({"pay_as_you_go": {"image": {"price": 1}}}, ".pay_as_you_go.image.default"),
]


def test_no_such_price_is_set(ask: Ask) -> None:
    ask("POST", "/integrations", OPENAI)
    for config, field in NO_PRICE:
        status, answer = ask("PUT", "/integrations/i/models", {"models": [MODEL, {**MODEL, "pricing_config": config}]})
        assert (status, answer["error"]["param"]) == (400, f"models[1].pricing_config{field}"), answer
        status, answer = ask("PUT", "/admin/workspaces/default", {"defaults": {"prices": {"openai/x": config}}})
        assert (status, answer["error"]["param"]) == (400, f"defaults.prices.openai/x.pricing_config{field}"), answer
    assert ask("GET", "/integrations/i/models")[1]["total"] == 0
