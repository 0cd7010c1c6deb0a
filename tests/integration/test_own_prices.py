"""Prices that integrations and workspaces set hold from the next call on; what the table says is told to anybody."""

from typing import Any

from tests.asking import CHATS, MESSAGES
from tests.fake import Fake, chat
from tests.gateway import Gateway
from tests.recorded import post, usage
from tests.stored import api_key, ask, virtual_key, workspace

CHAT = {"model": "gpt-4o", "messages": MESSAGES}
CENT = 10_000_000
"""Nano-dollars."""
BY_TABLE = 2_500 + 10_000
"""Nano-dollars for a token asked and one answered, by the table that ships."""


def config(cents: float) -> dict[str, Any]:
    price = {"price": cents}
    return {"type": "static", "pay_as_you_go": {"request_token": price, "response_token": price}}


def test_of_a_workspace(gateway: Gateway, fake: Fake) -> None:
    home = workspace(gateway)
    _, key = api_key(gateway, workspace_id=home)
    slug = virtual_key(gateway, fake, workspace_id=home)

    def costs() -> int | None:
        fake.answer(chat(usage=usage(1, 1)))
        return post(gateway, CHATS, {"x-portkey-virtual-key": slug}, CHAT, key=key).cost

    assert costs() == BY_TABLE
    ask(gateway, "PUT", f"/admin/workspaces/{home}", {"defaults": {"prices": {"openai/gpt-4o": config(1)}}})
    assert costs() == 2 * CENT
    ask(gateway, "PUT", f"/admin/workspaces/{home}", {"defaults": {"prices": {}}})
    assert costs() == BY_TABLE


def test_of_an_integration(gateway: Gateway, fake: Fake) -> None:
    body = {
        "name": "of a test",
        "ai_provider_id": "openai",
        "key": "sk-of-a-test",
        "configurations": {"custom_host": fake.base},
        "pricing_adjustments": {"multiplier": {"default": 1.5}},
    }
    made = ask(gateway, "POST", "/integrations", body)
    provider = ask(gateway, "POST", "/providers", {"name": "of a test", "integration_id": made["id"]})["slug"]

    def costs() -> int | None:
        fake.answer(chat(usage=usage(1, 1)))
        return post(gateway, CHATS, {"x-portkey-provider": f"@{provider}"}, CHAT).cost

    assert costs() == BY_TABLE * 3 // 2
    model = {"slug": "gpt-4o", "enabled": True, "pricing_config": config(0.5)}
    ask(gateway, "PUT", f"/integrations/{made['slug']}/models", {"models": [model]})
    assert costs() == CENT


def test_what_a_model_costs_is_told_to_anybody(gateway: Gateway) -> None:
    def asked(path: str, method: str = "GET") -> Any:
        return gateway.call(method, f"/v1/model-configs/pricing/{path}", key=None)

    told = asked("openai/gpt-4o")
    assert told.status == 200
    assert told.json()["pay_as_you_go"]["request_token"] == {"price": 0.00025}
    for model in ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama%2FLlama-3.3-70B-Instruct-Turbo"):
        assert asked(f"together-ai/{model}").status == 200
    unknown = asked("openai/never-heard-of")
    assert (unknown.status, unknown.error["code"], unknown.json()["success"]) == (404, "not_found", False)
    assert asked("openai/gpt-4o", "POST").status == 401
