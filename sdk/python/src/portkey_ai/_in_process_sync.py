"""A transport into an ASGI application for callers without an event loop: it has one of its own, in a thread."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from portkey_ai import _in_process_async as in_process
from portkey_ai._calls import Request

T = TypeVar("T")


class InProcess:
    """The twin of `AsyncInProcess`. Its thread lives from the first request to `close`."""

    def __init__(self, app: in_process.App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._inner: in_process.AsyncInProcess

    def send(self, request: Request) -> "Exchange":
        """Send it, and wait for the head of the answer. Raises `APIConnectionError`."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="portkey_ai", daemon=True).start()
                self._inner = in_process.AsyncInProcess(self._app)
        return Exchange(self, self.run(self._inner.send(request)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` comes to on the loop. Whoever is interrupted while waiting cancels it."""
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """End the application, and the loop."""
        with self._lock:
            if self._loop is not None:
                self.run(self._inner.close())
                loop, self._loop = self._loop, None
                loop.call_soon_threadsafe(loop.stop)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


class Exchange:
    """A request to the application, and its answer."""

    def __init__(self, transport: InProcess, inner: in_process.Exchange) -> None:
        self._transport, self._inner = transport, inner
        self.status, self.headers = inner.status, inner.headers

    def more(self) -> bytes:
        """The next piece of the body; empty at its end, and after `close`."""
        return self._transport.run(self._inner.more())

    def finish(self) -> None:
        """Nothing of the rest is wanted."""
        self.close()

    def close(self) -> None:
        """Leave; returns when the application has ended the request."""
        self._transport.run(self._inner.close())
