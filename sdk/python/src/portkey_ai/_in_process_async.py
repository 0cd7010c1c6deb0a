"""A transport into an ASGI application, without a socket: for tests and notebooks.

The application runs as a task of its own for each request. Whoever closes an answer before its end is gone for the
application, as a caller who hangs up is: `receive` says so, and a task that does not end by itself is cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from portkey_ai._calls import Request
from portkey_ai._errors import APIConnectionError, APITimeoutError

GRACE = 5.0
"""s that an application may take to end a request whose caller has gone, and to start or to end itself."""
AHEAD = 8
"""Pieces of an answer that wait to be read; then the application waits."""

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class AsyncInProcess:
    """The transport; starts the application at the first request, ends it at `close`."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lifespan: Lifespan | None = None
        self._starting = asyncio.Lock()

    async def send(self, request: Request) -> "Exchange":
        """Send it, and wait for the head of the answer. Raises `APIConnectionError`."""
        async with self._starting:
            if self._lifespan is None:
                begun = Lifespan(self._app)
                try:
                    await begun.start()
                except BaseException:
                    await begun.cancel()
                    raise
                self._lifespan = begun
        exchange = Exchange(self._app, request)
        try:
            await exchange.begin()
        except BaseException:
            await exchange.close()
            raise
        return exchange

    async def close(self) -> None:
        """End the application."""
        ended, self._lifespan = self._lifespan, None
        if ended is not None:
            await ended.stop()


class Lifespan:
    """The application's start and end (ASGI lifespan), where it has them."""

    def __init__(self, app: App) -> None:
        self._said: asyncio.Queue[Message] = asyncio.Queue(1)
        self._told: asyncio.Queue[Message] = asyncio.Queue(1)
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(app(scope, self._told.get, self._said.put))

    async def start(self) -> None:
        """Raises `APIConnectionError` where the application says that it cannot start."""
        said = await self._ask("lifespan.startup")
        if said is not None and said["type"] == "lifespan.startup.failed":
            raise APIConnectionError(f"The application did not start: {said.get('message', '')}")

    async def stop(self) -> None:
        """Let it end; it is cancelled where it does not."""
        if not self._task.done():
            await self._ask("lifespan.shutdown")
        await self.cancel()

    async def cancel(self) -> None:
        """End it, in whatever it is."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _ask(self, kind: str) -> Message | None:
        """What it says to that; None where it says nothing, as one without a lifespan."""
        self._told.put_nowait({"type": kind})
        said = asyncio.ensure_future(self._said.get())
        await asyncio.wait([said, self._task], timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
        if said.done():
            return said.result()
        said.cancel()
        if self._task.done():
            self._task.exception()  # not supported: no reason to warn
        return None


class Running:
    """The application at work on a request. It knows nothing of who reads the answer, so that letting go is leaving."""

    def __init__(self, app: App, request: Request) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Queue[Message | None] = asyncio.Queue(AHEAD)
        self.gone = asyncio.Event()
        self._body = request.body.pieces()
        self._given = False
        self.task = self.loop.create_task(self._run(app, request))
        self.task.add_done_callback(_seen)

    async def _run(self, app: App, request: Request) -> None:
        try:
            await app(_scope(request), self._receive, self._send)
        finally:
            if not self.gone.is_set():
                await self.answer.put(None)

    async def _receive(self) -> Message:
        if not self._given:
            piece = next(self._body, b"")
            self._given = not piece
            return {"type": "http.request", "body": piece, "more_body": bool(piece)}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if not self.gone.is_set():
            await self.answer.put(message)

    def leave(self) -> None:
        """Nobody reads any more: the application is told, and ends within `GRACE`."""
        if not self.gone.is_set():
            self.gone.set()
            self.loop.call_later(GRACE, self.task.cancel)
        while not self.answer.empty():  # one of them may wait for room
            self.answer.get_nowait()


def _seen(task: "asyncio.Task[None]") -> None:
    """Whoever reads the answer is told of a failure; nobody else is."""
    if not task.cancelled():
        task.exception()


class Exchange:
    """A request to the application, and its answer."""

    def __init__(self, app: App, request: Request) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self._timeout = request.timeout
        self._complete = False
        self._running = Running(app, request)

    async def begin(self) -> None:
        """Wait for the head."""
        message = await self._next()
        self.status = message["status"]
        for name, value in message.get("headers", ()):
            key, text = bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    async def more(self) -> bytes:
        """The next piece of the body; empty at its end, and after `close`."""
        while not self._complete and not self._running.gone.is_set():
            message = await self._next()
            self._complete = not message.get("more_body", False)
            if body := message.get("body", b""):
                return bytes(body)
        return b""

    async def _next(self) -> Message:
        running = self._running
        try:
            async with asyncio.timeout(self._timeout):
                message = await running.answer.get()
        except TimeoutError:
            raise APITimeoutError("The application was silent for longer than `timeout`.") from None
        if message is not None:
            return message
        running.gone.set()
        await asyncio.wait([running.task])
        failure = None if running.task.cancelled() else running.task.exception()
        raise APIConnectionError("The application broke off its answer.") from failure

    async def finish(self) -> None:
        """Nothing of the rest is wanted."""
        await self.close()

    async def close(self) -> None:
        """Leave; returns when the application has ended the request."""
        self._running.leave()
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.wait([self._running.task])

    def __del__(self) -> None:
        """Whoever lets go of it has left; in any thread."""
        with suppress(RuntimeError):  # of a loop that is closed
            self._running.loop.call_soon_threadsafe(self._running.leave)


def _scope(request: Request) -> dict[str, Any]:
    path, _, query = request.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https" if request.origin.secure else "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in request.headers.items()],
        "client": ("127.0.0.1", 0),
        "server": (request.origin.host, request.origin.port),
    }
