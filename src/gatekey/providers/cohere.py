"""Cohere: chat (v2), embeddings (v2), models, and text generation (v1) for the two models that have no chat.

Its API is a dialect of its own: `p`, `k`, `stop_sequences`, typed stream events, usage of two kinds (tokens are
counted, billed units where tokens are missing). Naming one function in `tool_choice` becomes REQUIRED with only
that tool offered, for there is no other way to say it. Embedding models of version 3 and later need an
`input_type`; `search_document` is sent unless the caller says another.
"""

from collections.abc import Mapping
from typing import Any

from gatekey.errors import BadBody, InBand
from gatekey.providers import Asked, Chunk, Endpoint, Provider, Theirs, To
from gatekey.providers._cohere_generate import as_list, counts, finish, generate, usage
from gatekey.streaming.sse import Event
from gatekey.wire import answer

KEPT = {
    "system": ("content",),
    "user": ("content",),
    "assistant": ("content", "tool_calls", "tool_plan", "citations"),
    "tool": ("content", "tool_call_id"),
}
"""What a message of each role may hold."""


# --- chat: the request


def _messages(ours: Any) -> list[dict[str, Any]]:
    if not isinstance(ours, list) or not all(isinstance(message, dict) for message in ours):
        raise BadBody("`messages` must be a list of objects.", param="messages")
    return [_message(message, f"messages[{index}]") for index, message in enumerate(ours)]


def _message(ours: dict[str, Any], where: str) -> dict[str, Any]:
    role = "system" if ours.get("role") == "developer" else ours.get("role")
    if role not in KEPT:
        raise BadBody(f"`{where}.role` is {role!r}, which cohere has not.", param=f"{where}.role")
    message = {"role": role} | {key: ours[key] for key in KEPT[role] if ours.get(key) is not None}
    if isinstance(ours.get("content"), list):
        message["content"] = [_part(part, f"{where}.content[{index}]") for index, part in enumerate(ours["content"])]
    thought = ours.get("reasoning_content")
    if role == "assistant" and isinstance(thought, str) and thought:
        said = message.get("content") or []
        said = [{"type": "text", "text": said}] if isinstance(said, str) else said
        message["content"] = [{"type": "thinking", "thinking": thought}, *said]
    return message


