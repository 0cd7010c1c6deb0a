"""Mistral AI: nearly OpenAI's dialect. Fields that its schema lacks are refused with 422, so they are dropped.

Streams bear usage in their last chunk without being asked. Text completions go through chat, unless the option
asks for fill-in-the-middle: that endpoint takes `prompt` and `suffix`, and answers in chat's shape.
"""

from collections.abc import Callable
from typing import Any

from gatekey.providers import Asked, Chunk, Endpoint, Option, Provider, Theirs
from gatekey.providers._usage import counted
from gatekey.streaming.sse import Event
from gatekey.wire import answer, completion
from gatekey.wire.usage import Usage

_FINISH = {"model_length": "length"}
_NOT_IN_CHAT = (
    *("stream_options", "max_completion_tokens", "seed", "user", "logit_bias", "store", "functions", "function_call"),
    *("modalities", "audio", "web_search_options", "verbosity", "safety_identifier"),
)
_NOT_IN_FIM = (
    *("stream_options", "seed", "user", "logit_bias", "logprobs", "n", "best_of", "echo"),
    *("presence_penalty", "frequency_penalty"),
)


def _named(choices: list[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    if not asked.strict:
        return choices
    return [{**choice, "finish_reason": _ours(choice.get("finish_reason"))} for choice in choices]


def _ours(finish: str | None) -> str | None:
    return _FINISH.get(finish, finish) if finish else None


def _fim_reply(theirs: Theirs, asked: Asked) -> dict[str, Any]:
    return completion.from_chat({**theirs, "choices": _named(theirs["choices"], asked)}, "")


def _fim_stream(asked: Asked) -> Callable[[Event], list[Chunk]]:
    text = completion.FromChat("")

    def read(event: Event) -> list[Chunk]:
        theirs = answer.fields(event.data)
        if "choices" not in theirs:
            return [theirs]
        chunk = text.chunk({**theirs, "choices": _named(theirs["choices"], asked)})
        return [] if chunk is None else [chunk]

    return read


def _counts(theirs: Theirs) -> Usage | None:
    """What was heard is billed by its length, so its tokens, which only the total tells, are left out. What was read
    from the cache is part of the prompt.

    Sources: https://docs.mistral.ai/capabilities/audio_transcription,
    https://docs.mistral.ai/inference/conversations/advanced/prompt-caching
    """
    cached = theirs.get("num_cached_tokens")
    if cached:
        theirs = {"cached_tokens": cached, **theirs}
    seconds = theirs.get("prompt_audio_seconds")
    if seconds is None:
        return counted(theirs)
    return counted({name: told for name, told in theirs.items() if name != "total_tokens"} | {"seconds": seconds})


provider = Provider(
    slug="mistral-ai",
    name="Mistral AI",
    docs="https://docs.mistral.ai/api",
    base="https://api.mistral.ai/v1",
    endpoints={
        "completions": Endpoint(
            path="/fim/completions",
            reply=_fim_reply,
            stream=_fim_stream,
            lacks=_NOT_IN_FIM,
            needs="mistral_fim_completion",
        ),
        "chat": Endpoint(path="/chat/completions", finish=_FINISH, lacks=_NOT_IN_CHAT),
        "embeddings": Endpoint(path="/embeddings"),
        "models": Endpoint(path="/models", method="GET"),
    },
    counts=_counts,
    options={
        "mistral_fim_completion": Option("`true`: text completions go to the fill-in-the-middle endpoint."),
    },
)
