"""A chat request of ours as Google's `generateContent`: contents of parts, declarations, thinking.

Schemas go out whole, as JSON Schema (`parametersJsonSchema`, `responseJsonSchema`), not as Google's own subset of
OpenAPI. What depends on the model is decided by its version (`gemini-2.5-pro` is 2.5): 2.5 thinks within a budget,
from 3 on there are levels, and calls of tools must be sent back with their signature.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from gatekey.errors import BadBody
from gatekey.providers._media import arguments, data_uri, guess, text_of
from gatekey.providers._spec import Asked, Theirs

Part = dict[str, Any]

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
"""Tokens of thinking for a reasoning effort on models that take a budget: Google's own mapping for OpenAI clients."""

LEVELS = {
    "none": "MINIMAL",
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
"""The same for models with levels, which cannot be kept from thinking. HIGH is the most that all of them know."""

NO_SIGNATURE = "skip_thought_signature_validator"
"""What Google documents for calls that another model made, or whose signature was lost: else it answers 400."""

_TOOLS = (
    "googleSearch",
    "googleSearchRetrieval",
    "googleMaps",
    "urlContext",
    "codeExecution",
    "computerUse",
    "fileSearch",
    "enterpriseWebSearch",
)
_BUILT_IN = {spelling: name for name in _TOOLS for spelling in (name, re.sub("([A-Z])", r"_\1", name).lower())}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "any": "ANY"}
_TIERS = {"auto": None, "default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
_AUDIO = {"wav": "audio/wav", "mp3": "audio/mp3"}

_numbered = re.compile(r"gemini-(?:[a-z]+-)*(\d+)(?:\.(\d+))?")


def version(model: str) -> tuple[int, int]:
    """Major and minor version of a Gemini model; (99, 0) where its name holds none."""
    found = _numbered.search(model)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def request(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """Finish the mapped request: contents, tools, format, thinking. Returns what Google cannot be given."""
    lost: list[str] = []
    system, theirs["contents"] = _contents(ours.get("messages"), version(asked.model) >= (3, 0))
    if system:
        theirs["systemInstruction"] = {"parts": system}
    if ours.get("tools"):
        theirs["tools"] = _tools(ours["tools"])
    _choose_tools(ours.get("tool_choice"), theirs, lost)
    if ours.get("parallel_tool_calls") is False:
        lost.append("parallel_tool_calls")
    tier = ours.get("service_tier", "auto")
    if tier not in _TIERS:
        lost.append("service_tier")
    elif _TIERS[tier]:
        theirs["serviceTier"] = _TIERS[tier]
    config: dict[str, Any] = {}
    limit = ours.get("max_completion_tokens", ours.get("max_tokens"))
    if limit is not None:
        config["maxOutputTokens"] = limit
    _format(ours.get("response_format"), config)
    _think(ours, config, asked.model, lost)
    voice = ours["audio"].get("voice") if isinstance(ours.get("audio"), dict) else None
    if voice:
        config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
    if config:
        theirs["generationConfig"] = {**theirs.get("generationConfig", {}), **config}
    return lost


def _contents(messages: Any, signed: bool) -> tuple[list[Part], list[dict[str, Any]]]:
    """The parts of all system messages, and the contents: one for what the same side says in a row.

    Results of tools stay apart from what the user says, as Google counts them against the calls.
    """
    if not isinstance(messages, list) or not messages:
        raise BadBody("`messages` must be a list with at least one message.", param="messages")
    system: list[Part] = []
    contents: list[dict[str, Any]] = []
    names: dict[Any, str] = {}
    last = ""
    for index, message in enumerate(messages):
        field = f"messages[{index}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            system += _parts(message.get("content"), field)
            continue
        if role == "user":
            parts = _parts(message.get("content"), field)
        elif role == "assistant":
            parts = _assistant(message, field, signed)
            names |= {call.get("id"): call["function"].get("name") for call in message.get("tool_calls") or []}
        elif role == "tool":
            parts = [_result(message, field, names)]
        else:
            raise BadBody(f"`{field}.role` is {role!r}, which Google has no place for.", param=f"{field}.role")
        if contents and role == last:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": "model" if role == "assistant" else "user", "parts": parts})
            last = role
    if not contents:
        raise BadBody("`messages` must hold something that the user or the assistant says.", param="messages")
    return system, contents


def _parts(content: Any, field: str) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"text": content}] if content else []
    if not isinstance(content, list):
        raise BadBody(f"`{field}.content` must be a string or a list of parts.", param=f"{field}.content")
    found = [_part(part, f"{field}.content[{index}]") for index, part in enumerate(content)]
    return [part for part in found if part.get("text") != ""]


