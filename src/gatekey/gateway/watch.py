"""Notices that the caller left, while its answer is being made, and stops making it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gatekey.gateway.call import Gone, Receive
from gatekey.gateway.respond import Reply


@asynccontextmanager
async def watching(receive: Receive, reply: Reply) -> AsyncIterator[None]:
    """Cancels what runs inside as soon as the caller disconnects, and raises `Gone` then.

    The request's body has been read, so that the next message can only be the disconnect.
    """
    task = asyncio.current_task()
    assert task is not None
    left = False

    def leave(done: "asyncio.Future[dict[str, Any]]") -> None:
        nonlocal left
        # A server also says "disconnect" after the answer is complete.
        if not done.cancelled() and not reply.finished:
            left = True
            task.cancel()

    watcher = asyncio.ensure_future(receive())
    watcher.add_done_callback(leave)
    try:
        yield
    except asyncio.CancelledError:
        if left and not task.uncancel():
            raise Gone from None
        raise
    finally:
        watcher.remove_done_callback(leave)
        watcher.cancel()
