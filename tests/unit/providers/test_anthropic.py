"""Anthropic: what is sent, and that streamed and unstreamed answers come to the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from accumulating import accumulated, answered

from gatekey.errors import BadBody, InBand
from gatekey.providers import Asked, _read
from gatekey.providers._anthropic_request import default_limit, version
from gatekey.providers._shape import Shaped, shape
from gatekey.providers.anthropic import provider
from gatekey.wire import body as json_body

GOLDEN = Path(__file__).parents[2] / "golden"
HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}


def asking(kind: str = "chat", *, strict: bool = True, options: dict[str, str] | None = None, **ours: Any) -> Shaped:
    ours = {"model": "claude-sonnet-4-5"} | ({"messages": HELLO} if kind == "chat" else {}) | ours
    asked = Asked(kind=kind, provider="", strict=strict, options=options or {}, created=1700000000, id="0123")
    return shape(provider, kind, json_body.decode(json.dumps(ours).encode()), asked)


def sent(kind: str = "chat", **ours: Any) -> dict[str, Any]:
    return json.loads(asking(kind, **ours).body)


def test_plain_request() -> None:
    shaped = asking(temperature=0.5, top_k=5, stop="END", user="u-1", stream=True)
    assert shaped.url == "https://api.anthropic.com/v1/messages"
    assert shaped.headers == {"anthropic-version": "2023-06-01"}
    assert json.loads(shaped.body) == {
        "model": "claude-sonnet-4-5",
        "temperature": 0.5,
        "top_k": 5,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        "max_tokens": 32000,
    }
    assert shaped.dropped == ()


def test_version_and_beta_of_the_caller() -> None:
    options = {"anthropic_version": "2024-01-01", "anthropic_beta": "files-api-2025-04-14"}
    assert asking(options=options).headers == {
        "anthropic-version": "2024-01-01",
        "anthropic-beta": "files-api-2025-04-14",
    }


def test_what_anthropic_lacks_is_dropped_and_what_is_too_high_is_clamped() -> None:
    shaped = asking(
        n=2, seed=7, temperature=1.7, logprobs=True, service_tier="flex", metadata={"user_id": "u", "x": "y"}
    )
    assert shaped.clamped == ("temperature=1",)
    assert set(shaped.dropped) == {"n", "seed", "logprobs", "service_tier", "metadata"}
    assert json.loads(shaped.body)["metadata"] == {"user_id": "u"}
    assert asking(n=1, service_tier="default").dropped == ()
    assert sent(service_tier="default")["service_tier"] == "standard_only"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-instant-1.2", (1, 2)),
        ("claude-2.1", (2, 1)),
        ("claude-3-haiku-20240307", (3, 0)),
        ("claude-3-7-sonnet-20250219", (3, 7)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-haiku-4-5-20251001", (4, 5)),
        ("claude-opus-4-8", (4, 8)),
        ("claude-opus-5", (5, 0)),
        ("my-model", (99, 0)),
    ],
)
def test_version_of_a_model(model: str, expected: tuple[int, int]) -> None:
    assert version(model) == expected


def test_a_limit_is_always_sent() -> None:
    assert sent(max_tokens=5, max_completion_tokens=9)["max_tokens"] == 9
    assert sent(max_tokens=5)["max_tokens"] == 5
    limits = ("claude-3-haiku-20240307", "claude-3-5-sonnet-20241022", "claude-opus-4-1")
    assert [default_limit(model) for model in limits] == [4096, 8192, 32000]
    thinking = {"type": "enabled", "budget_tokens": 40000}
    assert sent(thinking=thinking)["max_tokens"] == 72000
    assert sent(thinking=thinking, max_tokens=50000)["max_tokens"] == 50000


def test_turns() -> None:
    body = sent(
        messages=[
            {"role": "system", "content": [{"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}]},
            {"role": "developer", "content": "B"},
            {"role": "user", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}, {"type": "text", "text": ""}]},
            {"role": "assistant", "content": "Looking.", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "rain"}]},
            {"role": "user", "content": "thanks"},
            {"role": "assistant", "content": ""},
        ]
    )
    assert body["system"] == [
        {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "B"},
    ]
    used = {"type": "tool_use", "name": "get_weather", "input": {"city": "Paris"}}
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Looking."}, {**used, "id": "call_1"}, {**used, "id": "call_2"}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": [{"type": "text", "text": "rain"}]},
                {"type": "text", "text": "thanks"},
            ],
        },
    ]


def test_blocks_of_an_earlier_answer_go_back_unchanged() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "abc="}
    said = {
        "role": "assistant",
        "content": "ignored",
        "content_blocks": [thought, {"type": "text", "text": "Looking."}],
        "tool_calls": [{**CALL, "function": {"name": "now", "arguments": ""}}],
    }
    answer = {"role": "tool", "tool_call_id": "call_1", "content": "noon"}
    assert sent(messages=[*HELLO, said, answer])["messages"][1]["content"] == [
        thought,
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "call_1", "name": "now", "input": {}},
    ]


def test_parts() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}},
        {
            "type": "image_url",
            "image_url": {"url": "data:image/png;base64,AAAA"},
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,BBBB"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk=", "filename": "a.txt"}},
        {"type": "file", "file": {"file_data": "CCCC"}},
        {"type": "file", "file": {"file_id": "file_1"}},
    ]
    assert sent(messages=[{"role": "user", "content": content}])["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}, "title": "a.txt"},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "CCCC"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ("hello", "messages"),
        ([{"role": "system", "content": "A"}, {"role": "user", "content": ""}], "messages"),
        ([{"role": "function", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}], "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}], "messages[0].content[0].image_url"),
        ([{"role": "user", "content": 5}], "messages[0].content"),
        ([*HELLO, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        (
            [*HELLO, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{"}}]}],
            "messages[1].tool_calls[0]",
        ),
    ],
)
def test_what_cannot_be_given_is_named(messages: Any, param: str) -> None:
    with pytest.raises(BadBody) as refused:
        asking(messages=messages)
    assert refused.value.param == param
    assert param in refused.value.message


def test_tools_keep_their_whole_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {}},
        "additionalProperties": False,
    }
    function = {"name": "f", "description": "F.", "parameters": schema, "strict": True}
    own = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    portkey = {"type": "computer", "computer": {"name": "computer_20250124", "display_width_px": 9}}
    tools = [
        {"type": "function", "function": function, "cache_control": {"type": "ephemeral"}},
        {"type": "function", "function": {"name": "g"}},
        own,
        portkey,
    ]
    assert sent(tools=tools)["tools"] == [
        {
            "name": "f",
            "description": "F.",
            "input_schema": schema,
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        },
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
        own,
        {"name": "computer", "type": "computer_20250124", "display_width_px": 9},
    ]


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("required", {"type": "any"}),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choice(choice: Any, theirs: dict[str, Any]) -> None:
    assert sent(tools=[TOOL], tool_choice=choice)["tool_choice"] == theirs
    alone = theirs if choice == "none" else {**theirs, "disable_parallel_tool_use": True}
    assert sent(tools=[TOOL], tool_choice=choice, parallel_tool_calls=False)["tool_choice"] == alone


def test_one_tool_at_a_time() -> None:
    body = sent(tools=[TOOL], parallel_tool_calls=False)
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "tool_choice" not in sent(tools=[TOOL], parallel_tool_calls=True)


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "config"),
    [
        ("claude-sonnet-4-5", "low", {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-opus-4-5", "xhigh", {"type": "enabled", "budget_tokens": 32768}, None),
        ("claude-sonnet-4-5", "none", None, None),
        ("claude-opus-4-6", "xhigh", {"type": "adaptive"}, {"effort": "max"}),
        ("claude-opus-4-8", "xhigh", {"type": "adaptive"}, {"effort": "xhigh"}),
        ("claude-sonnet-5", "minimal", {"type": "adaptive"}, {"effort": "low"}),
        ("claude-sonnet-5", "none", {"type": "disabled"}, None),
    ],
)
def test_reasoning_effort(model: str, effort: str, thinking: Any, config: Any) -> None:
    body = sent(model=model, reasoning_effort=effort)
    assert body.get("thinking") == thinking
    assert body.get("output_config") == config


def test_a_budget_fits_below_the_limit() -> None:
    shaped = asking(reasoning_effort="medium", max_tokens=1000, temperature=0.2)
    body = json.loads(shaped.body)
    assert body["max_tokens"] == 9192
    assert "temperature" not in body
    assert shaped.dropped == ("temperature",)
    assert sent(reasoning_effort="medium", max_tokens=9000)["max_tokens"] == 9000


def test_no_budget_where_anthropic_refuses_one() -> None:
    loop = [
        *HELLO,
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
    ]
    for ours in (
        {"messages": loop},
        {"tools": [TOOL], "tool_choice": "required"},
        {"model": "claude-3-haiku-20240307"},
    ):
        shaped = asking(reasoning_effort="high", **ours)
        assert shaped.dropped == ("reasoning_effort",)
        assert b"thinking" not in shaped.body
    forced = sent(model="claude-opus-4-8", reasoning_effort="high", tools=[TOOL], tool_choice="required")
    assert "thinking" not in forced
    assert forced["output_config"] == {"effort": "high"}
    with pytest.raises(BadBody, match="reasoning_effort"):
        asking(reasoning_effort="huge")


def test_newest_models_take_no_sampling_parameters() -> None:
    assert asking(model="claude-opus-4-8", temperature=0, top_p=0.5).dropped == ("temperature", "top_p")
    assert asking(model="claude-opus-4-6", temperature=0).dropped == ()
    assert asking(model="claude-opus-4-6", temperature=0, top_p=0.5).dropped == ("top_p",)
    assert asking(model="claude-opus-4-6", top_p=0.5).dropped == ()
    assert asking(model="claude-3-5-haiku-20241022", temperature=0, top_p=0.5).dropped == ()


def test_response_format() -> None:
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    body = sent(model="claude-opus-4-8", response_format=wanted, reasoning_effort="low")
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}, "effort": "low"}
    assert asking(model="claude-3-haiku-20240307", response_format=wanted).dropped == ("response_format",)
    assert asking(response_format={"type": "json_object"}).dropped == ("response_format",)
    assert asking(response_format={"type": "text"}).dropped == ()


def test_legacy_completions() -> None:
    shaped = asking("completions", model="claude-2.1", prompt="Hello", max_tokens=9, stop=["a"], echo=True, seed=1)
    assert shaped.url == "https://api.anthropic.com/v1/complete"
    assert json.loads(shaped.body) == {
        "model": "claude-2.1",
        "prompt": "\n\nHuman: Hello\n\nAssistant:",
        "max_tokens_to_sample": 9,
        "stop_sequences": ["a"],
    }
    assert set(shaped.dropped) == {"echo", "seed"}
    turns = "\n\nHuman: Hi\n\nAssistant: Ho\n\nHuman: Hi\n\nAssistant:"
    body = sent("completions", model="claude-instant-1.2", prompt=[turns])
    assert (body["prompt"], body["max_tokens_to_sample"]) == (turns, 4096)
    with pytest.raises(BadBody) as refused:
        asking("completions", model="claude-2.1", prompt=[1, 2])
    assert refused.value.param == "prompt"


def test_completions_of_newer_models_go_through_chat() -> None:
    shaped = asking("completions", prompt="Hello")
    assert shaped.url.endswith("/messages")
    assert shaped.text


def first_half(folder: str, case: str) -> bytes:
    text = (GOLDEN / folder / "anthropic" / f"{case}.txt").read_text()
    lines = text.partition("--------\n")[0].splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("request:", "strict:", "status:"))).encode()


@pytest.mark.parametrize("case", ["chat-plain", "chat-tools", "chat-thinking"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_stream_comes_to_the_unstreamed_answer(case: str, strict: bool) -> None:
    stream = _read.Stream(asking(stream=True, stream_options={"include_usage": True}, strict=strict))
    streamed = accumulated(stream.feed(first_half("streams", case)) + stream.close())
    whole = answered(_read.reply(asking(strict=strict), first_half("replies", case)).body)
    for told in (streamed, whole):
        # The two recordings of a case differ in how texts are cut into blocks, which is no part of the message.
        for message, _ in told["choices"]:
            message.pop("content_blocks", None)
    assert streamed == whole


def test_blocks_of_a_stream_are_those_of_the_answer() -> None:
    stream = _read.Stream(asking(stream=True, strict=False))
    streamed = accumulated(stream.feed(first_half("streams", "chat-thinking-lax")) + stream.close())
    whole = answered(_read.reply(asking(strict=False), first_half("replies", "chat-thinking-lax")).body)
    assert streamed["choices"] == whole["choices"]
    assert [next(iter(block)) for block in whole["choices"][0][0]["content_blocks"]] == ["thinking", "data", "text"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("overloaded_error", 529), ("rate_limit_error", 429), ("invalid_request_error", 400), ("new_error", 502)],
)
def test_status_of_an_error_event(kind: str, status: int) -> None:
    event = json.dumps({"type": "error", "error": {"type": kind, "message": "No."}})
    stream = _read.Stream(asking(stream=True))
    assert stream.feed(f"event: error\ndata: {event}\n\n".encode()) == []
    assert isinstance(stream.failure, InBand)
    assert (stream.failure.status, stream.failure.type, stream.failure.message) == (
        status,
        kind,
        "anthropic error: No.",
    )
