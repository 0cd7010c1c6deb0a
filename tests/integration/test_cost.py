"""What a call cost is in its record, to the nano-dollar: asked, streamed, broken off, fallen back, forwarded.

The prices are those of a file of the test's own; what they make was worked out by hand.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gatekey.observe.record import Record
from gatekey.wire.usage import Usage
from tests.asking import CHATS, MESSAGES, TEXTS, at, by, fallback, refusing, target
from tests.fake import Fake, Gate, Reply, chat, chat_stream, completion, embeddings, error, events, stream
from tests.fake import json as json_reply
from tests.fake.reply import body as body_reply
from tests.fake.waiting import wait_until
from tests.gateway import Gateway
from tests.recorded import post, record, usage

PRICES: dict[str, Any] = {
    "date": "2026-01-01",
    "providers": {
        "openai": {
            "a-model": {"input": 2, "cache_read": 0.5, "output": 8, "max_output": 100},
            "b-model": {"input": 1, "output": 1},
            "an-embedder": {"input": 0.02},
            "a-painter": {"image": 0.04},
            "a-speaker": {"characters": 15},
            "a-listener": {"audio_hour": 0.36},
        },
        "anthropic": {
            "a-model": {"input": 3, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6, "output": 15}
        },
    },
}
CHAT = {"model": "a-model", "messages": MESSAGES}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prices") / "prices.json"
    path.write_text(json.dumps(PRICES))
    return path


@pytest.fixture(scope="module")
def gateway(file: Path) -> Iterator[Gateway]:
    with Gateway(env={"GATEKEY_PRICES": str(file)}) as running:
        yield running


def told(found: Record) -> tuple[Usage | None, int | None, bool]:
    return found.usage, found.cost, found.priced


def test_a_plain_answer(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat(usage=usage(1000, 100)))
    found = post(gateway, CHATS, at(fake), CHAT)
    # 1,000 x $2 + 100 x $8 for a million
    assert told(found) == (Usage(input=1000, output=100), 2_800_000, True)
    assert [(each.usage, each.cost, each.priced) for each in found.attempts] == [told(found)]


def test_a_text_completion(gateway: Gateway, fake: Fake) -> None:
    fake.answer(completion(usage=usage(3, 1)))
    found = post(gateway, TEXTS, at(fake), {"model": "a-model", "prompt": "Hi"})
    assert told(found) == (Usage(input=3, output=1), 14_000, True)


def test_what_was_cached_is_part_of_the_prompt(gateway: Gateway, fake: Fake) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 900}, "completion_tokens_details": {"reasoning_tokens": 60}}
    fake.answer(chat(usage=usage(1000, 100, **details)))
    found = post(gateway, CHATS, at(fake), CHAT)
    # 100 x $2 + 900 x $0.5 + 100 x $8
    assert told(found) == (Usage(input=100, cache_read=900, output=40, reasoning=60), 1_450_000, True)


ANTHROPIC = {
    "input_tokens": 10,
    "cache_read_input_tokens": 2000,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
}
CACHED = Usage(input=10, cache_read=2000, cache_write=100, cache_write_1h=200, output=50)
CACHED_COST = 10 * 3000 + 2000 * 300 + 100 * 3750 + 200 * 6000 + 50 * 15000


def message(**more: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "a-model",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {**ANTHROPIC, "output_tokens": 50},
        **more,
    }


def message_stream(text: str = "Hi", pieces: int = 1) -> Reply:
    begun = message(content=[], stop_reason=None, usage={**ANTHROPIC, "output_tokens": 1})
    values: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *[{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}] * pieces,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 50}},
        {"type": "message_stop"},
    ]
    return stream(b"event: %b\ndata: %b\n\n" % (each["type"].encode(), json.dumps(each).encode()) for each in values)


@pytest.mark.parametrize("path", [CHATS, "/v1/messages"])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_cached_is_beside_the_input(gateway: Gateway, fake: Fake, path: str, streamed: bool) -> None:
    fake.answer(message_stream() if streamed else json_reply(message()))
    found = post(gateway, path, at(fake, "anthropic"), {**CHAT, "max_tokens": 9, "stream": streamed})
    assert told(found) == (CACHED, CACHED_COST, True)


def test_a_streamed_answer_with_its_usage(gateway: Gateway, fake: Fake) -> None:
    found = post(gateway, CHATS, at(fake), {**CHAT, "stream": True})
    assert fake.requests[0].json["stream_options"] == {"include_usage": True}
    # 5 x $2 + 7 x $8
    assert told(found) == (Usage(input=5, output=7), 66_000, True)


def test_a_streamed_answer_without_usage_is_counted_from_what_passed(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(["1234"] * 10, usage=False))
    found = post(gateway, CHATS, at(fake), {**CHAT, "stream": True})
    assert found.usage is not None
    assert (found.usage.output, found.usage.estimated, found.priced) == (10, True, True)
    assert found.cost == found.usage.input * 2000 + 10 * 8000


def leave(gateway: Gateway, fake: Fake, path: str, headers: Mapping[str, str], body: Any, reply: Reply) -> Record:
    """The record of a call whose caller leaves after the third piece."""
    gate = Gate()
    fake.answer(reply.slowly(0, 0, 0, gate))
    trace_id = secrets.token_hex(8)
    with gateway.open("POST", path, {**headers, "x-portkey-trace-id": trace_id}, body) as answer:
        next(answer.pieces())
        answer.leave()
    try:
        return record(gateway, trace_id)
    finally:
        gate.set()


def test_a_stream_that_is_left_in_the_middle(gateway: Gateway, fake: Fake) -> None:
    reply = chat_stream(["12345678", "12345678", "never"])
    found = leave(gateway, fake, CHATS, at(fake), {**CHAT, "stream": True}, reply)
    assert (found.status, found.error) == (499, "The caller left.")
    assert found.usage is not None
    assert found.usage.estimated
    assert 2 <= found.usage.output <= 4
    assert found.cost == found.usage.input * 2000 + found.usage.output * 8000


@pytest.mark.parametrize("path", [CHATS, "/v1/messages"])
def test_of_a_stream_that_is_left_the_provider_has_told_what_it_read(gateway: Gateway, fake: Fake, path: str) -> None:
    reply = message_stream("1234" * 200)
    found = leave(gateway, fake, path, at(fake, "anthropic"), {**CHAT, "max_tokens": 9, "stream": True}, reply)
    assert found.usage is not None
    assert (found.usage.input, found.usage.cache_read, found.usage.cache_write_1h) == (10, 2000, 200)
    assert (found.usage.output, found.usage.estimated) == (200, True)
    assert found.cost == CACHED_COST + 150 * 15000


def test_a_stream_that_fails_after_its_first_content_has_cost(gateway: Gateway, fake: Fake) -> None:
    delta = {"choices": [{"index": 0, "delta": {"content": "1234" * 5}, "finish_reason": None}]}
    failing, gate, trace_id = {"error": {"message": "no"}}, Gate(), secrets.token_hex(8)
    fake.answer(events([delta, failing]).slowly(0, gate), events([failing]))
    headers = at(fake, x_portkey_trace_id=trace_id)
    with gateway.open("POST", CHATS, headers, {**CHAT, "stream": True}) as answer:
        pieces = answer.pieces()
        next(pieces)
        gate.set()
        assert b"error" in b"".join(pieces)
    found = record(gateway, trace_id)
    assert found.usage is not None
    assert found.usage.output == 5
    assert found.cost == found.usage.input * 2000 + 5 * 8000
    nothing = post(gateway, CHATS, at(fake), {**CHAT, "stream": True}, status=502)
    assert told(nothing) == (None, 0, True)


def test_a_fallback_costs_what_both_attempts_cost(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        other.answer(chat(usage=usage(10, 20), finish="error"))
        fake.answer(chat(usage=usage(100, 10)))
        config = fallback(target(other, override_params={"model": "b-model"}), target(refusing()), target(fake))
        found = post(gateway, CHATS, by(config), CHAT)
    first, refused, last = found.attempts
    assert (first.usage, first.cost, first.model) == (Usage(input=10, output=20), 30_000, "b-model")
    assert (refused.usage, refused.cost, refused.priced) == (None, 0, True)
    assert (last.usage, last.cost, last.model) == (Usage(input=100, output=10), 280_000, "a-model")
    assert told(found) == (Usage(input=110, output=30), 310_000, True)


def test_an_attempt_that_broke_off_before_its_answer_has_read_what_was_asked(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        other.answer(chat().cut(20))
        fake.answer(chat(usage=usage(100, 10)))
        found = post(gateway, CHATS, by(fallback(target(other), target(fake))), CHAT)
    first, last = found.attempts
    assert first.usage is not None
    assert (first.usage.output, first.usage.estimated, last.cost) == (0, True, 280_000)
    assert found.cost == first.usage.input * 2000 + 280_000


def test_a_refusal_costs_nothing(gateway: Gateway, fake: Fake) -> None:
    fake.answer(error(429))
    assert told(post(gateway, CHATS, at(fake), CHAT, status=429)) == (None, 0, True)


def test_an_unpriced_model_is_not_free(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat(usage=usage(5, 7)))
    found = post(gateway, CHATS, at(fake), {**CHAT, "model": "never-heard-of"})
    assert told(found) == (Usage(input=5, output=7), None, False)


def test_a_class_without_a_price_makes_the_call_unpriced(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat(usage=usage(100, 10, prompt_tokens_details={"audio_tokens": 40})))
    found = post(gateway, CHATS, at(fake), CHAT)
    assert told(found) == (Usage(input=60, input_audio=40, output=10), None, False)


def test_the_table_that_ships_knows_the_rest(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat(usage=usage(1000, 100), model="gpt-4o-2024-08-06"))
    found = post(gateway, CHATS, at(fake), {**CHAT, "model": "gpt-4o"})
    assert told(found) == (Usage(input=1000, output=100), 3_500_000, True)


def test_embeddings(gateway: Gateway, fake: Fake) -> None:
    fake.answer(embeddings())
    found = post(gateway, "/v1/embeddings", at(fake), {"model": "an-embedder", "input": "Hi"})
    assert told(found) == (Usage(input=5), 100, True)


def test_embeddings_of_which_nothing_is_told_are_counted_not_free(gateway: Gateway, fake: Fake) -> None:
    fake.answer(json_reply({"embeddings": [{"values": [0.5]}]}))
    headers = by({"provider": "google", "api_key": "k", "custom_host": fake.base})
    found = post(gateway, "/v1/embeddings", headers, {"model": "gemini-embedding-001", "input": "word " * 100})
    assert found.usage is not None
    assert (found.usage.estimated, found.priced) == (True, True)
    assert 120 < found.usage.input < 160
    assert found.cost == found.usage.input * 150


FORM = (
    b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\na-listener\r\n--b\r\n'
    b'content-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nsound\r\n--b--\r\n'
)
PICTURES = {"created": 1, "data": [{"url": "https://x/1"}, {"url": "https://x/2"}]}


@pytest.mark.parametrize(
    ("path", "body", "reply", "used", "cost"),
    [
        ("/responses", {"model": "a-model", "input": "Hi"},
         json_reply({"model": "a-model", "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}),
         Usage(input=10, output=5), 60_000),
        ("/images/generations", {"model": "a-painter", "prompt": "x", "n": 2}, json_reply(PICTURES),
         Usage(images=2), 80_000_000),
        ("/audio/speech", {"model": "a-speaker", "input": "four", "voice": "v"},
         body_reply(200, "audio/mpeg", b"ID3"), Usage(characters=4), 60_000),
        ("/audio/transcriptions", FORM, json_reply({"text": "x", "usage": {"type": "duration", "seconds": 9}}),
         Usage(audio_ms=9000), 900_000),
        ("/audio/transcriptions", FORM, json_reply({"text": "x", "duration": 1.5}), Usage(audio_ms=1500), 150_000),
        ("/audio/transcriptions", FORM, json_reply({"text": "x"}), None, None),
        ("/moderations", {"model": "a-model", "input": "x"}, json_reply({"results": []}), None, None),
        ("/files", {"purpose": "batch"}, json_reply({"id": "file-1"}), None, 0),
    ],
)  # fmt: skip
def test_what_is_forwarded_is_counted_too(
    gateway: Gateway, fake: Fake, path: str, body: Any, reply: Reply, used: Usage | None, cost: int | None
) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"} if body is FORM else {}
    fake.answer(reply)
    found = post(gateway, f"/v1{path}", {**at(fake), **kind}, body)
    assert told(found) == (used, cost, cost is not None)


def test_a_path_may_name_the_model(gateway: Gateway, fake: Fake) -> None:
    fake.answer(
        json_reply({"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}})
    )
    found = post(gateway, "/v1/models/gemini-2.5-flash:generateContent", at(fake, "google"), {"contents": []})
    # 10 x $0.30 + 2 x $2.50, of the table that ships
    assert (found.model, found.cost) == ("gemini-2.5-flash", 8_000)


def test_a_forwarded_answer_can_be_read_whatever_the_caller_accepts(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake, accept_encoding="gzip, br")
    fake.answer(json_reply({"usage": {"input_tokens": 10, "output_tokens": 5}}))
    assert post(gateway, "/v1/responses", headers, {"model": "a-model", "input": "Hi"}).cost == 60_000
    assert fake.requests[0].header("accept-encoding") == "identity"


def test_a_price_of_the_operators_own_is_told_to_those_who_have_a_key(gateway: Gateway) -> None:
    path = "/v1/model-configs/pricing/openai/a-model"
    assert gateway.call("GET", path).json()["pay_as_you_go"]["request_token"] == {"price": 0.0002}
    refused = gateway.call("GET", path, key=None)
    assert (refused.status, refused.json()["success"]) == (401, False)
    assert gateway.call("GET", path, key="gk-nobody-knows-this").status == 401
    assert gateway.call("GET", "/v1/model-configs/pricing/openai/gpt-4o", key=None).status == 200


def test_a_changed_file_is_taken_in_and_a_bad_one_is_not(gateway: Gateway, fake: Fake, file: Path) -> None:
    """The last test here: it leaves the prices as they were, but the gateway's log is its own."""

    def costs() -> int | None:
        fake.answer(chat(usage=usage(1, 1)))
        return post(gateway, CHATS, at(fake), {**CHAT, "model": "b-model"}).cost

    assert costs() == 2_000
    openai = {**PRICES["providers"]["openai"], "b-model": {"input": 5, "output": 5}}
    changed = file.with_suffix(".new")
    changed.write_text(json.dumps({"providers": {**PRICES["providers"], "openai": openai}}))
    changed.rename(file)
    wait_until(lambda: costs() == 10_000, what="the new price")
    file.write_text("{")
    wait_until(lambda: "Prices stay as they are" in gateway.log, what="the refusal")
    assert costs() == 10_000
    file.write_text(json.dumps(PRICES))
    wait_until(lambda: costs() == 2_000, what="the old price")
