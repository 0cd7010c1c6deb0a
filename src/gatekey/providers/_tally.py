"""What a forwarded answer says of its usage, and what passed of an answer that was not told to its end.

A forwarded answer is in the provider's own format, and passes as it came. Wherever providers put their usage it is
found; a stream reports more than once, each report whole or the rest of an earlier one, so that later counts hold.
"""

from math import ceil
from typing import Any

from msgspec import DecodeError
from msgspec.json import Decoder

from gatekey.errors import Nonsense
from gatekey.streaming import sse

MAX_READ = 4 * 1024 * 1024
"""Bytes of an unstreamed answer that are kept to be read; of a larger one the usage is not known."""
TOKEN = 4
"""Bytes of text in a token, about, where nobody tells."""
_INSIDE = ("response", "message")
"""Where events of some providers have their usage and their model: in the answer so far."""

_CARRIED = {
    "delta", "message", "text", "content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function",
    "arguments",
}  # fmt: skip
"""What carries text in a chunk's choices."""

_decode = Decoder().decode


class Tally:
    """Reads along while an answer is forwarded. Never raises: what cannot be read has not told anything."""

    def __init__(self, content_type: str) -> None:
        self._events = sse.Decoder() if content_type.startswith("text/event-stream") else None
        self._json = "json" in content_type
        self._kept: list[bytes] = []
        self._size = 0
        self.usage: dict[str, Any] = {}
        """The report so far, empty where there was none."""
        self.model = ""

    def feed(self, data: bytes) -> None:
        """Some of the answer."""
        if self._events is not None:
            try:
                events = self._events.feed(data)
            except Nonsense:
                self._events = None
                return
            for event in events:
                if b'"usage' in event.data or (not self.model and b'"model' in event.data):
                    self._read(event.data)
        elif self._json:
            self._size += len(data)
            self._kept.append(data)
            if self._size > MAX_READ:
                self._json, self._kept = False, []

    def close(self) -> None:
        """The answer is over."""
        if self._kept:
            self._read(b"".join(self._kept))
            self._kept = []

    def _read(self, data: bytes) -> None:
        try:
            told = _decode(data)
        except (DecodeError, RecursionError, UnicodeDecodeError):
            return
        for part in told if isinstance(told, list) else (told,):
            self._take(part)

    def _take(self, told: Any) -> None:
        if not isinstance(told, dict):
            return
        for place in (told, *(told.get(name) for name in _INSIDE)):
            if not isinstance(place, dict):
                continue
            for name in ("usage", "usageMetadata"):
                report = place.get(name)
                if isinstance(report, dict):
                    self.usage |= {key: value for key, value in report.items() if value is not None}
            model = place.get("model") or place.get("modelVersion")
            if isinstance(model, str):
                self.model = model


def tokens(size: int) -> int:
    """About how many tokens text of `size` bytes has."""
    return ceil(size / TOKEN)


def passed(frames: bytes) -> int:
    """About how many tokens an answer in our dialect carries, or the frames of one: their text, and what tools are
    called with."""
    size = 0
    decoder = sse.Decoder()
    told = [frames] if frames.startswith(b"{") else [each.data for each in (*decoder.feed(frames), *decoder.close())]
    for data in told:
        try:
            size += _text(_decode(data))
        except (DecodeError, RecursionError, UnicodeDecodeError):
            continue
    return tokens(size)


def _text(value: Any, inside: bool = False) -> int:
    """Bytes of the texts in a chunk's choices."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")) if inside else 0
    if isinstance(value, list):
        return sum(_text(item, inside) for item in value)
    if isinstance(value, dict):
        wanted = ("choices",) if not inside else _CARRIED & value.keys()
        return sum(_text(value[name], True) for name in wanted if name in value)
    return 0
