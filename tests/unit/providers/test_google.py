"""Google: what is sent, and that streamed and unstreamed answers come to the same."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from accumulating import accumulated, answered

from gatekey.errors import BadBody, InBand
from gatekey.providers import Asked, _read
from gatekey.providers._google_request import NO_SIGNATURE, _tools, version
from gatekey.providers._shape import Shaped, shape
from gatekey.providers.google import provider
from gatekey.wire import body as json_body

GOLDEN = Path(__file__).parents[2] / "golden"
HELLO = [{"role": "user", "content": "Hello"}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
BASE = "https://generativelanguage.googleapis.com/v1beta"


def asking(kind: str = "chat", *, strict: bool = True, **ours: Any) -> Shaped:
    ours = {"model": "gemini-2.5-flash"} | ({"messages": HELLO} if kind == "chat" else {}) | ours
    asked = Asked(kind=kind, provider="", strict=strict, created=1700000000, id="0123456789abcdef")
    return shape(provider, kind, json_body.decode(json.dumps(ours).encode()), asked)


def sent(kind: str = "chat", **ours: Any) -> dict[str, Any]:
    return json.loads(asking(kind, **ours).body)


def test_plain_request() -> None:
    shaped = asking(
        temperature=3, top_p=0.9, n=2, stop="END", seed=7, max_tokens=5, presence_penalty=0.5, frequency_penalty=-0.5,
        logprobs=True, top_logprobs=3, modalities=["text", "audio"], audio={"voice": "Kore", "format": "wav"}, user="u",
    )  # fmt: skip
    assert shaped.url == f"{BASE}/models/gemini-2.5-flash:generateContent"
    assert json.loads(shaped.body) == {
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "generationConfig": {
            "temperature": 2,
            "topP": 0.9,
            "candidateCount": 2,
            "stopSequences": ["END"],
            "seed": 7,
            "presencePenalty": 0.5,
            "frequencyPenalty": -0.5,
            "responseLogprobs": True,
            "logprobs": 3,
            "responseModalities": ["TEXT", "AUDIO"],
            "maxOutputTokens": 5,
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    }
    assert (shaped.clamped, shaped.dropped) == (("temperature=2",), ("user",))


def test_address_and_key() -> None:
    assert asking(stream=True).url == f"{BASE}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert asking(model="models/gemini-2.5-pro").url == f"{BASE}/models/gemini-2.5-pro:generateContent"
    assert asking(model="a/../b?key=1").url == f"{BASE}/models/a%2F..%2Fb%3Fkey%3D1:generateContent"
    assert provider.auth("K") == {"x-goog-api-key": "K"}
    with pytest.raises(BadBody):
        asking(model="models/..")


def test_contents() -> None:
    body = sent(
        messages=[
            {"role": "system", "content": "A"},
            {"role": "user", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}]},
            {"role": "developer", "content": "B"},
            {"role": "assistant", "content": "Looking.", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "tool", "tool_call_id": "call_2", "content": '{"sky": "grey"}'},
            {"role": "user", "content": "thanks"},
        ]
    )
    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    called = {"name": "get_weather", "args": {"city": "Paris"}}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "one"}, {"text": "two"}]},
        {
            "role": "model",
            "parts": [
                {"text": "Looking."},
                {"functionCall": {**called, "id": "call_1"}},
                {"functionCall": {**called, "id": "call_2"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "get_weather", "response": {"output": "sunny"}, "id": "call_1"}},
                {"functionResponse": {"name": "get_weather", "response": {"sky": "grey"}, "id": "call_2"}},
            ],
        },
        {"role": "user", "parts": [{"text": "thanks"}]},
    ]


def signatures(model: str, *calls: dict[str, Any], **said: Any) -> list[Any]:
    message = {"role": "assistant", "tool_calls": list(calls), **said}
    content = sent(model=model, messages=[*HELLO, message])["contents"][1]
    return [part.get("thoughtSignature") for part in content["parts"]]


def test_signatures_go_back() -> None:
    googles = {**CALL, "extra_content": {"google": {"thought_signature": "abc="}}}
    portkeys = {**CALL, "function": {**CALL["function"], "thought_signature": "def="}}
    assert signatures("gemini-2.5-pro", googles, CALL) == ["abc=", None]
    assert signatures("gemini-3-pro-preview", portkeys, CALL) == ["def=", None]
    extra = {"google": {"thought_signature": "ghi="}}
    assert signatures("gemini-3-pro-preview", content="Hi.", extra_content=extra) == ["ghi="]


def test_calls_of_another_model_are_excused_where_signatures_are_demanded() -> None:
    assert signatures("gemini-3-pro-preview", CALL, CALL) == [NO_SIGNATURE, None]
    assert signatures("gemini-2.5-pro", CALL) == [None]


def test_parts() -> None:
    content = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "gs://bucket/a.webp"}},
        {"type": "image_url", "image_url": "https://example.com/a?b=c.gif"},
        {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,CCCC", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "DDDD", "filename": "a.csv"}},
        {"type": "file", "file": {"file_id": f"{BASE}/files/abc", "mime_type": "video/mp4"}},
    ]
    assert sent(messages=[{"role": "user", "content": content}])["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"fileData": {"mimeType": "image/webp", "fileUri": "gs://bucket/a.webp"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a?b=c.gif"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
        {"inlineData": {"mimeType": "text/csv", "data": "DDDD"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": f"{BASE}/files/abc"}},
    ]


def test_a_tool_may_answer_with_an_image() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    answer = {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "Here."}, image]}
    body = sent(messages=[*HELLO, {"role": "assistant", "tool_calls": [CALL]}, answer])
    response = body["contents"][2]["parts"][0]["functionResponse"]
    assert response["response"] == {"output": "Here."}
    assert response["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]


@pytest.mark.parametrize(
    ("ours", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "A"}, {"role": "user", "content": ""}]}, "messages"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "AAAA"}}]}]},
            "messages[0].content[0].image_url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png,x"}]}]},
            "messages[0].content[0].image_url",
        ),
        (
            {"messages": [*HELLO, {"role": "tool", "tool_call_id": "call_9", "content": "x"}]},
            "messages[1].tool_call_id",
        ),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0]"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
    ],
)
def test_what_cannot_be_given_is_named(ours: dict[str, Any], param: str) -> None:
    with pytest.raises(BadBody) as refused:
        asking(**ours)
    assert refused.value.param == param


def test_tools() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "$defs": {"A": {}},
        "additionalProperties": False,
    }
    tools = [
        {"type": "function", "function": {"name": "f", "description": "F.", "parameters": schema, "strict": True}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": {"name": "google_search"}},
        {"type": "url_context"},
        {"type": "function", "function": {"name": "code_execution", "parameters": schema}},
    ]
    before = copy.deepcopy(tools)
    assert _tools(tools) == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "F.", "parametersJsonSchema": schema},
                {"name": "g"},
                {"name": "code_execution", "parametersJsonSchema": schema},
            ]
        },
        {"googleSearch": {}},
        {"urlContext": {}},
    ]
    assert tools == before


@pytest.mark.parametrize(
    ("choice", "theirs"),
    [
        ("required", {"mode": "ANY"}),
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_tool_choice(choice: Any, theirs: dict[str, Any]) -> None:
    assert sent(tool_choice=choice)["toolConfig"] == {"functionCallingConfig": theirs}


def test_what_google_lacks_is_dropped() -> None:
    assert asking(
        parallel_tool_calls=False, tool_choice={"type": "x"}, logit_bias={"1": 2}, service_tier="scale"
    ).dropped == (
        "logit_bias",
        "tool_choice",
        "parallel_tool_calls",
        "service_tier",
    )
    assert asking(parallel_tool_calls=True, service_tier="auto").dropped == ()
    assert sent(service_tier="flex")["serviceTier"] == "flex"


def test_response_format() -> None:
    schema = {"type": "object", "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    assert sent(response_format=wanted)["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }
    assert sent(response_format={"type": "json_object"})["generationConfig"] == {"responseMimeType": "application/json"}
    assert "generationConfig" not in sent(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-2.5-flash-lite", (2, 5)),
        ("models/gemini-3-pro-preview", (3, 0)),
        ("gemini-embedding-001", (1, 0)),
        ("gemini-2.0-flash", (2, 0)),
        ("gemini-pro", (99, 0)),
    ],
)
def test_version_of_a_model(model: str, expected: tuple[int, int]) -> None:
    assert version(model) == expected


@pytest.mark.parametrize(
    ("model", "ours", "config"),
    [
        ("gemini-2.5-flash", {"reasoning_effort": "none"}, {"thinkingBudget": 0}),
        ("gemini-2.5-pro", {"reasoning_effort": "medium"}, {"thinkingBudget": 8192}),
        ("gemini-3-flash-preview", {"reasoning_effort": "medium"}, {"thinkingLevel": "MEDIUM"}),
        ("gemini-3-flash-preview", {"reasoning_effort": "none"}, {"thinkingLevel": "MINIMAL"}),
        (
            "gemini-2.5-pro",
            {"thinking": {"type": "enabled", "budget_tokens": 2000}, "reasoning_effort": "low"},
            {"includeThoughts": True, "thinkingBudget": 2000},
        ),
        ("gemini-2.5-pro", {"thinking": {"type": "disabled"}}, {"includeThoughts": False, "thinkingBudget": 0}),
    ],
)
def test_thinking(model: str, ours: dict[str, Any], config: dict[str, Any]) -> None:
    assert sent(model=model, **ours)["generationConfig"] == {"thinkingConfig": config}


def test_models_that_do_not_think() -> None:
    assert asking(model="gemini-2.0-flash", reasoning_effort="low").dropped == ("reasoning_effort",)


def test_each_text_gets_its_own_vector() -> None:
    shaped = asking(
        "embeddings", model="gemini-embedding-001", input=["a", "b"], dimensions=256, encoding_format="float"
    )
    assert shaped.url == f"{BASE}/models/gemini-embedding-001:batchEmbedContents"
    one = {"model": "models/gemini-embedding-001", "outputDimensionality": 256}
    assert json.loads(shaped.body) == {
        "requests": [{**one, "content": {"parts": [{"text": "a"}]}}, {**one, "content": {"parts": [{"text": "b"}]}}]
    }
    assert shaped.dropped == ()
    assert len(sent("embeddings", input="a")["requests"]) == 1


@pytest.mark.parametrize("given", [None, [], [1, 2], [[1, 2]], ["a", 5]])
def test_only_texts_are_embedded(given: Any) -> None:
    with pytest.raises(BadBody) as refused:
        asking("embeddings", input=given)
    assert refused.value.param == "input"


def first_half(folder: str, case: str) -> bytes:
    text = (GOLDEN / folder / "google" / f"{case}.txt").read_text()
    lines = text.partition("--------\n")[0].splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("request:", "strict:", "status:"))).encode()


@pytest.mark.parametrize("case", ["chat-plain", "chat-tools", "chat-thinking", "chat-blocked"])
@pytest.mark.parametrize("strict", [True, False])
def test_a_stream_comes_to_the_unstreamed_answer(case: str, strict: bool) -> None:
    stream = _read.Stream(asking(stream=True, stream_options={"include_usage": True}, strict=strict))
    streamed = accumulated(stream.feed(first_half("streams", case)) + stream.close())
    whole = answered(_read.reply(asking(strict=strict), first_half("replies", case)).body)
    for told in (streamed, whole):
        for message, _ in told["choices"]:
            # Which reason a prompt was blocked for is all that the two recordings of it differ in.
            if "refusal" in message:
                message["refusal"] = message["refusal"].rpartition(":")[0]
    assert streamed == whole


def test_usage_comes_when_the_last_candidate_has_ended() -> None:
    stream = _read.Stream(asking(stream=True, n=2, stream_options={"include_usage": True}))
    streamed = accumulated(stream.feed(first_half("streams", "chat-candidates")) + stream.close())
    assert [(message["content"], finish) for message, finish in streamed["choices"]] == [
        ("One.", "stop"),
        ("Two!", "stop"),
    ]
    assert streamed["usage"]["total_tokens"] == 18


def test_status_of_an_error_in_a_stream() -> None:
    stream = _read.Stream(asking(stream=True))
    assert stream.feed(first_half("streams", "chat-error-before-content")) == []
    assert isinstance(stream.failure, InBand)
    assert (stream.failure.status, stream.failure.type, stream.failure.code) == (503, "UNAVAILABLE", "503")
