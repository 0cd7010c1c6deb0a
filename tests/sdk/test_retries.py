"""What is repeated, and what is left to the gateway: two tries here times three there would be six."""

from typing import Any

import pytest

from portkey_ai import APIConnectionError, APITimeoutError, InternalServerError, _network_async, _network_sync
from portkey_ai._retries import LONGEST, after_answer, after_failure
from tests.fake import Fake, chat, error, raw
from tests.sdk.ways import Evented, Way

UNSENT, BROKEN = APIConnectionError("no", unsent=True), APIConnectionError("broke")
HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_what_was_not_sent_is_sent_again(method: str) -> None:
    assert [after_failure(UNSENT, method, made, 2) for made in range(4)] == [0.5, 1.0, None, None]


def test_what_may_have_been_carried_out_is_not() -> None:
    again = {
        method: after_failure(BROKEN, method, 0, 2) is not None for method in ("GET", "PUT", "DELETE", "POST", "PATCH")
    }
    assert again == {"GET": True, "PUT": True, "DELETE": True, "POST": False, "PATCH": False}


def test_silence_is_not_repeated() -> None:
    assert after_failure(APITimeoutError("late"), "GET", 0, 2) is None
    assert after_failure(APITimeoutError("late", unsent=True), "POST", 0, 2) == 0.5


def test_only_what_no_gateway_has_answered_is_repeated() -> None:
    again = {
        status: after_answer(status, {}, 0, 2) is not None for status in (200, 400, 408, 409, 429, 500, 502, 503, 504)
    }
    assert [status for status, repeated in again.items() if repeated] == [502, 503, 504]
    assert after_answer(503, {"x-portkey-trace-id": "t"}, 0, 2) is None
    assert after_answer(503, {}, 2, 2) is None


@pytest.mark.parametrize(
    ("asked", "pause"), [("3", 3.0), ("0", 0.0), ("3600", LONGEST), ("soon", 0.5), ("٣", 0.5), ("", 0.5)]
)
def test_how_long_it_waits(asked: str, pause: float) -> None:
    assert after_answer(503, {"retry-after": asked}, 0, 2) == pause
    assert after_answer(503, {}, 9, 10) == LONGEST


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses, which take no time."""
    pauses: list[float] = []

    async def later(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(_network_sync, "sleep", pauses.append)
    monkeypatch.setattr(_network_async, "sleep", later)
    return pauses


def chat_of(client: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO)


def test_a_proxy_that_has_no_gateway_for_a_moment(near: Way, fake: Fake, paused: list[float]) -> None:
    fake.answer(error(503), error(502, retry_after="4"), chat("Here."))
    assert near(chat_of).choices[0].message.content == "Here."
    assert paused == [0.5, 4.0]
    assert len({request.body for request in fake.requests}) == 1


def test_the_last_answer_counts(near: Way, fake: Fake, paused: list[float]) -> None:
    fake.answer(*[error(503, f"No. {number}") for number in range(9)])
    with pytest.raises(InternalServerError, match=r"No\. 2"):
        near(chat_of)
    with pytest.raises(InternalServerError, match=r"No\. 3"):
        near(lambda client: chat_of(client.with_options(max_retries=0)))
    assert len(paused) == 2


def test_the_gateways_own_failure_is_not_repeated(near: Way, fake: Fake, paused: list[float]) -> None:
    fake.answer(*[error(status, headers={"x-portkey-trace-id": "t"}) for status in (503, 500, 429)])
    for _ in range(3):
        with pytest.raises(Exception, match="It failed"):
            near(chat_of)
    assert (len(fake.requests), paused) == (3, [])


def test_nobody_is_there(near: Way, paused: list[float]) -> None:
    with pytest.raises(APIConnectionError, match="is the gateway running there") as failure:
        near(lambda client: chat_of(client.with_options(base_url="http://127.0.0.1:1/v1")))
    assert failure.value.unsent
    assert paused == [0.5, 1.0]


def test_an_answer_that_breaks_off_is_asked_for_again_where_that_is_safe(
    near: Way, fake: Fake, paused: list[float]
) -> None:
    fake.answer(raw(b"HTTP/1.1 200 OK\r\n"), raw(b""))
    assert near(lambda client: client.models.list()).data
    assert len(fake.requests) == 3
    fake.answer(raw(b""))
    with pytest.raises(APIConnectionError, match="closed before an answer came"):
        near(chat_of)
    assert len(fake.requests) == 4


def test_waiting_can_be_cancelled(fake: Fake) -> None:
    import asyncio

    fake.on("/v1/chat/completions", error(503, retry_after="8"))
    way = Evented(base_url=fake.base)

    async def leave() -> None:
        async with asyncio.timeout(0.2):
            await chat_of(way.client)

    with pytest.raises(TimeoutError):
        way.run(leave())
    way.end()
    assert len(fake.requests) == 1
