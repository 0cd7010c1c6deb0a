"""Connections of asyncio. `_network_sync` is the same for threads, written by hand."""

import asyncio
import ssl
import time
from asyncio import sleep as sleep
from contextlib import suppress

from portkey_ai._errors import of_network
from portkey_ai._http1 import Answer, Origin, ProtocolError, head
from portkey_ai._proxies import Proxy, proxy

CONNECTING = 5.0
"""s for a connection, TLS included."""
IDLE = 30.0
"""s after which an idle connection is not used again; the gateway keeps it for 75."""
PIECE = 64 * 1024


class AsyncConnection:
    """A connection to an origin, perhaps through a proxy. Raises `APIConnectionError`."""

    def __init__(self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._where = origin.name
        self._reader, self._writer = reader, writer
        self._loop = asyncio.get_running_loop()
        self.via: Proxy | None = None
        self.idle_since = 0.0

    @classmethod
    async def open(cls, origin: Origin, context: ssl.SSLContext | None) -> "AsyncConnection":
        """A new connection; with TLS where the origin wants it."""
        try:
            async with asyncio.timeout(CONNECTING):
                return await cls._open(origin, context, proxy(origin))
        except (OSError, ProtocolError) as error:
            raise of_network(error, origin.name, connecting=True) from error

    @classmethod
    async def _open(cls, origin: Origin, context: ssl.SSLContext | None, via: Proxy | None) -> "AsyncConnection":
        if via is None:
            name = origin.host if context else None
            reader, writer = await asyncio.open_connection(
                origin.host, origin.port, ssl=context, server_hostname=name, happy_eyeballs_delay=0.25
            )
            return cls(origin, reader, writer)
        made = cls(origin, *await asyncio.open_connection(via.host, via.port))
        if context is None:
            made.via = via
            return made
        try:
            await made._tunnel(origin.authority, via)
            await made._writer.start_tls(context, server_hostname=origin.host)
        except BaseException:
            made.close()
            raise
        return made

    async def _tunnel(self, authority: str, via: Proxy) -> None:
        self._writer.write(head("CONNECT", authority, {"host": authority, **via.headers}))
        answer = Answer("CONNECT")
        while not answer.done:
            answer.feed(await self._reader.read(PIECE))
        if answer.status >= 300:
            raise ProtocolError(f"The proxy answered with status {answer.status}.")

    async def write(self, data: bytes, silence: float | None) -> None:
        """Send; waits while the other side does not take it."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(silence):
                await self._writer.drain()
        except OSError as error:
            raise of_network(error, self._where) from error

    async def read(self, silence: float | None) -> bytes:
        """What has come; waits for something. Empty: the connection has ended."""
        try:
            async with asyncio.timeout(silence):
                return await self._reader.read(PIECE)
        except OSError as error:
            if early := self._early():
                return early
            raise of_network(error, self._where) from error

    def _early(self) -> bytes:
        """What came before the connection broke, which asyncio would keep for itself."""
        buffer = self._reader._buffer  # type: ignore[attr-defined]
        data = bytes(buffer)
        buffer.clear()
        return data

    def usable(self) -> bool:
        """Whether an idle connection may be used again: here, now, and with nothing unasked for on it."""
        return (
            self._loop is asyncio.get_running_loop()
            and time.monotonic() - self.idle_since < IDLE
            and not self._reader.at_eof()
            and not self._writer.is_closing()
            and not self._reader._buffer  # type: ignore[attr-defined]
        )

    def close(self) -> None:
        """End it at once, in any thread."""
        with suppress(RuntimeError):  # of a loop that is closed
            if self._loop.is_running() and asyncio._get_running_loop() is not self._loop:
                self._loop.call_soon_threadsafe(self._abort)
            else:
                self._abort()

    def _abort(self) -> None:
        self._writer.transport.abort()

    def __del__(self) -> None:
        """Whoever lets go of it has left."""
        self.close()
