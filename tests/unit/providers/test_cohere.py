import json
from typing import Any

import pytest
from shaping import frames, read, sent, shaped

from gatekey.errors import BadBody, InBand, Nonsense

MODEL = "command-a-03-2025"
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}


def chat(**body: Any) -> Any:
    return sent("cohere", "chat", {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], **body})


def messages(*ours: Any) -> Any:
    return chat(messages=list(ours))["messages"]


def test_parameters_have_their_names_and_ranges() -> None:
    body = {"model": MODEL, "messages": [], "top_p": 1, "top_k": 900, "stop": "a", "frequency_penalty": -1, "user": "u"}
    call = shaped("cohere", "chat", {**body, "max_completion_tokens": 5, "temperature": 2, "n": 1})
    assert call.url == "https://api.cohere.com/v2/chat"
    assert json.loads(call.body) == {
        "model": MODEL,
        "messages": [],
        "p": 0.99,
        "k": 500,
        "stop_sequences": ["a"],
        "frequency_penalty": 0,
        "max_tokens": 5,
        "temperature": 2,
    }
    assert call.clamped == ("top_p=0.99", "top_k=500", "frequency_penalty=0")
    assert call.dropped == ("user",)


def test_tool_calls_and_their_results_are_kept() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ours = [
        {"role": "developer", "content": "Be brief", "name": "x"},
        {"role": "assistant", "content": None, "tool_calls": [call], "tool_plan": "p", "refusal": None},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    assert messages(*ours) == [
        {"role": "system", "content": "Be brief"},
        {"role": "assistant", "tool_calls": [call], "tool_plan": "p"},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    ]


def test_images_and_thoughts() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
    said = {"role": "user", "content": [{"type": "text", "text": "See"}, image, {**image, "image_url": "https://a/b"}]}
    thought = {"role": "assistant", "content": "Three", "reasoning_content": "Count"}
    assert messages(said, thought) == [
        {"role": "user", "content": [said["content"][0], image, {**image, "image_url": {"url": "https://a/b"}}]},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "Count"}, {"type": "text", "text": "Three"}],
        },
    ]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "function", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
    ],
)
def test_what_it_cannot_be_given_is_named(body: Any, param: str) -> None:
    with pytest.raises(BadBody) as caught:
        chat(**body)
    assert caught.value.param == param


def test_tools_and_their_choice() -> None:
    other = {"type": "function", "function": {"name": "g", "strict": True}}
    assert chat(tools=[TOOL, other], tool_choice="auto") == {
        **chat(),
        "tools": [TOOL, {"type": "function", "function": {"name": "g"}}],
        "strict_tools": True,
    }
    assert chat(tools=[TOOL], tool_choice="required")["tool_choice"] == "REQUIRED"
    assert chat(tools=[TOOL], tool_choice="none")["tool_choice"] == "NONE"
    named = chat(tools=[TOOL, other], tool_choice={"type": "function", "function": {"name": "g"}})
    assert (named["tool_choice"], [tool["function"]["name"] for tool in named["tools"]]) == ("REQUIRED", ["g"])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "text"}, {"type": "text"}),
        ({"type": "json_object"}, {"type": "json_object"}),
        ({"type": "json_object", "schema": {"a": 1}}, {"type": "json_object", "json_schema": {"a": 1}}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"a": 1}}},
            {"type": "json_object", "json_schema": {"a": 1}},
        ),
    ],
)
def test_response_formats(ours: Any, theirs: Any) -> None:
    assert chat(response_format=ours)["response_format"] == theirs


def test_effort_is_thought_or_none() -> None:
    assert chat(reasoning_effort="none")["thinking"] == {"type": "disabled"}
    assert chat(reasoning_effort="low")["thinking"] == {"type": "enabled"}
    budget = {"type": "enabled", "token_budget": 100}
    assert chat(reasoning_effort="none", thinking=budget)["thinking"] == budget


