"""The most that a request can consume, before it is sent: what a budget must be able to pay."""

from collections.abc import Callable
from typing import Any

PART = 50_000
"""Tokens that a part of a prompt may come to which is given by its address or id: a large picture, seen closely."""
MESSAGE = 16
"""Tokens beside its text that a message, or a part of one, comes to at most."""
OUTPUT = 16_384
"""Tokens of an answer, where neither the request nor the table of prices bounds it."""

_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_tokens_to_sample")
_TIMES = ("n", "best_of")
_BY_ADDRESS = (b'"http', b'"gs://', b'"s3://', b'"file_id"', b'"file_uri"', b'"fileUri"', b'"previous_response_id"')
_PARTS = (b'"role"', b'"type"', b'"text"')


def most_in(body: bytes) -> int:
    """The most tokens that a request can read: none is shorter than a byte, and what is elsewhere is bounded."""
    parts = sum(body.count(mark) for mark in _PARTS)
    elsewhere = sum(body.count(mark) for mark in _BY_ADDRESS)
    return len(body) + MESSAGE * (1 + parts) + PART * elsewhere


def most_out(value: Callable[[str], Any], most: int | None) -> int:
    """The most tokens that a request can be answered with. `value` gives a field of the request, decoded.

    `most`: the model's own bound, None where it is not known.
    """
    asked = [found for name in _LIMITS if type(found := value(name)) is int and found > 0]
    each = max(asked) if asked else most or OUTPUT
    times = [found for name in _TIMES if type(found := value(name)) is int]
    return each * max(1, *times, 1)
