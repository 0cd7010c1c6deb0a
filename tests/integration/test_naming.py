"""Naming the upstream: every documented way, and what is said to whoever gets it wrong."""

import json
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, PROVIDER_KEY, at, by, fallback, target
from tests.fake import Fake
from tests.fake import json as json_reply
from tests.gateway import Gateway

ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "This is a test."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
GOOGLE = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
}


def without(headers: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


def test_a_provider_and_authorization(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", CHATS, at(fake), CHAT)
    assert answer.json()["choices"][0]["message"]["content"] == "This is a test."
    request = fake.requests[0]
    assert (request.path, request.header("authorization")) == (CHATS, f"Bearer {PROVIDER_KEY}")


@pytest.mark.parametrize(
    ("slug", "header", "reply", "more"),
    [
        ("anthropic", "x-api-key", ANTHROPIC, {}),
        ("google", "x-goog-api-key", GOOGLE, {}),
        ("azure-openai", "api-key", None, {}),
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_a_provider_and_its_own_header(
    gateway: Gateway, fake: Fake, slug: str, header: str, reply: Any, more: dict[str, str], native: bool
) -> None:
    if reply is not None:
        fake.answer(json_reply(reply))
    headers = without(at(fake, slug), *(["authorization"] if native else []))
    answer = gateway.call("POST", CHATS, headers | ({header: PROVIDER_KEY} if native else {}) | more, CHAT)
    assert answer.status == 200, answer.body
    assert answer.headers["x-portkey-provider"] == slug
    assert fake.requests[0].header(header) == PROVIDER_KEY
    assert fake.requests[0].header("authorization") is None


def test_a_config_with_its_key(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, by(target(fake, api_key="sk-inside")), CHAT).status == 200
    assert fake.requests[0].header("authorization") == "Bearer sk-inside"
    headers = by(target(fake, api_key="sk-inside"), authorization="Bearer sk-outside")
    assert gateway.call("POST", CHATS, headers, CHAT).status == 200
    assert fake.requests[1].header("authorization") == "Bearer sk-inside"


def test_a_config_without_a_key_takes_the_one_of_authorization(gateway: Gateway, fake: Fake) -> None:
    config = {"provider": "openai", "custom_host": fake.base}
    assert gateway.call("POST", CHATS, by(config, authorization="Bearer sk-outside"), CHAT).status == 200
    assert fake.requests[0].header("authorization") == "Bearer sk-outside"


def test_a_config_takes_the_key_of_the_providers_own_header(gateway: Gateway, fake: Fake) -> None:
    fake.answer(json_reply(ANTHROPIC))
    config = {"provider": "anthropic", "custom_host": fake.base}
    assert gateway.call("POST", CHATS, by(config, x_api_key="sk-ant"), CHAT).status == 200
    assert fake.requests[0].header("x-api-key") == "sk-ant"


def test_a_config_without_a_provider_goes_with_the_headers(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake) | by({"retry": {"attempts": 0}, "override_params": {"model": "other"}})
    assert gateway.call("POST", CHATS, headers, CHAT).status == 200
    assert fake.requests[0].json["model"] == "other"
    answer = gateway.call("POST", CHATS, by({"retry": {"attempts": 1}}), CHAT)
    assert answer.status == 400
    assert "x-portkey-provider" in answer.error["message"]


def test_the_custom_host_of_the_header_wins(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        headers = by(target(fake), x_portkey_custom_host=other.base)
        assert gateway.call("POST", CHATS, headers, CHAT).status == 200
        assert (len(fake.requests), len(other.requests)) == (0, 1)


@pytest.mark.parametrize("tail", ["", "/", "//"])
def test_the_path_of_a_custom_host_stays(gateway: Gateway, fake: Fake, tail: str) -> None:
    fake.on("/deep/v4/chat/completions", lambda request: json_reply({"choices": []}))
    assert gateway.call("POST", CHATS, at(fake, x_portkey_custom_host=f"{fake.url}/deep/v4{tail}"), CHAT).status == 200
    assert fake.requests[0].path == "/deep/v4/chat/completions"


def test_a_key_that_could_be_anybodys_goes_nowhere(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        config = fallback(
            {"provider": "openai", "custom_host": fake.base}, {"provider": "openai", "custom_host": other.base}
        )
        answer = gateway.call("POST", CHATS, by(config, authorization="Bearer sk-whose"), CHAT)
        assert answer.status == 400
        assert answer.error["param"] == "authorization"
        assert fake.requests == other.requests == []


def test_the_key_of_the_named_provider_goes_to_no_other(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        other.answer(json_reply(ANTHROPIC))
        config = fallback({"provider": "anthropic", "custom_host": other.base}, target(fake))
        headers = by(config, authorization="Bearer sk-whose", x_portkey_provider="openai")
        gateway.call("POST", CHATS, headers, CHAT)
        assert other.requests[0].header("x-api-key") is None
        assert "sk-whose" not in str(other.requests[0].headers)


@pytest.mark.parametrize(
    ("headers", "param"),
    [
        ({"x-portkey-config": json.dumps({"provider": "openai", "prompt_id": "p"})}, "prompt_id"),
        ({"x-portkey-config": json.dumps({"input_guardrails": ["g"]})}, "input_guardrails"),
    ],
    ids=str,
)
def test_what_is_stored_is_not_available_yet(gateway: Gateway, fake: Fake, headers: dict[str, str], param: str) -> None:
    for path in (CHATS, "/v1/files"):
        answer = gateway.call("POST", path, headers | {"authorization": "Bearer sk"}, CHAT)
        assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "not_available", param)
        assert "not available yet" in answer.error["message"]


@pytest.mark.parametrize(
    ("headers", "param"),
    [
        ({"x-portkey-virtual-key": "openai-vk"}, "x-portkey-virtual-key"),
        ({"x-portkey-provider": "@my-openai"}, "x-portkey-provider"),
        ({"x-portkey-config": "pc-123456"}, "x-portkey-config"),
        ({"x-portkey-config": "[]"}, "x-portkey-config"),
        ({"x-portkey-config": json.dumps({"virtual_key": "v"})}, "config.virtual_key"),
        ({"x-portkey-config": json.dumps({"provider": "@v"})}, "config.virtual_key"),
        ({"x-portkey-config": json.dumps({"override_params": {"model": "@v/m"}})}, "config.virtual_key"),
    ],
    ids=str,
)
def test_what_is_not_stored_is_told(gateway: Gateway, headers: dict[str, str], param: str) -> None:
    for path in (CHATS, "/v1/files"):
        answer = gateway.call("POST", path, headers | {"authorization": "Bearer sk"}, CHAT)
        assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "invalid_header", param)
        assert "there is no" in answer.error["message"]


BAD: list[tuple[Any, str]] = [
    (
        {"targets": [{"provider": "openai"}, {"provider": "openai", "retry": {"attempts": "x"}}]},
        'targets[1].retry.attempts: expected an integer from 0 to 5, got "x"',
    ),
    ({"retry": {"attempts": 6}}, "retry.attempts: expected an integer from 0 to 5, got 6"),
    ({"provider": "opnai"}, 'provider: unknown provider "opnai"'),
    ({"provder": "openai"}, "provder: unknown key"),
    ({"provider": "openai", "retry": {"atempts": 1}}, "retry.atempts: unknown key"),
    ({"strategy": {"mode": "fastest"}, "targets": [{}]}, "strategy.mode"),
    ({"strategy": {"mode": "fallback"}}, "targets: missing"),
    ({"strategy": {"mode": "fallback"}, "targets": []}, "targets"),
    ({"provider": "openai", "request_timeout": "1s"}, "request_timeout"),
    ({"provider": "openai", "azure_resource_name": "x"}, "azure_resource_name"),
    ({"provider": "openai", "custom_host": "ftp://x"}, "custom_host"),
    ({"provider": "openai", "custom_host": "http://u:p@x.com"}, "custom_host"),
    ('{"provider": "openai"', "not valid JSON"),
    ('{"provider": "openai",}', "not valid JSON"),
    ("{" * 100, "not valid JSON"),
    ('{"a":' * 100 + "1" + "}" * 100, "nested deeper"),
]


@pytest.mark.parametrize(("config", "told"), BAD, ids=lambda case: str(case)[:60])
def test_a_wrong_config_is_told_where(gateway: Gateway, config: Any, told: str) -> None:
    text = config if isinstance(config, str) else json.dumps(config)
    answer = gateway.call("POST", CHATS, {"x-portkey-config": text, "authorization": "Bearer sk"}, CHAT)
    assert answer.status == 400
    assert told in answer.error["message"]
    assert answer.json()["status"] == "failure"
    assert answer.json()["message"] == answer.error["message"]


def test_a_wrong_config_repeats_no_key(gateway: Gateway) -> None:
    for config in ({"api_key": ["sk-secret"]}, {"api_key": 12345678901}, {"api_kei": "sk-secret"}):
        answer = gateway.call("POST", CHATS, by({"provider": "openai", **config}), CHAT)
        assert answer.status == 400
        assert "sk-secret" not in answer.body.decode()
        assert "12345678901" not in answer.body.decode()


def test_camel_case_means_the_same(gateway: Gateway, fake: Fake) -> None:
    config = {
        "strategy": {"mode": "fallback", "onStatusCodes": [503]},
        "targets": [{"provider": "openai", "apiKey": "sk-camel", "customHost": fake.base, "requestTimeout": 5000}],
        "overrideParams": {"model": "camel"},
    }
    assert gateway.call("POST", CHATS, by(config), CHAT).status == 200
    assert fake.requests[0].header("authorization") == "Bearer sk-camel"
    assert fake.requests[0].json["model"] == "camel"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("x-portkey-provider", "opnai", 'unknown provider "opnai"'),
        ("x-portkey-provider", "../openai", 'unknown provider "../openai"'),
        ("x-portkey-cache-force-refresh", "yes", "expected true or false"),
        ("x-portkey-debug", "0", "expected true or false"),
        ("x-portkey-strict-open-ai-compliance", "maybe", "expected true or false"),
        ("x-portkey-request-timeout", "soon", "milliseconds"),
        ("x-portkey-request-timeout", "0", "milliseconds"),
        ("x-portkey-request-timeout", "-1", "milliseconds"),
        ("x-portkey-request-timeout", "1e3", "milliseconds"),
        ("x-portkey-forward-headers", "x-portkey-forward-headers", "must not contain"),
        ("x-portkey-forward-headers", "metadata-flavor", "must not contain"),
        ("x-portkey-forward-headers", "a, X-aws-ec2-metadata-token", "must not contain"),
        ("x-portkey-forward-headers", "x-portkey-api-key", "must not contain"),
        ("x-portkey-metadata", "john", "JSON object"),
        ("x-portkey-metadata", '["john"]', "JSON object"),
        ("x-portkey-metadata", '{"_user": {"name": "john"}}', "JSON object"),
        ("x-portkey-metadata", json.dumps({"_user": "j" * 129}), "longer than 128"),
        ("x-portkey-custom-host", "not a url", "x-portkey-custom-host"),
        ("x-portkey-custom-host", "file:///etc/passwd", "x-portkey-custom-host"),
    ],
)
def test_a_wrong_header_is_named(gateway: Gateway, fake: Fake, name: str, value: str, shown: str) -> None:
    answer = gateway.call("POST", CHATS, at(fake) | {name: value}, CHAT)
    assert (answer.status, answer.error["param"]) == (400, name)
    assert shown in answer.error["message"]
    assert fake.requests == []


@pytest.mark.parametrize("value", ["True", "TRUE", "true", "False", "false", " true "])
def test_booleans_in_any_letter_case(gateway: Gateway, fake: Fake, value: str) -> None:
    names = ["cache-force-refresh", "debug", "strict-open-ai-compliance", "strict-openai-compliance"]
    headers = at(fake) | {f"x-portkey-{name}": value for name in names}
    assert gateway.call("POST", CHATS, headers, CHAT).status == 200


@pytest.mark.parametrize(
    ("metadata", "chosen"),
    [
        (b'{"plan": "paid"}', "paid"),
        (b"{'plan': 'paid'}", "paid"),
        (b'{ "plan":"paid", "n": 1, "b": true, "none": null }', "paid"),
        ('{"plan": "größer"}'.encode(), "größer"),
        ('{"plan": "größer"}'.encode("latin-1"), "größer"),
        (f'{{"plan": "{"ü" * 128}"}}'.encode(), "ü" * 128),
    ],
    ids=str,
)
def test_every_form_of_metadata(gateway: Gateway, fake: Fake, metadata: bytes, chosen: str) -> None:
    config = {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"metadata.plan": {"$eq": chosen}}, "then": "yes"}],
            "default": "no",
        },
        "targets": [target(fake, name="no"), target(fake, name="yes")],
    }
    headers = by(config, x_portkey_metadata=metadata.decode("latin-1"))
    answer = gateway.call("POST", CHATS, headers, CHAT)
    assert answer.status == 200, answer.body
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"


