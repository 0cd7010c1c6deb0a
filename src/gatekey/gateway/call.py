"""What the caller asked: the endpoint, the body, the head. Reading it is bounded in size and in memory."""

import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import IO, Any, Literal

from msgspec import Struct

from gatekey.errors import BadJson, BodyTooLarge, Overloaded
from gatekey.gateway.headers import Head
from gatekey.secret import Secret
from gatekey.store.directory import ADMIN, Principal
from gatekey.wire.body import Json, decode, value

_FORM_MODEL = re.compile(rb'name="?model"?[^\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,256})\r\n')

Receive = Callable[[], Awaitable[dict[str, Any]]]

IN_MEMORY = 1024 * 1024
"""Bytes of an untransformed body that are kept in memory; more go to a file that vanishes when closed."""
READABLE = 16 * 1024 * 1024
"""Bytes of a JSON body that is passed on, up to which its fields can be asked for."""
PIECE = 64 * 1024
"""Bytes of a spooled body that are sent at once."""


class Call(Struct):
    """One request. `kind` is the endpoint, `proxy` for a path that is forwarded untransformed,
    or `control` for the control plane.

    `credential`: the provider key that the caller sent in a header, if any. `gateway_key`: the caller's key, so
    that it can be kept from going upstream. `path` is below `/v1`, with its query, as it came; `pathname` is the
    decoded path as conditions see it. `text` is the body as it came, where it is read. `claimed`: bytes of `Memory`
    that it holds. `keeps_bodies`: whether key and workspace let its record have what was said.
    """

    kind: Literal["completions", "chat", "embeddings", "models", "proxy", "control"]
    method: str
    path: str
    pathname: str
    head: Head
    trace_id: str
    seed: int
    principal: Principal = ADMIN
    gateway_key: str = ""
    credential: Secret | None = None
    body: Json = {}
    text: bytes = b""
    spool: "Spool | None" = None
    claimed: int = 0
    keeps_bodies: bool = True

    def fields(self) -> Json:
        """The fields of a JSON body, also of one that is only passed on; empty where there are none."""
        if not self.body and self.spool is not None and 0 < self.spool.length <= READABLE and self._says_json:
            with suppress(BadJson):
                self.body = decode(self.spool.read())
        return self.body

    def model(self) -> str:
        """The model that is asked for, also in a form; empty where none is named."""
        if self.spool is not None and (self.head.get("content-type")).startswith("multipart/"):
            found = _FORM_MODEL.search(self.spool.beginning(READABLE))
            return found[1].decode("utf-8", "replace") if found else ""
        model = self.asked("model")
        return model if isinstance(model, str) else ""

    @property
    def _says_json(self) -> bool:
        return "json" in (self.head.get("content-type") or "json").lower()

    def asked(self, name: str) -> Any:
        """A field of the body, decoded; None where it is absent or null."""
        return value(self.fields(), name)


class Memory:
    """Bytes that JSON bodies in flight may take in one worker: twice their size, since they are read."""

    def __init__(self, total: int) -> None:
        self._free = total

    def take(self, size: int) -> None:
        """Claim `size` bytes; whoever does gives them back. Raises `Overloaded`."""
        if size > self._free:
            raise Overloaded("The gateway holds as many request bodies as it may: try again in a moment.")
        self._free -= size

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self._free += size


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request body is larger than {limit / (1024 * 1024):g} MB.")


def _check_declared(head: Head, limit: int) -> None:
    declared = head.raw.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


async def whole(receive: Receive, head: Head, limit: int, claim: Callable[[int], None]) -> bytes:
    """The body, once it is all there. `claim` is told the size of each piece. Raises what `arriving` raises."""
    _check_declared(head, limit)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        # Nearly always: it came in one piece.
        data: bytes = message.get("body", b"")
        if len(data) > limit:
            raise _too_large(limit)
        claim(len(data))
        return data
    pieces = []
    async for piece in arriving(_first(message, receive), head, limit):
        claim(len(piece))
        pieces.append(piece)
    return b"".join(pieces)


def _first(message: dict[str, Any], receive: Receive) -> Receive:
    """`receive`, with a message that was taken out put back."""
    back = [message]

    async def again() -> dict[str, Any]:
        return back.pop() if back else await receive()

    return again


async def arriving(receive: Receive, head: Head, limit: int) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `BodyTooLarge` (at once where it is declared), or `Gone` where the caller left."""
    _check_declared(head, limit)
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if piece:
            yield piece
        if not message.get("more_body"):
            return


class Gone(Exception):
    """The caller left before its request was read."""


class Spool:
    """A body that is only passed on: it can be sent again, and is on disk above `IN_MEMORY`."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self.length = length

    @classmethod
    async def of(cls, pieces: AsyncIterator[bytes]) -> "Spool":
        """Take in the whole body."""
        file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by its owner
        length = 0
        try:
            async for piece in pieces:
                length += file.write(piece)
        except BaseException:
            file.close()
            raise
        return cls(file, length)

    @property
    def small(self) -> bool:
        """Whether it is in memory."""
        return self.length <= IN_MEMORY

    def read(self) -> bytes:
        """All of it."""
        self._file.seek(0)
        return self._file.read()

    def beginning(self, most: int) -> bytes:
        """The first bytes of it, `most` of them."""
        self._file.seek(0)
        return self._file.read(most)

    async def pieces(self) -> AsyncIterator[bytes]:
        """From the start, piece by piece."""
        position = 0
        while position < self.length:
            self._file.seek(position)
            piece = self._file.read(PIECE)
            position += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
