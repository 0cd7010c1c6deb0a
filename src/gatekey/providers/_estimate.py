"""About how many tokens there are in what was asked and answered, where nobody tells: of an answer that broke off,
of a provider that reports nothing.
"""

from math import ceil
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from gatekey.streaming import sse

TOKEN = 4
"""Bytes of text in a token, about."""
MEDIA = 1000
"""Tokens of a picture, a sound or a document that is sent along, about."""
SAMPLE = 32 * 1024
"""Bytes of frames that are read, to the end of the frame that they end in."""
LONG = 1024
"""Bytes of a string without a space from which on it is not text."""

_CARRIED = {
    "delta", "message", "text", "content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function",
    "arguments", "thinking", "partial_json", "parts", "functionCall", "args",
}  # fmt: skip
"""What carries text in the chunks of a stream, in any of the dialects that are forwarded."""
_CHUNKS = ("choices", "delta", "candidates")
"""What of a chunk is an answer's: what tells it again at its end is not."""

_decode = Decoder().decode


def read(body: bytes) -> int:
    """About how many tokens a request has that is JSON: its texts, and the names beside them, which stand for what a
    template adds; 0 for what is no JSON."""
    try:
        return _weight(_decode(body))
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return 0


def passed(frames: bytes, size: int = 0) -> int:
    """About how many tokens an answer carries, or the frames of one: their text, and what tools are called with.

    `size` bytes passed in all, where `frames` are the beginning: that stands for the rest. So does the beginning of
    many frames, for whoever leaves may be one of many.
    """
    if frames.startswith(b"{"):
        told = [frames]
    else:
        size = max(size, len(frames))
        end = frames.find(b"\n\n", SAMPLE)
        frames = frames[: end + 2] if end >= 0 else frames
        decoder = sse.Decoder()
        told = [each.data for each in (*decoder.feed(frames), *decoder.close())]
    text = 0
    for data in told:
        try:
            text += _text(_decode(data))
        except (DecodeError, RecursionError, UnicodeDecodeError):
            continue
    return ceil(text * max(size / max(len(frames), 1), 1) / TOKEN)


def _weight(value: Any) -> int:
    size, media = 0, 0
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if item.startswith("data:") or (len(item) > LONG and " " not in item[:LONG]):
                media += 1
            else:
                size += len(item.encode("utf-8", "replace"))
        elif isinstance(item, dict):
            waiting += (*item, *item.values())
        elif isinstance(item, list):
            waiting += item
        elif type(item) in (int, float):
            size += TOKEN  # an id of a token, more often than not
    return ceil(size / TOKEN) + MEDIA * media


def _text(value: Any, inside: bool = False) -> int:
    """Bytes of the texts in a chunk."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")) if inside else 0
    if isinstance(value, list):
        return sum(_text(item, inside) for item in value)
    if isinstance(value, dict):
        if not inside and str(value.get("type")).endswith("audio.delta"):
            return 0  # sound, in base64
        wanted = _CHUNKS if not inside else (*(_CARRIED & value.keys()),)
        return sum(_text(value[name], True) for name in wanted if name in value)
    return 0
