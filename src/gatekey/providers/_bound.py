"""The most that a request can consume, before it is sent: what a budget must be able to pay."""

import re
from collections.abc import Callable
from math import ceil, isfinite
from typing import Any, NamedTuple

PART = 50_000
"""Tokens that a part of a prompt may come to which is given by its address or id: a large picture, seen closely."""
MESSAGE = 16
"""Tokens beside its text that a message, or a part of one, comes to at most."""
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
_BY_ADDRESS = (b'"http', b'"gs://', b'"s3://', b'"file_id"', b'"file_uri"', b'"fileUri"', b'"previous_response_id"')
_PARTS = (b'"role"', b'"type"', b'"text"')

Value = Callable[[str], Any]
"""Gives a field of a request, decoded; None where it is absent."""


class Most(NamedTuple):
    """The most of everything that may be priced: tokens read and put out, images, ms of sound, characters."""

    input: int
    output: int
    images: int = 0
    audio_ms: int = 0
    characters: int = 0


def inference(kind: str, body: bytes, value: Value, most: int | None) -> Most:
    """The most of a request of our dialect. `most`: the model's own bound of its answer, None where it is not known."""
    if kind == "embeddings":
        return Most(most_in(body), 0)
    each = max((whole(value(name)) for name in _OURS), default=0) or most or OUTPUT
    times = max(1, *(whole(value(name)) for name in _TIMES))
    if kind == "completions":
        times *= _prompts(value("prompt"))
    return Most(most_in(body), each * times)


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
    parts = sum(body.count(mark) for mark in _PARTS)
    elsewhere = sum(body.count(mark) for mark in _BY_ADDRESS)
    return len(body) + MESSAGE * (1 + parts) + PART * elsewhere


def whole(value: Any) -> int:
    """A number as a provider may read it, which may be lenient about its form; 0 where it is none, or no bound."""
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
