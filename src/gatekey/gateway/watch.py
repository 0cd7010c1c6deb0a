"""Notices that the caller left, while its answer is being made, and stops making it."""

import asyncio
from types import TracebackType
from typing import Any

from gatekey.gateway.call import Gone, Receive
from gatekey.gateway.line import Line
from gatekey.gateway.respond import Reply


class Watch:
    """Cancels the task that it gives as soon as the caller disconnects, and raises `Gone` then.

    The request's body has been read, so that the next message can only be the disconnect.
    """

    def __init__(self, line: Line | None, receive: Receive, reply: Reply) -> None:
        self._line = line
        self._receive = receive
        self._reply = reply
        self._left = False

    def __enter__(self) -> "asyncio.Task[Any]":
        task = asyncio.current_task(None if self._line is None else self._line.loop)
        assert task is not None
        self._task = task
        if self._line is not None:
            self._line.leaving.add(self._leave)
        else:
            self._watcher = asyncio.ensure_future(self._receive())
            self._watcher.add_done_callback(self._disconnected)
        return task

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.leaving.discard(self._leave)
        else:
            self._watcher.remove_done_callback(self._disconnected)
            self._watcher.cancel()
        if self._left and kind is asyncio.CancelledError and not self._task.uncancel():
            raise Gone from None

    def _leave(self) -> None:
        # A server also says "disconnect" after the answer is complete.
        if not self._reply.finished:
            self._left = True
            self._task.cancel()

    def _disconnected(self, done: "asyncio.Future[dict[str, Any]]") -> None:
        if not done.cancelled():
            self._leave()
