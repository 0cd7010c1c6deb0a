"""What the transport sends and reads, against real sockets."""

import asyncio
import gzip

import pytest
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
)

from gatekey.errors import (
    BadHeader,
    CallerError,
    EgressRefused,
)
from gatekey.upstream.client import Client
from gatekey.upstream.transport import Request


def test_an_exchange_as_the_server_sees_it() -> None:
    async def test(client: Client, server: Server) -> None:
        headers = [("Content-Type", "application/json"), ("x-twice", "1"), ("x-twice", "2"), ("X-Latin", "h\xe9")]
        request = post(server.url("/v1/x%2Fy?a=b#c"), headers=[*headers, ("Host", "evil"), ("Content-Length", "3")])
        assert await fetch(client, request) == (200, [("content-length", "2")], b"{}")
        sent, _, body = server.requests[0].partition(b"\r\n\r\n")
        first, *lines = sent.split(b"\r\n")
        assert first == b"POST /v1/x%2Fy?a=b HTTP/1.1"
        assert lines == [
            b"host: 127.0.0.1:%d" % server.port,
            b"Content-Type: application/json",
            b"x-twice: 1",
            b"x-twice: 2",
            b"X-Latin: h\xe9",
            b"user-agent: gatekey/0.1.0",
            b"content-length: 7",
        ]
        assert body == b'{"a":1}'

    against(answering(answer()), test)


def test_the_callers_user_agent_wins_and_a_get_has_no_length() -> None:
    async def test(client: Client, server: Server) -> None:
        await fetch(client, Request("GET", server.url("/"), headers=[("User-Agent", "mine")]))
        await fetch(client, Request("POST", server.url("/")))
        assert server.requests[0] == b"GET / HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nUser-Agent: mine\r\n\r\n" % server.port
        assert b"content-length: 0\r\n" in server.requests[1]

    against(answering(answer()), test)


def test_response_headers_keep_order_repeats_and_bytes() -> None:
    head = b"X-A: 1\r\nSet-Cookie: a\r\nX-B: h\xe9\r\nset-cookie: b\r\nx-utf: \xc3\xa9\r\n"

    async def test(client: Client, server: Server) -> None:
        _, headers, _ = await fetch(client, post(server.url()))
        assert headers == [
            ("x-a", "1"),
            ("set-cookie", "a"),
            ("x-b", "h\xe9"),
            ("set-cookie", "b"),
            ("x-utf", "\xc3\xa9"),
            ("content-length", "2"),
        ]
        await fetch(client, post(server.url()))
        assert b"cookie" not in server.requests[1].lower()

    against(answering(answer(head=head)), test)


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nx-t: 1\r\n\r\n",
            200,
            b"hi!",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nraw", 200, b"raw"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", 304, b""),
        (b"HTTP/1.1 500 \r\ncontent-length: 2\r\n\r\nno", 500, b"no"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + answer(), 200, b"{}"),
        (b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", 302, b""),
        (answer(gzip.compress(b"{}", mtime=0), head=b"content-encoding: gzip\r\n"), 200, gzip.compress(b"{}", mtime=0)),
        (answer() + b"HTTP/1.1 200 OK\r\n", 200, b"{}"),
        (answer() + b"junk", 200, b"{}"),
    ],
)
def test_answers_are_read_as_they_are(data: bytes, status: int, body: bytes) -> None:
    async def test(client: Client, server: Server) -> None:
        for _ in range(2):  # a connection that is left unclean is not used again
            got, headers, content = await fetch(client, post(server.url()))
            assert (got, content) == (status, body)
            assert not {"link", "x-t"} & {name for name, _ in headers}  # interim responses, trailers
        assert server.connections == len(server.requests) == 2

    against(saying(data), test)


def test_head_has_no_body() -> None:
    async def test(client: Client, server: Server) -> None:
        for _ in range(2):
            status, _, body = await fetch(client, Request("HEAD", server.url()))
            assert (status, body) == (200, b"")

    against(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), test)