def test_options_of_a_provider_in_headers_and_config(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake, x_portkey_openai_organization="org-1", openai_project="proj-1")
    gateway.call("POST", CHATS, headers, CHAT)
    gateway.call("POST", CHATS, by(target(fake, openai_organization="org-2")), CHAT)
    assert fake.requests[0].header("openai-organization") == "org-1"
    assert fake.requests[0].header("openai-project") == "proj-1"
    assert fake.requests[1].header("openai-organization") == "org-2"


def test_headers_to_forward(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake, x_mine="1", x_other="2", x_portkey_forward_headers="X-Mine, x_other, x-absent")
    gateway.call("POST", CHATS, headers, CHAT)
    gateway.call("POST", CHATS, by(target(fake, forward_headers=["X-Mine"]), x_mine="1", x_other="2"), CHAT)
    one, two = fake.requests
    assert (one.header("x-mine"), one.header("x-other"), one.header("x-absent")) == ("1", "2", None)
    assert (two.header("x-mine"), two.header("x-other")) == ("1", None)


def test_nothing_named_at_all(gateway: Gateway) -> None:
    answer = gateway.call("POST", CHATS, {"authorization": "Bearer sk"}, CHAT)
    assert answer.status == 400
    assert "x-portkey-config or x-portkey-provider" in answer.error["message"]


def test_no_key_for_a_provider_that_needs_one(gateway: Gateway) -> None:
    answer = gateway.call("POST", CHATS, {"x-portkey-provider": "openai"}, CHAT)
    assert answer.status == 400
    assert "openai needs a key" in answer.error["message"]
