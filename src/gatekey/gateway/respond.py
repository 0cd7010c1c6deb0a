"""What the caller gets: heads, frames, errors, and the headers that say what happened."""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gatekey.errors import GatekeyError, Limited, UpstreamError
from gatekey.gateway.call import Call
from gatekey.gateway.headers import HOP_BY_HOP, named_by_connection
from gatekey.gateway.line import Line
from gatekey.routing.plan import Outcome, Sent
from gatekey.wire import error

if TYPE_CHECKING:
    from gatekey.gateway.entry import Entry

Send = Callable[[dict[str, Any]], Awaitable[None]]
Pairs = list[tuple[bytes, bytes]]

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"

MAX_LISTED = 4000
"""Bytes of a header that lists names."""

_OURS = ("x-portkey-", "x-gatekey-")
_FOREIGN = (*_OURS, "access-control-")
_NOT_RELAYED = HOP_BY_HOP | {
    "content-type", "content-encoding", "cache-control", "x-accel-buffering", "set-cookie", "date", "server",
    "alt-svc", "strict-transport-security", "x-should-retry",
}  # fmt: skip
_NOT_PROXIED = HOP_BY_HOP - {"content-length"} | {"date", "server"}


class Broken(Exception):
    """An answer that was begun cannot be completed: the connection must break, so that it does not look complete."""


class Reply:
    """The answer to one request, written once. `sent` says what the caller has been given so far."""

    def __init__(self, send: Send, line: Line | None = None) -> None:
        self._send = send
        self._line = line
        self.sent = Sent.NOTHING
        self.status = 0
        self.finished = False
        self.entry: Entry | None = None
        """The call's record, which is written before the answer's last bytes."""

    async def head(self, status: int, headers: Pairs) -> None:
        """The status line and headers."""
        self.sent = Sent.HEAD
        self.status = status
        if self.entry is not None:
            self.entry.status, self.entry.headers = status, headers
        if self._line is None or not self._line.begin(status, headers):
            await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def content(self, data: bytes) -> None:
        """Some of the body, sent at once."""
        self.sent = Sent.CONTENT
        if self.entry is not None:
            self.entry.saw(data)
        if self._line is None or not self._line.more(data, last=False):
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """The body is complete with `data`."""
        self.finished = True
        if self.entry is not None:
            self.entry.saw(data)
            self.entry.write()
        if self._line is None or not self._line.more(data, last=True):
            await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def whole(self, status: int, headers: Pairs, body: bytes) -> None:
        """A complete answer in one go."""
        self.sent = Sent.CONTENT
        self.status = status
        self.finished = True
        if self.entry is not None:
            self.entry.status, self.entry.headers = status, headers
            self.entry.saw(body)
            self.entry.write()
        if status not in (204, 304):  # which have no body, not an empty one
            headers.append((b"content-length", b"%d" % len(body)))
            if self._line is not None and self._line.whole(status, headers, body):
                return
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def relayed(headers: Sequence[tuple[str, str]], *, untouched: bool = False) -> list[tuple[str, str]]:
    """An upstream's headers that may pass: never its connection's, never any that look like ours.

    `untouched`: the body passes as it came, so its description passes too.
    """
    connection = ",".join([value for name, value in headers if name == "connection"])
    kept, foreign = _kept(connection, untouched), _OURS if untouched else _FOREIGN
    return [pair for pair in headers if pair[0] not in kept and not pair[0].startswith(foreign)]


@lru_cache(256)
def _kept(connection: str, untouched: bool) -> frozenset[str]:
    """The header fields that do not pass; `connection` is what the upstream's `Connection` says."""
    return (_NOT_PROXIED if untouched else _NOT_RELAYED) | named_by_connection(connection)


def headers(call: Call, outcome: Outcome, *, cache: str, unavailable: tuple[str, ...]) -> Pairs:
    """The documented headers, ours, and those of the provider."""
    pairs: Pairs = [
        (b"x-portkey-trace-id", call.trace_id.encode()),
        (b"x-portkey-retry-attempt-count", b"%d" % outcome.retries),
        (b"x-portkey-cache-status", cache.encode()),
        (b"x-portkey-last-used-option-index", outcome.path.encode()),
        (b"x-portkey-provider", outcome.provider.encode()),
    ]
    for name, values in (
        (b"x-gatekey-dropped-params", outcome.dropped),
        (b"x-gatekey-clamped-params", outcome.clamped),
        (b"x-gatekey-not-available", unavailable),
    ):
        if values:
            # Some of them are the caller's own words, which must not become headers.
            pairs.append((name, ", ".join(values).encode("unicode_escape")[:MAX_LISTED]))
    if not outcome.ok and outcome.retries:
        pairs.append((b"x-should-retry", b"false"))
    if outcome.status >= 400:
        pairs.append((b"x-gatekey-failed-by", (outcome.by if outcome.error is None else by(outcome.error)).encode()))
    pairs += [(name.encode("latin-1", "replace"), value.encode("latin-1")) for name, value in outcome.headers]
    return pairs


def failed(failure: GatekeyError, trace_id: str) -> tuple[int, Pairs, bytes]:
    """An answer of the gateway's own, made before or beside any attempt."""
    pairs: Pairs = [(b"x-portkey-trace-id", trace_id.encode()), (b"content-type", JSON.encode())]
    pairs.append((b"x-gatekey-failed-by", by(failure).encode()))
    if isinstance(failure, Limited):
        pairs.append((b"retry-after", b"%d" % failure.retry_after))
    if failure.status == 401:
        pairs.append((b"www-authenticate", b"Bearer"))
    if failure.status in (408, 413):
        pairs.append((b"connection", b"close"))
    return failure.status, pairs, error.body(error.of(failure))


def event(failure: GatekeyError) -> bytes:
    """A failure after the head of a stream. It is the last frame: no `[DONE]` follows."""
    return b"event: error\ndata: " + error.body(error.of(failure), failed_by=by(failure)) + b"\n\n"


def by(failure: GatekeyError) -> str:
    """Who failed, as callers are told: `provider` also where the exchange with it did."""
    return "provider" if isinstance(failure, UpstreamError) else "gateway"
