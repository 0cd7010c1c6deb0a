"""Requests over kept connections: the transport of a client that has no `app`."""

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from portkey_ai._calls import MAX_ANSWER, Request
from portkey_ai._errors import APIConnectionError, APIResponseError, of_network
from portkey_ai._http1 import Answer, Origin, ProtocolError, head
from portkey_ai._network_async import AsyncConnection

if TYPE_CHECKING:
    import ssl

KEPT = 100
"""Idle connections to one origin; those in use are as many as there are calls."""
LINGER = 0.2
"""s in which a stream's connection must end after `[DONE]`; else it is closed."""


class AsyncReply(Protocol):
    """An answer whose head is there."""

    status: int
    headers: dict[str, str]

    async def more(self) -> bytes:
        """The next piece of the body; empty at its end."""
        ...

    async def finish(self) -> None:
        """The rest of the body is not wanted, but will come at once or never."""
        ...

    async def close(self) -> None:
        """Leave. Closing it again does nothing."""
        ...


class AsyncTransport(Protocol):
    """Whatever answers requests."""

    async def send(self, request: Request) -> AsyncReply:
        """Send it, and wait for the head of the answer. Raises `APIConnectionError`."""
        ...

    async def close(self) -> None:
        """Let go of what is kept."""
        ...


async def whole(reply: AsyncReply) -> bytes:
    """All of the body. Raises `APIResponseError` for one of more than `MAX_ANSWER`."""
    pieces, size = [], 0
    while piece := await reply.more():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_ANSWER:
            raise APIResponseError(f"The answer has more than {MAX_ANSWER} bytes.", headers=reply.headers)
    return b"".join(pieces)


class AsyncHttp:
    """The transport over HTTP/1.1. `context`: for TLS; without one, the system's certificates are trusted."""

    def __init__(self, context: "ssl.SSLContext | None" = None) -> None:
        self._context = context
        self._kept: dict[Origin, list[AsyncConnection]] = {}

    async def send(self, request: Request) -> "AsyncExchange":
        """Send it, and wait for the head of the answer. Raises `APIConnectionError`."""
        connection = self._idle(request.origin)
        if connection is None:
            connection = await AsyncConnection.open(request.origin, self._tls(request.origin))
        exchange = AsyncExchange(self, connection, request)
        try:
            await exchange.begin()
        except BaseException:
            await exchange.close()
            raise
        return exchange

    def keep(self, origin: Origin, connection: AsyncConnection) -> None:
        """Take a connection back that may be used again."""
        kept = self._kept.setdefault(origin, [])
        if len(kept) >= KEPT:
            kept.pop(0).close()
        connection.idle_since = time.monotonic()
        kept.append(connection)

    def _idle(self, origin: Origin) -> AsyncConnection | None:
        kept = self._kept.get(origin)
        while kept:
            try:
                connection = kept.pop()
            except IndexError:  # another thread took it
                return None
            if connection.usable():
                return connection
            connection.close()
        return None

    def _tls(self, origin: Origin) -> Any:
        if origin.secure and self._context is None:
            import ssl

            self._context = ssl.create_default_context()
        return self._context if origin.secure else None

    async def close(self) -> None:
        """Close the idle connections."""
        for kept in self._kept.values():
            while kept:
                kept.pop().close()


class AsyncExchange:
    """A request and its answer on a connection, which is kept when the answer is complete."""

    def __init__(self, pool: AsyncHttp, connection: AsyncConnection, request: Request) -> None:
        self._pool = pool
        self._connection: AsyncConnection | None = connection
        self._request = request
        self._answer = Answer(request.method)
        self._pieces: list[bytes] = []
        self.status = 0
        self.headers: dict[str, str] = {}

    async def begin(self) -> None:
        """Send the request, and read the head."""
        try:
            await self._write()
        except APIConnectionError:
            # Whoever refuses a body may answer and close before having read all of it.
            with suppress(APIConnectionError):
                await self._read_head()
            if not self.status:
                raise
        else:
            await self._read_head()

    async def _write(self) -> None:
        request, connection = self._request, self._live()
        target, headers = request.target, request.headers
        if connection.via is not None:
            target, headers = f"http://{request.origin.name}{target}", {**headers, **connection.via.headers}
        waiting = head(request.method, target, headers)
        for piece in request.body.pieces():
            if len(waiting) + len(piece) > 65536:
                await connection.write(waiting, request.timeout)
                waiting = b""
            waiting += piece
        await connection.write(waiting, request.timeout)

    async def _read_head(self) -> None:
        while not self._answer.status:
            await self._read(self._request.timeout)
        self.status, self.headers = self._answer.status, self._answer.headers
        self._settle()

    async def _read(self, silence: float | None) -> None:
        data = await self._live().read(silence)
        try:
            self._pieces += self._answer.feed(data)
        except ProtocolError as error:
            raise of_network(error, self._request.origin.name) from None

    def _live(self) -> AsyncConnection:
        if self._connection is None:
            raise APIConnectionError("The answer was closed.")
        return self._connection

    def _settle(self) -> None:
        """Give the connection back where the answer is complete."""
        if self._answer.done and self._connection is not None:
            if self._answer.reusable:
                self._pool.keep(self._request.origin, self._connection)
            else:
                self._connection.close()
            self._connection = None

    async def more(self) -> bytes:
        """The next piece of the body; empty at its end, and after `close`."""
        while not self._pieces and self._connection is not None:
            await self._read(self._request.timeout)
            self._settle()
        return self._pieces.pop(0) if self._pieces else b""

    async def finish(self) -> None:
        """The rest of the body is not wanted, but will come at once or never."""
        try:
            while self._connection is not None:
                await self._read(LINGER)
                self._settle()
        except APIConnectionError:
            await self.close()

    async def close(self) -> None:
        """Leave: unless the answer is complete, the connection is closed."""
        self._pieces.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
