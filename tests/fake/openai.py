"""Ready-made answers in the OpenAI dialect, and `speak`, which answers any request of it well."""

import json as text_of
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tests.fake import wish
from tests.fake.reply import Reply, events, json

if TYPE_CHECKING:
    from tests.fake.server import Received

CREATED = 1_700_000_000
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def chat(text: str = "This is a test.", *, model: str = "fake-1", finish: str = "stop", **more: Any) -> Reply:
    """A chat completion."""
    return _message({"content": text, "refusal": None}, model, finish, **more)


def tool_call(name: str, arguments: Any, *, model: str = "fake-1") -> Reply:
    """A chat completion that calls a tool."""
    called = {"id": "call-1", "type": "function", "function": {"name": name, "arguments": text_of.dumps(arguments)}}
    return _message({"content": None, "tool_calls": [called]}, model, "tool_calls")


def completion(text: str = "This is a test.", *, model: str = "fake-1", finish: str = "stop", **more: Any) -> Reply:
    """A text completion."""
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    return json({**_envelope("text_completion", model), "choices": [choice], "usage": USAGE, **more})


def chat_stream(
    tokens: Iterable[str] = ("This", " is", " a", " test."),
    *,
    model: str = "fake-1",
    usage: bool = True,
    finish: str | None = "stop",
    done: bool = True,
) -> Reply:
    """A streamed chat completion: a chunk with the role, one for each token, the finish, usage, `[DONE]`."""
    said = [{"role": "assistant", "content": ""}, *({"content": token} for token in tokens)]
    return _deltas(said, model, usage, finish, done)


def tool_call_stream(name: str, arguments: Any, *, model: str = "fake-1", usage: bool = True) -> Reply:
    """The same streamed, its arguments in two pieces."""
    text = text_of.dumps(arguments)
    first = {"index": 0, "id": "call-1", "type": "function", "function": {"name": name, "arguments": ""}}
    pieces = ({"index": 0, "function": {"arguments": piece}} for piece in (text[:4], text[4:]))
    said = [{"tool_calls": [piece]} for piece in (first, *pieces)]
    return _deltas([{"role": "assistant", "content": None}, *said], model, usage, "tool_calls")


def completion_stream(
    tokens: Iterable[str] = ("This", " is", " a", " test."),
    *,
    model: str = "fake-1",
    usage: bool = True,
    finish: str | None = "stop",
    done: bool = True,
) -> Reply:
    """A streamed text completion."""
    ends: list[tuple[str, str | None]] = [(token, None) for token in tokens]
    ends += [("", finish)] if finish else []
    chunks: list[dict[str, Any]] = [
        {
            **_envelope("text_completion", model),
            "choices": [{"text": token, "index": 0, "logprobs": None, "finish_reason": end}],
        }
        for token, end in ends
    ]
    return events([*chunks, *_usage("text_completion", model, usage)], done=done)


def embeddings(vectors: Iterable[Any] = ((0.25, -0.5),), *, model: str = "fake-embed") -> Reply:
    """A list of embeddings."""
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return json({"object": "list", "data": data, "model": model, "usage": usage})


def models(*ids: str) -> Reply:
    """A list of models."""
    data = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "fake"} for name in ids or ("fake-1", "fake-2")
    ]
    return json({"object": "list", "data": data})


def error(
    status: int,
    message: str = "It failed.",
    *,
    type: str = "server_error",
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
    retry_after: str | None = None,
) -> Reply:
    """An error in the provider's own words. `retry_after` goes into its header."""
    more = {} if retry_after is None else {"retry-after": retry_after}
    body = {"error": {"message": message, "type": type, "param": param, "code": code}}
    return json(body, status, {**(headers or {}), **more})


def speak(request: "Received") -> Reply:
    """A good answer to any request of the dialect."""
    path = request.path
    if path.endswith("/models"):
        return models()
    try:
        asked = text_of.loads(request.body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        return error(400, "The body is no JSON object.", type="invalid_request_error")
    model = asked.get("model") or "fake-1"
    streamed = asked.get("stream") is True
    options = asked.get("stream_options")
    usage = isinstance(options, dict) and bool(options.get("include_usage"))
    if path.endswith("/chat/completions"):
        try:
            return _chat(asked, model, streamed, usage)
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError):
            return error(400, "The tools or the format are none.", type="invalid_request_error")
    if path.endswith("/completions"):
        return completion_stream(model=model, usage=usage) if streamed else completion(model=model)
    if path.endswith("/embeddings"):
        given = asked.get("input")
        count = len(given) if isinstance(given, list) else 1
        return embeddings([[0.25, -0.5]] * count, model=model)
    return error(404, f"No such path: {path}", type="invalid_request_error")


def _chat(asked: dict[str, Any], model: str, streamed: bool, usage: bool) -> Reply:
    """A call of a tool where there are some and none has answered; JSON where a schema is given; else words."""
    choice = asked.get("tool_choice")
    if asked.get("tools") and choice != "none" and asked["messages"][-1]["role"] != "tool":
        schemas = {tool["function"]["name"]: tool["function"].get("parameters", {}) for tool in asked["tools"]}
        called = wish.call(schemas, choice["function"]["name"] if isinstance(choice, dict) else None)
        return tool_call_stream(*called, model=model, usage=usage) if streamed else tool_call(*called, model=model)
    words = wish.words((asked.get("response_format") or {}).get("json_schema"))
    return chat_stream(words, model=model, usage=usage) if streamed else chat("".join(words), model=model)


def _message(message: dict[str, Any], model: str, finish: str, **more: Any) -> Reply:
    said = {"role": "assistant", **message}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": finish}
    return json({**_envelope("chat.completion", model), "choices": [choice], "usage": USAGE, **more})


def _deltas(deltas: Iterable[dict[str, Any]], model: str, usage: bool, finish: str | None, done: bool = True) -> Reply:
    ends: list[tuple[dict[str, Any], str | None]] = [(delta, None) for delta in deltas]
    ends += [({}, finish)] if finish else []
    chunks: list[dict[str, Any]] = [
        {
            **_envelope("chat.completion.chunk", model),
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}],
        }
        for delta, end in ends
    ]
    return events([*chunks, *_usage("chat.completion.chunk", model, usage)], done=done)


def _envelope(object: str, model: str) -> dict[str, Any]:
    return {"id": "fake-0123", "object": object, "created": CREATED, "model": model}


def _usage(object: str, model: str, wanted: bool) -> list[dict[str, Any]]:
    return [{**_envelope(object, model), "choices": [], "usage": USAGE}] if wanted else []
