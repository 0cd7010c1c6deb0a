"""Spans reach a collector as they are; it never holds anything up."""

import logging
import time

import pytest

from gatekey.observe import otlp
from gatekey.observe.otlp import BATCH, Export
from gatekey.observe.record import INSERTED
from tests.asking import refusing
from tests.collector import Collector, plain
from tests.unit.observe.test_spans import ID, SPAN, TRACE, record


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "EVERY", 0.02)


def test_spans_arrive_with_our_ids_and_times() -> None:
    with Collector() as collector:
        headers, resource = {"authorization": "Bearer s"}, {"deployment.environment.name": "test"}
        with Export(collector.url, headers, resource) as export:
            export([record(kind=INSERTED), record(parent_span_id=SPAN)])
            request, first, second = collector.wait(3)
        assert collector.paths == ["/v1/traces"]
        assert collector.headers[0]["authorization"] == "Bearer s"
        told = collector.resources[0]
        assert (told["service.name"], told["deployment.environment.name"]) == ("gatekey", "test")
    assert {each.trace_id.hex() for each in (request, first, second)} == {TRACE}
    assert (request.span_id.hex(), request.parent_span_id.hex()) == (ID[16:], SPAN)
    assert first.parent_span_id == second.parent_span_id == request.span_id
    assert (request.kind, first.kind) == (request.SPAN_KIND_SERVER, first.SPAN_KIND_CLIENT)
    start = 1_700_000_000_000_000_000
    assert (request.start_time_unix_nano, request.end_time_unix_nano) == (start, start + 1_100_000)
    assert (second.start_time_unix_nano, second.end_time_unix_nano) == (start + 700_000, start + 1_000_000)
    assert (first.status.code, first.status.message) == (first.status.STATUS_CODE_ERROR, "It broke.")
    assert second.status.code == second.status.STATUS_CODE_UNSET
    assert plain(second.attributes)["gen_ai.usage.output_tokens"] == 11
    assert (export.sent, export.dropped) == (3, 0)


def test_many_go_in_batches_and_none_is_forgotten_at_the_end() -> None:
    with Collector() as collector:
        with Export(f"{collector.url}/v1/traces", {}, {}) as export:
            export([record(id=f"{number:032x}") for number in range(BATCH)])
        assert len(collector.spans) == export.sent == 3 * BATCH
        assert len(collector.paths) >= 3


def test_a_full_queue_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "QUEUE", 10)
    export = Export(refusing(), {}, {})
    export([record() for _ in range(5)])
    assert export.dropped == 5


def test_a_collector_that_is_away_costs_nobody_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT", 0.2)
    with Export(refusing().removesuffix("/v1"), {}, {}) as export, caplog.at_level(logging.WARNING, "gatekey"):
        began = time.monotonic()
        export([record()])
        assert time.monotonic() - began < 0.1
    assert (export.sent, export.dropped) == (0, 3)
    assert [text for _, _, text in caplog.record_tuples if "collector takes no spans" in text]


def test_a_collector_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with Collector(status=400) as collector:
        with Export(collector.url, {}, {}) as export:
            export([record()])
        assert (export.sent, export.dropped) == (0, 3)
