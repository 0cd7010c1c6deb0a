"""Text completions where the provider has only chat, and the other way round."""

import json as json_of
from collections.abc import Iterable
from typing import Any

import pytest

from tests.asking import CHATS, MESSAGES, PROMPT, TEXTS, at, text_of
from tests.fake import Fake, Reply, chat, chat_stream, json, stream
from tests.fake.reply import events
from tests.gateway import Gateway
from tests.integration.test_naming import ANTHROPIC, GOOGLE

COHERE = {
    "id": "c-1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "This is a test."}]},
    "usage": {"tokens": {"input_tokens": 5, "output_tokens": 7}},
}
WHOLE = {
    "anthropic": ANTHROPIC,
    "cohere": COHERE,
    "google": {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": "This is a test."}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": GOOGLE["usageMetadata"],
    },
}


def named(values: Iterable[dict[str, Any]]) -> Reply:
    """Events named by their type, as Anthropic and Cohere send them."""
    return stream([f"event: {value['type']}\ndata: {json_of.dumps(value)}\n\n".encode() for value in values])


def streamed(slug: str) -> Reply:
    if slug == "google":
        return events(
            [
                {"candidates": [{"content": {"role": "model", "parts": [{"text": "This is"}]}, "index": 0}]},
                {
                    "candidates": [{"content": {"parts": [{"text": " a test."}]}, "finishReason": "STOP", "index": 0}],
                    "usageMetadata": GOOGLE["usageMetadata"],
                },
            ],
            done=False,
        )
    if slug == "cohere":
        text = [{"message": {"content": {"text": text}}} for text in ("This is", " a test.")]
        usage = COHERE["usage"]
        return named(
            [
                {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}},
                {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
                *[{"type": "content-delta", "index": 0, "delta": delta} for delta in text],
                {"type": "content-end", "index": 0},
                {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
            ]
        )
    return named(
        [
            {"type": "message_start", "message": {**ANTHROPIC, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "ping"},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "This is"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " a test."}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
            {"type": "message_stop"},
        ]
    )


@pytest.mark.parametrize("slug", WHOLE)
def test_a_prompt_for_a_provider_that_has_only_chat(gateway: Gateway, fake: Fake, slug: str) -> None:
    fake.answer(json(WHOLE[slug]))
    answer = gateway.call("POST", TEXTS, at(fake, slug), PROMPT)
    assert answer.status == 200, answer.body
    told = answer.json()
    assert told["object"] == "text_completion"
    assert told["choices"] == [{"text": "This is a test.", "index": 0, "logprobs": None, "finish_reason": "stop"}]
    assert told["usage"]["total_tokens"] == 12
    assert told["model"]
    assert "Say this is a test" in fake.requests[0].body.decode()


@pytest.mark.parametrize("slug", WHOLE)
@pytest.mark.parametrize("usage", [False, True])
def test_the_same_streamed(gateway: Gateway, fake: Fake, slug: str, usage: bool) -> None:
    fake.answer(streamed(slug))
    body = {**PROMPT, "stream": True, "stream_options": {"include_usage": usage}}
    with gateway.open("POST", TEXTS, at(fake, slug), body) as answer:
        assert answer.status == 200
        *seen, last = [event.data for event in answer.events()]
    assert last == "[DONE]"
    chunks = [json_of.loads(data) for data in seen]
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert "".join(choice["text"] for choice in choices) == "This is a test."
    assert [choice["finish_reason"] for choice in choices][-1] == "stop"
    assert any(chunk.get("usage") for chunk in chunks) is usage


@pytest.mark.parametrize("slug", WHOLE)
def test_chat_streamed(gateway: Gateway, fake: Fake, slug: str) -> None:
    fake.answer(streamed(slug))
    body = {"model": "m", "messages": MESSAGES, "stream": True}
    with gateway.open("POST", CHATS, at(fake, slug), body) as answer:
        assert text_of(answer) == "This is a test."


@pytest.mark.parametrize("more", [{}, {"prompt": None}])
@pytest.mark.parametrize("slug", ["openai", "anthropic"])
def test_messages_sent_to_completions_are_a_chat(gateway: Gateway, fake: Fake, slug: str, more: dict[str, Any]) -> None:
    fake.answer(chat() if slug == "openai" else json(ANTHROPIC))
    answer = gateway.call("POST", TEXTS, at(fake, slug), {"model": "m", "messages": MESSAGES, **more})
    assert answer.json()["object"] == "chat.completion"
    assert answer.json()["choices"][0]["message"]["content"] == "This is a test."
    assert fake.requests[0].path == ("/v1/chat/completions" if slug == "openai" else "/v1/messages")
    assert "prompt" not in fake.requests[0].json


def test_messages_streamed_to_completions(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream())
    with gateway.open("POST", TEXTS, at(fake), {"model": "m", "messages": MESSAGES, "stream": True}) as answer:
        assert text_of(answer) == "This is a test."


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2, 3], [[1, 2]], 7, {"a": 1}, None, []])
@pytest.mark.parametrize("slug", WHOLE)
def test_prompts_that_chat_cannot_take(gateway: Gateway, fake: Fake, slug: str, prompt: Any) -> None:
    answer = gateway.call("POST", TEXTS, at(fake, slug), {"model": "m", "prompt": prompt})
    assert (answer.status, answer.error["param"]) == (400, "prompt")
    assert fake.requests == []


