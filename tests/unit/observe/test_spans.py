"""What a record is as spans: their places, their times, their attributes, and what is never among them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec import Raw

from gatekey.observe.record import Record, Tried, decode, encode
from gatekey.observe.spans import LARGEST, Span, span, spans, trace
from gatekey.wire.usage import Usage

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ID = "0123456789abcdef" * 2
USED = Usage(input=5, cache_read=3, cache_write=2, cache_write_1h=1, output=7, reasoning=4)


def record(**more: Any) -> Record:
    """One that failed at first, and was then answered."""
    failed = Tried(path="config.targets[0]", provider="one", status=500, by="provider", error="It broke.", model="m",
                   url="https://api.example.org/v1/chat/completions", began_us=100, total_us=400)  # fmt: skip
    fine = Tried(path="config.targets[1]", provider="two", status=200, by="provider", model="m2", usage=USED, cost=9,
                 url="http://127.0.0.1:8080/v1/chat/completions", began_us=700, total_us=300, first_us=50_000,
                 retries=1)  # fmt: skip
    told: dict[str, Any] = {
        "id": ID, "created_at": 1_700_000_000_000, "kind": "chat", "method": "POST", "path": "/v1/chat/completions",
        "trace_id": TRACE, "status": 200, "attempts": [failed, fine], "total_us": 1100, "cost": 9, "priced": True,
        "workspace": "ws", "api_key": "key-id", "user": "john", "metadata": {"team": "blue"},
    }  # fmt: skip
    return Record(**{**told, **more})


def made(**more: Any) -> list[Span]:
    return list(spans(record(**more)))


def test_a_span_for_the_request_and_one_for_each_attempt() -> None:
    request, first, second = made()
    assert {each.trace_id for each in (request, first, second)} == {TRACE}
    assert (request.id, request.parent_id, request.served) == (ID[16:], "", True)
    assert [(each.parent_id, each.served) for each in (first, second)] == [(ID[16:], False)] * 2
    assert len({request.id, first.id, second.id}) == 3
    assert [each.name for each in (request, first, second)] == ["POST /v1/chat/completions", "chat m", "chat m2"]
    start = 1_700_000_000_000_000_000
    assert [(each.start - start, each.end - start) for each in (request, first, second)] == [
        (0, 1_100_000), (100_000, 500_000), (700_000, 1_000_000),
    ]  # fmt: skip
    assert [each.error for each in (request, first, second)] == [None, "It broke.", None]


def test_attributes() -> None:
    request, first, second = (each.attributes for each in made())
    assert request == {
        "http.request.method": "POST", "url.path": "/v1/chat/completions", "http.response.status_code": 200,
        "user.id": "john", "gatekey.workspace": "ws", "gatekey.api_key": "key-id", "gatekey.overhead_us": 0,
        "gatekey.priced": True, "gatekey.cost_nanodollars": 9, "gatekey.metadata.team": "blue",
    }  # fmt: skip
    assert first == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "one", "gen_ai.request.model": "m",
        "http.response.status_code": 500, "error.type": "500", "gatekey.target": "config.targets[0]",
        "gatekey.retries": 0, "gatekey.answered_by": "provider", "server.address": "api.example.org",
        "server.port": 443,
    }  # fmt: skip
    assert second == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "two", "gen_ai.request.model": "m2",
        "http.response.status_code": 200, "gatekey.target": "config.targets[1]", "gatekey.retries": 1,
        "gatekey.answered_by": "provider", "server.address": "127.0.0.1", "server.port": 8080,
        "gen_ai.response.time_to_first_chunk": 0.05, "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 11, "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 3, "gen_ai.usage.reasoning.output_tokens": 4,
        "gatekey.cost_nanodollars": 9,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["", "nothing", "http://[", "http://a:99999/"])
def test_an_address_that_is_none(url: str) -> None:
    _, attempt = made(attempts=[Tried(path="config", provider="p", status=400, by="gateway", url=url)])
    assert "server.address" not in attempt.attributes


def test_usage_is_told_once() -> None:
    told = [each.attributes.get("gen_ai.usage.input_tokens") for each in made()]
    assert told == [None, None, 11]


@pytest.mark.parametrize(
    ("kind", "operation"),
    [("completions", "text_completion"), ("embeddings", "embeddings"), ("proxy", None), ("models", None)],
)
def test_operations(kind: str, operation: str | None) -> None:
    _, first, _ = made(kind=kind)
    assert first.attributes.get("gen_ai.operation.name") == operation
    assert first.name == f"{operation or kind} m"


def test_whose_fault_it_is() -> None:
    assert made(status=400, error="No model.", attempts=[])[0].error is None
    assert made(status=502, error="It is gone.", attempts=[])[0].error == "It is gone."
    assert made(status=200, error="It broke in the middle.")[0].error == "It broke in the middle."
    refused = Tried(path="config", provider="p", status=412, by="gateway", error="Spent.", refused="budget_exhausted")
    assert made(status=412, attempts=[refused])[1].attributes["error.type"] == "budget_exhausted"


def test_what_bodies_say_of_themselves() -> None:
    asked = b'{"max_tokens": 5, "temperature": 1, "n": null, "top_p": "x", "seed": %d, "messages": "SECRET"}' % LARGEST
    answered = b'{"id": "a-1", "model": "m2-2026", "choices": [{"finish_reason": "stop", "message": "SECRET"}, {}, 1]}'
    request, first, second = made(request=Raw(asked), response=Raw(answered))
    params = {"gen_ai.request.max_tokens": 5, "gen_ai.request.temperature": 1.0}
    assert params.items() <= first.attributes.items()
    assert not {"gen_ai.request.choice.count", "gen_ai.request.top_p", "gen_ai.request.seed"} & first.attributes.keys()
    said = {
        "gen_ai.response.id": "a-1", "gen_ai.response.model": "m2-2026", "gen_ai.response.finish_reasons": ["stop"],
    }  # fmt: skip
    assert (params | said).items() <= second.attributes.items()
    assert not said.keys() & first.attributes.keys()
    assert "SECRET" not in repr((request, first, second))


def test_what_a_stream_says_of_itself() -> None:
    text = 'data: {"model": "m2-2026", "choices": [{"finish_reason": null}]}\n\ndata: {"finish_reason":"length"}'
    *_, last = made(stream=True, response=Raw(msgspec.json.encode(text)))
    assert last.attributes["gen_ai.response.model"] == "m2-2026"
    assert last.attributes["gen_ai.response.finish_reasons"] == ["length"]
    assert last.attributes["gen_ai.request.stream"] is True


@pytest.mark.parametrize("body", [b'"plain"', b"[1]", b'{"choices": {"a": 1}}', b'{"choices": null, "model": 5}', b"7"])
def test_any_body_will_do(body: bytes) -> None:
    for stream in (False, True):
        assert len(made(request=Raw(body), response=Raw(body), stream=stream)) == 3


@pytest.mark.parametrize(
    ("text", "id"),
    [(TRACE, TRACE), ("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736", TRACE), ("0" * 32, None), ("my trace", None), ("", None)],
)
def test_ids_of_traces(text: str, id: str | None) -> None:
    found = trace(text)
    assert len(found) == 32 and int(found, 16)
    assert found == trace(text)
    assert (found == id) is (id is not None)


def test_a_parent_by_any_name_is_the_span_of_that_name() -> None:
    assert made(span_id="above", parent_span_id="")[0].id == made(parent_span_id="above")[0].parent_id
    assert made(span_id=SPAN)[0].id == SPAN
    assert made(span_id="below", span_name="mine")[0].name == "mine"


@given(some.text(), some.text(), some.text(), some.dictionaries(some.text(), some.text(), max_size=100))
def test_hostile_values_stay_within_bounds(name: str, id: str, error: str, metadata: dict[str, str]) -> None:
    whole = record(
        trace_id=id, span_id=id, parent_span_id=id, span_name=name, error=error, metadata=metadata, user=name
    )
    for each in spans(decode(encode(whole))):
        assert (len(each.trace_id), len(each.id)) == (32, 16)
        assert int(each.trace_id, 16) and int(each.id, 16)
        assert len(each.name) <= 256 and len(each.error or "") <= 256
        assert len(each.attributes) < 100
        assert all(len(value) <= 256 for value in each.attributes.values() if isinstance(value, str))
    assert len(span(id)) == 16
