"""Connections: kept and used again, given up in time, ended by whoever leaves; over TLS and through proxies."""

import asyncio
import gc
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portkey_ai import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    AsyncPortkey,
    Portkey,
    _network_async,
    _network_sync,
)
from portkey_ai._async import http as transport_async
from portkey_ai._sync import http as transport_sync
from tests.fake import Fake, Gate, Reply, chat, chat_stream, error, html, raw, silence, wait_until
from tests.sdk.ways import Evented, Way

HELLO: Any = [{"role": "user", "content": "Hello"}]


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO, **more)


def settle(way: Way) -> None:
    """What is under way on loopback arrives."""
    time.sleep(0.05)
    if isinstance(way, Evented):
        way.run(asyncio.sleep(0.01))


def test_a_connection_is_used_again(near: Way, fake: Fake) -> None:
    for _ in range(3):
        near(ask)
    near(lambda client: ask(client.with_options(config="pc-1")))
    near.items(near(lambda client: ask(client, stream=True)))
    fake.answer(error(400))
    with pytest.raises(Exception, match="It failed"):
        near(ask)
    near(lambda client: client.models.list())
    assert {request.connection for request in fake.requests} == {0}


def test_one_that_the_other_side_has_closed_is_not(near: Way, fake: Fake) -> None:
    fake.answer(Reply(chat().head, chat().parts, "close"))
    near(ask)
    wait_until(lambda: not fake.open)
    settle(near)
    near(ask)
    assert [request.connection for request in fake.requests] == [0, 1]


