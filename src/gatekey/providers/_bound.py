"""The most that a request can consume, before it is sent: what a budget must be able to pay."""

import re
from collections.abc import Callable, Mapping
from math import ceil, isfinite
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

PART = 50_000
"""Tokens that a part of a prompt may come to which is given by its address or id: a large picture, seen closely."""
MESSAGE = 16
"""Tokens beside its text that a message, or a part of one, comes to at most: each is an object, and so is the whole."""
OUTPUT = 16_384
"""Tokens of an answer, where neither the request nor the table of prices bounds it."""
AUDIO = 2
"""ms of sound in a byte at most: 4 kbit/s, which is less than any codec for speech."""

_OURS = ("max_completion_tokens", "max_tokens")
_THEIRS = (*_OURS, "max_output_tokens", "max_tokens_to_sample", "max_gen_len", "max_new_tokens")
_WITHIN = (
    ("generationConfig", "maxOutputTokens"),
    ("generation_config", "max_output_tokens"),
    ("inferenceConfig", "maxTokens"),
    ("parameters", "max_new_tokens"),
    ("options", "num_predict"),
)
"""Where other dialects have the bound of an answer."""
_TIMES = ("n", "best_of")
_TIMES_WITHIN = (("generationConfig", "candidateCount"), ("generation_config", "candidate_count"))
_FORM_TIMES = re.compile(rb'name="?n"?[^\n]*\r\n(?:[^\r\n]+\r\n)*\r\n\s*(\d{1,9})\s*\r\n')
_BY_ADDRESS = re.compile(rb'"(?:http|gs:|s3:|file_id"|file_uri"|fileUri"|previous_response_id")')

Value = Callable[[str], Any]
"""Gives a field of a request, decoded; None where it is absent."""


class Most(NamedTuple):
    """The most of everything that may be priced: tokens read and put out, images, ms of sound, characters."""

    input: int
    output: int
    images: int = 0
    audio_ms: int = 0
    characters: int = 0


class _Asked(Struct):
    """What of a request in our dialect bounds its answer."""

    max_completion_tokens: Any = None
    max_tokens: Any = None
    n: Any = None
    best_of: Any = None
    prompt: Raw = Raw()


_asked = msgspec.json.Decoder(_Asked)


def inference(kind: str, body: bytes, ours: Mapping[str, Any], most: int | None) -> Most:
    """The most of a request whose body is sent. `ours` is it in our dialect, where the body is in another.

    `most`: the model's own bound of its answer, None where it is not known.
    """
    if kind == "embeddings":
        return Most(most_in(body), 0)
    if ours:
        asked = _Asked(*map(ours.get, (*_OURS, *_TIMES)))  # type: ignore[arg-type] # fewer than there are fields
        prompts = _prompts(ours.get("prompt"))
    else:
        asked = _asked.decode(body)
        prompts = _prompts(msgspec.json.decode(asked.prompt)) if bytes(asked.prompt)[:1] == b"[" else 1
    each = max(whole(asked.max_completion_tokens), whole(asked.max_tokens)) or most or OUTPUT
    return Most(most_in(body), each * max(1, whole(asked.n), whole(asked.best_of)) * prompts)


def forwarded(body: bytes, size: int, value: Value, most: int | None) -> Most:
    """The same of a request in any dialect, for anything: `body` is empty where it is larger than can be read."""
    asked = [whole(value(name)) for name in _THEIRS]
    asked += [_within(value, *place) for place in _WITHIN]
    times = max(1, *(whole(value(name)) for name in _TIMES), *(_within(value, *place) for place in _TIMES_WITHIN))
    times *= _prompts(value("prompt"))
    found = _FORM_TIMES.search(body)
    images = max(times, int(found[1])) if found else times
    into = most_in(body) if body else size
    return Most(into, (max(asked) or most or OUTPUT) * times, images, AUDIO * size, size)


def most_in(body: bytes) -> int:
    """The most tokens that a request can read: none is shorter than a byte, and what is elsewhere is bounded."""
    return len(body) + MESSAGE * body.count(b"{") + PART * len(_BY_ADDRESS.findall(body))


def whole(value: Any) -> int:
    """A number as a provider may read it, which may be lenient about its form; 0 where it is none, or no bound."""
    if value is None:
        return 0
    if type(value) is str and value.strip().isdecimal() and len(value) < 19:
        return int(value)
    if type(value) is float and isfinite(value):
        return max(0, ceil(value))
    return max(0, value) if type(value) is int else 0


def _within(value: Value, outer: str, inner: str) -> int:
    found = value(outer)
    return whole(found.get(inner)) if isinstance(found, dict) else 0


def _prompts(prompt: Any) -> int:
    """How many prompts there are: each is answered. A list of numbers is one, given as tokens."""
    if not isinstance(prompt, list) or all(type(item) is int for item in prompt):
        return 1
    return len(prompt)
