"""The server's HTTP protocol with the bounds that it lacks: on the size of a request's head, and on its time."""

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gatekey.gateway.watch import LEAVING

MAX_HEAD = 512 * 1024
"""Bytes of a request line and headers: an inline config travels in a header, and may have 256 kB."""
HEAD_TIME = 60.0
"""s in which a request's head must have come."""


class Protocol(HttpToolsProtocol):
    """uvicorn's own, bounded. A head nearly always comes in one piece, which costs one comparison."""

    _pending = 0  # bytes of a head that has begun and is not complete
    _complete = True
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller connected: it has its time to ask."""
        super().connection_made(transport)
        self._leaving: set[Callable[[], None]] = set()
        self._late = self.loop.call_later(HEAD_TIME, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """A caller left."""
        self._in_time()
        super().connection_lost(exc)
        for leave in tuple(self._leaving):
            leave()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        super().data_received(data)
        if self._complete:
            if self._late is not None:
                self._in_time()
            return
        self._pending += len(data)
        if self._pending > MAX_HEAD:
            self.send_400_response(f"The request line and headers are larger than {MAX_HEAD // 1024} kB.")
        elif self._late is None:
            self._late = self.loop.call_later(HEAD_TIME, self.transport.close)

    def on_message_begin(self) -> None:
        """A request starts."""
        self._complete, self._pending = False, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is here."""
        self._complete = True
        self.scope["extensions"] = {LEAVING: {"call": self._leaving}}
        super().on_headers_complete()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