def _part(part: Any, field: str) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "refusal"):
        return {"text": text_of(part, field)}
    inner = part.get(kind) if kind is not None else None
    if kind in ("image_url", "video_url"):
        linked = inner if isinstance(inner, dict) else {"url": inner}
        otherwise = "image/jpeg" if kind == "image_url" else "video/mp4"
        return _data(linked.get("url"), linked.get("mime_type"), otherwise, f"{field}.{kind}")
    if kind == "input_audio" and isinstance(inner, dict):
        form = str(inner.get("format"))
        return {"inlineData": {"mimeType": _AUDIO.get(form, f"audio/{form}"), "data": inner.get("data")}}
    if kind == "file" and isinstance(inner, dict):
        given = inner.get("file_data") or inner.get("file_url") or inner.get("file_id")
        if inner.get("file_data") and not str(given).startswith("data:"):
            given = (
                f"data:{inner.get('mime_type') or guess(str(inner.get('filename')), 'application/pdf')};base64,{given}"
            )
        return _data(given, inner.get("mime_type"), "application/pdf", f"{field}.file")
    raise BadBody(f"`{field}` is of type {kind!r}, which Google cannot be given.", param=field)


def _data(url: Any, media: Any, otherwise: str, field: str) -> Part:
    """Inline data for a data URI; for a link (`gs://`, a file of Google's, the web) the link and its media type."""
    if not isinstance(url, str) or ("://" not in url and not url.startswith("data:")):
        raise BadBody(f"`{field}` must hold a link or a data URI.", param=field)
    inline = data_uri(url, field)
    if inline is not None:
        return {"inlineData": {"mimeType": inline[0], "data": inline[1]}}
    return {"fileData": {"mimeType": media or guess(url, otherwise), "fileUri": url}}


def _assistant(message: dict[str, Any], field: str, signed: bool) -> list[Part]:
    """What the model said and called, each with the signature that it was given out with."""
    parts = _parts(message.get("content"), field)
    signature = _signature(message)
    if signature:
        if not parts:
            parts.append({"text": ""})
        parts[-1]["thoughtSignature"] = signature
    for index, call in enumerate(message.get("tool_calls") or []):
        where = f"{field}.tool_calls[{index}]"
        if not isinstance(call, dict) or not isinstance(call.get("function"), dict):
            raise BadBody(f"`{where}` must be a call of a function.", param=where)
        called = {"name": call["function"].get("name"), "args": arguments(call, where)}
        if call.get("id"):
            called["id"] = call["id"]
        part: Part = {"functionCall": called}
        # Of calls made side by side only the first bears a signature.
        signature = _signature(call) or _signature(call["function"]) or (NO_SIGNATURE if signed and index == 0 else "")
        if signature:
            part["thoughtSignature"] = signature
        parts.append(part)
    return parts


def _signature(holder: dict[str, Any]) -> str:
    """`extra_content.google.thought_signature`, as Google's own OpenAI endpoint has it, or `thought_signature`."""
    extra = holder.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    found = google.get("thought_signature") if isinstance(google, dict) else None
    return found or holder.get("thought_signature") or ""


