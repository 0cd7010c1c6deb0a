"""A chat request of ours as Anthropic's Messages: turns of blocks, tools, thinking.

What depends on the model is decided by its version (`claude-opus-4-8` is 4.8), for the documentation states it so:
from 4.1 on no `top_p` beside `temperature`, from 4.5 on structured outputs and strict tools, from 4.6 on adaptive
thinking, from 4.7 on neither budgets of thinking nor sampling parameters. A name without a version is treated like
the newest.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from gatekey.errors import BadBody
from gatekey.providers._media import arguments, data_uri, text_of
from gatekey.providers._spec import Asked, Theirs

Block = dict[str, Any]

BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
"""Tokens of thinking for a reasoning effort, for models that take a budget. 1024 is the least that is accepted."""

_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
_CHOICES = {"required": "any", "any": "any", "auto": "auto", "none": "none"}
_NATIVE = ("image", "document", "search_result", "container_upload", "tool_result")
_KEPT_OF_TOOLS = ("cache_control", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming")
_SAMPLING = ("temperature", "top_p", "top_k")

_after_family = re.compile(r"claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_before_family = re.compile(r"claude-(?:v|instant-v?)?(\d)(?:[-.](\d{1,2}))?(?!\d)")


def version(model: str) -> tuple[int, int]:
    """Major and minor version of a Claude model, whichever way its name spells them; (99, 0) where it names none."""
    found = _before_family.search(model) or _after_family.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def default_limit(model: str) -> int:
    """Tokens of output where the caller sets no limit, for Anthropic demands one.

    What every model of the version can write: 4,096 before Claude 3.5, 8,192 before 3.7, 32,000 since.
    """
    known = version(model)
    if known < (3, 5):
        return 4096
    return 8192 if known < (3, 7) else 32000


def request(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """Finish the mapped request: turns, tools, limits, thinking. Returns what Anthropic cannot be given."""
    lost: list[str] = []
    system, theirs["messages"] = _turns(ours.get("messages"))
    if system:
        theirs["system"] = system
    if ours.get("tools"):
        theirs["tools"] = [_tool(tool, index, asked.model) for index, tool in enumerate(ours["tools"])]
    _choose_tools(ours, theirs, lost)
    theirs["max_tokens"] = _limit(ours, asked.model)
    _format(ours, theirs, asked.model, lost)
    _think(ours, theirs, asked.model, lost)
    _rest(ours, theirs, lost)
    lost += [name for name in _refused(theirs, asked.model) if theirs.pop(name, None) is not None]
    return lost


def _refused(theirs: Theirs, model: str) -> tuple[str, ...]:
    """The sampling parameters that the model answers 400 to."""
    if version(model) >= (4, 7):
        return _SAMPLING
    return ("top_p",) if version(model) >= (4, 1) and "temperature" in theirs else ()


def _limit(ours: Mapping[str, Any], model: str) -> int:
    given = ours.get("max_completion_tokens", ours.get("max_tokens"))
    if given is not None:
        return given  # type: ignore[no-any-return]
    limit = default_limit(model)
    thinking = ours.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return limit + budget if isinstance(budget, int) and budget >= limit else limit


def _rest(ours: Mapping[str, Any], theirs: Theirs, lost: list[str]) -> None:
    if ours.get("n", 1) != 1:
        lost.append("n")
    metadata = ours.get("metadata")
    if isinstance(metadata, dict):
        if isinstance(metadata.get("user_id"), str):
            theirs.setdefault("metadata", {"user_id": metadata["user_id"]})
        if metadata.keys() - {"user_id"}:
            lost.append("metadata")
    tier = ours.get("service_tier")
    if tier in _TIERS:
        theirs["service_tier"] = _TIERS[tier]
    elif tier is not None:
        lost.append("service_tier")


def _turns(messages: Any) -> tuple[list[Block], list[dict[str, Any]]]:
    """The system blocks, and turns of one role each: Anthropic takes tool results as the user's, all in one turn."""
    if not isinstance(messages, list) or not messages:
        raise BadBody("`messages` must be a list with at least one message.", param="messages")
    system: list[Block] = []
    turns: list[dict[str, Any]] = []
    for index, message in enumerate(messages):
        field = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            system += _cached(_blocks(message.get("content"), field), message)
            continue
        if role == "user":
            blocks = _blocks(message.get("content"), field)
        elif role == "assistant":
            blocks = _assistant(message, field)
        elif role == "tool":
            blocks = [_result(message, field)]
        else:
            raise BadBody(f"`{field}.role` is {role!r}, which Anthropic has no place for.", param=f"{field}.role")
        blocks = _cached(blocks, message)
        speaker = "assistant" if role == "assistant" else "user"
        if turns and turns[-1]["role"] == speaker:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": speaker, "content": blocks})
    if not turns:
        raise BadBody("`messages` must hold something that the user or the assistant says.", param="messages")
    return system, turns


