"""Completions, chats, vectors and models through a running gateway, streamed or not."""

import json
from typing import Any

import pytest

import portkey_ai
from portkey_ai import types
from tests.asking import PROVIDER_KEY, target
from tests.fake import Fake, chat, chat_stream, completion, embeddings, error, events, wait_until
from tests.gateway import Gateway
from tests.sdk.ways import Evented, Way

HELLO: Any = [{"role": "user", "content": "Hello"}]


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO, **more)


def test_a_completion(way: Way, fake: Fake) -> None:
    fake.answer(completion("Größe."))
    found = way(lambda client: client.completions.create(model="m", prompt="Say this is a test", max_tokens=5))
    assert type(found) is types.Completion
    assert (found.choices[0].text, found.usage.total_tokens, found.object) == ("Größe.", 12, "text_completion")
    assert fake.requests[0].json == {"model": "m", "prompt": "Say this is a test", "max_tokens": 5}
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"


def test_a_chat(way: Way) -> None:
    found = way(ask)
    assert type(found) is types.ChatCompletion
    assert found.choices[0].message.content == "This is a test."
    told = found.get_headers()
    assert (told["provider"], told["cache-status"], told["retry-attempt-count"]) == ("openai", "DISABLED", "0")
    assert told["last-used-option-index"] == "config"
    assert len(told["trace-id"]) == 32


