"""Anthropic: the Messages API for chat, and the legacy Text Completions of Claude 2 and Claude Instant."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from gatekey.errors import BadBody
from gatekey.providers import Asked, Chunk, Endpoint, Option, Provider, Theirs, To, header
from gatekey.providers._anthropic_reply import Messages, counts, in_band, reply
from gatekey.providers._anthropic_request import default_limit, request
from gatekey.providers._media import listed
from gatekey.streaming.sse import Event
from gatekey.wire import answer

VERSION = "2023-06-01"
LEGACY = ("claude-1", "claude-v1", "claude-2", "claude-instant")

_HUMAN = "\n\nHuman:"
_ASSISTANT = "\n\nAssistant:"
_FINISH_OF_TEXT = {"stop_sequence": "stop", "max_tokens": "length"}


def _sends(options: Mapping[str, str]) -> dict[str, str]:
    sent = {"anthropic-version": options.get("anthropic_version", VERSION)}
    if "anthropic_beta" in options:
        sent["anthropic-beta"] = options["anthropic_beta"]
    return sent


def _prompt(ours: Mapping[str, Any], theirs: Theirs, asked: Asked) -> list[str]:
    """The prompt in the turns that these models were trained on, unless it holds them already."""
    given = ours.get("prompt")
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if not isinstance(given, str):
        raise BadBody("`prompt` must be a single string for Anthropic, and no token ids.", param="prompt")
    theirs["prompt"] = given if _HUMAN in given else f"{_HUMAN} {given}{_ASSISTANT}"
    theirs.setdefault("max_tokens_to_sample", default_limit(asked.model))
    harmless = {"n": 1, "best_of": 1, "echo": False, "logprobs": False, "suffix": ""}
    return [name for name, value in harmless.items() if ours.get(name, value) != value]


def _text(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    """A legacy completion, streamed or not. That API reports no usage, and none is invented."""
    if "error" in theirs:
        raise in_band(theirs, asked)
    reason = theirs.get("stop_reason")
    finish = None if reason is None else _FINISH_OF_TEXT.get(reason, "stop")
    return {
        "id": theirs["id"],
        "object": "text_completion",
        "created": asked.created,
        "model": theirs["model"],
        "choices": [{"text": theirs["completion"], "index": 0, "logprobs": None, "finish_reason": finish}],
    }


def _texts(asked: Asked) -> Callable[[Event], list[Chunk]]:
    def read(event: Event) -> list[Chunk]:
        return [] if event.name == "ping" else [_text(answer.fields(event.data), asked)]

    return read


def _models(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    data = [
        {
            "id": model["id"],
            "object": "model",
            "created": int(datetime.fromisoformat(model["created_at"]).timestamp()),
            "owned_by": "anthropic",
            "display_name": model["display_name"],
        }
        for model in theirs["data"]
    ]
    return {"object": "list", "data": data}


_CHAT: dict[str, To | None] = {
    "model": To("model"),
    "stream": To("stream"),
    "temperature": To("temperature", low=0, high=1),
    "top_p": To("top_p", low=0, high=1),
    "top_k": To("top_k"),
    "stop": To("stop_sequences", via=listed),
    "user": To("metadata.user_id"),
    "thinking": To("thinking"),
    "output_config": To("output_config"),
    "cache_control": To("cache_control"),
    "container": To("container"),
    "context_management": To("context_management"),
    "inference_geo": To("inference_geo"),
    "mcp_servers": To("mcp_servers"),
    "speed": To("speed"),
    "messages": None,
    "max_tokens": None,
    "max_completion_tokens": None,
    "metadata": None,
    "n": None,
    "parallel_tool_calls": None,
    "reasoning_effort": None,
    "response_format": None,
    "service_tier": None,
    "tool_choice": None,
    "tools": None,
}

_TEXT: dict[str, To | None] = {
    "model": To("model"),
    "stream": To("stream"),
    "max_tokens": To("max_tokens_to_sample"),
    "temperature": To("temperature", low=0, high=1),
    "top_p": To("top_p", low=0, high=1),
    "top_k": To("top_k"),
    "stop": To("stop_sequences", via=listed),
    "user": To("metadata.user_id"),
    "prompt": None,
    "n": None,
    "best_of": None,
    "echo": None,
    "logprobs": None,
    "suffix": None,
}

provider = Provider(
    slug="anthropic",
    name="Anthropic",
    docs="https://platform.claude.com/docs/en/api/messages",
    base="https://api.anthropic.com/v1",
    auth=header("x-api-key"),
    key_headers=("x-api-key",),
    counts=counts,
    endpoints={
        "chat": Endpoint(path="/messages", params=_CHAT, translate=request, reply=reply, stream=Messages),
        "completions": Endpoint(
            path="/complete",
            params=_TEXT,
            translate=_prompt,
            reply=_text,
            stream=_texts,
            serves=lambda model: model.startswith(LEGACY),
        ),
        "models": Endpoint(path="/models?limit=1000", method="GET", reply=_models),
    },
    options={
        "anthropic_version": Option(f"Version of the API; {VERSION} by default.", headers=("anthropic-version",)),
        "anthropic_beta": Option("Beta features to switch on, joined by commas.", headers=("anthropic-beta",)),
    },
    sends=_sends,
)
