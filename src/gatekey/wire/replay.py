"""A whole answer told as a stream, for callers that asked for one and a provider that did not stream."""

from typing import Any


def chunks(reply: dict[str, Any], *, usage: bool) -> list[dict[str, Any]]:
    """The chunks of a chat or text completion: content, ends, and usage where the caller wants it."""
    told = reply.get("usage")
    head = {key: value for key, value in reply.items() if key not in ("choices", "usage")}
    if reply.get("object") == "chat.completion":
        head["object"] = "chat.completion.chunk"
        opened = [{"index": choice["index"], "delta": _delta(choice["message"])} for choice in reply["choices"]]
        ends = [
            {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
            for choice in reply["choices"]
        ]
    else:
        opened = [{**choice, "finish_reason": None} for choice in reply["choices"]]
        ends = [{**choice, "text": "", "logprobs": None} for choice in reply["choices"]]
    found = [
        {**head, "choices": [{"finish_reason": None, **choice} for choice in opened]},
        {**head, "choices": ends},
    ]
    return [*found, {**head, "choices": [], "usage": told}] if usage and told else found


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    calls = message.get("tool_calls")
    if not calls:
        return message
    return {**message, "tool_calls": [{"index": index, **call} for index, call in enumerate(calls)]}
