"""The gateway runs, answers, streams, notices who leaves, and ends when it is told to."""

import signal
from collections.abc import Iterator

import pytest

from tests import fake as provider
from tests.fake import Fake, Gate
from tests.gateway import KEY, PATIENCE, Gateway

CHAT = "/v1/chat/completions"
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def to(fake: Fake) -> Iterator[dict[str, str]]:
    """Headers that name the fake as the provider."""
    yield {"x-portkey-provider": "openai", "x-portkey-custom-host": fake.base, "authorization": "Bearer sk-fake"}


def test_a_call(gateway: Gateway, fake: Fake, to: dict[str, str]) -> None:
    answer = gateway.call("POST", CHAT, to, ASK)
    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"] == "This is a test."
    (request,) = fake.requests
    assert (request.method, request.path, request.json) == ("POST", CHAT, ASK)
    assert request.header("authorization") == "Bearer sk-fake"
    assert KEY not in str(request.headers)


def test_who_has_no_key_is_not_served(gateway: Gateway, fake: Fake, to: dict[str, str]) -> None:
    answer = gateway.call("POST", CHAT, to, ASK, key=None)
    assert answer.status == 401
    assert answer.headers["x-portkey-trace-id"]
    assert fake.requests == []


def test_each_token_passes_before_the_next_is_there(gateway: Gateway, fake: Fake, to: dict[str, str]) -> None:
    gate = Gate()
    fake.answer(provider.chat_stream(["a", "b"]).slowly(0, 0, gate))
    with gateway.open("POST", CHAT, to, {**ASK, "stream": True}) as stream:
        assert stream.status == 200
        events = stream.events()
        first = next(event for event in events if event.json()["choices"][0]["delta"].get("content"))
        assert first.json()["choices"][0]["delta"]["content"] == "a"
        assert not fake.requests[0].answered.is_set()
        gate.set()
        assert list(events)[-1].data == "[DONE]"


@pytest.mark.parametrize("way", ["leave", "reset"])
def test_a_caller_who_leaves_takes_the_upstream_along(
    gateway: Gateway, fake: Fake, to: dict[str, str], way: str
) -> None:
    fake.answer(provider.chat_stream(["a", "b"]).stalled(2))
    with gateway.open("POST", CHAT, to, {**ASK, "stream": True}) as stream:
        assert next(stream.events())
        assert not fake.requests[0].closed.is_set()
        getattr(stream, way)()
        assert fake.requests[0].closed.wait(PATIENCE)


def test_a_caller_who_leaves_before_any_answer(gateway: Gateway, fake: Fake, to: dict[str, str]) -> None:
    fake.answer(provider.silence())
    with gateway.open("POST", CHAT, to, ASK):
        fake.wait()
    assert fake.requests[0].closed.wait(PATIENCE)


def test_a_running_stream_outlives_the_order_to_end() -> None:
    gate = Gate()
    with Fake() as fake, Gateway() as gateway:
        fake.answer(provider.chat_stream(["a", "b"]).slowly(0, 0, gate))
        to = {"x-portkey-provider": "openai", "x-portkey-custom-host": fake.base, "authorization": "Bearer sk-fake"}
        with gateway.open("POST", CHAT, to, {**ASK, "stream": True}) as stream:
            events = stream.events()
            next(events)
            gateway.process.send_signal(signal.SIGTERM)
            gate.set()
            assert list(events)[-1].data == "[DONE]"
        assert gateway.process.wait(PATIENCE) == 0
