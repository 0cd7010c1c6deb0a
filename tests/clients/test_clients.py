"""What people already have, told of nothing but a base URL and a key of the gateway."""

import re

import pytest

from tests.clients.registry import CLIENTS, FEATURES, Client, Program
from tests.fake import Fake, Received, Reply, anthropic, error, speak
from tests.gateway import Gateway
from tests.stored import SECRET, api_key, ask, config, virtual_key

pytestmark = pytest.mark.timeout(900)  # an environment may have to be made

WEATHER = {"city": "Paris", "celsius": 18}
MISSING = "There is no such model."


def compatible(request: Received) -> Reply:
    """A provider of our dialect: also one that lacks a model, and one that never ends."""
    if b"not there" in request.body:
        return error(404, MISSING, type="invalid_request_error", code="model_not_found")
    return speak(request).stalled(2) if b"Never stop" in request.body else speak(request)


def translated(request: Received) -> Reply:
    """The same in another dialect."""
    if b"not there" in request.body:
        return anthropic.error(404, MISSING, type="not_found_error")
    return anthropic.speak(request).stalled(3) if b"Never stop" in request.body else anthropic.speak(request)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_client(client: Client, gateway: Gateway, fake: Fake, subtests: pytest.Subtests) -> None:
    """Every feature with a provider of our dialect; then the key's config leads to one of another, unnoticed."""
    fake.on("/v1/chat/completions", compatible)
    fake.on("/v1/messages", translated)
    claude = virtual_key(gateway, fake, provider="anthropic")
    configs = {
        "openai": {"virtual_key": virtual_key(gateway, fake)},
        "anthropic": {"virtual_key": claude, "override_params": {"model": "claude-sonnet-4-5"}},
    }
    saved = config(gateway, configs["openai"])
    _, key = api_key(gateway, defaults={"config_id": saved})
    with Program(client, URL=f"{gateway.url}/v1", KEY=key) as program:
        for provider, content in configs.items():
            ask(gateway, "PUT", f"/configs/{saved}", {"config": content})
            for feature in client.features:
                with subtests.test(f"{feature}, {provider}"):
                    found = program.ask(feature)
                    _expected(feature, found, provider)
                    assert feature != "cancel" or fake.requests[-1].closed.wait(10)
    paths = {received.path for received in fake.requests}
    assert paths == {"/v1/chat/completions", "/v1/messages"}
    told = str([received.headers for received in fake.requests])
    assert SECRET in told
    assert key not in told


def _expected(feature: str, found: object, provider: str) -> None:
    match feature, found:
        case "plain", text:
            assert text == "This is a test."
        case "streamed", {"pieces": [_, _, *_] as pieces, **usage}:
            assert "".join(pieces) == "This is a test."
            assert usage in ({"total_tokens": 12}, {})
        case "tools", called:
            assert called == {"name": "get_weather", "arguments": WEATHER}
        case "structured", shape:
            assert shape == WEATHER
        case "error", {"status": 404, "message": message}:
            assert f"{provider} error: {MISSING}" in str(message)
        case "cancel", pieces:
            assert pieces == ["This"]
        case _:
            raise AssertionError(found)


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_program_has_features_and_shows_its_change(client: Client) -> None:
    assert {"plain", "streamed", "error"} <= set(client.features) <= set(FEATURES)
    assert client.version
    assert {"URL", "KEY"} <= set(re.findall(r"\w+", client.change))
