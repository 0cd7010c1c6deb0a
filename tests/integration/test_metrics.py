"""`/metrics`: true for the whole gateway, whichever worker is asked; and whether a worker is ready."""

import os
import signal
import time

from prometheus_client.parser import text_string_to_metric_families

from tests.asking import CHAT, CHATS, STREAM, at, by, fallback, target
from tests.fake import Fake, Gate, chat, error, wait_until
from tests.gateway import Gateway

Values = dict[str, float]


def values(gateway: Gateway, **labels: str) -> Values:
    """The sum of each sample over all series with these labels."""
    answer = gateway.call("GET", "/metrics", key=None)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: Values = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            if labels.items() <= sample.labels.items() and "le" not in sample.labels:
                found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


REQUESTS = "request_count_total"
"""As the parser names every counter."""


def since(gateway: Gateway, before: Values, **labels: str) -> Values:
    """What has been added meanwhile."""
    return {name: value - before.get(name, 0) for name, value in values(gateway, **labels).items()}


def test_a_worker_tells_what_it_does(gateway: Gateway, fake: Fake) -> None:
    before = values(gateway)
    assert before["gatekey_calls_running"] == 0
    assert before["gatekey_workers"] == 1
    assert 0 <= before["gatekey_store_behind_seconds"] < 5
    gate = Gate()
    fake.answer(chat("hi").late(gate))
    with gateway.open("POST", CHATS, at(fake), CHAT) as stream:
        fake.wait(1)
        assert values(gateway)["gatekey_calls_running"] == 1
        gate.set()
        stream.rest()
    assert values(gateway)["gatekey_calls_running"] == 0


def test_a_request_is_counted_before_its_answer_is_read(gateway: Gateway, fake: Fake) -> None:
    labels = {"endpoint": "chat", "code": "200", "method": "POST", "provider": "openai"}
    for body, stream in ((CHAT, "false"), (STREAM, "true")):
        before = values(gateway, stream=stream, **labels)
        assert gateway.call("POST", CHATS, at(fake), body).status == 200
        found = since(gateway, before, stream=stream, cacheStatus="disabled", **labels)
        histograms = ("http_request_duration_seconds", "llm_request_duration_milliseconds",
                      "portkey_request_duration_milliseconds", "portkey_processing_time_excluding_last_byte_ms",
                      "llm_last_byte_diff_duration_milliseconds")  # fmt: skip
        assert [found[REQUESTS], *(found[f"{name}_count"] for name in histograms)] == [1] * 6
        assert 0 < found["llm_request_duration_milliseconds_sum"] < found["portkey_request_duration_milliseconds_sum"]
        assert found["llm_token_sum"] == 12


def test_attempts_and_requests_that_fail(gateway: Gateway, fake: Fake) -> None:
    before = values(gateway)
    bad = values(gateway, code="401"), values(gateway, code="404"), values(gateway, code="400")
    fake.answer(error(500), chat("hi"))
    answer = gateway.call("POST", CHATS, by(fallback(target(fake), target(fake))), CHAT)
    assert answer.status == 200
    assert gateway.call("POST", CHATS, at(fake), CHAT, key="wrong").status == 401
    assert gateway.call("GET", "/nowhere").status == 404
    assert gateway.call("POST", CHATS, at(fake), "{").status == 400
    found = since(gateway, before)
    assert (found[REQUESTS], found["gatekey_attempts_total"]) == (4, 2)
    for code, then in zip(("401", "404", "400"), bad, strict=True):
        assert since(gateway, then, code=code)[REQUESTS] == 1
    assert found["gatekey_records_written_total"] == 2
    assert found["gatekey_unpriced_total"] == 1  # nobody knows what the model m costs


def test_the_gateways_own_pages_are_not_counted(gateway: Gateway) -> None:
    before = values(gateway)
    assert gateway.call("GET", "/health").status == gateway.call("GET", "/metrics").status == 200
    assert since(gateway, before)[REQUESTS] == 0


def test_counts_are_exact_over_several_workers_and_the_death_of_one(fake: Fake) -> None:
    with Gateway(args=("--workers", "2"), env={"GATEKEY_METRICS_MODELS": "true"}) as gateway:
        wait_until(lambda: values(gateway).get("gatekey_workers") == 2, 20, "two workers")
        for number in range(60):
            body = {**CHAT, "model": f"m{number % 2}"}
            assert gateway.call("POST", CHATS, at(fake), body).status == 200
        wait_until(lambda: values(gateway).get(REQUESTS, 0) == 60, 10, "all are counted")
        assert [values(gateway, model=model)[REQUESTS] for model in ("m0", "m1")] == [30, 30]
        sheets = (gateway.data / "metrics").glob("*.sheet")
        pids = [int(path.name.partition("-")[0]) for path in sheets]
        os.kill(pids[0], signal.SIGKILL)
        lowest = 60.0
        deadline = time.monotonic() + 20
        while len({path.name for path in (gateway.data / "metrics").glob("*.sheet")}) < 2 or lowest < 61:
            assert time.monotonic() < deadline
            found = values(gateway)
            assert found[REQUESTS] >= lowest, "a count went backwards"
            lowest = found[REQUESTS]
            if lowest < 61 and found["gatekey_workers"] == 2:
                assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200
                wait_until(lambda: values(gateway)[REQUESTS] == 61, 10, "one more is counted")
        assert values(gateway)["gatekey_records_written_total"] == 61


def test_a_worker_that_ends_is_not_ready_but_serves_on_for_a_while(fake: Fake) -> None:
    with Gateway(env={"GATEKEY_DRAIN_S": "2"}) as gateway:
        assert gateway.call("GET", "/ready", key=None).json() == {"status": "ok"}
        gateway.process.terminate()
        wait_until(lambda: gateway.call("GET", "/ready").status == 503, 2, "it is not ready")
        assert gateway.call("GET", "/ready").json() == {"status": "not ready"}
        assert gateway.call("GET", "/health").status == 200
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200
        assert gateway.process.wait(10) == 0


def test_a_second_signal_ends_it_at_once() -> None:
    with Gateway(env={"GATEKEY_DRAIN_S": "60"}) as gateway:
        assert gateway.call("GET", "/ready").status == 200
        gateway.process.terminate()
        wait_until(lambda: gateway.call("GET", "/ready").status == 503, 5, "it is not ready")
        gateway.process.terminate()
        assert gateway.process.wait(10) == 0