def _cached(blocks: list[Block], message: dict[str, Any]) -> list[Block]:
    """A message's own cache mark, on its last block."""
    if "cache_control" in message and blocks:
        blocks[-1] = {**blocks[-1], "cache_control": message["cache_control"]}
    return blocks


def _blocks(content: Any, field: str) -> list[Block]:
    """Content as blocks. Empty texts are left out: Anthropic refuses them."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise BadBody(f"`{field}.content` must be a string or a list of parts.", param=f"{field}.content")
    found = [_block(part, f"{field}.content[{index}]") for index, part in enumerate(content)]
    return [block for block in found if block.get("text") != ""]


def _block(part: Any, field: str) -> Block:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "refusal"):
        block: Block = {"type": "text", "text": text_of(part, field)}
        if "citations" in part:
            block["citations"] = part["citations"]
    elif kind == "image_url":
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        block = _source("image", url, f"{field}.image_url")
    elif kind == "file":
        block = _file(part.get("file"), f"{field}.file")
    elif kind in _NATIVE:
        return dict(part)
    else:
        raise BadBody(f"`{field}` is of type {kind!r}, which Anthropic cannot be given.", param=field)
    if "cache_control" in part:
        block["cache_control"] = part["cache_control"]
    return block


def _source(kind: str, url: Any, field: str) -> Block:
    if not isinstance(url, str) or not url:
        raise BadBody(f"`{field}` must hold a link or a data URI.", param=field)
    inline = data_uri(url, field)
    if inline is None:
        return {"type": kind, "source": {"type": "url", "url": url}}
    media, data = inline
    if media == "text/plain":
        try:
            text = b64decode(data, validate=True).decode()
        except ValueError:
            raise BadBody(f"`{field}` is no base64 of UTF-8 text.", param=field) from None
        return {"type": "document", "source": {"type": "text", "media_type": media, "data": text}}
    # A PDF is a document even where it is sent as an image.
    kind = "image" if media.startswith("image/") else "document"
    return {"type": kind, "source": {"type": "base64", "media_type": media, "data": data}}


def _file(file: Any, field: str) -> Block:
    if not isinstance(file, dict):
        raise BadBody(f"`{field}` must be an object.", param=field)
    if file.get("file_id"):
        block: Block = {"type": "document", "source": {"type": "file", "file_id": file["file_id"]}}
    elif file.get("file_data"):
        data = str(file["file_data"])
        # Some callers send bare base64: what has no media type is a PDF, the only binary document that is taken.
        media = file.get("mime_type") or "application/pdf"
        block = _source("document", data if data.startswith("data:") else f"data:{media};base64,{data}", field)
    elif file.get("file_url"):
        block = _source("document", file["file_url"], field)
    else:
        raise BadBody(f"`{field}` needs `file_data`, `file_id` or `file_url`.", param=field)
    if block["type"] == "document" and file.get("filename"):
        block["title"] = file["filename"]
    return block


def _assistant(message: dict[str, Any], field: str) -> list[Block]:
    """What the model said and called. Its own blocks go first: signed thinking is refused when it was changed."""
    native = message.get("content_blocks")
    if isinstance(native, list) and native:
        blocks = [dict(block) for block in native if block.get("type") != "tool_use" and block.get("text") != ""]
    else:
        blocks = _blocks(message.get("content"), field)
    for index, call in enumerate(message.get("tool_calls") or []):
        where = f"{field}.tool_calls[{index}]"
        if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
            raise BadBody(f"`{where}` must be a call of a function.", param=where)
        name = call["function"].get("name")
        used = {"type": "tool_use", "id": call.get("id"), "name": name, "input": arguments(call, where)}
        if "cache_control" in call:
            used["cache_control"] = call["cache_control"]
        blocks.append(used)
    return blocks


def _result(message: dict[str, Any], field: str) -> Block:
    if not message.get("tool_call_id"):
        raise BadBody(f"`{field}.tool_call_id` is missing.", param=f"{field}.tool_call_id")
    result: Block = {"type": "tool_result", "tool_use_id": message["tool_call_id"]}
    content = message.get("content")
    if isinstance(content, str) and content:
        result["content"] = content
    elif content:
        result["content"] = _blocks(content, field)
    if "is_error" in message:
        result["is_error"] = message["is_error"]
    return result


def _tool(tool: Any, index: int, model: str) -> dict[str, Any]:
    """A tool with its whole schema; Anthropic's own as they came, or as `{"type": X, X: {"name": <its type>}}`."""
    field = f"tools[{index}]"
    if not isinstance(tool, dict):
        raise BadBody(f"`{field}` must be an object.", param=field)
    kind = tool.get("type")
    inner = tool.get(kind) if isinstance(kind, str) else None
    if not isinstance(inner, dict):
        return tool
    if kind == "custom":
        raise BadBody(f"`{field}` is a custom tool, which Anthropic lacks: describe a function.", param=field)
    both = {**inner, **{name: kept for name, kept in tool.items() if name in _KEPT_OF_TOOLS}}
    if kind != "function":
        return {**both, "name": kind, "type": inner.get("name")}
    theirs: dict[str, Any] = {"name": inner.get("name")}
    if inner.get("description"):
        theirs["description"] = inner["description"]
    theirs["input_schema"] = {"type": "object", **(inner.get("parameters") or {"properties": {}})}
    if inner.get("strict") is not None and version(model) >= (4, 5):
        theirs["strict"] = inner["strict"]
    return {**theirs, **{name: both[name] for name in _KEPT_OF_TOOLS if name in both}}