def test_a_list_of_one_prompt(gateway: Gateway, fake: Fake) -> None:
    fake.answer(json(ANTHROPIC))
    assert gateway.call("POST", TEXTS, at(fake, "anthropic"), {"model": "m", "prompt": ["one"]}).status == 200
    assert '"one"' in json_of.dumps(fake.requests[0].json["messages"])


def test_several_prompts_go_where_they_can(gateway: Gateway, fake: Fake) -> None:
    body = b'{"model":"m","prompt":["a",[1,2]]}'
    assert gateway.call("POST", TEXTS, at(fake), body).status == 200
    assert fake.requests[0].body == body


@pytest.mark.parametrize("stream_it", [False, True])
def test_echo(gateway: Gateway, fake: Fake, stream_it: bool) -> None:
    fake.answer(streamed("anthropic") if stream_it else json(ANTHROPIC))
    body = {**PROMPT, "echo": True, "stream": stream_it}
    with gateway.open("POST", TEXTS, at(fake, "anthropic"), body) as answer:
        if stream_it:
            text = text_of(answer)
        else:
            text = json_of.loads(answer.rest())["choices"][0]["text"]
    assert text == "Say this is a testThis is a test."


def test_what_chat_lacks_is_named(gateway: Gateway, fake: Fake) -> None:
    fake.answer(json(ANTHROPIC))
    body = {**PROMPT, "suffix": "end", "best_of": 3, "logprobs": 2, "echo": False}
    answer = gateway.call("POST", TEXTS, at(fake, "anthropic"), body)
    assert set(answer.headers["x-gatekey-dropped-params"].split(", ")) == {"suffix", "best_of", "logprobs"}
    fake.answer(json(ANTHROPIC))
    body = {**PROMPT, "suffix": None, "best_of": 1, "logprobs": None}
    assert "x-gatekey-dropped-params" not in gateway.call("POST", TEXTS, at(fake, "anthropic"), body).headers


def test_the_model_that_an_sdk_makes_up(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", CHATS, at(fake), {"model": "portkey-default", "messages": MESSAGES})
    assert (answer.status, answer.error["param"]) == (400, "model")
    assert (
        gateway.call("POST", CHATS, at(fake, "local"), {"model": "portkey-default", "messages": MESSAGES}).status == 200
    )
    assert fake.requests[0].json["model"] not in ("portkey-default", "")


def test_an_endpoint_that_a_provider_lacks(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", "/v1/embeddings", at(fake, "anthropic"), {"model": "m", "input": "x"})
    assert (answer.status, answer.error["code"]) == (400, "unsupported_endpoint")
    assert "anthropic" in answer.error["message"]
