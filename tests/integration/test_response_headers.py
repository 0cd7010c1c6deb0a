"""The headers that say what happened: the documented five, ours, and which of a provider's pass."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, PROMPT, STREAM, TEXTS, at, by, fallback, target
from tests.fake import Fake, chat, chat_stream, error, text
from tests.fake import json as json_reply
from tests.gateway import Gateway

PATH = "x-portkey-last-used-option-index"
RETRIES = "x-portkey-retry-attempt-count"
CACHE = "x-portkey-cache-status"
TRACE = "x-portkey-trace-id"
FAILED_BY = "x-gatekey-failed-by"


@pytest.mark.parametrize("path", [CHATS, TEXTS, "/v1/models", "/v1/files"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_five_are_on_every_answer(gateway: Gateway, fake: Fake, path: str, stream: bool) -> None:
    method = "GET" if path == "/v1/models" else "POST"
    answer = gateway.call(method, path, at(fake), {**CHAT, **PROMPT, "stream": stream})
    assert answer.headers["x-portkey-provider"] == "openai"
    assert answer.headers[PATH] == "config"
    assert answer.headers[RETRIES] == "0"
    assert answer.headers[CACHE] == "DISABLED"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers[TRACE])


def nested(fake: Fake, inner: list[int]) -> dict[str, Any]:
    """A tree of fallbacks whose leaf at `inner` leads to the fake, and all before it to nobody."""
    bad = {"provider": "openai", "api_key": "k", "custom_host": "http://127.0.0.1:1/v1"}
    if not inner:
        return target(fake)
    return fallback(*[dict(bad) for _ in range(inner[0])], nested(fake, inner[1:]))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ([0], "config.targets[0]"),
        ([2], "config.targets[2]"),
        ([1, 0], "config.targets[1].targets[0]"),
        ([0, 1, 2], "config.targets[0].targets[1].targets[2]"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_place_of_the_target_that_answered(
    gateway: Gateway, fake: Fake, place: list[int], path: str, stream: bool
) -> None:
    answer = gateway.call("POST", CHATS, by(nested(fake, place)), {**CHAT, "stream": stream})
    assert (answer.status, answer.headers[PATH]) == (200, path)


def test_the_place_of_the_last_target_when_all_failed(gateway: Gateway, fake: Fake) -> None:
    fake.on(CHATS, error(500, "dead"))
    answer = gateway.call("POST", CHATS, by(fallback(target(fake), fallback(target(fake), target(fake)))), CHAT)
    assert (answer.status, answer.headers[PATH]) == (500, "config.targets[1].targets[1]")
    assert answer.error["message"] == "openai error: dead"


def test_the_provider_is_the_one_that_answered(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(500))
    answer = gateway.call("POST", CHATS, by(fallback(target(fake), target(fake, provider="groq"))), CHAT)
    assert answer.headers["x-portkey-provider"] == "groq"


@pytest.mark.parametrize(
    ("replies", "attempts", "status", "count"),
    [
        ([chat()], 2, 200, "0"),
        ([error(503), chat()], 2, 200, "1"),
        ([error(503), error(503), chat()], 2, 200, "2"),
        ([error(503), error(503)], 1, 503, "-1"),
        ([error(503)], 0, 503, "0"),
        ([error(400)], 2, 400, "0"),
        ([error(503), error(401)], 2, 401, "1"),
    ],
    ids=str,
)
def test_retries_are_counted(
    gateway: Gateway, fake: Fake, replies: list[Any], attempts: int, status: int, count: str
) -> None:
    # The provider asks for waits of a millisecond: what is counted here is not how long they are.
    fake.answer(*[hurried(reply) for reply in replies])
    retry = {"attempts": attempts, "use_retry_after_headers": True}
    answer = gateway.call("POST", CHATS, by(target(fake, retry=retry)), CHAT)
    assert (answer.status, answer.headers[RETRIES]) == (status, count)
    assert len(fake.requests) == len(replies)
    assert answer.headers.get("x-should-retry") == ("false" if status != 200 and count != "0" else None)


@pytest.mark.parametrize(
    ("reply", "whose"),
    [(error(400), "provider"), (error(503), "provider"), (chat().cut(10, "reset"), "provider"), (chat(), None)],
    ids=["refused", "failed", "broken off", "answered"],
)
def test_who_failed(gateway: Gateway, fake: Fake, reply: Any, whose: str | None) -> None:
    fake.answer(reply)
    assert gateway.call("POST", CHATS, at(fake), CHAT).headers.get(FAILED_BY) == whose


def test_the_gateway_says_where_it_is_itself_who_refuses(gateway: Gateway, fake: Fake) -> None:
    refused = [
        gateway.call("POST", CHATS, at(fake), CHAT, key="gk-wrong"),
        gateway.call("POST", CHATS, at(fake, "nobody"), CHAT),
        gateway.call("GET", "/v1/configs/none"),
    ]
    assert [answer.headers[FAILED_BY] for answer in refused] == ["gateway"] * 3


def test_an_error_after_content_says_who_failed(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream().cut_after(3, "reset"))
    with gateway.open("POST", CHATS, at(fake), STREAM) as stream:
        last = list(stream.events())[-1]
    assert (last.name, last.json()["failed_by"]) == ("error", "provider")


def hurried(reply: Any) -> Any:
    """The reply, asking to be asked again after 1 ms."""
    head = reply.head.removesuffix(b"\r\n") + b"retry-after-ms: 1\r\n\r\n"
    return type(reply)(head, reply.parts, reply.end)


def test_retries_of_a_stream_and_of_the_answering_target_only(gateway: Gateway, fake: Fake) -> None:
    retry = {"attempts": 1, "use_retry_after_headers": True}
    fake.answer(hurried(error(503)), hurried(error(503)), hurried(error(503)), chat_stream())
    config = fallback(target(fake, retry=retry), target(fake, retry=retry))
    answer = gateway.call("POST", CHATS, by(config), STREAM)
    assert (answer.status, answer.headers[RETRIES], answer.headers[PATH]) == (200, "1", "config.targets[1]")


@pytest.mark.parametrize(
    ("cache", "refresh", "told"),
    [
        (None, None, "DISABLED"),
        (None, "true", "DISABLED"),
        ({"mode": "simple"}, None, "MISS"),
        ({"mode": "simple", "max_age": 60}, "True", "REFRESH"),
        ({"mode": "semantic"}, "false", "MISS"),
    ],
)
def test_the_cache_that_is_not_there(gateway: Gateway, fake: Fake, cache: Any, refresh: str | None, told: str) -> None:
    config = target(fake) | ({"cache": cache} if cache else {})
    more = {"x_portkey_cache_force_refresh": refresh} if refresh else {}
    answer = gateway.call("POST", CHATS, by(config, **more), CHAT)
    assert (answer.status, answer.headers[CACHE]) == (200, told)
    assert answer.headers.get("x-gatekey-not-available") == ("cache" if cache else None)


def test_several_parts_that_are_not_there(gateway: Gateway, fake: Fake) -> None:
    breaker = {"failure_threshold": 3, "cooldown_interval": 30000, "failure_status_codes": [500]}
    config = target(fake, cache={"mode": "simple"}, cb_config=breaker)
    answer = gateway.call("POST", CHATS, by(config), CHAT)
    assert answer.headers["x-gatekey-not-available"] == "cache, circuit breaker"


@pytest.fixture(scope="module")
def small() -> Iterator[Gateway]:
    with Gateway(env={"GATEKEY_MAX_BODY_MB": "1"}) as running:
        yield running


@pytest.mark.parametrize("given", ["mine-1", "", "größe", "a" * 500])
def test_a_trace_id_on_every_answer(small: Gateway, fake: Fake, given: str) -> None:
    fake.on("/v1/fail", error(500))
    trace = {"x-portkey-trace-id": given.encode().decode("latin-1")} if given else {}
    answers = {
        200: small.call("POST", CHATS, at(fake) | trace, CHAT),
        400: small.call("POST", CHATS, at(fake) | trace, b"{"),
        401: small.call("POST", CHATS, at(fake) | trace, CHAT, key=None),
        404: small.call("GET", "/nowhere", trace),
        413: small.call("POST", CHATS, at(fake) | trace, b"x" * 1_100_000),
        500: small.call("POST", "/v1/fail", at(fake) | trace, CHAT),
        502: small.call("POST", CHATS, by(target("http://127.0.0.1:1/v1")) | trace, CHAT),
    }
    for status, answer in answers.items():
        assert answer.status == status
        if given:
            assert answer.headers[TRACE].encode("latin-1").decode() == given, status
        else:
            assert re.fullmatch("[0-9a-f]{32}", answer.headers[TRACE]), status


def test_a_trace_id_where_a_header_is_wrong(gateway: Gateway, fake: Fake) -> None:
    answer = gateway.call("POST", CHATS, at(fake, x_portkey_debug="?", x_portkey_trace_id="mine"), CHAT)
    assert (answer.status, answer.headers[TRACE]) == (400, "mine")


@pytest.mark.parametrize(
    ("traceparent", "told"),
    [
        (f"00-{'4b' * 16}-{'00f0' * 4}-01", "4b" * 16),
        ("00-nonsense-01", None),
        (f"00-{'0' * 32}-{'00f0' * 4}-01", None),
    ],
)
def test_a_w3c_trace(gateway: Gateway, fake: Fake, traceparent: str, told: str | None) -> None:
    answer = gateway.call("POST", CHATS, at(fake, traceparent=traceparent), CHAT)
    assert (answer.headers[TRACE] == told) is (told is not None)
    both = gateway.call("POST", CHATS, at(fake, traceparent=traceparent, x_portkey_trace_id="mine"), CHAT)
    assert both.headers[TRACE] == "mine"


LIMITS = {
    "x-request-id": "req_1",
    "x-ratelimit-remaining-requests": "9",
    "openai-organization": "org",
    "retry-after": "3",
    "x-portkey-cache-status": "HIT",
    "x-portkey-evil": "1",
    "x-gatekey-evil": "1",
    "connection": "keep-alive, x-hop",
    "x-hop": "1",
    "keep-alive": "timeout=5",
    "set-cookie": "a=b",
    "server": "nginx",
    "x-should-retry": "true",
    "access-control-allow-origin": "*",
}


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("kind", ["json", "stream"])
def test_which_headers_of_a_provider_pass(gateway: Gateway, fake: Fake, status: int, kind: str) -> None:
    if kind == "stream" and status == 200:
        reply = chat_stream()
        lines = "".join(f"{name}: {value}\r\n" for name, value in LIMITS.items()).encode()
        fake.answer(type(reply)(reply.head.removesuffix(b"\r\n") + lines + b"\r\n", reply.parts, reply.end))
    else:
        fake.answer(json_reply({"choices": []} if status == 200 else {"error": "no"}, status, LIMITS))
    answer = gateway.call("POST", CHATS, at(fake), {**CHAT, "stream": kind == "stream"})
    assert answer.status == status
    for name in ("x-request-id", "x-ratelimit-remaining-requests", "openai-organization", "retry-after"):
        assert answer.headers[name] == LIMITS[name]
    assert answer.headers[CACHE] == "DISABLED"
    for name in ("x-portkey-evil", "x-gatekey-evil", "x-hop", "keep-alive", "set-cookie", "server", "x-should-retry"):
        assert name not in answer.headers, name
    assert "access-control-allow-origin" not in answer.headers


def test_which_headers_pass_where_all_is_forwarded(gateway: Gateway, fake: Fake) -> None:
    fake.answer(text("hello", headers=LIMITS))
    answer = gateway.call("POST", "/v1/some/where", at(fake), CHAT)
    assert answer.headers["set-cookie"] == "a=b"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers[CACHE] == "DISABLED"
    for name in ("x-portkey-evil", "x-gatekey-evil", "x-hop", "keep-alive", "server"):
        assert name not in answer.headers, name


def test_dropped_and_clamped_parameters_are_named(gateway: Gateway, fake: Fake) -> None:
    from tests.integration.test_naming import ANTHROPIC

    fake.answer(json_reply(ANTHROPIC))
    body = {
        **CHAT,
        "model": "claude-3-5-haiku-20241022",
        "temperature": 1.7,
        "logit_bias": {"1": 2},
        "seed": 3,
        "max_tokens": 5,
    }
    answer = gateway.call("POST", CHATS, at(fake, "anthropic"), body)
    assert set(answer.headers["x-gatekey-dropped-params"].split(", ")) == {"logit_bias", "seed"}
    assert answer.headers["x-gatekey-clamped-params"] == "temperature=1"
    assert fake.requests[0].json["temperature"] == 1


def test_a_dropped_parameter_cannot_write_headers(gateway: Gateway, fake: Fake) -> None:
    from tests.integration.test_naming import ANTHROPIC

    fake.answer(json_reply(ANTHROPIC))
    answer = gateway.call("POST", CHATS, at(fake, "anthropic"), {**CHAT, "a\r\nx-evil: 1": 1, "ü": 2, "b" * 9000: 3})
    assert answer.status == 200
    assert "x-evil" not in answer.headers
    assert len(answer.headers["x-gatekey-dropped-params"]) < 8192
