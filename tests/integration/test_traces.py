"""Traces: what becomes of their headers, and the spans that a collector is sent."""

import pytest

from tests.asking import CHAT, CHATS, STREAM, at, by, fallback, target
from tests.collector import Collector, plain
from tests.fake import Fake, chat, error, wait_until
from tests.gateway import Gateway
from tests.integration.test_metrics import values
from tests.integration.test_operations import serve

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
GIVEN = {"traceparent": PARENT, "baggage": "team=blue", "x-portkey-span-id": "s"}


def test_a_provider_is_told_nothing_of_a_trace_unless_that_is_asked_for(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, at(fake) | GIVEN, CHAT).headers["x-portkey-trace-id"] == TRACE
    asked = at(fake, x_portkey_forward_headers="traceparent") | GIVEN
    assert gateway.call("POST", CHATS, asked, CHAT).status == 200
    assert gateway.call("POST", "/v1/responses", at(fake) | GIVEN, CHAT).status == 404  # which the fake does not have
    told = [[request.header(name) for name in GIVEN] for request in fake.requests]
    assert told == [[None, None, None], [PARENT, None, None], [PARENT, "team=blue", None]]


@pytest.mark.parametrize("value", ["", "00", "x" * 10_000, f"ff-{TRACE}-{SPAN}-01", "\xff\xfe"])
def test_a_malformed_one_is_as_none(gateway: Gateway, fake: Fake, value: str) -> None:
    answer = gateway.call("POST", CHATS, at(fake, traceparent=value, baggage=value), CHAT)
    assert answer.status == 200
    assert answer.headers["x-portkey-trace-id"] != TRACE


@pytest.mark.parametrize("path", ["/v1/otel/v1/traces", "/v1/otel/v1/logs", "/v1/logs/otel"])
def test_spans_of_others_are_not_taken_in_yet(gateway: Gateway, path: str) -> None:
    answer = gateway.call("POST", path, body={"resourceSpans": []})
    assert answer.status == (405 if path.startswith("/v1/logs") else 404)


def test_spans_of_a_running_gateway(fake: Fake) -> None:
    with Collector() as collector:
        env = {"GATEKEY_OTLP_ENDPOINT": collector.url, "GATEKEY_OTLP_HEADERS": "x-tenant=a%20b"}
        with Gateway(env=env) as gateway:
            fake.answer(error(500), chat("hi", model="answered"))
            config = by(fallback(target(fake), target(fake)))
            assert gateway.call("POST", CHATS, config | {"traceparent": PARENT}, {**CHAT, "top_p": 1}).status == 200
            request, first, second = collector.wait(3)
            assert gateway.call("POST", CHATS, at(fake), STREAM).status == 200
            streamed = collector.wait(5)[4]
            wait_until(lambda: values(gateway)["gatekey_spans_sent_total"] == 5, 10, "it is counted")
            assert values(gateway)["gatekey_records_stored_total"] == 2
        assert collector.headers[0]["x-tenant"] == "a b"
    assert {each.trace_id.hex() for each in (request, first, second)} == {TRACE}
    assert (request.parent_span_id.hex(), request.name) == (SPAN, f"POST {CHATS}")
    assert first.parent_span_id == second.parent_span_id == request.span_id
    assert request.start_time_unix_nano < first.start_time_unix_nano < first.end_time_unix_nano
    assert first.end_time_unix_nano <= second.start_time_unix_nano < second.end_time_unix_nano
    assert second.end_time_unix_nano <= request.end_time_unix_nano
    assert plain(first.attributes)["error.type"] == "500"
    told = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
        "gen_ai.request.top_p": 1.0, "gen_ai.response.model": "answered",
        "gen_ai.response.finish_reasons": ["stop"], "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 7,
        "server.address": "127.0.0.1", "server.port": fake.port,
    }  # fmt: skip
    assert told.items() <= plain(second.attributes).items()
    assert plain(streamed.attributes)["gen_ai.response.finish_reasons"] == ["stop"]
    assert "gen_ai.response.time_to_first_chunk" in plain(streamed.attributes)


@pytest.mark.parametrize(
    ("name", "value"), [("ENDPOINT", "collector:4318"), ("ENDPOINT", "http://a:x"), ("HEADERS", "no-value")]
)
def test_what_is_no_collector_is_refused_at_the_start(name: str, value: str) -> None:
    env = {"GATEKEY_OTLP_ENDPOINT": "http://127.0.0.1:4318", f"GATEKEY_OTLP_{name}": value}
    ended = serve("--port", "0", env=env)
    assert ended.returncode == 2
    assert f"GATEKEY_OTLP_{name}" in ended.stderr