def test_each_chunk_comes_at_once() -> None:
    async def handler(talk: Conversation) -> None:
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(5):
            await talk.say(b"1\r\n%d\r\n" % number)
            await taken.get()
        await talk.say(b"0\r\n\r\n")

    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        got = []
        async for chunk in response.chunks():
            got.append(chunk)
            taken.put_nowait(None)  # only now does the server send the next
        assert got == [b"0", b"1", b"2", b"3", b"4"]

    taken: asyncio.Queue[None] = asyncio.Queue()
    against(handler, test)


def test_bodies_are_streamed_with_and_without_a_length() -> None:
    async def test(client: Client, server: Server) -> None:
        await fetch(client, post(server.url(), pieces(b"ab", b"", b"cd"), length=4))
        await fetch(client, post(server.url(), pieces(b"ab", b"", b"cd")))
        assert server.requests[0].endswith(b"content-length: 4\r\n\r\nabcd")
        assert server.requests[1].endswith(b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")

    against(answering(answer()), test)


def test_a_large_body_arrives_whole() -> None:
    async def test(client: Client, server: Server) -> None:
        body = bytes(range(256)) * 20_000
        await fetch(client, post(server.url(), body))
        await fetch(client, post(server.url(), pieces(*[body[:100_000]] * 20), length=2_000_000))
        assert server.requests[0].endswith(body)
        assert server.requests[1].endswith(body[:100_000] * 20)

    against(answering(answer()), test)


def test_a_slow_reader_slows_the_server() -> None:
    size = 32 * 1024 * 1024
    said = 0

    async def handler(talk: Conversation) -> None:
        nonlocal said
        await talk.request()
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while said < size:
            await talk.say(b"x" * 65536)
            said += 65536
            progress.set()

    async def test(client: Client, server: Server) -> None:
        response = await client.send(post(server.url()))
        try:
            while True:
                progress.clear()
                await asyncio.wait_for(progress.wait(), 0.2)
        except TimeoutError:
            pass
        assert said < size / 2  # what the kernel's buffers take, and a little of ours
        assert sum([len(chunk) async for chunk in response.chunks()]) == size

    progress = asyncio.Event()
    against(handler, test)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Request("POST", "http://127.0.0.1/", headers=[("x-a", "1\r\nx-b: 2")]), BadHeader),
        (Request("POST", "http://127.0.0.1/", headers=[("x-a", "1\n2")]), BadHeader),
        (Request("POST", "http://127.0.0.1/", headers=[("x-a", "\0")]), BadHeader),
        (Request("POST", "http://127.0.0.1/", headers=[("x a", "1")]), BadHeader),
        (Request("POST", "http://127.0.0.1/", headers=[("", "1")]), BadHeader),
        (Request("POST", "http://127.0.0.1/", headers=[("x-a", "\u20ac")]), BadHeader),
        (Request("PO ST", "http://127.0.0.1/"), CallerError),
        (Request("POST", "http://127.0.0.1/a b"), CallerError),
        (Request("POST", "http://127.0.0.1/a\r\nb"), CallerError),
        (Request("POST", "http://127.0.0.1/\xe9"), CallerError),
        (Request("POST", "http://127.0.0.1/..\\a"), CallerError),
        (Request("POST", "http://user:pw@127.0.0.1/"), EgressRefused),
        (Request("POST", "http://10.0.0.1/"), EgressRefused),
        (Request("POST", "http://169.254.169.254/latest"), EgressRefused),
        (Request("POST", "ftp://127.0.0.1/"), EgressRefused),
        (Request("POST", "http://127.0.0.1:6379/"), EgressRefused),
        (Request("POST", "http://metadata.google.internal/"), EgressRefused),
    ],
)
def test_what_may_not_be_sent_is_refused_before_connecting(request_: Request, error: type[Exception]) -> None:
    async def never(host: str, port: int) -> list[str]:
        raise AssertionError

    with pytest.raises(error):
        asyncio.run(Client(LOOPBACK, resolver=never).send(request_))
