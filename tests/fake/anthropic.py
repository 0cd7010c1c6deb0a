"""A provider with another dialect: `speak` answers any request of Anthropic's messages well."""

import json as text_of
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.fake import wish
from tests.fake.reply import Reply, json, stream

if TYPE_CHECKING:
    from tests.fake.server import Received

IN, OUT = 5, 7
"""Tokens, as many as of the answers in the OpenAI dialect."""


def speak(request: "Received") -> Reply:
    """A good answer to `POST /v1/messages`: words, JSON of a schema, or the call of a tool."""
    asked = request.json
    block, pieces = _block(asked)
    if asked.get("stream"):
        events = _events(asked["model"], block, pieces)
        return stream(
            b"event: %b\ndata: %b\n\n" % (each["type"].encode(), text_of.dumps(each).encode()) for each in events
        )
    whole = "".join(pieces)
    content = {**block, "input": text_of.loads(whole)} if block["type"] == "tool_use" else {**block, "text": whole}
    return json(_message(asked["model"], [content], _reason(block), OUT))


def error(status: int, message: str, *, type: str) -> Reply:
    """An error in the provider's own words."""
    return json({"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}, status)


def _block(asked: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is answered: a block without its content, and the content in pieces."""
    choice = asked.get("tool_choice", {})
    last = asked["messages"][-1]["content"]
    answered = isinstance(last, list) and any(block["type"] == "tool_result" for block in last)
    if asked.get("tools") and choice.get("type") != "none" and not answered:
        tools = {tool["name"]: tool["input_schema"] for tool in asked["tools"]}
        name, arguments = wish.call(tools, choice.get("name"))
        text = text_of.dumps(arguments)
        return {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}, ("", text[:4], text[4:])
    return {"type": "text", "text": ""}, wish.words(asked.get("output_config", {}).get("format"))


def _events(model: str, block: dict[str, Any], pieces: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    kind, name = ("input_json_delta", "partial_json") if block["type"] == "tool_use" else ("text_delta", "text")
    yield {"type": "message_start", "message": _message(model, [], None, 1)}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for piece in pieces:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: piece}}
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": _reason(block), "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": OUT}}
    yield {"type": "message_stop"}


def _reason(block: dict[str, Any]) -> str:
    return "tool_use" if block["type"] == "tool_use" else "end_turn"


def _message(model: str, content: list[Any], reason: str | None, out: int) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": {"input_tokens": IN, "output_tokens": out},
    }
