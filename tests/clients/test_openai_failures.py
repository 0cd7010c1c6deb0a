"""Failures as the openai client of PyPI tells them, whose they are, and what is asked again."""

import asyncio
import json
from typing import Any

import openai
import pytest

from tests.clients.asking import HELLO, arguments
from tests.fake import Fake, Gate, chat, chat_stream, error, events, silence
from tests.gateway import Gateway


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (529, openai.InternalServerError),
    ],
)
def test_a_providers_error(status: int, kind: type[openai.APIStatusError], client: openai.OpenAI, fake: Fake) -> None:
    fake.answer(error(status, "It cannot be.", type="some_type", code="some_code", param="model"))
    with pytest.raises(kind) as raised:
        client.chat.completions.create(model="m", messages=HELLO)
    assert "openai error: It cannot be." in str(raised.value)
    assert (raised.value.type, raised.value.code, raised.value.param) == ("some_type", "some_code", "model")
    assert raised.value.response.headers["x-portkey-trace-id"]


def test_a_wrong_gateway_key(told: dict[str, Any], fake: Fake) -> None:
    told["default_headers"]["x-portkey-api-key"] = "wrong-key"
    with openai.OpenAI(**told) as client, pytest.raises(openai.AuthenticationError, match="gateway key is wrong"):
        client.chat.completions.create(model="m", messages=HELLO)
    assert fake.requests == []


def test_a_bad_config_names_its_place(gateway: Gateway) -> None:
    config = {
        "strategy": {"mode": "fallback"},
        "targets": [{"provider": "openai"}, {"provider": "openai", "retry": {"attempts": "x"}}],
    }
    told = arguments(gateway, config=json.dumps(config))
    with openai.OpenAI(**told) as client, pytest.raises(openai.BadRequestError) as raised:
        client.completions.create(model="m", prompt="Say")
    assert 'targets[1].retry.attempts: expected an integer from 0 to 5, got "x"' in str(raised.value)
    assert raised.value.code == "invalid_config"


def test_a_timeout_that_was_asked_for(client: openai.OpenAI, fake: Fake) -> None:
    fake.answer(silence())
    with pytest.raises(openai.APIStatusError) as raised:
        client.completions.create(model="m", prompt="Say", extra_headers={"x-portkey-request-timeout": "300"})
    assert raised.value.status_code == 408
    assert raised.value.type == "timeout_error"
    assert "300ms" in str(raised.value)
    assert fake.requests[0].closed.wait(10)


def test_the_clients_own_timeout_ends_the_upstream_request(client: openai.OpenAI, fake: Fake) -> None:
    fake.answer(silence())
    with pytest.raises(openai.APITimeoutError):
        client.completions.create(model="m", prompt="Say", timeout=1.0)
    assert fake.requests[0].closed.wait(10)


def test_the_client_repeats_what_the_gateway_has_not_repeated(told: dict[str, Any], fake: Fake) -> None:
    fake.answer(*[error(500, headers={"retry-after-ms": "1"})] * 2)
    with openai.OpenAI(**{**told, "max_retries": 2}) as client:
        assert client.completions.create(model="m", prompt="Say").choices[0].text == "This is a test."
    assert len(fake.requests) == 3


def test_the_client_does_not_repeat_what_the_gateway_has_repeated(gateway: Gateway, fake: Fake) -> None:
    retry = {"attempts": 1, "on_status_codes": [500], "use_retry_after_header": True}
    config = {"provider": "openai", "api_key": "sk", "custom_host": fake.base, "retry": retry}
    fake.on("/v1/completions", error(500, headers={"retry-after-ms": "1"}))
    told = {**arguments(gateway, config=json.dumps(config)), "max_retries": 2}
    with openai.OpenAI(**told) as client, pytest.raises(openai.InternalServerError) as raised:
        client.completions.create(model="m", prompt="Say")
    assert len(fake.requests) == 2
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert raised.value.response.headers["x-portkey-retry-attempt-count"] == "-1"


@pytest.mark.parametrize("broken", ["error event", "cut"])
def test_a_stream_that_breaks_off_raises(broken: str, client: openai.OpenAI, fake: Fake) -> None:
    gate = Gate()
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "so far"}}]}
    failed = {"error": {"message": "It broke.", "type": "server_error", "code": None}}
    whole = events([said, failed])
    fake.answer(whole.slowly(0, gate) if broken == "error event" else whole.cut_after(1))
    with client.chat.completions.create(model="m", messages=HELLO, stream=True) as stream:
        assert next(stream).choices[0].delta.content == "so far"
        gate.set()
        with pytest.raises(openai.APIError) as raised:
            next(stream)
    assert ("It broke." if broken == "error event" else "in the middle of its answer") in str(raised.value)


def test_a_stream_that_fails_before_its_first_word_is_an_error_with_a_status(client: openai.OpenAI, fake: Fake) -> None:
    fake.answer(events([{"error": {"message": "Not now.", "type": "server_error", "code": None}}]))
    with pytest.raises(openai.InternalServerError, match="openai error: Not now"):
        client.chat.completions.create(model="m", messages=HELLO, stream=True)


def test_leaving_a_stream_ends_the_upstream_request(client: openai.OpenAI, fake: Fake) -> None:
    fake.answer(chat_stream(["first", "never"]).stalled(2))
    with client.chat.completions.create(model="m", messages=HELLO, stream=True) as stream:
        assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "first"]
    assert fake.requests[0].closed.wait(10)


def test_cancelling_a_task_ends_the_upstream_request(told: dict[str, Any], fake: Fake) -> None:
    fake.answer(silence())

    async def use() -> None:
        async with openai.AsyncOpenAI(**told) as client:
            task = asyncio.create_task(client.chat.completions.create(model="m", messages=HELLO))
            await asyncio.to_thread(fake.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(use())
    assert fake.requests[0].closed.wait(10)


def test_a_fallback_is_not_seen(gateway: Gateway, fake: Fake) -> None:
    target = {"provider": "openai", "api_key": "sk", "custom_host": fake.base}
    config = {"strategy": {"mode": "fallback"}, "targets": [target, {**target, "override_params": {"model": "second"}}]}
    fake.answer(error(500), chat(model="second"))
    with openai.OpenAI(**arguments(gateway, config=json.dumps(config))) as client:
        raw = client.chat.completions.with_raw_response.create(model="first", messages=HELLO)
    assert raw.parse().model == "second"
    assert raw.headers["x-portkey-last-used-option-index"] == "config.targets[1]"
    assert [request.json["model"] for request in fake.requests] == ["first", "second"]
