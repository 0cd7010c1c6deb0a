"""What a client makes of a stream: the deltas of every choice, put together into messages."""

import json
from typing import Any


def accumulated(frames: list[bytes]) -> dict[str, Any]:
    """`{"choices": [(message, finish_reason), ...], "usage": ...}` of frames that end with `[DONE]`."""
    assert frames[-1] == b"data: [DONE]\n\n"
    chunks = [json.loads(frame.removeprefix(b"data: ")) for frame in frames[:-1]]
    messages: dict[int, dict[str, Any]] = {}
    finish: dict[int, str] = {}
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        _merge(messages.setdefault(choice["index"], {}), choice["delta"])
        if choice["finish_reason"]:
            assert choice["index"] not in finish, "a choice ends once"
            finish[choice["index"]] = choice["finish_reason"]
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert len(usages) <= 1, "usage is told once"
    choices = [(plain(messages[index]), finish[index]) for index in sorted(messages)]
    return {"choices": choices, "usage": usages[0] if usages else None}


def answered(reply: bytes) -> dict[str, Any]:
    """The same of an unstreamed reply."""
    ours = json.loads(reply)
    choices = [(plain(choice["message"]), choice["finish_reason"]) for choice in ours["choices"]]
    return {"choices": choices, "usage": ours["usage"]}


def plain(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what only one of the two ways spells out: empty content, indexes, types of blocks."""
    kept = {name: value for name, value in message.items() if value}
    for name, spelled in (("tool_calls", ("index",)), ("content_blocks", ("type", "index"))):
        if name in kept:
            items = [item.get("delta", item) for item in kept[name]]
            kept[name] = [{key: value for key, value in item.items() if key not in spelled} for item in items]
    for call in kept.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return kept


def _merge(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        known = whole.get(name)
        if name in ("role", "id", "type", "index"):
            whole[name] = value
        elif isinstance(value, str) and isinstance(known, str):
            whole[name] = known + value
        elif isinstance(value, dict):
            _merge(whole.setdefault(name, {}), value)
        elif name in ("tool_calls", "content_blocks"):
            _merge_items(whole.setdefault(name, []), value)
        else:
            whole[name] = value


def _merge_items(known: list[dict[str, Any]], items: list[dict[str, Any]]) -> None:
    for item in items:
        found = next((other for other in known if other["index"] == item["index"]), None)
        if found is None:
            found = {"index": item["index"]}
            known.append(found)
        _merge(found, item)
