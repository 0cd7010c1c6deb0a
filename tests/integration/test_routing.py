"""Routing over real HTTP: what moves a fallback on, who is chosen, how retries wait, what a time-out says."""

import time
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, STREAM, TEXTS, at, by, fallback, refusing, target, text_of
from tests.fake import (
    Fake,
    Reply,
    chat,
    chat_stream,
    completion,
    error,
    events,
    html,
    raw,
    redirect,
    silence,
    stream,
)
from tests.fake import (
    json as json_reply,
)
from tests.gateway import Gateway

PATH = "x-portkey-last-used-option-index"
ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}

UNSTREAMED = {
    "500": error(500),
    "429": error(429),
    "401": error(401),
    "redirect": redirect("http://127.0.0.1:1/"),
    "closed": raw(b""),
    "reset": raw(b"", "reset"),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "cut": chat().cut(20),
    "page": html("<html><title>Bad gateway</title></html>"),
    "no JSON": json_reply(b'{"choices": ['),
    "in band": json_reply({"error": {"message": "overloaded", "code": 529}}),
    "failed": chat(finish="error"),
}
STREAMED = {
    "500": error(500),
    "page": html("<html></html>"),
    "in-band event": events([{"error": {"message": "no"}}]),
    "named event": stream([b'event: error\ndata: {"error": {"message": "no"}}\n\n']),
    "error after the role": events([ROLE, {"error": {"message": "no"}}]),
    "malformed": events([b"{nonsense"]),
    "ended at once": stream([]),
    "done at once": events([]),
    "only the role": events([ROLE]),
    "role, no done": events([ROLE], done=False),
    "cut before content": chat_stream().cut_after(1),
    "reset before content": chat_stream().cut_after(1).reset(),
}


@pytest.mark.parametrize("name", UNSTREAMED)
@pytest.mark.parametrize("path", [CHATS, TEXTS])
def test_a_failure_moves_a_fallback_on(gateway: Gateway, fake: Fake, name: str, path: str) -> None:
    fake.answer(UNSTREAMED[name])
    body = {"model": "m", "messages": [], "prompt": "x"}
    answer = gateway.call("POST", path, by(fallback(target(fake), target(fake, api_key="sk-second"))), body)
    assert (answer.status, answer.headers[PATH]) == (200, "config.targets[1]"), answer.body
    assert fake.requests[-1].header("authorization") == "Bearer sk-second"


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_that_fails_before_content_moves_on(gateway: Gateway, fake: Fake, name: str) -> None:
    fake.answer(STREAMED[name])
    with gateway.open("POST", CHATS, by(fallback(target(fake), target(fake))), STREAM) as answer:
        assert answer.headers[PATH] == "config.targets[1]"
        assert text_of(answer) == "This is a test."
    assert len(fake.requests) == 2


@pytest.mark.parametrize("body", [CHAT, STREAM], ids=["whole", "streamed"])
def test_a_refused_connection_and_a_time_out_move_on(gateway: Gateway, fake: Fake, body: dict[str, Any]) -> None:
    fake.answer(silence())
    config = fallback(target(refusing()), target(fake, request_timeout=100), target(fake))
    answer = gateway.call("POST", CHATS, by(config), body)
    assert (answer.status, answer.headers[PATH]) == (200, "config.targets[2]")


