"""The openai client of PyPI through the gateway: sync and async, whole and streamed."""

import asyncio
import json
from typing import Any

import openai
import pytest

from tests.clients.asking import HELLO, WEATHER, arguments, at
from tests.clients.dialects import COHERE, DIALECTS, GOOGLE, Dialect
from tests.fake import Fake, Gate, chat_stream
from tests.fake import json as answer
from tests.gateway import KEY, Gateway

# --- our dialect


def test_a_completion(client: openai.OpenAI, fake: Fake) -> None:
    made = client.completions.create(model="m", prompt="Say this is a test")
    assert made.object == "text_completion"
    assert made.choices[0].text == "This is a test."
    assert made.usage is not None
    assert made.usage.total_tokens == 12
    [received] = fake.requests
    assert received.json == {"model": "m", "prompt": "Say this is a test"}
    assert received.header("authorization") == "Bearer sk-mine"


def test_a_streamed_completion(client: openai.OpenAI) -> None:
    with client.completions.create(model="m", prompt="Say", stream=True) as stream:
        chunks = list(stream)
        assert stream.response.headers["x-portkey-trace-id"]
    assert "".join(chunk.choices[0].text for chunk in chunks) == "This is a test."
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_chat(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="m", messages=HELLO, extra_headers={"x-portkey-trace-id": "of-this-request"}
    )
    assert raw.headers["x-portkey-trace-id"] == "of-this-request"
    made = raw.parse()
    assert made.choices[0].message.content == "This is a test."
    assert made.choices[0].finish_reason == "stop"


def test_streamed_chat_arrives_as_it_is_made(client: openai.OpenAI, fake: Fake) -> None:
    gate = Gate()
    fake.answer(chat_stream(["first", " second"]).slowly(0, 0, gate))
    with client.chat.completions.create(model="m", messages=HELLO, stream=True) as stream:
        seen = []
        for chunk in stream:
            seen.append(chunk.choices[0].delta.content or "")
            if seen[-1] == "first":
                assert not fake.requests[0].answered.is_set()
                gate.set()
    assert "".join(seen) == "first second"


@pytest.mark.parametrize("asked", [True, False])
def test_usage_in_a_stream_only_where_it_is_asked_for(client: openai.OpenAI, fake: Fake, asked: bool) -> None:
    more: Any = {"stream_options": {"include_usage": True}} if asked else {}
    with client.chat.completions.create(model="m", messages=HELLO, stream=True, **more) as stream:
        chunks = list(stream)
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == ([12] if asked else [])
    assert all(chunk.choices for chunk in chunks[: -1 if asked else None])
    assert fake.requests[0].json["stream_options"] == {"include_usage": True}


def test_the_stream_reader_of_the_client(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="m", messages=HELLO) as stream:
        assert stream.get_final_completion().choices[0].message.content == "This is a test."


def test_tools(client: openai.OpenAI, fake: Fake) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
        "finish_reason": "tool_calls",
    }
    fake.answer(answer({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}))
    first = client.chat.completions.create(model="m", messages=HELLO, tools=[WEATHER], tool_choice="auto")
    assert first.choices[0].finish_reason == "tool_calls"
    [asked] = first.choices[0].message.tool_calls or []
    assert asked.type == "function"
    assert json.loads(asked.function.arguments) == {"city": "Paris"}
    result: Any = {"role": "tool", "tool_call_id": asked.id, "content": "18 degrees"}
    second = client.chat.completions.create(model="m", messages=[*HELLO, first.choices[0].message, result])
    assert second.choices[0].message.content == "This is a test."
    assert fake.requests[0].json["tools"] == [WEATHER]
    assert fake.requests[1].json["messages"][1]["tool_calls"] == [call]
    assert fake.requests[1].json["messages"][2] == result


def test_embeddings(client: openai.OpenAI, fake: Fake) -> None:
    """The client asks for base64 of itself; a provider that speaks our dialect decides what to send."""
    made = client.embeddings.create(model="e", input=["one", "two"])
    assert [item.embedding for item in made.data] == [[0.25, -0.5], [0.25, -0.5]]
    assert fake.requests[0].json["encoding_format"] == "base64"


def test_models(client: openai.OpenAI, fake: Fake) -> None:
    assert [model.id for model in client.models.list()] == ["fake-1", "fake-2"]
    assert fake.requests[0].path == "/v1/models"


def test_a_path_that_is_only_passed_on(client: openai.OpenAI, fake: Fake) -> None:
    fake.on("/v1/models/m", answer({"id": "m", "object": "model", "created": 1, "owned_by": "x"}))
    assert client.models.retrieve("m").owned_by == "x"
    assert fake.requests[0].header("authorization") == "Bearer sk-mine"


def test_the_async_client(told: dict[str, Any]) -> None:
    async def use() -> None:
        async with openai.AsyncOpenAI(**told) as client:
            text = await client.completions.create(model="m", prompt="Say")
            assert text.choices[0].text == "This is a test."
            several = [client.chat.completions.create(model=f"m{index}", messages=HELLO) for index in range(8)]
            assert [made.model for made in await asyncio.gather(*several)] == [f"m{index}" for index in range(8)]
            parts = []
            async with await client.chat.completions.create(model="m", messages=HELLO, stream=True) as stream:
                async for chunk in stream:
                    parts.append(chunk.choices[0].delta.content or "")
            assert "".join(parts) == "This is a test."
            assert (await client.embeddings.create(model="e", input="one")).data[0].embedding == [0.25, -0.5]
            assert [model.id async for model in client.models.list()] == ["fake-1", "fake-2"]

    asyncio.run(use())


