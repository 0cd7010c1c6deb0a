"""The server: one thread with an event loop of its own, a task for each connection, every request recorded."""

import asyncio
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fake.openai import speak
from tests.fake.reply import Gate, Reply
from tests.fake.waiting import PATIENCE, wait_until


@dataclass
class Received:
    """A request as it came. Header names are as they were written, in order, repeats kept.

    `connection` numbers the connections from 0. `closed` is set when the client leaves before the answer's end,
    `answered` when the whole answer has been written; `closed_at` and `at` are in s of `time.monotonic`.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    at: float = field(default_factory=time.monotonic)
    closed: threading.Event = field(default_factory=threading.Event)
    closed_at: float | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    @property
    def path(self) -> str:
        """The path, still encoded."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header, None where it was not sent. Sent twice, it fails."""
        values = [value for given, value in self.headers if given.lower() == name.lower()]
        assert len(values) < 2, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None


Answer = Reply | Callable[[Received], Reply]


class Fake:
    """A provider. `url` is its address, `base` the same with `/v1`; `requests` is what it was asked, in order."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._socket = socket.create_server((host, port))
        self._tls = tls
        self._queue: deque[Reply] = deque()
        self._routes: dict[str, Answer] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fake provider", daemon=True)
        self._serving = threading.Event()
        self._connections: set[_Connection] = set()
        self._count = 0
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self.base = f"{self.url}/v1"
        self.requests: list[Received] = []
        self.failures: list[Exception] = []
        """What went wrong while answering; leaving the block raises the first of them."""

    def answer(self, *replies: Reply) -> None:
        """Give these to the next requests, one each, before anything that `on` says."""
        self._queue.extend(replies)

    def on(self, path: str, answer: Answer) -> None:
        """Give this to every request for `path` (without query), or make it out of the request."""
        self._routes[path] = answer

    def wait(self, count: int = 1, timeout: float = PATIENCE) -> Received:
        """The request number `count`, counted from 1, once it is there."""
        wait_until(lambda: len(self.requests) >= count, timeout, f"{count} requests, there are {len(self.requests)}")
        return self.requests[count - 1]

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    @property
    def connections(self) -> int:
        """Connections that were ever made."""
        return self._count

    def __enter__(self) -> "Fake":
        self._thread.start()
        self._serving.wait(PATIENCE)  # or a test that is over at once would stop it before it has begun
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        if self.failures and error is None:
            raise self.failures[0]

    def _run(self) -> None:
        loop = self._loop
        server = loop.run_until_complete(
            loop.create_server(lambda: _Connection(self), sock=self._socket, ssl=self._tls)
        )
        self._serving.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            for connection in list(self._connections):
                connection.drop()
            loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
            loop.close()

    def opened(self, connection: "_Connection") -> int:
        """A connection was made: its number."""
        self._connections.add(connection)
        self._count += 1
        return self._count - 1

    def lost(self, connection: "_Connection") -> None:
        """A connection is gone."""
        self._connections.discard(connection)

    def choose(self, request: Received) -> Reply:
        """The answer to a request."""
        answer: Answer = self._queue.popleft() if self._queue else self._routes.get(request.path, speak)
        return answer if isinstance(answer, Reply) else answer(request)


async def _cancelled(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # lets the sockets close


class _Connection(asyncio.Protocol):
    """One connection: requests in, answers out, and whether the client is still there."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self._buffer = bytearray()
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._transport: asyncio.Transport
        self._task: asyncio.Task[None]
        self._current: Received | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # asyncio leaves it out where the listening socket names no protocol: every answer in parts would take 40 ms.
        plain: socket.socket = transport.get_extra_info("socket")
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = self._fake.opened(self)
        self._task = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()

    def eof_received(self) -> bool:
        self._left()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._fake.lost(self)
        self._left()

    def _left(self) -> None:
        if self._current is not None and not self._gone.is_set():
            self._current.closed_at = time.monotonic()
            self._current.closed.set()
        self._gone.set()
        self._news.set()

    def drop(self) -> None:
        """Close at once."""
        self._task.cancel()
        self._transport.abort()

    async def _serve(self) -> None:
        try:
            while True:
                self._current = request = await self._request()
                self._fake.requests.append(request)
                await self._answer(self._fake.choose(request), request)
                self._current = None
        except ConnectionError:
            self._transport.close()
        except Exception as error:  # of a function that makes answers, or a request that is no HTTP
            self._fake.failures.append(error)
            self._transport.abort()

    async def _more(self) -> None:
        if self._gone.is_set():
            raise ConnectionResetError
        self._news.clear()
        await self._news.wait()

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    async def _request(self) -> Received:
        method, target, _ = (await self._line()).decode("latin-1").split(" ")
        headers: list[tuple[str, str]] = []
        while line := await self._line():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        lower = {name.lower(): value for name, value in headers}
        if lower.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(await self._line(), 16):
                body += await self._exactly(size)
                await self._line()
            await self._line()
        else:
            body = await self._exactly(int(lower.get("content-length", "0")))
        return Received(method, target, headers, body, self._number)

    async def _answer(self, reply: Reply, request: Received) -> None:
        self._transport.write(reply.head)
        # What answers HEAD has a head alone; one that is late has it among its parts.
        for part in () if request.method == "HEAD" and reply.head else reply.parts:
            if isinstance(part, bytes):
                self._transport.write(part)
                await asyncio.sleep(0)
            else:
                await self._pause(part)
            if self._gone.is_set():
                raise ConnectionResetError
        if reply.end == "hold":
            await self._gone.wait()
            raise ConnectionResetError
        self._current = None
        request.answered.set()
        if reply.end == "reset":
            # With no time to linger, closing sends RST and throws away what is still to be sent.
            plain: socket.socket = self._transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
            raise ConnectionResetError
        if reply.end == "close":
            raise ConnectionResetError

    async def _pause(self, pause: float | Gate) -> None:
        until = None if isinstance(pause, Gate) else time.monotonic() + pause
        while not self._gone.is_set():
            if pause.is_set() if isinstance(pause, Gate) else until is not None and time.monotonic() >= until:
                return
            await asyncio.sleep(0.002)
