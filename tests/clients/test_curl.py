"""The curl requests of the completions documentation, run as they stand but for host, keys and ids."""

import json
from pathlib import Path

import pytest

from tests.clients.curl import WAYS, run
from tests.fake import Fake
from tests.gateway import KEY, Answer, Gateway
from tests.stored import SECRET, config, virtual_key

HOST = "https://api.portkey.ai"

PROVIDER = r"""curl "https://api.portkey.ai/v1/completions" \
  -H "Content-Type: application/json" \
  -H "x-portkey-api-key: $PORTKEY_API_KEY" \
  -H "x-portkey-provider: openai" \
  -H "Authorization: Bearer $OPENAI_API_KEY" \
  -d '{
    "model": "gpt-3.5-turbo-instruct",
    "prompt": "Hello!"
  }'
"""

VIRTUAL_KEY = r"""curl "https://api.portkey.ai/v1/completions" \
  -H "Content-Type: application/json" \
  -H "x-portkey-api-key: $PORTKEY_API_KEY" \
  -H "x-portkey-virtual-key: openai-virtual-key" \
  -d '{
    "model": "gpt-3.5-turbo-instruct",
    "prompt": "Hello!"
  }'
"""

CONFIG = r"""curl "https://api.portkey.ai/v1/completions" \
  -H "Content-Type: application/json" \
  -H "x-portkey-api-key: $PORTKEY_API_KEY" \
  -H "x-portkey-config: config-key" \
  -d '{
    "model": "gpt-3.5-turbo-instruct",
    "prompt": "Hello!"
  }'
"""

THREE_MORE = r"""curl "https://api.portkey.ai/v1/completions" \
  -H "Content-Type: application/json" \
  -H "x-portkey-api-key: $PORTKEY_API_KEY" \
  -H "x-portkey-config: config-key" \
  -H "x-portkey-trace-id: $UNIQUE_TRACE_ID" \
  -H "x-portkey-metadata: {\"_user\":\"john\"}" \
  -H "x-portkey-cache-force-refresh: True" \
  -d '{
    "model": "gpt-3.5-turbo-instruct",
    "prompt": "Hello!"
  }'
"""

ASKED = {"model": "gpt-3.5-turbo-instruct", "prompt": "Hello!"}

pytestmark = pytest.mark.parametrize("way", WAYS)


def curl(way: str, command: str, gateway: Gateway, scratch: Path, **environ: str) -> Answer:
    """A command with its host and its ids changed."""
    command = command.replace(HOST, gateway.url).replace("config-key", "$CONFIG")
    command = command.replace("openai-virtual-key", "$VIRTUAL_KEY")
    return run(way, command, {"PORTKEY_API_KEY": KEY, **environ}, gateway, scratch)


