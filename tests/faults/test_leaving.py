"""Callers who leave: whatever is under way, the upstream is let go at once."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.asking import CHAT, CHATS, STREAM, at, by, target
from tests.fake import Fake, Reply, chat, chat_stream, error, silence, wait_until
from tests.gateway import Gateway

SOON = 1.0
"""Seconds that are far more than it takes; the median is shown."""


def before_the_head() -> Reply:
    return silence()


def before_content() -> Reply:
    return chat_stream().stalled(1)


def unstreamed() -> Reply:
    return Reply(chat().head, (), "hold")


def in_mid_stream() -> Reply:
    return chat_stream().stalled(3)


CASES: dict[str, tuple[Callable[[], Reply], str, bool]] = {
    "before the head": (before_the_head, CHATS, True),
    "before the head, unstreamed": (before_the_head, CHATS, False),
    "before content": (before_content, CHATS, True),
    "in the body, unstreamed": (unstreamed, CHATS, False),
    "in mid-stream": (in_mid_stream, CHATS, True),
    "forwarded, before the head": (before_the_head, "/v1/files", False),
    "forwarded, in mid-stream": (in_mid_stream, "/v1/files", True),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("way", ["leave", "reset"])
def test_the_upstream_is_let_go(
    gateway: Gateway, fake: Fake, name: str, way: str, record_property: Callable[[str, object], None]
) -> None:
    reply, path, streamed = CASES[name]
    took = []
    for count in range(1, 8):
        fake.answer(reply())
        with gateway.open("POST", path, at(fake), STREAM if streamed else CHAT) as caller:
            request = fake.wait(count)
            if reply is in_mid_stream:
                assert next(caller.pieces())
            left = time.monotonic()
            getattr(caller, way)()
            assert request.closed.wait(SOON), "the upstream is still held"
            assert request.closed_at is not None
            took.append(request.closed_at - left)
    median = statistics.median(took) * 1000
    record_property("median_ms", median)
    print(f"{name}, {way}: upstream let go after {median:.2f} ms (median), {max(took) * 1000:.2f} ms (most)")
    assert max(took) < SOON


def test_a_caller_who_leaves_while_a_retry_waits(gateway: Gateway, fake: Fake) -> None:
    fake.on(CHATS, error(503, headers={"retry-after-ms": "300"}))
    retry = {"attempts": 3, "use_retry_after_headers": True}
    with gateway.open("POST", CHATS, by(target(fake, retry=retry)), CHAT):
        fake.wait()
    time.sleep(0.7)
    assert len(fake.requests) == 1, "nobody is asked again on behalf of who has left"


def test_a_caller_who_leaves_while_sending(gateway: Gateway, fake: Fake) -> None:
    lines = [f"{name}: {value}" for name, value in (at(fake) | {"x-portkey-api-key": "gk-test-admin"}).items()]
    for path in (CHATS, "/v1/files"):
        head = "\r\n".join([f"POST {path} HTTP/1.1", "host: x", *lines, "content-length: 1000", "", '{"model"'])
        with gateway.send(head.encode()):
            pass
    assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200
    assert len(fake.requests) == 1


def test_an_upstream_that_streams_on_is_cut_off(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(["x" * 50_000] * 2_000))
    with gateway.open("POST", CHATS, at(fake), STREAM) as caller:
        assert next(caller.pieces())
    wait_until(lambda: fake.requests[0].closed.is_set(), 2, "the upstream is let go")
    assert not fake.requests[0].answered.is_set()


def resident(gateway: Gateway) -> int:
    """Bytes of memory that the gateway's process takes."""
    pages = Path(f"/proc/{gateway.process.pid}/statm").read_text().split()[1]
    return int(pages) * 4096


@pytest.mark.parametrize("path", [CHATS, "/v1/files"])
def test_what_a_slow_caller_does_not_take_is_not_held(gateway: Gateway, fake: Fake, path: str) -> None:
    fake.answer(chat_stream(["x" * 65536] * 800))
    before = resident(gateway)
    with gateway.open("POST", path, at(fake), STREAM) as caller:
        assert caller.status == 200
        time.sleep(0.3)
        assert resident(gateway) - before < 25_000_000, "of 52 MB"
        assert len(caller.rest()) > 800 * 65536


def test_nothing_is_said_about_callers_who_leave(fake: Fake) -> None:
    with Gateway() as gateway:
        for number, reply in enumerate((silence(), chat_stream().stalled(3), chat_stream().stalled(1)), 1):
            fake.answer(reply)
            with gateway.open("POST", CHATS, at(fake), STREAM) as caller:
                request = fake.wait(number)
                caller.leave()
            assert request.closed.wait(SOON)
        wait_until(lambda: gateway.call("GET", "/health").status == 200)
        assert "Traceback" not in gateway.log
        assert "ERROR" not in gateway.log
