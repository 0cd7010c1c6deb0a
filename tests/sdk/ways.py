"""One client four ways: over a socket or into an application, with and without asyncio. Tests are written once.

way(lambda client: client.models.list())         what a call gives
way.items(stream), way.first(stream)             what a stream gives
way.close(stream)
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from portkey_ai import AsyncPortkey, Portkey


class Blocking:
    """The client for threads."""

    def __init__(self, **options: Any) -> None:
        self.client = Portkey(**options)

    def __call__(self, ask: Callable[[Any], Any]) -> Any:
        """What a call gives."""
        return ask(self.client)

    def items(self, stream: Any) -> list[Any]:
        """All of a stream."""
        return list(stream)

    def first(self, stream: Any, count: int = 1) -> list[Any]:
        """The first items of one."""
        return [next(stream) for _ in range(count)]

    def close(self, stream: Any) -> None:
        """Leave one."""
        stream.close()

    def end(self) -> None:
        """Close the client."""
        self.client.close()


class Evented:
    """The client for asyncio, on a loop of its own."""

    def __init__(self, **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = AsyncPortkey(**options)

    def __call__(self, ask: Callable[[Any], Any]) -> Any:
        """What a call gives."""
        return self.run(ask(self.client))

    def run(self, work: Any) -> Any:
        """What a coroutine comes to."""
        return self.loop.run_until_complete(work)

    def items(self, stream: Any) -> list[Any]:
        """All of a stream."""

        async def read() -> list[Any]:
            return [item async for item in stream]

        return list(self.run(read()))

    def first(self, stream: Any, count: int = 1) -> list[Any]:
        """The first items of one."""
        return [self.run(stream.__anext__()) for _ in range(count)]

    def close(self, stream: Any) -> None:
        """Leave one."""
        self.run(stream.close())

    def end(self) -> None:
        """Close the client, and the loop."""
        self.run(self.client.close())
        with suppress(asyncio.CancelledError):
            self.run(asyncio.sleep(0))
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()


Way = Blocking | Evented
WAYS: dict[str, type[Way]] = {"sync": Blocking, "async": Evented}
