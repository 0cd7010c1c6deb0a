"""The server's protocol, on a loop whose clock is turned by hand."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from gatekey.cli.protocol import Protocol

KEEP_ALIVE = 75
REQUEST = b"GET /health HTTP/1.1\r\nhost: gateway\r\n\r\n"


class Loop:
    """Timers that ring when told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[..., Any], *given: Any) -> "Loop.Timer":
        entry = (self.now + seconds, call, given)
        self.timers.append(entry)
        return Loop.Timer(self, entry)

    def create_task(self, work: Any) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def turn(self, seconds: float) -> None:
        """Let time pass, and ring whatever it has come for."""
        end = self.now + seconds
        while due := [timer for timer in self.timers if timer[0] <= end]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            self.now = first[0]
            first[1](*first[2])
        self.now = end

    class Timer:
        def __init__(self, loop: "Loop", entry: Any) -> None:
            self.loop, self.entry = loop, entry

        def cancel(self) -> None:
            if self.entry in self.loop.timers:
                self.loop.timers.remove(self.entry)


class Transport:
    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answered(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    line = scope["extensions"]["gatekey.line"]["line"]
    assert line.whole(200, [(b"content-length", b"2")], b"ok")


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def connection(loop: Loop) -> Protocol:
    config = uvicorn.Config(answered, timeout_keep_alive=KEEP_ALIVE, log_config=None, lifespan="off")
    config.load()
    made = Protocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)  # type: ignore[arg-type]
    made.connection_made(Transport())  # type: ignore[arg-type]
    return made


async def ask(connection: Protocol) -> None:
    connection.data_received(REQUEST)
    for _ in range(3):
        await asyncio.sleep(0)


def closed(connection: Protocol) -> bool:
    return connection.transport.is_closing()


async def exchanges(connection: Protocol, loop: Loop) -> None:
    for _ in range(3):
        await ask(connection)
        loop.turn(KEEP_ALIVE - 1)
    assert connection.transport.written.count(b"200 OK") == 3  # type: ignore[attr-defined]
    assert not closed(connection), "it was idle for less than its time, three times"
    assert len(loop.timers) == 1, "one timer serves the connection"
    loop.turn(2)
    assert closed(connection)


def test_an_idle_connection_is_closed_after_its_time(connection: Protocol, loop: Loop) -> None:
    asyncio.run(exchanges(connection, loop))


async def _under_way(connection: Protocol, loop: Loop) -> None:
    await ask(connection)
    connection.data_received(REQUEST)  # and no turn for its task yet
    loop.turn(10 * KEEP_ALIVE)
    assert not closed(connection)
    for _ in range(3):
        await asyncio.sleep(0)
    loop.turn(KEEP_ALIVE * 2)
    assert closed(connection)


def test_a_request_under_way_is_not_idle(connection: Protocol, loop: Loop) -> None:
    asyncio.run(_under_way(connection, loop))


async def _lost(connection: Protocol, loop: Loop) -> None:
    await ask(connection)
    connection.connection_lost(None)
    assert not loop.timers


def test_a_lost_connection_leaves_no_timer(connection: Protocol, loop: Loop) -> None:
    asyncio.run(_lost(connection, loop))