def _result(message: dict[str, Any], field: str, names: Mapping[Any, str]) -> Part:
    called = message.get("tool_call_id")
    name = names.get(called) or message.get("name")
    if not name:
        raise BadBody(
            f"`{field}.tool_call_id` is {called!r}, which no tool call before it has.", param=f"{field}.tool_call_id"
        )
    parts = _parts(message.get("content"), field)
    response: Part = {"name": name, "response": _output("".join(part.get("text", "") for part in parts))}
    if called:
        response["id"] = called
    media = [part for part in parts if "text" not in part]
    if media:
        response["parts"] = media
    return {"functionResponse": response}


def _output(text: str) -> dict[str, Any]:
    """A result must be an object: text that is none goes under `output`, the key that Google names for it."""
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        decoded = None
    return decoded if isinstance(decoded, dict) else {"output": text}


def _tools(tools: list[Any]) -> list[dict[str, Any]]:
    """One tool with every function, and Google's own after it."""
    functions: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for index, tool in enumerate(tools):
        kind = tool.get("type") if isinstance(tool, dict) else None
        function = tool.get("function") if kind == "function" else None
        if isinstance(function, dict):
            parameters = function.get("parameters") or {}
            built_in = _BUILT_IN.get(function.get("name", ""))
            # A caller may have a function of such a name: then it describes its properties.
            if built_in and not parameters.get("properties"):
                own.append({built_in: parameters})
            else:
                functions.append(_function(function, parameters))
        elif kind in _BUILT_IN:
            own.append({_BUILT_IN[kind]: tool.get(kind) or {}})
        else:
            raise BadBody(
                f"`tools[{index}]` is of type {kind!r}, which Google cannot be given.", param=f"tools[{index}]"
            )
    return ([{"functionDeclarations": functions}] if functions else []) + own


def _function(function: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    declared = {"name": function.get("name")}
    if function.get("description"):
        declared["description"] = function["description"]
    if parameters:
        declared["parametersJsonSchema"] = parameters
    return declared


def _choose_tools(choice: Any, theirs: Theirs, lost: list[str]) -> None:
    if choice is None:
        return
    calling: dict[str, Any] = {}
    if isinstance(choice, str) and choice in _MODES:
        calling["mode"] = _MODES[choice]
    elif isinstance(choice, dict) and isinstance(choice.get("function"), dict):
        calling = {"mode": "ANY", "allowedFunctionNames": [choice["function"].get("name")]}
    else:
        lost.append("tool_choice")
        return
    theirs["toolConfig"] = {"functionCallingConfig": calling}


def _format(wanted: Any, config: dict[str, Any]) -> None:
    if not isinstance(wanted, dict) or wanted.get("type") not in ("json_object", "json_schema"):
        return
    config["responseMimeType"] = "application/json"
    schema = (wanted.get("json_schema") or {}).get("schema")
    if schema is not None:
        config["responseJsonSchema"] = schema


def _think(ours: Mapping[str, Any], config: dict[str, Any], model: str, lost: list[str]) -> None:
    """`thinking` (`{"type", "budget_tokens"}`) as it is said, else `reasoning_effort` as a budget or a level."""
    thinking, effort = ours.get("thinking"), ours.get("reasoning_effort")
    if isinstance(thinking, dict):
        if thinking.get("type") == "disabled":
            config["thinkingConfig"] = {"includeThoughts": False, "thinkingBudget": 0}
        else:
            budget = thinking.get("budget_tokens")
            config["thinkingConfig"] = {"includeThoughts": True} | (
                {} if budget is None else {"thinkingBudget": budget}
            )
    elif effort is not None:
        if effort not in LEVELS:
            raise BadBody(f"`reasoning_effort` must be one of {', '.join(LEVELS)}.", param="reasoning_effort")
        if version(model) >= (3, 0):
            config["thinkingConfig"] = {"thinkingLevel": LEVELS[effort]}
        elif version(model) >= (2, 5):
            config["thinkingConfig"] = {"thinkingBudget": BUDGETS[effort]}
        else:
            lost.append("reasoning_effort")
