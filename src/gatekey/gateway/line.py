"""What our own server offers beside ASGI: shorter ways for what every request needs.

With any other server nothing of it is there, and everything goes the long way.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

EXTENSION = "gatekey.line"
"""ASGI extension under which the server offers its Line."""


class Line(Protocol):
    """The connection of one request. `leaving`: functions to call when the caller disconnects.

    `loop`: its event loop, which is cheaper to be told than to find.
    """

    leaving: set[Callable[[], None]]
    loop: asyncio.AbstractEventLoop

    def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a complete answer in one go. False where the long way must be taken; nothing is written then."""
        ...

    def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> bool:
        """Write the head of a stream. False where the long way must be taken; nothing is written then."""
        ...

    def more(self, data: bytes, *, last: bool) -> bool:
        """Write some of a stream; `last`: and its end. False where this piece must take the long way."""
        ...


def line(scope: dict[str, Any]) -> Line | None:
    """The request's Line, where the server has one. It is taken out: it knows the scope, which would be a circle."""
    extensions = scope.pop("extensions", None)
    found: Line | None = extensions.get(EXTENSION, {}).get("line") if extensions else None
    return found
