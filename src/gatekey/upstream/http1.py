"""One HTTP/1.1 connection: a request written, a response read, nothing assumed.

It knows no pool, no policy and no URL. Bytes are parsed by llhttp (httptools) in its strict mode; what breaks
the protocol is `Nonsense`, a connection that ends before its message does is `Unreachable`. Contents are
never decoded. Reading pauses while more than 256 kB wait to be taken, so a slow caller slows the upstream.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import httptools

from gatekey.errors import Nonsense, Unreachable, UpstreamError

if TYPE_CHECKING:
    from gatekey.upstream.transport import Headers

HEAD_LIMIT = 256 * 1024  # bytes of a response's head, interim responses included; of its trailer also
WAITING_LIMIT = 256 * 1024  # bytes of a body that wait to be taken before reading pauses


class Connection(asyncio.Protocol):
    """Carries one exchange at a time: `start`, the head from `head()`, the body from `read()` until None."""

    def __init__(self, host: str, on_lost: Callable[["Connection"], None]) -> None:
        self.host = host
        self._on_lost = on_lost
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.idle_since = 0.0
        self._started = False
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._writable: asyncio.Future[None] | None = None
        self._reset("")

    def _reset(self, method: str) -> None:
        self.status = 0
        self.headers: Headers = []
        self.received = 0  # bytes of this exchange's response so far
        self._bodiless = 0  # bytes since the last that were part of a body
        self.error: UpstreamError | None = None
        self._method = method
        self._headed = False
        self._done = False
        self._keep = False
        self._until_close = False
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    # what the client calls

    def start(self, method: str, data: bytes) -> None:
        """Begin an exchange by writing its first bytes."""
        self._reset(method)
        self._started = True
        self.write(data)

    def write(self, data: bytes) -> None:
        """More of the request. Nothing happens on a closed connection: reading tells."""
        if self.transport is not None and not self.closed:
            self.transport.write(data)

    async def drain(self) -> None:
        """Wait while the peer takes no more."""
        if self._writable is not None:
            await self._writable

    async def head(self) -> None:
        """Wait until `status` and `headers` are known. Raises `Unreachable` or `Nonsense`."""
        while not self._headed:
            if self.error is not None:
                raise self.error
            await self._wait()
        if self.status < 200:
            raise Nonsense(f"{self.host} answered with status {self.status}.")

    async def read(self) -> bytes | None:
        """The bytes of the body that have come, at least one; None at its end. Raises `Unreachable`, `Nonsense`."""
        while not self._waiting:
            if self._done:
                return None
            if self.error is not None:
                raise self.error
            await self._wait()
        data = self._waiting.popleft() if len(self._waiting) == 1 else b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        if self._paused and self.transport is not None and not self.closed:
            self._paused = False
            self.transport.resume_reading()
        return data

    def taken(self) -> bytes | None:
        """The whole body where all of it has come in one piece and nothing has been read of it; else None."""
        if not self._done or self._paused or self.error is not None or len(self._waiting) != 1:
            return None
        self._size = 0
        return self._waiting.popleft()

    @property
    def drained(self) -> bool:
        """Whether the whole answer has been read."""
        return self._done and not self._waiting

    def reusable(self) -> bool:
        """Whether the exchange is over and the connection fit for another."""
        return self._done and self._keep and not self.closed and self.error is None

    def rest(self, now: float) -> None:
        """Lie idle: whatever comes now is unasked for and closes the connection."""
        self._started = False
        self.idle_since = now

    def fail(self, error: UpstreamError) -> None:
        """End the exchange with an error: whoever waits gets it."""
        if self.error is None and not self._done:
            self.error = error
        self.abort()
        self._wake()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self.closed = True
        if self.transport is not None:
            self.transport.abort()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.closed:
            return
        if not self._started or self._done:
            self.abort()
            return
        self.received += len(data)
        self._bodiless += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            # After the end of the message it is only the connection that is spoilt.
            self.fail(Nonsense(f"{self.host} answered something that is not HTTP/1.1."))
            return
        if self._bodiless > HEAD_LIMIT and not self._done:
            self.fail(Nonsense(f"{self.host} answered with a head or trailer of more than {HEAD_LIMIT // 1024} kB."))
        elif self._size > WAITING_LIMIT and not self._paused and not self._done and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        return False  # close

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._headed and self._until_close and exc is None and self.error is None:
            self._done = True
        if not self._done and self.error is None:
            part = "in the middle of its answer" if self.received else "before it answered"
            self.error = Unreachable(f"{self.host} closed the connection {part}.")
        self._wake()
        self.resume_writing()
        self._on_lost(self)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # what the parser calls

    def on_message_begin(self) -> None:
        if self._done:  # a second answer to one question
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._headed:  # not a trailer
            self.headers.append((_name(name), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if self._done:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self.headers = []
            return
        self.status = status
        self._headed = True
        if self._method == "HEAD":
            # The parser cannot be told that no body follows: the connection serves no other request.
            self._done = True
        self._until_close = self._unframed()

    def on_body(self, body: bytes) -> None:
        if not self._done:
            self._bodiless = 0
            self._waiting.append(body)
            self._size += len(body)

    def on_message_complete(self) -> None:
        if self._headed and not self._done:
            self._done = True
            self._keep = self._parser.should_keep_alive()

    def _unframed(self) -> bool:
        """Whether only the end of the connection ends the body (RFC 9112, 6.3)."""
        sized, coding = False, None
        for name, value in self.headers:
            if name == "content-length":
                sized = True
            elif name == "transfer-encoding":
                coding = value
        return not sized if coding is None else not coding.lower().rstrip().endswith("chunked")


@lru_cache(4096)
def _name(name: bytes) -> str:
    """A header's name in lower case: servers send the same ones again and again."""
    return name.decode("latin-1").lower()