def _choose_tools(ours: Mapping[str, Any], theirs: Theirs, lost: list[str]) -> None:
    choice = ours.get("tool_choice")
    if isinstance(choice, str) and choice in _CHOICES:
        theirs["tool_choice"] = {"type": _CHOICES[choice]}
    elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        theirs["tool_choice"] = {"type": "tool", "name": choice["function"].get("name")}
    elif isinstance(choice, dict) and choice.get("type") in ("auto", "any", "none", "tool"):
        theirs["tool_choice"] = dict(choice)
    elif choice is not None:
        lost.append("tool_choice")
    if ours.get("parallel_tool_calls") is False and ours.get("tools"):
        chosen = theirs.setdefault("tool_choice", {"type": "auto"})
        if chosen["type"] != "none":
            chosen["disable_parallel_tool_use"] = True


def _format(ours: Mapping[str, Any], theirs: Theirs, model: str, lost: list[str]) -> None:
    wanted = ours.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") == "text":
        return
    schema = (wanted.get("json_schema") or {}).get("schema") if wanted.get("type") == "json_schema" else None
    if schema is None or version(model) < (4, 5):
        lost.append("response_format")
    else:
        config = {"format": {"type": "json_schema", "schema": schema}}
        theirs["output_config"] = {**theirs.get("output_config", {}), **config}


def _think(ours: Mapping[str, Any], theirs: Theirs, model: str, lost: list[str]) -> None:
    """`reasoning_effort` as thinking, unless the caller set `thinking` in Anthropic's own words."""
    effort = ours.get("reasoning_effort")
    if effort is None or "thinking" in theirs:
        return
    adaptive = version(model) >= (4, 6)
    if effort == "none":
        if adaptive:
            theirs["thinking"] = {"type": "disabled"}
    elif effort not in BUDGETS:
        raise BadBody(f"`reasoning_effort` must be one of none, {', '.join(BUDGETS)}.", param="reasoning_effort")
    elif adaptive:
        known = "max" if effort == "xhigh" and version(model) < (4, 7) else _EFFORTS[effort]
        theirs["output_config"] = {**theirs.get("output_config", {}), "effort": known}
        if not _forced(theirs):
            theirs["thinking"] = {"type": "adaptive"}
    elif version(model) < (3, 7) or _forced(theirs) or _unsigned(theirs["messages"]):
        lost.append("reasoning_effort")
    else:
        _budget(theirs, BUDGETS[effort], lost)


def _budget(theirs: Theirs, budget: int, lost: list[str]) -> None:
    """Thinking within a budget, which must be below the limit of output and excludes some sampling parameters."""
    theirs["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if theirs["max_tokens"] <= budget:
        theirs["max_tokens"] += budget
    lost += [name for name in ("temperature", "top_k") if theirs.pop(name, None) is not None]


def _forced(theirs: Theirs) -> bool:
    """Whether a tool must be used, which Anthropic does not allow together with thinking."""
    return bool(theirs.get("tool_choice", {}).get("type") in ("any", "tool"))


def _unsigned(turns: list[dict[str, Any]]) -> bool:
    """Whether the last turn of the model called tools without the thinking that must precede them."""
    said: list[Block] = next((turn["content"] for turn in reversed(turns) if turn["role"] == "assistant"), [])
    kinds = {block.get("type") for block in said}
    return "tool_use" in kinds and not kinds & {"thinking", "redacted_thinking"}
