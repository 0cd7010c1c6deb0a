"""Small servers on loopback that say exactly the bytes they are told to, and a client to ask them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

from gatekey.upstream.client import Client
from gatekey.upstream.egress import Policy
from gatekey.upstream.transport import Headers, Request

LOOPBACK = Policy.parse("", loopback=True)
Handler = Callable[["Conversation"], Awaitable[None]]


@dataclass
class Conversation:
    """One connection, from the server's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: "Server"

    async def request(self) -> bytes:
        """Head and body of the next request; the body by its content-length or its chunks."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        body = b""
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                body = await self.reader.readexactly(int(line.split(b":")[1]))
            elif line == b"transfer-encoding: chunked":
                body = await self.reader.readuntil(b"0\r\n\r\n")
        self.server.requests.append(head + body)
        return head + body

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def gone(self) -> None:
        """Wait until the client has hung up."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass
        self.server.hung_up.set()

    def reset(self) -> None:
        self.writer.transport.abort()


@dataclass
class Server:
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/v1/completions", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(handler: Handler, tls: SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that gives each connection to `handler` and closes it afterwards."""
    server = Server()
    failures: list[BaseException] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            await handler(Conversation(reader, writer, server))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
    assert failures == []


def answer(body: bytes = b"{}", *, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


def answering(data: bytes) -> Handler:
    """Every request on a connection gets the same answer."""

    async def handler(talk: Conversation) -> None:
        while await talk.request():
            await talk.say(data)

    return handler


def saying(data: bytes) -> Handler:
    """One request gets these bytes and the end of the connection."""

    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(data)

    return handler


def post(url: str, body: bytes | AsyncIterator[bytes] = b'{"a":1}', **more: object) -> Request:
    return Request("POST", url, body=body, **more)  # type: ignore[arg-type]


async def fetch(client: Client, request: Request) -> tuple[int, Headers, bytes]:
    response = await client.send(request)
    try:
        return response.status, response.headers, b"".join([chunk async for chunk in response.chunks()])
    finally:
        await response.close()


def against(
    handler: Callable[[Conversation], Awaitable[None]], test: Callable[[Client, Server], Awaitable[None]]
) -> None:
    """Run a test with a client and a server, within ten seconds."""

    async def run() -> None:
        client = Client(LOOPBACK)
        async with asyncio.timeout(10), serving(handler) as server:
            try:
                await test(client, server)
            finally:
                await client.close()

    asyncio.run(run())


async def stalled(talk: Conversation) -> None:
    await talk.request()
    await talk.gone()


async def stalled_in_body(talk: Conversation) -> None:
    await talk.request()
    await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
    await talk.gone()


async def pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