def test_provider_and_key(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    # A host of our own is named beside the provider, so that the request stays on this machine.
    command = PROVIDER.replace("openai", f'openai" \\\n  -H "x-portkey-custom-host: {fake.base}', 1)
    answer = curl(way, command, gateway, tmp_path, OPENAI_API_KEY="sk-mine")
    assert answer.status == 200
    body = answer.json()
    assert body["object"] == "text_completion"
    assert body["model"] == "gpt-3.5-turbo-instruct"
    assert body["choices"] == [{"text": "This is a test.", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert body["usage"]["total_tokens"] == 12
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-portkey-provider"] == "openai"
    assert answer.headers["x-portkey-cache-status"] == "DISABLED"
    assert answer.headers["x-portkey-retry-attempt-count"] == "0"
    assert answer.headers["x-portkey-last-used-option-index"] == "config"
    assert len(answer.headers["x-portkey-trace-id"]) == 32
    [received] = fake.requests
    assert received.path == "/v1/completions"
    assert received.json == ASKED
    assert received.header("authorization") == "Bearer sk-mine"
    assert not [name for name, _ in received.headers if name.lower().startswith("x-portkey-")]


def test_an_inline_config(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    inline = {"provider": "openai", "api_key": "sk-in-config", "custom_host": fake.base}
    answer = curl(way, CONFIG, gateway, tmp_path, CONFIG=json.dumps(inline))
    assert answer.status == 200
    assert answer.json()["object"] == "text_completion"
    [received] = fake.requests
    assert received.json == ASKED
    assert received.header("authorization") == "Bearer sk-in-config"


def test_trace_id_metadata_and_force_refresh(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    inline = {"provider": "openai", "api_key": "sk-in-config", "custom_host": fake.base, "cache": {"mode": "simple"}}
    answer = curl(
        way, THREE_MORE, gateway, tmp_path, CONFIG=json.dumps(inline), UNIQUE_TRACE_ID="3f1c7b52-trace"
    )  # fmt: skip
    assert answer.status == 200
    assert answer.json()["object"] == "text_completion"
    assert answer.headers["x-portkey-trace-id"] == "3f1c7b52-trace"
    assert answer.headers["x-portkey-cache-status"] == "REFRESH"
    [received] = fake.requests
    assert received.json == ASKED
    assert not [name for name, _ in received.headers if name.lower().startswith("x-portkey-")]


def test_the_metadata_that_curl_sends_is_read(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    """Metadata that a condition asks for decides where the request goes."""
    target = {"provider": "openai", "api_key": "sk", "custom_host": fake.base}
    inline = {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"metadata._user": {"$eq": "john"}}, "then": "johns"}],
            "default": "others",
        },
        "targets": [{"name": "others", **target}, {"name": "johns", **target}],
    }
    answer = curl(way, THREE_MORE, gateway, tmp_path, CONFIG=json.dumps(inline), UNIQUE_TRACE_ID="t")
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"


def test_a_virtual_key(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    slug = virtual_key(gateway, fake)
    answer = curl(way, VIRTUAL_KEY, gateway, tmp_path, VIRTUAL_KEY=slug)
    assert answer.status == 200
    assert answer.json()["object"] == "text_completion"
    assert answer.headers["x-portkey-last-used-option-index"] == "config"
    [received] = fake.requests
    assert received.path == "/v1/completions"
    assert received.json == ASKED
    assert received.header("authorization") == f"Bearer {SECRET}"


def test_a_saved_config(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    slug = virtual_key(gateway, fake)
    saved = config(gateway, {"virtual_key": slug, "override_params": {"temperature": 0}})
    answer = curl(way, CONFIG, gateway, tmp_path, CONFIG=saved)
    assert answer.status == 200
    assert answer.json()["object"] == "text_completion"
    [received] = fake.requests
    assert received.json == {**ASKED, "temperature": 0}
    assert received.header("authorization") == f"Bearer {SECRET}"


def test_all_of_them_over_a_saved_config(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    saved = config(
        gateway,
        {
            "cache": {"mode": "simple"},
            "strategy": {
                "mode": "conditional",
                "conditions": [{"query": {"metadata._user": {"$eq": "john"}}, "then": "johns"}],
                "default": "others",
            },
            "targets": [
                {"name": name, "virtual_key": virtual_key(gateway, fake, key=f"sk-of-the-{name}")}
                for name in ("others", "johns")
            ],
        },
    )
    answer = curl(way, THREE_MORE, gateway, tmp_path, CONFIG=saved, UNIQUE_TRACE_ID="3f1c7b52-trace")
    assert answer.status == 200
    assert answer.json()["object"] == "text_completion"
    assert answer.headers["x-portkey-trace-id"] == "3f1c7b52-trace"
    assert answer.headers["x-portkey-cache-status"] == "REFRESH"
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    [received] = fake.requests
    assert received.json == ASKED
    assert received.header("authorization") == "Bearer sk-of-the-johns"
    assert not [name for name, _ in received.headers if name.lower().startswith("x-portkey-")]


def test_what_is_not_stored_is_told(way: str, gateway: Gateway, tmp_path: Path) -> None:
    answer = curl(way, VIRTUAL_KEY, gateway, tmp_path, VIRTUAL_KEY="nobodys")
    assert answer.status == 400
    assert answer.error["param"] == "x-portkey-virtual-key"
    assert "there is no" in answer.error["message"]
    assert answer.headers["x-portkey-trace-id"]


def test_a_wrong_gateway_key(way: str, gateway: Gateway, fake: Fake, tmp_path: Path) -> None:
    answer = curl(way, PROVIDER, gateway, tmp_path, PORTKEY_API_KEY="wrong-key", OPENAI_API_KEY="sk-mine")
    assert answer.status == 401
    assert answer.json() == {
        "error": {
            "message": "The gateway key is wrong.",
            "type": "authentication_error",
            "param": "x-portkey-api-key",
            "code": "invalid_api_key",
        },
        "status": "failure",
        "message": "The gateway key is wrong.",
    }
    assert fake.requests == []


def test_the_local_model(way: str, tmp_path: Path) -> None:
    """A real completion of a real model, with no account anywhere."""
    command = PROVIDER.replace("openai", "local", 1).replace("gpt-3.5-turbo-instruct", "smollm2-135m-instruct")
    with Gateway() as gateway:
        answer = curl(way, command, gateway, tmp_path, OPENAI_API_KEY="unused")
    assert answer.status == 200
    body = answer.json()
    assert body["object"] == "text_completion"
    assert body["choices"][0]["text"].strip()
    assert body["choices"][0]["finish_reason"] in ("stop", "length")
    assert body["usage"]["completion_tokens"] > 0
    assert answer.headers["x-portkey-provider"] == "local"
