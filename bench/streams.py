"""A fake upstream that only streams: 64 server-sent events, one a millisecond or all at once.

Run as a process of its own, `python -m bench.streams PORT`. It reads no more of a request than it needs to find
its end, so that it costs far less than what is measured. Paths below `/paced/` are paced, all others are not.
The role and the first word of a paced stream go out together, as providers send them.
"""

import asyncio
import socket
import sys
from typing import cast

import uvloop

from bench import bodies

PACE = 0.001
"""Seconds between two events of a paced stream."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_END = b"0\r\n\r\n"
_FRAMES = [b"%x\r\n%b\r\n" % (len(event), event) for event in bodies.events()]
_FIRST, _LAST = _HEAD + _FRAMES[0] + _FRAMES[1], _FRAMES[-1] + _END
_WHOLE = _HEAD + b"".join(_FRAMES) + _END


class Stream(asyncio.Protocol):
    """One connection, kept alive; requests one after another, each with a Content-Length or chunked."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found or not _whole(bytes(head).lower(), body):
            return
        paced = b" /paced/" in head[:32]
        self.received.clear()
        if paced:
            self.transport.write(_FIRST)
            self.loop.call_later(PACE, self._next, 2)
        else:
            self.transport.write(_WHOLE)

    def _next(self, index: int) -> None:
        if self.transport.is_closing():
            return
        if index == bodies.CHUNKS - 1:
            self.transport.write(_LAST)
        else:
            self.transport.write(_FRAMES[index])
            self.loop.call_later(PACE, self._next, index + 1)


def _whole(head: bytes, body: bytearray) -> bool:
    """Whether `body` is complete, by the head's framing."""
    _, found, rest = head.partition(b"content-length:")
    if found:
        return len(body) >= int(rest.split(b"\r\n", 1)[0])
    return b"transfer-encoding:" not in head or body.endswith(_END)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
