"""What the fake answers: bytes of a head and a body, with pauses between them, and how it ends.

Everything is settled here, at the level of bytes, so that the server only writes. An answer is made by one of the
functions below and made worse by the methods of `Reply`.
"""

import gzip as gzipping
import json as text_of
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

REASONS = {200: "OK", 302: "Found", 307: "Temporary Redirect", 404: "Not Found", 429: "Too Many Requests"}


class Gate(threading.Event):
    """A pause that ends when the test says `set()`: for order without clocks."""


Part = bytes | float | Gate
"""Bytes to send, seconds to wait, or a gate to wait at."""
Ending = Literal["keep", "close", "reset", "hold"]


@dataclass(frozen=True)
class Reply:
    """An answer. `end`: keep the connection, close it, reset it (RST), or hold it open until the client leaves."""

    head: bytes
    parts: tuple[Part, ...] = ()
    end: Ending = "keep"

    def cut(self, size: int, end: Ending = "close") -> "Reply":
        """Only the first `size` bytes that follow the head (those of the chunked framing counted), then the end."""
        kept: list[Part] = []
        for part in self.parts:
            if isinstance(part, bytes):
                kept.append(part[:size])
                size -= len(part)
                if size <= 0:
                    break
            else:
                kept.append(part)
        return replace(self, parts=tuple(kept), end=end)

    def cut_after(self, count: int, end: Ending = "close") -> "Reply":
        """Only the first `count` pieces of a stream, whole, then the end."""
        kept: list[Part] = []
        for part in self.parts:
            if isinstance(part, bytes):
                if count == 0:
                    break
                count -= 1
            kept.append(part)
        return replace(self, parts=tuple(kept), end=end)

    def reset(self) -> "Reply":
        """The same, with a reset of the connection as its end."""
        return replace(self, end="reset")

    def stalled(self, count: int = 0) -> "Reply":
        """The head and `count` pieces, then nothing more on an open connection."""
        return self.cut_after(count, "hold")

    def late(self, pause: float | Gate) -> "Reply":
        """The same, head included, after a pause."""
        return Reply(b"", (pause, self.head, *self.parts), self.end)

    def slowly(self, *pauses: float | Gate) -> "Reply":
        """The same with a pause before each piece; the last pause counts for all that follow."""
        left = list(pauses)
        parts: list[Part] = []
        for part in self.parts:
            if isinstance(part, bytes):
                parts.append(left.pop(0) if len(left) > 1 else left[0])
            parts.append(part)
        return replace(self, parts=tuple(parts))

    def unended(self) -> "Reply":
        """Without its last piece: of a stream the closing chunk, so that its framing is left open."""
        return replace(self, parts=self.parts[:-1], end="close")


def _head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def raw(data: bytes, end: Ending = "close") -> Reply:
    """Exactly these bytes, whatever they are."""
    return Reply(data, (), end)


def silence() -> Reply:
    """Nothing at all on an open connection."""
    return Reply(b"", (), "hold")


def body(
    status: int, content_type: str, data: bytes, headers: Mapping[str, str] | None = None, *, gzip: bool = False
) -> Reply:
    """A whole answer with a content-length."""
    if gzip:
        data = gzipping.compress(data)
        headers = {**(headers or {}), "content-encoding": "gzip"}
    fields = [("content-type", content_type), ("content-length", str(len(data))), *(headers or {}).items()]
    return Reply(_head(status, fields), (data,))


def json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None, *, gzip: bool = False) -> Reply:
    """JSON; bytes are sent as they are."""
    data = value if isinstance(value, bytes) else text_of.dumps(value).encode()
    return body(status, "application/json", data, headers, gzip=gzip)


def text(value: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Plain text."""
    return body(status, "text/plain; charset=utf-8", value.encode(), headers)


def html(value: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A page, such as a proxy in front of a provider sends."""
    return body(status, "text/html", value.encode(), headers)


def redirect(location: str, status: int = 307) -> Reply:
    """A redirect."""
    return body(status, "text/plain", b"", {"location": location})


def stream(
    pieces: Iterable[bytes],
    *,
    status: int = 200,
    content_type: str = "text/event-stream",
    headers: Mapping[str, str] | None = None,
    framing: Literal["chunked", "close"] = "chunked",
) -> Reply:
    """Pieces, each sent by itself: framed as chunks, or ended by the end of the connection."""
    fields = [("content-type", content_type), *(headers or {}).items()]
    if framing == "close":
        return Reply(_head(status, [*fields, ("connection", "close")]), tuple(pieces), "close")
    chunks = tuple(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return Reply(_head(status, [*fields, ("transfer-encoding", "chunked")]), (*chunks, b"0\r\n\r\n"))


def events(values: Iterable[Any], *, done: bool = True, **how: Any) -> Reply:
    """Server-sent events, one piece each. Bytes and text are sent as their data unchanged; `done`: `[DONE]` follows."""
    pieces = [b"data: " + _data(value) + b"\n\n" for value in values]
    return stream([*pieces, b"data: [DONE]\n\n"] if done else pieces, **how)


def _data(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else text_of.dumps(value, separators=(",", ":")).encode()