def test_failures_of_the_last_target_are_told(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", CHATS, by(fallback(target(fake, custom_host=refusing()))), CHAT)
    assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")
    assert "refused the connection" in answer.error["message"]
    for name, status in (("page", 502), ("in band", 529), ("not HTTP", 502), ("cut", 502), ("redirect", 502)):
        fake.answer(UNSTREAMED[name])
        answer = gateway.call("POST", CHATS, at(fake), CHAT)
        assert answer.status == status, name
        assert answer.json()["status"] == "failure"


@pytest.mark.parametrize(
    ("codes", "status", "asked"), [([429], 500, 1), ([500], 500, 2), ([429, 503], 503, 2), ([408], 408, 2)]
)
def test_only_the_statuses_that_are_listed_move_on(
    gateway: Gateway, fake: Fake, codes: list[int], status: int, asked: int
) -> None:
    fake.answer(silence() if status == 408 else error(status))
    first = target(fake, request_timeout=100) if status == 408 else target(fake)
    answer = gateway.call("POST", CHATS, by(fallback(first, target(fake), on_status_codes=codes)), CHAT)
    assert len(fake.requests) == asked
    assert answer.status == (200 if asked == 2 else status)


def test_a_success_can_move_on_where_it_is_listed(gateway: Gateway, fake: Fake) -> None:
    config = fallback(target(fake), target(fake), on_status_codes=[200])
    assert gateway.call("POST", CHATS, by(config), CHAT).headers[PATH] == "config.targets[1]"


def balance(*targets: dict[str, Any]) -> dict[str, Any]:
    return {"strategy": {"mode": "loadbalance"}, "targets": list(targets)}


def test_a_weight_of_0_gets_nothing(gateway: Gateway, fake: Fake) -> None:
    config = balance(target(fake, weight=0), target(fake, weight=1), target(fake, weight=0))
    paths = {gateway.call("POST", CHATS, by(config), CHAT).headers[PATH] for _ in range(20)}
    assert paths == {"config.targets[1]"}


def test_equal_weights_are_both_used(gateway: Gateway, fake: Fake) -> None:
    config = balance(target(fake), target(fake))
    paths = {gateway.call("POST", CHATS, by(config), CHAT).headers[PATH] for _ in range(40)}
    assert paths == {"config.targets[0]", "config.targets[1]"}  # missed once in 2 ** 39 runs


def test_a_balance_does_not_move_on(gateway: Gateway, fake: Fake) -> None:
    fake.on(CHATS, error(500))
    assert gateway.call("POST", CHATS, by(balance(target(fake), target(fake))), CHAT).status == 500
    assert len(fake.requests) == 1


CASES = {
    "strategy": {
        "mode": "conditional",
        "conditions": [
            {"query": {"metadata.plan": "paid"}, "then": "paid"},
            {"query": {"params.model": {"$regex": "^big"}, "params.stream": {"$ne": True}}, "then": "big"},
            {"query": {"url.pathname": "/v1/audio/speech"}, "then": "speech"},
        ],
        "default": "free",
    }
}


@pytest.mark.parametrize(
    ("path", "metadata", "body", "chosen"),
    [
        (CHATS, '{"plan": "paid"}', CHAT, 0),
        (CHATS, '{"plan": "free"}', CHAT, 3),
        (CHATS, "", {**CHAT, "model": "big-1"}, 1),
        (CHATS, "", {**STREAM, "model": "big-1"}, 3),
        ("/v1/moderations", "", {"model": "big-1"}, 1),
        ("/v1/audio/speech", "", {"input": "x"}, 2),
    ],
)
def test_conditions(gateway: Gateway, fake: Fake, path: str, metadata: str, body: dict[str, Any], chosen: int) -> None:
    targets = [target(fake, name=name) for name in ("paid", "big", "speech", "free")]
    headers = by({**CASES, "targets": targets}, **({"x_portkey_metadata": metadata} if metadata else {}))
    assert gateway.call("POST", path, headers, body).headers[PATH] == f"config.targets[{chosen}]"


def test_a_retry_waits(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(503))
    assert gateway.call("POST", CHATS, by(target(fake, retry={"attempts": 1})), CHAT).status == 200
    waited = fake.requests[1].at - fake.requests[0].at
    assert 0.5 <= waited < 3, "half a second to a second"


@pytest.mark.parametrize("name", ["retry-after-ms", "x-ms-retry-after-ms"])
def test_a_wait_that_the_provider_asks_for(gateway: Gateway, fake: Fake, name: str) -> None:
    fake.answer(error(429, headers={name: "150"}))
    retry = {"attempts": 1, "use_retry_after_header": True}
    assert gateway.call("POST", CHATS, by(target(fake, retry=retry)), CHAT).status == 200
    assert 0.15 <= fake.requests[1].at - fake.requests[0].at < 0.5


def test_a_wait_too_long_to_be_waited_for(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(429, retry_after="61"))
    retry = {"attempts": 1, "use_retry_after_header": True}
    answer = gateway.call("POST", CHATS, by(target(fake, retry=retry)), CHAT)
    assert (answer.status, answer.headers["x-portkey-retry-attempt-count"]) == (429, "-1")
    assert (answer.headers["x-should-retry"], answer.headers["retry-after"]) == ("false", "61")
    assert len(fake.requests) == 1


def test_what_no_retry_helps_is_not_retried(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, retry={"attempts": 5})
    assert gateway.call("POST", CHATS, by({**config, "provider": "anthropic"}), {"messages": []}).status == 400
    fake.answer(error(400))
    assert gateway.call("POST", CHATS, by(config), CHAT).status == 400
    assert len(fake.requests) == 1


def test_retries_come_before_the_fallback(gateway: Gateway, fake: Fake) -> None:
    fake.on(CHATS, error(503, headers={"retry-after-ms": "1"}))
    retry = {"attempts": 2, "use_retry_after_header": True}
    gateway.call("POST", CHATS, by(fallback(target(fake, api_key="a", retry=retry), target(fake, api_key="b"))), CHAT)
    keys = [request.header("authorization") for request in fake.requests]
    assert keys == ["Bearer a"] * 3 + ["Bearer b"]


@pytest.mark.parametrize("where", ["header", "config"])
@pytest.mark.parametrize("body", [CHAT, STREAM], ids=["whole", "streamed"])
def test_a_time_out_that_was_asked_for(gateway: Gateway, fake: Fake, where: str, body: dict[str, Any]) -> None:
    fake.answer(silence())
    began = time.monotonic()
    if where == "header":
        answer = gateway.call("POST", CHATS, at(fake, x_portkey_request_timeout="300"), body)
    else:
        answer = gateway.call("POST", CHATS, by(target(fake, request_timeout=300)), body)
    took = time.monotonic() - began
    assert answer.status == 408
    assert answer.body.startswith(
        b'{"error":{"message":"Request exceeded the timeout sent in the request: 300ms","type":"timeout_error",'
    )
    assert 0.3 <= took < 2
    assert fake.requests[0].closed.wait(1), "the upstream is let go"


def test_a_time_out_counts_until_the_first_content_only(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(["a", "b", "c"]).slowly(0.0, 0.0, 0.15, 0.15))
    with gateway.open("POST", CHATS, at(fake, x_portkey_request_timeout="250"), STREAM) as answer:
        assert text_of(answer) == "abc"
    fake.answer(chat_stream(["a", "b", "c"]).slowly(0.0, 0.0, 0.4))
    with gateway.open("POST", CHATS, at(fake, x_portkey_request_timeout="250"), STREAM) as answer:
        assert text_of(answer) == "abc"
    fake.answer(chat_stream().stalled(1))
    assert gateway.call("POST", CHATS, at(fake, x_portkey_request_timeout="200"), STREAM).status == 408


def test_an_unstreamed_answer_must_be_whole_in_time(gateway: Gateway, fake: Fake) -> None:
    fake.answer(Reply(chat().head, (), "hold"))
    assert gateway.call("POST", CHATS, at(fake, x_portkey_request_timeout="200"), CHAT).status == 408


def test_strictness(gateway: Gateway, fake: Fake) -> None:
    for strict, reason in (("true", "stop"), ("false", "eos"), (None, "stop")):
        fake.answer(completion(finish="eos"), chat(finish="eos"))
        more = {"x_portkey_strict_open_ai_compliance": strict} if strict else {}
        for path, body in ((TEXTS, {"model": "m", "prompt": "x"}), (CHATS, CHAT)):
            answer = gateway.call("POST", path, at(fake, "together-ai", **more), body)
            assert answer.json()["choices"][0]["finish_reason"] == reason, (strict, path)