def _part(ours: Any, where: str) -> Any:
    match ours:
        case {"type": "image_url", "image_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
        case {"type": "text" | "image_url" | "thinking" | "document"}:
            return ours
    kind = ours.get("type") if isinstance(ours, dict) else ours
    raise BadBody(f"`{where}` is of type {kind!r}: cohere takes text and image_url.", param=where)


def _response_format(ours: Any) -> Any:
    match ours:
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return {"type": "json_object", "json_schema": schema}
        case {"type": "json_object", "schema": schema}:
            return {"type": "json_object", "json_schema": schema}
    return ours


def _tools(ours: Any) -> list[dict[str, Any]]:
    tools = []
    for index, tool in enumerate(as_list(ours)):
        match tool:
            case {"type": "function", "function": {"name": _, **function}}:
                function = {key: value for key, value in tool["function"].items() if key != "strict"}
                tools.append({"type": "function", "function": function})
            case _:
                where = f"tools[{index}]"
                raise BadBody(f"`{where}` is not a function, and cohere takes functions only.", param=where)
    return tools


def _chat(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """What the map cannot say: which tools, how strictly, how much thought."""
    lost = ["n"] if ours.get("n", 1) != 1 else []
    strict = [(tool.get("function") or {}).get("strict") for tool in ours.get("tools") or ()]
    if True in strict and "strict_tools" not in ours:
        theirs["strict_tools"] = True
    match ours.get("tool_choice"):
        case "required" | "any" | "REQUIRED":
            theirs["tool_choice"] = "REQUIRED"
        case "none" | "NONE":
            theirs["tool_choice"] = "NONE"
        case {"type": "function", "function": {"name": name}}:
            theirs["tools"] = [tool for tool in theirs.get("tools", ()) if tool["function"]["name"] == name]
            if not theirs["tools"]:
                raise BadBody(f"`tool_choice` names {name!r}, which is not among `tools`.", param="tool_choice")
            theirs["tool_choice"] = "REQUIRED"
        case None | "auto":
            pass
        case _:
            lost.append("tool_choice")
    effort = ours.get("reasoning_effort")
    if effort is not None and "thinking" not in theirs:
        theirs["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
    return lost


# --- chat: the answer


def _logprobs(items: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """Theirs are for pieces of text, with one logarithm for each token; a piece's is their sum."""
    if not items:
        return None
    content: list[dict[str, Any]] = [
        {"token": item.get("text") or "", "logprob": sum(item.get("logprobs") or ()), "bytes": None, "top_logprobs": []}
        for item in items
    ]
    return {"content": content, "refusal": None}


def _chat_reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    message = theirs["message"]
    parts = message.get("content") or []
    text = "".join(part["text"] for part in parts if part["type"] == "text")
    thought = "".join(part["thinking"] for part in parts if part["type"] == "thinking")
    calls = message.get("tool_calls")
    said: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if thought:
        said["reasoning_content"] = thought
    if calls:
        said["tool_calls"] = calls
    if not asked.strict:
        said |= {key: message[key] for key in ("tool_plan", "citations") if message.get(key)}
    choice = {
        "index": 0,
        "message": said,
        "logprobs": _logprobs(theirs.get("logprobs")),
        "finish_reason": finish(theirs["finish_reason"], asked),
    }
    ours = {
        "id": theirs.get("id") or f"chatcmpl-{asked.id}",
        "object": "chat.completion",
        "created": asked.created,
        "model": asked.model,
        "choices": [choice],
    }
    counted = usage(theirs.get("usage"))
    return {**ours, "usage": counted} if counted else ours


class _ChatStream:
    """Events to chunks. Tool calls are numbered as they start."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._id = f"chatcmpl-{asked.id}"
        self._calls = -1

    def __call__(self, event: Event) -> list[Chunk]:
        theirs = answer.fields(event.data)
        kind, delta = theirs.get("type"), theirs.get("delta") or {}
        if kind is None and "message" in theirs:
            raise InBand(f"cohere error: {theirs['message']}")
        if kind == "message-start":
            self._id = theirs.get("id") or self._id
            return [self._chunk({"role": "assistant", "content": ""})]
        if kind == "message-end":
            last = self._chunk({}, finish(delta.get("finish_reason"), self._asked, delta.get("error")))
            counted = usage(delta.get("usage"))
            return [last, {**last, "choices": [], "usage": counted}] if counted else [last]
        said = self._delta(kind, delta.get("message") or {})
        return [self._chunk(said, logprobs=theirs.get("logprobs"))] if said else []

    def _delta(self, kind: Any, message: dict[str, Any]) -> dict[str, Any]:
        match kind:
            case "content-start" | "content-delta":
                content = message.get("content") or {}
                names = {"text": "content", "thinking": "reasoning_content"}
                return {ours: content[theirs] for theirs, ours in names.items() if content.get(theirs)}
            case "tool-call-start":
                self._calls += 1
                return {"tool_calls": [{"index": self._calls, **message["tool_calls"]}]}
            case "tool-call-delta":
                made = message["tool_calls"]["function"].get("arguments") or ""
                return {"tool_calls": [{"index": self._calls, "function": {"arguments": made}}]}
            case "tool-plan-delta" if not self._asked.strict:
                return {"tool_plan": message["tool_plan"]}
            case "citation-start" if not self._asked.strict:
                return {"citations": as_list(message["citations"])}
        return {}

    def _chunk(self, delta: dict[str, Any], reason: Any = None, logprobs: Any = None) -> Chunk:
        items = _logprobs(as_list(logprobs)) if logprobs else None
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._asked.created,
            "model": self._asked.model,
            "choices": [{"index": 0, "delta": delta, "logprobs": items, "finish_reason": reason}],
        }


# --- embeddings and models


def _embed(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """Plain texts go as `texts`; where an image is among them, every item is an input of parts."""
    items = as_list(ours.get("input"))
    if not items or not all(isinstance(item, (str, dict)) for item in items):
        raise BadBody(
            "`input` must be text, a list of texts, or objects with text and image; no tokens.", param="input"
        )
    if all(isinstance(item, str) for item in items):
        theirs["texts"] = items
    else:
        theirs["inputs"] = [{"content": _pieces(item, f"input[{index}]")} for index, item in enumerate(items)]
    theirs.setdefault("input_type", "search_document")
    theirs["embedding_types"] = ["float"]
    return []


def _pieces(item: Any, where: str) -> list[dict[str, Any]]:
    match item:
        case str(text):
            return [{"type": "text", "text": text}]
        case {"type": "text" | "image_url"}:
            return [_part(item, where)]
        case {"content": [*parts]}:
            return [_part(part, where) for part in parts]
    pieces: list[dict[str, Any]] = []
    match item:
        case {"text": str(text)}:
            pieces.append({"type": "text", "text": text})
    match item:
        case {"image": {"url": str(url)} | {"base64": str(url)} | str(url)}:
            pieces.append({"type": "image_url", "image_url": {"url": url}})
    if not pieces:
        raise BadBody(f"`{where}` holds neither `text` nor `image`.", param=where)
    return pieces


def _embed_reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    vectors = theirs["embeddings"]["float"]
    billed = (theirs.get("meta") or {}).get("billed_units") or {}
    seen = int(billed.get("image_tokens") or 0)
    given = int(billed.get("input_tokens") or 0) + seen
    details = {"prompt_tokens_details": {"image_tokens": seen}} if seen else {}
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)],
        "model": asked.model,
        "usage": {"prompt_tokens": given, "total_tokens": given, **details},
    }


def _models_reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    models = [
        {"id": model["name"], "object": "model", "created": 0, "owned_by": "cohere"} | model
        for model in theirs["models"]
    ]
    return {"object": "list", "data": models}


# --- the maps

_CHAT_PARAMS = {
    "model": To("model"),
    "messages": To("messages", via=_messages),
    "stream": To("stream"),
    "max_tokens": To("max_tokens"),
    "max_completion_tokens": To("max_tokens"),
    "temperature": To("temperature", low=0),
    "top_p": To("p", low=0.01, high=0.99),
    "p": To("p", low=0.01, high=0.99),
    "top_k": To("k", low=0, high=500),
    "k": To("k", low=0, high=500),
    "seed": To("seed"),
    "stop": To("stop_sequences", via=as_list),
    "stop_sequences": To("stop_sequences", via=as_list),
    "frequency_penalty": To("frequency_penalty", low=0, high=1),
    "presence_penalty": To("presence_penalty", low=0, high=1),
    "logprobs": To("logprobs"),
    "response_format": To("response_format", via=_response_format),
    "tools": To("tools", via=_tools),
    "strict_tools": To("strict_tools"),
    "documents": To("documents"),
    "citation_options": To("citation_options"),
    "safety_mode": To("safety_mode"),
    "thinking": To("thinking"),
    "priority": To("priority"),
    "tool_choice": None,
    "reasoning_effort": None,
    "n": None,
}
_EMBED_PARAMS = {
    "model": To("model"),
    "input": None,
    "encoding_format": None,
    "dimensions": To("output_dimension"),
    "input_type": To("input_type"),
    "truncate": To("truncate"),
    "max_tokens": To("max_tokens"),
    "priority": To("priority"),
}

provider = Provider(
    slug="cohere",
    name="Cohere",
    docs="https://docs.cohere.com/reference/chat",
    base="https://api.cohere.com",
    counts=counts,
    endpoints={
        "completions": generate,
        "chat": Endpoint(path="/v2/chat", params=_CHAT_PARAMS, translate=_chat, reply=_chat_reply, stream=_ChatStream),
        "embeddings": Endpoint(path="/v2/embed", params=_EMBED_PARAMS, translate=_embed, reply=_embed_reply),
        "models": Endpoint(path="/v1/models?page_size=1000", method="GET", reply=_models_reply),
    },
)