def test_one_that_was_idle_for_long_is_not(near: Way, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    near(ask)
    for module in (_network_sync, _network_async):
        monkeypatch.setattr(module, "IDLE", -1)
    near(ask)
    assert fake.connections == 2


def test_one_with_something_unasked_for_on_it_is_not(near: Way, fake: Fake) -> None:
    fake.answer(Reply(chat().head, (*chat().parts, b"HTTP/1.1 200 OK\r\n")))
    near(ask)
    fake.requests[0].answered.wait(5)
    settle(near)
    near(ask)
    assert fake.connections == 2


def test_idle_connections_are_bounded(near: Way, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (transport_sync, transport_async):
        monkeypatch.setattr(module, "KEPT", 1)
    gate = Gate()
    fake.on("/v1/chat/completions", chat_stream().slowly(gate))
    streams = [near(lambda client: ask(client, stream=True)) for _ in range(3)]
    gate.set()
    for stream in streams:
        near.items(stream)
    wait_until(lambda: fake.open == 1)


def test_closing_the_client_closes_them_and_it_can_be_used_again(near: Way, fake: Fake) -> None:
    near(ask)
    near(lambda client: client.with_options(trace_id="t").close())
    wait_until(lambda: not fake.open)
    near(ask)
    assert fake.connections == 2


def test_a_with_block_closes_the_client(fake: Fake) -> None:
    with Portkey(base_url=fake.base) as client:
        ask(client)
    wait_until(lambda: not fake.open)

    async def main() -> None:
        async with AsyncPortkey(base_url=fake.base) as client:
            await ask(client)

    asyncio.run(main())
    wait_until(lambda: not fake.open)


LEAVING = {
    "close": lambda way, stream: way.close(stream),
    "letting go": lambda way, stream: None,
}


@pytest.mark.parametrize("read", [0, 1])
@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_whoever_leaves_a_stream_ends_the_exchange(near: Way, fake: Fake, leave: Any, read: int) -> None:
    fake.answer(chat_stream().stalled(3))
    stream = near(lambda client: ask(client, stream=True))
    near.first(stream, read)
    leave(near, stream)
    del stream
    gc.collect()
    if isinstance(near, Evented):
        near.run(asyncio.sleep(0.01))
    assert fake.requests[0].closed.wait(5)


def test_a_with_block_ends_the_stream(fake: Fake) -> None:
    fake.on("/v1/chat/completions", chat_stream().stalled(3))
    with Portkey(base_url=fake.base) as client, ask(client, stream=True) as stream:
        next(stream)
    assert fake.requests[0].closed.wait(5)

    async def main() -> None:
        async with AsyncPortkey(base_url=fake.base) as client, await ask(client, stream=True) as stream:
            await anext(stream)

    asyncio.run(main())
    assert fake.requests[1].closed.wait(5)


@pytest.mark.parametrize("reply", [silence(), chat_stream().stalled(2)], ids=["before the head", "in the stream"])
def test_cancelling_ends_the_exchange(fake: Fake, reply: Reply) -> None:
    fake.answer(reply)
    way = Evented(base_url=fake.base)

    async def read() -> None:
        async for _ in await ask(way.client, stream=True):
            pass

    async def leave() -> None:
        task = asyncio.ensure_future(read())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    way.run(leave())
    assert fake.requests[0].closed.wait(5)
    way.end()


def test_nothing_is_left_open_unnoticed(near: Way, fake: Fake) -> None:
    """Not even a warning: a stream that is let go of is closed by the client."""
    fake.on("/v1/chat/completions", chat_stream().stalled(3))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        near(lambda client: ask(client, stream=True))
        gc.collect()
        if isinstance(near, Evented):
            near.run(asyncio.sleep(0.01))
        gc.collect()
    assert [str(warning.message) for warning in told] == []


def test_silence_ends_in_time(near: Way, fake: Fake) -> None:
    for reply in (silence(), Reply(b"HTTP/1.1 200 OK\r\n", (), "hold")):
        fake.answer(reply)
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match="silent for longer than `timeout`"):
            near(lambda client: ask(client, timeout=0.1))
        assert time.monotonic() - began < 2
    fake.answer(chat_stream().stalled(2))
    stream = near(lambda client: ask(client.with_options(timeout=0.1), stream=True))
    with pytest.raises(APITimeoutError):
        near.items(stream)
    wait_until(lambda: all(request.closed.is_set() for request in fake.requests))


def test_words_in_time_are_no_silence(near: Way, fake: Fake) -> None:
    fake.answer(chat_stream().slowly(0.05))
    chunks = near.items(near(lambda client: ask(client, stream=True, timeout=0.5)))
    assert len(chunks) == 7


def test_a_stream_that_breaks_off(near: Way, fake: Fake) -> None:
    for reply in (chat_stream().cut_after(3), chat_stream().cut_after(3, "reset"), chat_stream().unended().cut(300)):
        fake.answer(reply)
        stream = near(lambda client: ask(client, stream=True))
        with pytest.raises(APIConnectionError, match=r"broke|breaks|closed"):
            near.items(stream)


def test_a_stream_whose_end_lasts(near: Way, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `[DONE]` nobody waits for the end of the connection."""
    fake.answer(chat_stream().stalled(8))
    chunks = near.items(near(lambda client: ask(client, stream=True)))
    assert len(chunks) == 7
    assert fake.requests[0].closed.wait(5)


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (html("<title>x</title>"), APIResponseError, "is a gateway at base_url"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), APIConnectionError, "is not HTTP/1.1"),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"), APIConnectionError, "broke off"),
    ],
)
def test_something_else_than_a_gateway(near: Way, fake: Fake, reply: Reply, kind: Any, told: str) -> None:
    fake.answer(reply)
    with pytest.raises(kind, match=told):
        near(ask)


def test_an_answer_is_bounded(near: Way, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (transport_sync, transport_async):
        monkeypatch.setattr(module, "MAX_ANSWER", 100)
    with pytest.raises(APIResponseError, match="more than 100 bytes"):
        near(ask)


def test_whoever_refuses_a_body_may_answer_before_its_end(near: Way, fake: Fake) -> None:
    """A body of 30 MB, of which the other side reads nothing: the answer is read all the same."""
    answer = b"HTTP/1.1 413 Too Large\r\ncontent-length: 33\r\n\r\n" + b'{"error":{"message":"Too large."}}'[:33]
    with Refusing(answer) as url, pytest.raises(Exception, match=r"Too large|status 413"):
        near(lambda client: client.with_options(base_url=url).post("/x", text="x" * 30_000_000))


class Refusing:
    """A server that answers before it has read, and closes."""

    def __init__(self, answer: bytes) -> None:
        import socket

        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        connection.recv(1000)
        connection.sendall(self._answer)
        time.sleep(0.2)
        connection.close()

    def __enter__(self) -> str:
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"

    def __exit__(self, *error: object) -> None:
        self._thread.join()
        self._listening.close()


def test_threads_share_a_client(fake: Fake) -> None:
    with Portkey(base_url=fake.base) as client, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: ask(client.with_options(trace_id=str(number))), range(100)))
    assert all(answer.choices for answer in found)
    assert sorted(int(request.header("x-portkey-trace-id") or -1) for request in fake.requests) == list(range(100))
    assert fake.connections <= 8


def test_tasks_share_a_client(fake: Fake) -> None:
    async def main() -> list[Any]:
        async with AsyncPortkey(base_url=fake.base) as client:
            return await asyncio.gather(*[ask(client.with_options(trace_id=str(number))) for number in range(50)])

    assert len(asyncio.run(main())) == 50
    assert sorted(int(request.header("x-portkey-trace-id") or -1) for request in fake.requests) == list(range(50))


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # a loop that is closed leaves its sockets open
def test_a_client_may_outlive_a_loop(fake: Fake) -> None:
    client = AsyncPortkey(base_url=fake.base)
    for _ in range(2):
        asyncio.run(ask(client))
    asyncio.run(client.close())
    assert fake.connections == 2
    gc.collect()


def test_a_forked_process_makes_connections_of_its_own(fake: Fake) -> None:
    """Two processes on one connection would read one another's answers."""
    with Portkey(base_url=fake.base) as client:
        ask(client)
        [kept] = client._transport._kept.values()  # type: ignore[attr-defined]
        assert kept[0].usable()
        kept[0]._process += 1
        ask(client)
    assert fake.connections == 2
