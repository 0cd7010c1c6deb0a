"""Anthropic's Messages, answered or streamed, as chat completions of ours.

`Messages` reads one stream. Both ways make the same of the same answer: thinking and other blocks of Anthropic's own
(`content_blocks`, `reasoning_content`) only for callers who did not ask for strictness.
"""

from typing import Any

from gatekey.errors import InBand
from gatekey.providers._media import as_text
from gatekey.providers._spec import Asked, Chunk, Theirs
from gatekey.providers._usage import Report, Told, part
from gatekey.streaming.sse import Event
from gatekey.wire import answer
from gatekey.wire.usage import Usage

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Why Anthropic stopped, in our words. What is not here is `stop`."""

STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that goes with an error type, for errors inside a 200 answer."""

_BESIDE_COUNTS = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "server_tool_use")


def reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    """A message as a chat completion."""
    if theirs.get("type") == "error":
        raise in_band(theirs, asked)
    blocks: list[dict[str, Any]] = theirs["content"]
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": as_text(block["input"])},
        }
        for block in blocks
        if block["type"] == "tool_use"
    ]
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    message: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    if calls:
        message["tool_calls"] = calls
    refusal = _refusal(theirs)
    if refusal:
        message["refusal"] = refusal
    if not asked.strict:
        thoughts = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
        if thoughts:
            message["reasoning_content"] = thoughts
        message["content_blocks"] = [block for block in blocks if block["type"] != "tool_use"]
    finish = FINISH.get(theirs["stop_reason"], "stop")
    return {
        "id": theirs["id"],
        "object": "chat.completion",
        "created": asked.created,
        "model": theirs["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": usage(theirs["usage"]),
    }


def usage(theirs: Theirs) -> dict[str, Any]:
    """Counts in OpenAI's sense, where what was read from and written to the cache is part of the prompt.

    Anthropic counts the two beside `input_tokens`; its own fields are kept, as they are priced apart.
    """
    read = theirs.get("cache_read_input_tokens") or 0
    written = theirs.get("cache_creation_input_tokens") or 0
    prompt = theirs["input_tokens"] + read + written
    ours: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": theirs["output_tokens"],
        "total_tokens": prompt + theirs["output_tokens"],
        "prompt_tokens_details": {"cached_tokens": read},
    }
    thinking = (theirs.get("output_tokens_details") or {}).get("thinking_tokens")
    if thinking is not None:
        ours["completion_tokens_details"] = {"reasoning_tokens": thinking}
    return {**ours, **{name: theirs[name] for name in _BESIDE_COUNTS if theirs.get(name) is not None}}


def counts(theirs: Told) -> Usage | None:
    """A usage of Anthropic's own or as `usage` makes it; of writes to the cache the lifetime is told apart.

    Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
    """
    report = Report()
    count = report.count
    read = count(theirs, "cache_read_input_tokens") or 0
    written = count(theirs, "cache_creation_input_tokens") or 0
    by_life = part(theirs, "cache_creation")
    hour = count(by_life, "ephemeral_1h_input_tokens") or 0
    short = count(by_life, "ephemeral_5m_input_tokens") or 0
    written = max(written, hour + short)
    beside = count(theirs, "input_tokens")
    return report.usage(
        prompt=count(theirs, "prompt_tokens") if beside is None else beside + read + written,
        completion=count(theirs, "completion_tokens", "output_tokens"),
        read=read,
        written=written - hour,
        written_1h=hour,
        thought=count(
            part(theirs, "output_tokens_details", "completion_tokens_details"), "thinking_tokens", "reasoning_tokens"
        ),
    )


def in_band(theirs: Theirs, asked: Asked) -> InBand:
    """An error inside a 200 answer."""
    error = theirs["error"]
    kind = error["type"]
    return InBand(f"{asked.provider} error: {error['message']}", status=STATUS.get(kind, 502), type=kind)


def _refusal(stopped: dict[str, Any]) -> str:
    """The explanation that may come with a refusal."""
    details = stopped.get("stop_details") or {}
    return details.get("explanation") or ""


class Messages:
    """One streamed message: an event in, chunks out."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._head: dict[str, Any] = {}
        self.so_far: dict[str, Any] = {}
        self._tools: dict[int, int] = {}
        """Block index to tool index: blocks are counted with texts and thoughts, tool calls are not."""
        self._unfed: dict[int, Any] = {}
        """Tools that no arguments came for yet, with the input that they began with."""

    def __call__(self, event: Event) -> list[Chunk]:
        theirs = answer.fields(event.data)
        match theirs["type"]:
            case "message_start":
                return self._start(theirs["message"])
            case "content_block_start":
                return self._open(theirs["index"], theirs["content_block"])
            case "content_block_delta":
                return self._delta(theirs["index"], theirs["delta"])
            case "content_block_stop":
                return self._close(theirs["index"])
            case "message_delta":
                return self._end(theirs)
            case "error":
                raise in_band(theirs, self._asked)
        # Pings, the stop after the end, and events of the future, which Anthropic asks to be ignored.
        return []

    def _start(self, message: Theirs) -> list[Chunk]:
        self._head = {
            "id": message["id"],
            "object": "chat.completion.chunk",
            "created": self._asked.created,
            "model": message["model"],
        }
        self._count(message["usage"])
        return [self._chunk({"role": "assistant", "content": ""})]

    def _open(self, index: int, block: dict[str, Any]) -> list[Chunk]:
        if block["type"] != "tool_use":
            # A text may begin with some of it.
            return self._delta(index, block)
        self._tools[index] = len(self._tools)
        self._unfed[index] = block.get("input") or {}
        function = {"name": block["name"], "arguments": ""}
        call = {"index": self._tools[index], "id": block["id"], "type": "function", "function": function}
        return [self._chunk({"tool_calls": [call]})]

    def _delta(self, index: int, delta: dict[str, Any]) -> list[Chunk]:
        if index in self._tools:
            return self._arguments(index, delta["partial_json"]) if delta["type"] == "input_json_delta" else []
        ours: dict[str, Any] = {}
        if delta.get("text"):
            ours["content"] = delta["text"]
        if not self._asked.strict:
            if delta.get("thinking"):
                ours["reasoning_content"] = delta["thinking"]
            told = {name: value for name, value in delta.items() if name != "type"}
            ours["content_blocks"] = [{"index": index, "delta": told}]
        return [self._chunk(ours)] if ours else []

    def _arguments(self, index: int, text: str) -> list[Chunk]:
        if not text:
            return []
        self._unfed.pop(index, None)
        return [self._chunk({"tool_calls": [{"index": self._tools[index], "function": {"arguments": text}}]})]

    def _close(self, index: int) -> list[Chunk]:
        return self._arguments(index, as_text(self._unfed[index])) if index in self._unfed else []

    def _end(self, theirs: Theirs) -> list[Chunk]:
        self._count(theirs.get("usage") or {})
        reason = theirs["delta"].get("stop_reason")
        if reason is None:
            return []
        refusal = _refusal(theirs["delta"])
        last = self._chunk({"refusal": refusal} if refusal else {}, FINISH.get(reason, "stop"))
        # The counts are final here: told at once, they are not lost where the very last event is.
        return [last, {**self._head, "choices": [], "usage": usage(self.so_far)}]

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> Chunk:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    def _count(self, counts: dict[str, Any]) -> None:
        """Both ends report: counts are cumulative, so the larger holds; of the rest the later."""
        for name, value in counts.items():
            known = self.so_far.get(name)
            if value is not None:
                self.so_far[name] = max(known, value) if isinstance(value, int) and isinstance(known, int) else value