def test_the_gateway_key_as_api_key(gateway: Gateway, fake: Fake) -> None:
    """A provider that needs no key: the gateway's stays with the gateway."""
    told = {
        **arguments(gateway, provider="ollama", custom_host=fake.base),
        "api_key": KEY,
    }
    del told["default_headers"]["x-portkey-api-key"]
    with openai.OpenAI(**told) as client:
        assert client.chat.completions.create(model="m", messages=HELLO).choices[0].message.content
    assert KEY not in str(fake.requests[0].headers)
    assert fake.requests[0].header("authorization") is None


def test_the_gateway_key_as_api_key_beside_a_config(gateway: Gateway, fake: Fake) -> None:
    config = {"provider": "openai", "api_key": "sk-config", "custom_host": fake.base}
    told = {**arguments(gateway, config=json.dumps(config)), "api_key": KEY}
    with openai.OpenAI(**told) as client:
        assert client.completions.create(model="m", prompt="Say").choices[0].text == "This is a test."
    assert fake.requests[0].header("authorization") == "Bearer sk-config"


# --- other dialects


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.slug)
class TestDialects:
    """Providers that speak something else, read by the same client."""

    def test_chat(self, dialect: Dialect, gateway: Gateway, fake: Fake) -> None:
        reply, ours = dialect.reply("chat-plain")
        fake.answer(reply)
        with at(dialect, gateway, fake) as client:
            made = client.chat.completions.create(model=dialect.model("chat"), messages=HELLO)
        assert made.choices[0].message.content == ours["choices"][0]["message"]["content"]
        assert made.choices[0].finish_reason == "stop"
        assert made.usage is not None
        assert made.usage.total_tokens == ours["usage"]["total_tokens"] > 0
        assert "sk-mine" in str(fake.requests[0].headers)

    def test_streamed_chat(self, dialect: Dialect, gateway: Gateway, fake: Fake) -> None:
        reply, ours = dialect.stream("chat-plain")
        fake.answer(reply)
        with (
            at(dialect, gateway, fake) as client,
            client.chat.completions.create(
                model=dialect.model("chat"), messages=HELLO, stream=True, stream_options={"include_usage": True}
            ) as stream,
        ):
            chunks = list(stream)
        said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        expected = [chunk["choices"][0]["delta"].get("content", "") for chunk in ours if chunk["choices"]]
        assert "".join(said) == "".join(expected) != ""
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens > 0

    def test_text_through_chat(self, dialect: Dialect, gateway: Gateway, fake: Fake) -> None:
        whole, ours = dialect.reply("chat-plain")
        streamed, _ = dialect.stream("chat-plain")
        fake.answer(whole, streamed)
        with at(dialect, gateway, fake) as client:
            made = client.completions.create(model=dialect.model("chat"), prompt="Hello")
            assert made.object == "text_completion"
            assert made.choices[0].text == ours["choices"][0]["message"]["content"]
            with client.completions.create(model=dialect.model("chat"), prompt="Hello", stream=True) as stream:
                chunks = list(stream)
        assert {chunk.object for chunk in chunks} == {"text_completion"}
        assert "".join(chunk.choices[0].text for chunk in chunks).startswith("Hello")
        assert chunks[-1].choices[0].finish_reason == "stop"

    def test_tools(self, dialect: Dialect, gateway: Gateway, fake: Fake) -> None:
        whole, ours = dialect.reply("chat-tools")
        streamed, _ = dialect.stream("chat-tools")
        fake.answer(whole, streamed)
        with at(dialect, gateway, fake) as client:
            made = client.chat.completions.create(model=dialect.model("chat"), messages=HELLO, tools=[WEATHER])
            with client.chat.completions.stream(model=dialect.model("chat"), messages=HELLO, tools=[WEATHER]) as stream:
                final = stream.get_final_completion()
        expected = [call["function"] for call in ours["choices"][0]["message"]["tool_calls"]]
        got = [call.function for call in made.choices[0].message.tool_calls or [] if call.type == "function"]
        assert [{"name": call.name, "arguments": call.arguments} for call in got] == expected
        assert made.choices[0].finish_reason == final.choices[0].finish_reason == "tool_calls"
        for call in final.choices[0].message.tool_calls or []:
            assert call.id
            assert isinstance(json.loads(call.function.arguments), dict)

    def test_an_error(self, dialect: Dialect, gateway: Gateway, fake: Fake) -> None:
        reply, ours = dialect.reply("chat-error")
        fake.answer(reply)
        with at(dialect, gateway, fake) as client, pytest.raises(openai.APIStatusError) as raised:
            client.chat.completions.create(model=dialect.model("chat"), messages=HELLO)
        assert raised.value.status_code == dialect.recorded("replies", "chat-error").status
        assert raised.value.body["message"] == ours["error"]["message"]  # type: ignore[index]
        assert raised.value.body["message"].startswith(f"{dialect.slug} error: ")  # type: ignore[index]


@pytest.mark.parametrize("dialect", [GOOGLE, COHERE], ids=lambda dialect: dialect.slug)
@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_embeddings_of_a_provider_that_gives_numbers(
    dialect: Dialect, encoding: Any, gateway: Gateway, fake: Fake
) -> None:
    """The client asks for base64 where nothing is said, and must find the provider's numbers in it."""
    reply, ours = dialect.reply("embeddings-list")
    fake.answer(reply)
    asked: Any = {} if encoding == "base64" else {"encoding_format": encoding}
    with at(dialect, gateway, fake) as client:
        made = client.embeddings.create(model=dialect.model("embeddings"), input=["one", "two"], **asked)
    for item, expected in zip(made.data, ours["data"], strict=True):
        assert item.embedding == pytest.approx(expected["embedding"], rel=1e-6)
