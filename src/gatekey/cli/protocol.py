"""The server's HTTP protocol: uvicorn's, with bounds that it lacks, and a shorter way for a complete answer."""

import asyncio
import math
from collections.abc import Callable
from urllib.parse import unquote

from httptools import parse_url
from uvicorn._types import ASGIVersions
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gatekey.gateway.line import EXTENSION

MAX_HEAD = 512 * 1024
"""Bytes of a request line and headers: an inline config travels in a header, and may have 256 kB."""
PATIENCE = 60.0
"""s in which a request's head must have come, and between two pieces of its body."""


_ASGI: ASGIVersions = {"version": "3.0", "spec_version": "2.3"}


class Line:
    """One request's connection, as the gateway may use it."""

    __slots__ = ("_cycle", "leaving", "loop")

    def __init__(
        self, cycle: RequestResponseCycle, leaving: set[Callable[[], None]], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._cycle = cycle
        self.leaving = leaving
        self.loop = loop

    def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a complete answer in one go; what the server's own `send` does in two steps and with more looks.

        Raises RuntimeError where a header would break the head.
        """
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started or cycle.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        cycle.transport.write(self._head(status, headers) + body)
        self._complete()
        return True

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> bool:
        """Write the head of an answer whose length nobody knows. Raises RuntimeError where a header would break it."""
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started or cycle.scope["method"] == "HEAD":
            return False
        if cycle.scope["http_version"] != "1.1" or b"content-length" in dict(headers):
            return False
        cycle.transport.write(self._head(status, [*headers, (b"transfer-encoding", b"chunked")]))
        cycle.chunked_encoding = True
        return True

    def more(self, data: bytes, *, last: bool) -> bool:
        """Write some of what `begin` began; `last`: and its end."""
        cycle = self._cycle
        if cycle.disconnected or cycle.flow.write_paused or cycle.response_complete or not cycle.chunked_encoding:
            return False
        framed = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        cycle.transport.write(framed + b"0\r\n\r\n" if last else framed)
        if last:
            self._complete()
        return True

    def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        cycle = self._cycle
        lines = [b"%b: %b" % pair for pair in (*cycle.default_headers, *headers)]
        if b"connection" in dict(headers):
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        if head.count(b"\n") + head.count(b"\r") != 2 * len(lines) - 2:
            raise RuntimeError("a response header holds a line break")
        cycle.response_started = True
        return STATUS_LINE[status] + head + b"\r\n\r\n"

    def _complete(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class Protocol(HttpToolsProtocol):
    """A connection. A request nearly always comes in one piece, which costs two comparisons."""

    _pending = 0  # bytes of a head that has begun and is not complete
    _complete = True
    _late: asyncio.TimerHandle | None = None
    _idle_since = math.inf  # by the loop's clock; infinity while a request is under way

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller connected: it has its time to ask."""
        super().connection_made(transport)
        self._leaving: set[Callable[[], None]] = set()
        self._late = self.loop.call_later(PATIENCE, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """A caller left."""
        self._in_time()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)
        for leave in tuple(self._leaving):
            leave()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        if self._late is not None:
            self._in_time()
        if not self._complete:
            self._pending += len(data)
            if self._pending > MAX_HEAD:
                return self.send_400_response(f"The request line and headers are larger than {MAX_HEAD // 1024} kB.")
        elif self.cycle is None or not self.cycle.more_body or self.cycle.response_complete:
            return None
        self._late = self.loop.call_later(PATIENCE, self.transport.close)
        return None

    def on_message_begin(self) -> None:
        """A request starts."""
        self._complete, self._pending = False, 0
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Its head is here."""
        self._complete = True
        parser, url = self.parser, self.url
        version = parser.get_http_version()
        path, query = url, b""
        if not url.startswith(b"/") or b"?" in url or b"#" in url:
            parsed = parse_url(url)
            path, query = parsed.path or b"/", parsed.query or b""
        self.scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme or "http",
            "root_path": "",
            "headers": self.headers,
            "method": parser.get_method().decode("ascii"),
            "path": unquote(path) if b"%" in path else path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
        }
        before = self.cycle
        cycle = self.cycle = RequestResponseCycle(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            False,
            self.server_state.default_headers,
            asyncio.Event(),
            self.expect_100_continue,
            version != "1.0" and parser.should_keep_alive(),
            self.on_response_complete,
        )
        self.scope["extensions"] = {EXTENSION: {"line": Line(cycle, self._leaving, self.loop)}}
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:  # a pipelined request, whose turn comes later
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    # One timer serves a connection for all its idle times: to start and stop one with every answer costs more.

    def on_response_complete(self) -> None:
        """An answer is complete: the next pipelined request, or idleness."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return None
        self.flow.resume_reading()
        if self.pipeline:
            return self._start_asgi_task(*self.pipeline.pop())
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_again(self.timeout_keep_alive)
        return None

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = math.inf

    def timeout_keep_alive_handler(self) -> None:
        """Close what has been idle for its time."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            super().timeout_keep_alive_handler()
        else:
            self._look_again(min(left, self.timeout_keep_alive))

    def _look_again(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
