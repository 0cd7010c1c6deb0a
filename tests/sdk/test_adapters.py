"""Stock clients of other packages, told of the gateway by ours."""

import asyncio
from typing import Any

import anthropic
import openai
import pytest

from portkey_ai import Portkey
from tests.asking import PROVIDER_KEY, target
from tests.fake import Fake, error
from tests.fake import json as answered
from tests.gateway import KEY, Gateway
from tests.sdk.conftest import leading
from tests.sdk.ways import Way

HELLO: Any = [{"role": "user", "content": "Hello"}]


def test_openai(way: Way, fake: Fake) -> None:
    with way.client.openai() as client:
        assert type(client) is openai.OpenAI
        found = client.chat.completions.create(model="m", messages=HELLO)
        stream = client.chat.completions.create(model="m", messages=HELLO, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert found.choices[0].message.content == "".join(pieces) == "This is a test."
    for request in fake.requests:
        assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"
        assert KEY not in str(request.headers)


def test_async_openai(way: Way) -> None:
    async def main() -> Any:
        async with way.client.async_openai() as client:
            assert type(client) is openai.AsyncOpenAI
            return await client.chat.completions.create(model="m", messages=HELLO)

    assert asyncio.run(main()).choices[0].message.content == "This is a test."


def test_its_errors_are_its_own_and_it_does_not_retry(way: Way, fake: Fake) -> None:
    fake.on("/v1/chat/completions", error(429))
    with way.client.openai() as client, pytest.raises(openai.RateLimitError, match="openai error: It failed"):
        client.chat.completions.create(model="m", messages=HELLO)
    assert len(fake.requests) == 1


def test_a_config_leads_it_and_its_dummy_key_leads_nowhere(gateway: Gateway, fake: Fake) -> None:
    portkey = Portkey(base_url=f"{gateway.url}/v1", api_key=KEY, config=target(fake))
    with portkey.openai() as client:
        client.chat.completions.create(model="m", messages=HELLO)
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"


def test_its_own_arguments(fake: Fake) -> None:
    portkey = Portkey(base_url=fake.base, trace_id="t", timeout=7)
    with portkey.openai(max_retries=4, default_headers={"x-mine": "1"}, api_key="sk-mine") as client:
        assert (client.max_retries, client.timeout, client.api_key) == (4, 7, "sk-mine")
        client.models.list()
    request = fake.requests[0]
    assert (request.header("x-mine"), request.header("x-portkey-trace-id")) == ("1", "t")
    assert request.header("authorization") == "Bearer sk-mine"


def test_anthropic(gateway: Gateway, fake: Fake) -> None:
    fake.on("/v1/messages", lambda request: answered({"type": "message", "content": [{"type": "text", "text": "Hi."}]}))
    portkey = Portkey(base_url=f"{gateway.url}/v1", **{**leading(fake), "provider": "anthropic"})
    with portkey.anthropic() as client:
        assert type(client) is anthropic.Anthropic
        assert (str(client.base_url).rstrip("/"), client.max_retries) == (gateway.url, 0)
        made = client.messages.create(model="m", messages=HELLO, max_tokens=5)
    assert made.content[0].text == "Hi."  # type: ignore[union-attr]
    assert fake.requests[0].json == {"model": "m", "messages": HELLO, "max_tokens": 5}
    assert KEY not in str(fake.requests[0].headers)
