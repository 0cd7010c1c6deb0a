"""The port to upstreams: one request out, one streamed response back.

Whoever implements it checks the address that it really connects to, follows no redirect, decodes no
content-encoding, keeps no cookie, and turns every exception of its library into `errors.UpstreamError`
or `errors.EgressRefused`. Cancelling `send` or closing the response closes the upstream connection at once.
"""

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from msgspec import Struct

Headers = list[tuple[str, str]]


class Request(Struct):
    """What to send. `url` is absolute; `body` is bytes, or chunks of `length` bytes in all.

    `trusted`: the address was chosen by the gateway itself (a server that it started), not by a caller. The transport
    notes `connected`, when a connection was made for it (s of `time.perf_counter`), and `sent`, once it is leaving.
    """

    method: str
    url: str
    headers: Headers = []
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = None
    trusted: bool = False
    sent: bool = False
    connected: float = 0.0


class Response(Protocol):
    """A response whose head has come. Header names are in lower case, in the order they came, repeats kept."""

    status: int
    headers: Headers

    @property
    def ended(self) -> bool:
        """Whether all of the body has been taken."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, undecoded. Raises `Unreachable` where the connection breaks before its end."""
        ...

    async def whole(self, limit: int, heard: Callable[[], None] = lambda: None) -> bytes:
        """All of the body; `heard` is called for each piece.

        Raises what `chunks` raises, and `Nonsense` where it has more than `limit` bytes.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection: reused when the body has been read to its end, closed otherwise."""
        ...


class Transport(Protocol):
    """Sends requests. One per worker process; it owns the connections."""

    async def send(self, request: Request) -> Response:
        """The response's head. Raises `Unreachable`, `Nonsense` or `EgressRefused`. The caller closes it."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