def test_only_the_first_models_generate() -> None:
    for model in ("command", "command-light", "command-nightly", "command-light-nightly"):
        body = {"model": model, "prompt": ["Hi"], "n": 9, "stop": ["a"], "best_of": 2}
        call = shaped("cohere", "completions", body)
        assert call.url == "https://api.cohere.com/v1/generate"
        assert json.loads(call.body) == {"model": model, "num_generations": 5, "end_sequences": ["a"], "prompt": "Hi"}
        assert (call.clamped, call.dropped) == (("n=5",), ("best_of",))
    assert shaped("cohere", "completions", {"model": "command-r", "prompt": "Hi"}).url.endswith("/v2/chat")
    with pytest.raises(BadBody):
        shaped("cohere", "completions", {"model": "command", "prompt": ["a", "b"]})


def test_generations_stream_side_by_side_and_each_ends() -> None:
    call = shaped("cohere", "completions", {"model": "command", "prompt": "Hi", "n": 2, "stream": True, "echo": True})
    lines = [
        {"text": " a", "index": 0, "is_finished": False},
        {"text": " b", "index": 1, "is_finished": False},
        {"text": "c", "index": 1, "is_finished": False},
        {
            "is_finished": True,
            "finish_reason": "COMPLETE",
            "response": {"id": "x", "generations": [{"index": 0, "finish_reason": "COMPLETE"}, {"index": 1}]},
        },
    ]
    *text, last, done = frames(call, b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    said = [(choice["index"], choice["text"]) for chunk in text for choice in chunk["choices"]]
    assert said == [(0, "Hi a"), (1, "Hi b"), (1, "c")]
    assert [choice["finish_reason"] for choice in last["choices"]] == ["stop", "stop"]
    assert done == "[DONE]"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "stop"), ("MAX_TOKENS", "length"), ("TOOL_CALL", "tool_calls")],
)
def test_finish_reasons(theirs: str, ours: str) -> None:
    answer = {"finish_reason": theirs, "message": {"content": [{"type": "text", "text": "a"}]}}
    body = {"model": MODEL, "messages": []}
    assert read(shaped("cohere", "chat", body), answer)["choices"][0]["finish_reason"] == ours
    assert read(shaped("cohere", "chat", body, strict=False), answer)["choices"][0]["finish_reason"] == theirs


@pytest.mark.parametrize(("reason", "status"), [("ERROR", 502), ("TIMEOUT", 504)])
def test_an_answer_that_broke_off_is_a_failure(reason: str, status: int) -> None:
    with pytest.raises(InBand) as caught:
        read(shaped("cohere", "chat", {"model": MODEL, "messages": []}), {"finish_reason": reason, "message": {}})
    assert caught.value.status == status


def test_an_answer_of_another_format_is_nonsense() -> None:
    with pytest.raises(Nonsense):
        read(shaped("cohere", "chat", {"model": MODEL, "messages": []}), {"choices": []})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"input": "a"}, {"texts": ["a"], "input_type": "search_document"}),
        ({"input": ["a", "b"], "input_type": "search_query"}, {"texts": ["a", "b"], "input_type": "search_query"}),
        (
            {"input": [{"text": "a", "image": {"base64": "data:image/png;base64,AA=="}}, "b"], "dimensions": 256},
            {
                "inputs": [
                    {
                        "content": [
                            {"type": "text", "text": "a"},
                            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                        ]
                    },
                    {"content": [{"type": "text", "text": "b"}]},
                ],
                "input_type": "search_document",
                "output_dimension": 256,
            },
        ),
    ],
)
def test_embedding_inputs(ours: Any, theirs: Any) -> None:
    body = sent("cohere", "embeddings", {"model": "embed-v4.0", **ours})
    assert body == {"model": "embed-v4.0", "embedding_types": ["float"], **theirs}


@pytest.mark.parametrize("given", [[1, 2], [[1, 2]], [], None])
def test_tokens_cannot_be_embedded(given: Any) -> None:
    with pytest.raises(BadBody) as caught:
        sent("cohere", "embeddings", {"model": "embed-v4.0", "input": given})
    assert caught.value.param == "input"


def test_every_vector_comes_back_in_the_encoding_that_was_asked_for() -> None:
    call = shaped("cohere", "embeddings", {"model": "e", "input": ["a", "b"], "encoding_format": "base64"})
    ours = read(call, {"embeddings": {"float": [[1.0], [2.0]]}, "meta": {"billed_units": {"input_tokens": 2.0}}})
    assert [item["embedding"] for item in ours["data"]] == ["AACAPw==", "AAAAQA=="]
    assert ours["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
