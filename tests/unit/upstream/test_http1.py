"""What the transport makes of connections that break, stall or are left: never a whole answer, never a leak."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable

import pytest
import trustme
from servers import (
    LOOPBACK,
    Conversation,
    Server,
    against,
    answer,
    answering,
    fetch,
    pieces,
    post,
    saying,
    serving,
    stalled,
    stalled_in_body,
)

from gatekey.errors import (
    BadBody,
    Nonsense,
    Overloaded,
    Unreachable,
)
from gatekey.upstream.client import Client


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", Unreachable),
        (b"HTTP/1.1 200 OK\r\ncont", Unreachable),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi", Unreachable),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhi\r\n", Nonsense),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", Nonsense),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi!", Nonsense),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Nonsense),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", Nonsense),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000, Nonsense),
        (b"HTTP/1.1 103 x\r\na: b\r\n\r\n" * 20_000, Nonsense),
        (b"HTTP/1.1 099 x\r\n\r\nhi", Nonsense),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx: " + b"y" * 400_000, Nonsense),
    ],
)
def test_a_broken_answer_never_looks_like_a_whole_one(data: bytes, error: type[Exception]) -> None:
    async def test(client: Client, server: Server) -> None:
        with pytest.raises(error, match=f"127.0.0.1:{server.port}"):
            await fetch(client, post(server.url("/?key=sesame")))
        assert len(server.requests) == 1  # a connection that was new is not tried twice

    against(saying(data), test)


def test_what_came_before_the_cut_is_given_first() -> None:
    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        chunks = response.chunks()
        assert await anext(chunks) == b"hi"
        with pytest.raises(Unreachable, match="in the middle"):
            await anext(chunks)

    against(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi"), test)


def test_a_reset_is_no_end() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\n\r\nhi")
        await released.wait()
        talk.writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: RST
        talk.reset()

    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        chunks = response.chunks()
        assert await anext(chunks) == b"hi"
        released.set()
        with pytest.raises(Unreachable):
            await anext(chunks)

    released = asyncio.Event()
    against(handler, test)


def test_cancelling_before_the_head_hangs_up() -> None:
    async def test(client: Client, server: Server) -> None:
        sending = asyncio.create_task(client.send(post(server.url())))
        while not server.requests:
            await asyncio.sleep(0)
        sending.cancel()
        await server.hung_up.wait()
        with pytest.raises(asyncio.CancelledError):
            await sending

    against(stalled, test)


def test_cancelling_while_reading_hangs_up() -> None:
    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        chunks = response.chunks()
        assert await anext(chunks) == b"hi"
        reading = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        reading.cancel()
        await server.hung_up.wait()  # without a close()
        await response.close()

    against(stalled_in_body, test)


def test_closing_early_hangs_up() -> None:
    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        await response.close()
        await response.close()
        await server.hung_up.wait()
        assert [chunk async for chunk in response.chunks()] == []

    against(stalled_in_body, test)


def test_closing_the_client_ends_what_is_under_way() -> None:
    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        await client.close()
        await server.hung_up.wait()
        with pytest.raises(Unreachable):
            [chunk async for chunk in response.chunks() if chunk != b"hi"]
        with pytest.raises(Overloaded):
            await client.send(post(server.url()))

    against(stalled_in_body, test)


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_hung_up_under_the_request_is_replaced(reset: bool) -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(answer())
        await talk.request()
        if talk.server.connections == 1:
            talk.reset() if reset else talk.writer.close()
        else:
            await talk.say(answer(b"never"))

    async def test(client: Client, server: Server) -> None:
        for _ in range(2):
            assert (await fetch(client, post(server.url())))[2] == b"{}"
        assert (server.connections, len(server.requests)) == (2, 3)

    against(handler, test)


def test_a_server_that_hangs_up_on_everyone_is_tried_twice_only() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        if talk.server.connections == 1:
            await talk.say(answer())
            await talk.request()

    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        with pytest.raises(Unreachable, match="before it answered"):
            await fetch(client, post(server.url()))
        assert len(server.requests) == 3

    against(handler, test)


def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(answer())
        await talk.request()
        await talk.say(b"HTTP/1.1 2")

    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        with pytest.raises(Unreachable, match="in the middle"):
            await fetch(client, post(server.url()))
        assert len(server.requests) == 2

    against(handler, test)


def test_a_request_that_was_worked_on_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(answer())
        await talk.request()

    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url()))
        with pytest.raises(Unreachable, match="before it answered"):
            await fetch(client, post(server.url()))
        assert len(server.requests) == 2

    monkeypatch.setattr("gatekey.upstream.client.STALE_WITHIN", -1.0)  # any wait is now too long a one
    against(handler, test)


async def _broken() -> AsyncIterator[bytes]:
    yield b"ab"
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("body", "error"),
    [(lambda: pieces(b"abc"), BadBody), (lambda: pieces(b"abcde"), BadBody), (_broken, ZeroDivisionError)],
)
def test_a_body_that_is_not_as_announced_ends_the_exchange(
    body: Callable[[], AsyncIterator[bytes]], error: type[Exception]
) -> None:
    async def test(client: Client, server: Server) -> None:
        with pytest.raises(error):
            await fetch(client, post(server.url(), body(), length=4))
        await server.hung_up.wait()

    async def handler(talk: Conversation) -> None:
        await talk.gone()

    against(handler, test)


def test_an_early_answer_ends_the_sending() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 10_000
            await asyncio.sleep(0)

    async def handler(talk: Conversation) -> None:
        await talk.reader.readuntil(b"\r\n\r\n")
        await talk.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await talk.gone()

    async def test(client: Client, server: Server) -> None:
        status, _, body = await fetch(client, post(server.url(), endless()))
        assert (status, body) == (413, b"no")
        await server.hung_up.wait()

    against(handler, test)


def test_nobody_listening_is_said_so() -> None:
    async def test(client: Client, server: Server) -> None:
        url = server.url("/?key=sesame")
        with pytest.raises(Unreachable, match="refused") as caught:
            await client.send(post(url.replace(str(server.port), str(port))))
        assert "sesame" not in caught.value.message
        assert caught.value.__suppress_context__  # so that a log shows nothing of the library's

    with socket.socket() as taken:  # bound, not listening: nobody else gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        against(answering(answer()), test)


def test_https_to_a_plain_server_is_said_so() -> None:
    async def test(client: Client, server: Server) -> None:
        with pytest.raises(Unreachable, match="TLS"):
            await client.send(post(server.url(scheme="https")))

    async def handler(talk: Conversation) -> None:
        await talk.reader.read(100)
        await talk.say(answer())

    against(handler, test)


def test_cancelling_over_tls_hangs_up() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def run() -> None:
        client = Client(LOOPBACK, ca_bundle=authority.cert_pem.bytes())
        async with asyncio.timeout(10), serving(stalled, context) as server:
            sending = asyncio.create_task(client.send(post(server.url(scheme="https"))))
            while not server.requests:
                await asyncio.sleep(0)
            sending.cancel()
            await server.hung_up.wait()
            await client.close()

    asyncio.run(run())