def test_messages_in_place_of_a_prompt(way: Way, fake: Fake) -> None:
    """The documentation's own examples do so; the route answers as a chat then."""
    found = way(lambda client: client.completions.create(model="m", messages=HELLO))
    assert type(found) is types.ChatCompletion
    assert found.choices[0].message.content == "This is a test."
    stream = way(lambda client: client.completions.create(model="m", messages=HELLO, stream=True))
    chunks = way.items(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "This is a test."
    assert type(chunks[0]) is types.ChatCompletionChunk


@pytest.mark.parametrize("count", range(3))
def test_streams(way: Way, fake: Fake, count: int) -> None:
    texts = [
        lambda client: client.completions.create(model="m", prompt="Hi", stream=True),
        lambda client: ask(client, stream=True),
        lambda client: ask(client, stream=True, stream_options={"include_usage": True}),
    ]
    stream = way(texts[count])
    assert stream.get_headers()["provider"] == "openai"
    chunks = way.items(stream)
    said = [choice for chunk in chunks for choice in chunk.choices]
    pieces = [choice.get("text") or choice.get("delta", {}).get("content") or "" for choice in said]
    assert "".join(pieces) == "This is a test."
    assert way.items(stream) == []
    assert (chunks[-1].usage is not None) or count < 2


def test_a_stream_is_there_as_it_comes(way: Way, fake: Fake) -> None:
    fake.answer(chat_stream().stalled(3))
    stream = way(lambda client: ask(client, stream=True))
    first = way.first(stream, 2)
    assert [chunk.choices[0].delta.content for chunk in first if chunk.choices[0].delta.content] == ["This"]
    assert not fake.requests[0].closed.is_set()
    way.close(stream)
    assert fake.requests[0].closed.wait(5)
    assert way.items(stream) == []


def test_a_raw_stream(way: Way) -> None:
    def raw(client: Any) -> Any:
        return client.chat.completions.with_raw_response.create(model="m", messages=HELLO, stream=True)

    found = way(raw)
    assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert len(way.items(found.parse())) == 6


def test_a_stream_that_ends_with_an_error(way: Way, fake: Fake) -> None:
    fake.answer(chat_stream().cut_after(3, "reset"))
    stream = way(lambda client: ask(client, stream=True))
    assert way.first(stream)
    with pytest.raises(portkey_ai.APIStreamError) as failure:
        way.items(stream)
    assert (failure.value.by, failure.value.code) == ("provider", "upstream_unreachable")
    assert failure.value.trace_id == stream.get_headers()["trace-id"]


def test_an_error_event_without_a_name(near: Way, fake: Fake) -> None:
    fake.answer(events([{"choices": []}, {"error": {"message": "Gone.", "code": "gone"}}]))
    stream = near(lambda client: ask(client, stream=True))
    with pytest.raises(portkey_ai.APIStreamError, match="Gone") as failure:
        near.items(stream)
    assert failure.value.code == "gone"


@pytest.mark.parametrize("data", ["{", "7", "[" * 100_000], ids=["half", "number", "deep"])
def test_events_that_are_none(near: Way, fake: Fake, data: str) -> None:
    fake.answer(events([data]))
    stream = near(lambda client: ask(client, stream=True))
    with pytest.raises(portkey_ai.APIResponseError, match="no JSON object"):
        near.items(stream)


def test_a_stream_that_is_none(near: Way, fake: Fake) -> None:
    fake.answer(chat())
    with pytest.raises(portkey_ai.APIResponseError, match="A stream was asked for, but the answer is none"):
        near(lambda client: ask(client, stream=True))


def test_vectors(way: Way, fake: Fake) -> None:
    fake.answer(embeddings([[0.5, 1], [2, 3]]))
    found = way(lambda client: client.embeddings.create(model="m", input=["a", "b"]))
    assert [vector.embedding for vector in found.data] == [[0.5, 1], [2, 3]]
    assert "encoding_format" not in fake.requests[0].json


def test_models(way: Way) -> None:
    found = way(lambda client: client.models.list())
    assert [model.id for model in found.data] == ["fake-1", "fake-2"]


ERRORS = {
    400: portkey_ai.BadRequestError,
    401: portkey_ai.AuthenticationError,
    403: portkey_ai.PermissionDeniedError,
    404: portkey_ai.NotFoundError,
    409: portkey_ai.ConflictError,
    422: portkey_ai.UnprocessableEntityError,
    429: portkey_ai.RateLimitError,
    500: portkey_ai.InternalServerError,
    503: portkey_ai.InternalServerError,
}


@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_errors(way: Way, fake: Fake, stream: bool) -> None:
    for status, kind in ERRORS.items():
        fake.answer(error(status, "Said so.", type="t", code="c", param="p", headers={"x-request-id": f"req-{status}"}))
        with pytest.raises(kind, match=r"^openai error: Said so\.$") as failure:
            way(lambda client: ask(client, stream=stream))
        found = failure.value
        assert type(found) is kind
        assert (found.status_code, found.code, found.type, found.param) == (status, "c", "t", "p")
        assert (found.request_id, found.by, found.provider) == (f"req-{status}", "provider", "openai")
        assert found.body["error"]["message"] == found.message
        assert len(found.trace_id or "") == 32
    assert len(fake.requests) == len(ERRORS), "none is asked for twice"


def test_the_gateways_errors(way: Way, fake: Fake) -> None:
    with pytest.raises(portkey_ai.AuthenticationError) as failure:
        way(lambda client: ask(client.with_options(api_key="gk-wrong")))
    assert (failure.value.by, failure.value.code) == ("gateway", "invalid_api_key")
    with pytest.raises(portkey_ai.BadRequestError) as refused:
        way(lambda client: ask(client.with_options(config={"strategy": {"mode": "none"}, "targets": []})))
    assert (refused.value.by, refused.value.param) == ("gateway", "strategy.mode")
    fake.answer(chat().late(3.0))
    with pytest.raises(portkey_ai.RequestTimeoutError) as late:
        way(lambda client: ask(client.with_options(request_timeout=100)))
    assert (late.value.status_code, late.value.by) == (408, "provider")


def test_options_of_one_call_are_gone_with_it(way: Way, fake: Fake) -> None:
    config = target(fake, override_params={"temperature": 0})
    told = {"provider": None, "custom_host": None, "authorization": None}
    found = way(lambda client: ask(client.with_options(config=config, trace_id="mine", **told)))
    assert found.get_headers()["trace-id"] == "mine"
    way(lambda client: ask(client.with_options({"config": config, **told})))
    other = way(ask)
    assert other.get_headers()["trace-id"] != "mine"
    assert [request.json.get("temperature") for request in fake.requests] == [0, 0, None]


def test_the_gateway_retries_and_the_client_does_not(way: Way, fake: Fake) -> None:
    fake.on("/v1/chat/completions", error(503))
    config = target(fake, retry={"attempts": 2, "on_status_codes": [503]})
    fake.answer(error(503, headers={"retry-after-ms": "1"}))
    with pytest.raises(portkey_ai.InternalServerError) as failure:
        way(lambda client: ask(client.with_options(config={**config, "retry": {"attempts": 1}}, provider=None)))
    assert failure.value.headers["x-portkey-retry-attempt-count"] == "-1"
    assert len(fake.requests) == 2


def test_cancelling_reaches_the_provider(gateway: Gateway, fake: Fake, way: Way) -> None:
    if not isinstance(way, Evented):
        return
    import asyncio

    fake.answer(chat().late(30.0))

    async def leave() -> None:
        task = asyncio.ensure_future(ask(way.client))
        while not fake.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    way.run(leave())
    assert fake.requests[0].closed.wait(5)


def test_metadata_in_any_script(way: Way, fake: Fake) -> None:
    """It arrives whole: a condition of the config reads it."""
    condition = {"query": {"metadata.name": {"$eq": "Zoë 漢字"}}, "then": "right"}
    config = {
        "strategy": {"mode": "conditional", "conditions": [condition], "default": "wrong"},
        "targets": [{"name": "right", **target(fake)}, {"name": "wrong", **target("http://127.0.0.1:1/v1")}],
    }
    told = {"config": config, "metadata": {"name": "Zoë 漢字"}, "provider": None, "custom_host": None}
    assert way(lambda client: ask(client.with_options(**told))).choices
    assert json.loads(fake.requests[0].body)["model"] == "m"
    wait_until(lambda: len(fake.requests) == 1)
