"""Streams: relayed as they come, and never complete where they are not."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.asking import CHATS, PROMPT, STREAM, TEXTS, at, by, data_of, fallback, target, text_of
from tests.fake import Fake, Gate, chat, chat_stream, completion, completion_stream, events, html, stream
from tests.fake import json as json_reply
from tests.gateway import Gateway

USED = {**STREAM, "stream_options": {"include_usage": True}}


def chunk(text: str | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def framed(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


ROLE = chunk("")


@pytest.fixture(scope="module")
def quiet() -> Iterator[Gateway]:
    """A gateway that gives an upstream up after a second without a byte."""
    with Gateway(env={"GATEKEY_SILENCE_S": "1"}) as running:
        yield running


def test_chunks_are_relayed_byte_for_byte(gateway: Gateway, fake: Fake) -> None:
    pieces = [
        b'{"id":"1" , "choices":[{"index":0,"delta":{"content":"a"}}], "x":1152921504606846976,"y":null}',
        b'{"choices":[{"index":0,"delta":{"content":"\\u00fc"},"logprobs":null}],"z":0.12345678901234567}',
        '{"choices":[{"index":0,"delta":{"content":"größe 😀"},"finish_reason":"stop"}]}'.encode(),
    ]
    fake.answer(events(pieces))
    answer = gateway.call("POST", CHATS, at(fake), STREAM)
    assert answer.body == b"".join(b"data: " + piece + b"\n\n" for piece in pieces) + b"data: [DONE]\n\n"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_a_token_passes_while_the_upstream_still_thinks(gateway: Gateway, fake: Fake) -> None:
    gates = [Gate() for _ in range(7)]
    gates[0].set()
    fake.answer(chat_stream(["one", "two", "three"], usage=False).slowly(*gates))
    with gateway.open("POST", CHATS, at(fake), STREAM) as answer:
        coming = answer.events()
        gates[1].set()
        first = next(coming), next(coming)
        assert "one" in first[1].data, "the role is held back for the first content"
        for gate, text in zip(gates[2:], ("two", "three"), strict=False):
            assert not gate.is_set()
            gate.set()
            assert text in next(coming).data
        for gate in gates:
            gate.set()
        assert [event.data for event in coming][-1] == "[DONE]"


def test_usage_is_asked_for_and_kept_from_who_did_not_ask(gateway: Gateway, fake: Fake) -> None:
    for body, seen in ((STREAM, False), (USED, True), ({**STREAM, "stream_options": None}, False)):
        answer = gateway.call("POST", CHATS, at(fake), body)
        assert fake.requests[-1].json["stream_options"] == {"include_usage": True}
        chunks = [json.loads(data) for data in data_of(answer.body)[:-1]]
        assert any(chunk.get("usage") for chunk in chunks) is seen
        assert all(chunk["choices"] for chunk in chunks) is not seen
    answer = gateway.call("POST", TEXTS, at(fake), {**PROMPT, "stream": True})
    assert fake.requests[-1].json["stream_options"] == {"include_usage": True}
    assert b"usage" not in answer.body


def test_usage_beside_content_stays(gateway: Gateway, fake: Fake) -> None:
    fake.answer(events([chunk("a", usage={"total_tokens": 1}), chunk(None, "stop")]))
    assert b'"usage":{"total_tokens":1}' in gateway.call("POST", CHATS, at(fake), STREAM).body


@pytest.mark.parametrize(
    "wire",
    [
        b"data: %b\r\n\r\ndata: %b\r\n\r\ndata: [DONE]\r\n\r\n",
        b"data: %b\r\rdata: %b\r\rdata: [DONE]\r\r",
        b"\xef\xbb\xbfdata:%b\n\ndata:%b\n\ndata:[DONE]\n\n",
        b": hello\n\nid: 7\nretry: 10\ndata: %b\n\n: still here\n\nevent: chunk\ndata: %b\n\n\n\ndata: [DONE]\n\n",
        b"data: %b\n\ndata: %b\n\ndata: [DONE]",
        b"data: %b\n\ndata: %b\n\n",
        b"data: %b\n\ndata: %b",
    ],
    ids=["CRLF", "CR", "BOM, no space", "comments", "no last blank line", "no DONE", "nothing at the end"],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_every_form_of_the_framing(gateway: Gateway, fake: Fake, wire: bytes, size: int) -> None:
    data = wire % (json.dumps(chunk("größe")).encode(), json.dumps(chunk(" 😀", "stop"), ensure_ascii=False).encode())
    fake.answer(stream([data[at : at + size] for at in range(0, len(data), size)]))
    with gateway.open("POST", CHATS, at(fake), STREAM) as answer:
        assert answer.status == 200
        assert text_of(answer) == "größe 😀"


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_a_stream_without_done_that_has_ended_gets_one(gateway: Gateway, fake: Fake, framing: Any) -> None:
    fake.answer(events([chunk("a"), chunk(None, "stop")], done=False, framing=framing))
    assert data_of(gateway.call("POST", CHATS, at(fake), STREAM).body)[-1] == b"[DONE]"


BROKEN = {
    "closed": chat_stream().cut_after(3),
    "reset": chat_stream().cut_after(3).reset(),
    "inside an event": chat_stream().cut(700),
    "ended early": events([ROLE, chunk("a"), chunk("b")], done=False),
    "error event": events([ROLE, chunk("a"), {"error": {"message": "no more", "type": "overloaded_error"}}]),
    "named error": stream([framed(ROLE), framed(chunk("a")), b"event: error\ndata: gone\n\n"]),
    "malformed": events([ROLE, chunk("a"), b"{nonsense"]),
    "failed": events([ROLE, chunk("a"), chunk(None, "error")]),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("config", ["plain", "fallback"])
def test_what_breaks_after_content_never_looks_complete(gateway: Gateway, fake: Fake, name: str, config: str) -> None:
    now, later = Gate(), Gate()
    now.set()
    fake.answer(BROKEN[name].slowly(now, now, later))
    headers = at(fake) if config == "plain" else by(fallback(target(fake), target(fake)))
    with gateway.open("POST", CHATS, headers, STREAM) as answer:
        assert answer.status == 200
        coming = answer.events()
        assert next(coming).json()["choices"]
        later.set()
        *_, last = coming
    assert len(fake.requests) == 1, "nobody goes on after content"
    assert last.name == "error", "and not [DONE]"
    assert last.json()["error"]["message"]
    assert last.json()["status"] == "failure"


def test_content_that_has_not_been_passed_on_can_still_be_given_up(gateway: Gateway, fake: Fake) -> None:
    fake.answer(stream([framed(chunk("a")) + framed({"error": {"message": "no"}})]))
    assert gateway.call("POST", CHATS, at(fake), STREAM).status == 502


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (chat_stream().cut_after(1), 502),
        (events([]), 502),
        (stream([]), 502),
        (html("<html><title>Oops</title></html>"), 502),
        (events([b"[1]"]), 502),
        (events([{"error": {"message": "slow down", "code": 429}}]), 429),
        (events([{"error": {"message": "no"}}]), 502),
        (chat_stream().cut_after(1).reset(), 502),
    ],
    ids=["cut", "only DONE", "empty", "page", "not an object", "error with code", "error", "reset"],
)
def test_what_breaks_before_content_is_an_error_answer(gateway: Gateway, fake: Fake, reply: Any, status: int) -> None:
    fake.answer(reply)
    answer = gateway.call("POST", CHATS, at(fake), STREAM)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.error["message"]


def test_separators_that_split_lines_in_clients_are_escaped(gateway: Gateway, fake: Fake) -> None:
    text = "a\u2028b\u2029c\u0085d"
    fake.answer(events([json.dumps(chunk(text, "stop"), ensure_ascii=False)]), chat(text))
    answer = gateway.call("POST", CHATS, at(fake), STREAM)
    assert not {"\u2028", "\u2029", "\u0085"} & set(answer.body.decode())
    assert json.loads(data_of(answer.body)[0])["choices"][0]["delta"]["content"] == text


def test_a_json_answer_to_a_stream_request_is_told_as_a_stream(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat("whole"), completion("whole"), chat("whole"))
    for path, body in ((CHATS, STREAM), (TEXTS, {**PROMPT, "stream": True})):
        with gateway.open("POST", path, at(fake), body) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert text_of(answer) == "whole"
    answer = gateway.call("POST", CHATS, at(fake), USED)
    assert json.loads(data_of(answer.body)[-2])["usage"]["total_tokens"] == 12


def test_an_error_answer_to_a_stream_request_is_json(gateway: Gateway, fake: Fake) -> None:
    fake.answer(json_reply({"error": {"message": "bad", "type": "t", "code": "c", "param": "p"}}, 422))
    answer = gateway.call("POST", CHATS, at(fake), STREAM)
    assert (answer.status, answer.error) == (
        422,
        {"message": "openai error: bad", "type": "t", "param": "p", "code": "c"},
    )


@pytest.mark.parametrize("body", [STREAM, {**STREAM, "stream": False}], ids=["streamed", "whole"])
def test_an_upstream_that_says_nothing(quiet: Gateway, fake: Fake, body: dict[str, Any]) -> None:
    fake.answer(chat_stream().stalled(1) if body["stream"] else chat().stalled(0))
    began = time.monotonic()
    answer = quiet.call("POST", CHATS, at(fake), body)
    assert (answer.status, answer.error["code"]) == (504, "upstream_silent")
    assert 1 <= time.monotonic() - began < 4
    assert fake.requests[0].closed.wait(1)


def test_an_upstream_that_falls_silent_after_content(quiet: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream().stalled(3))
    with quiet.open("POST", CHATS, at(fake), STREAM) as answer:
        seen = list(answer.events())
    assert (seen[-1].name, seen[-1].json()["error"]["code"]) == ("error", "upstream_silent")
    assert fake.requests[0].closed.wait(1)


def test_a_slow_stream_is_not_silent(quiet: Gateway, fake: Fake) -> None:
    fake.answer(chat_stream(list("abcdef"), usage=False).slowly(0.0, 0.25))
    with quiet.open("POST", CHATS, at(fake), STREAM) as answer:
        assert text_of(answer) == "abcdef"


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_an_upstream_that_holds_its_connection_after_the_end(gateway: Gateway, fake: Fake, framing: Any) -> None:
    reply = completion_stream(usage=False) if framing == "chunked" else events([chunk("a", "stop")], framing="close")
    count = len(reply.parts) - (1 if framing == "chunked" else 0)
    fake.answer(reply.stalled(count))
    began = time.monotonic()
    path, body = (TEXTS, {**PROMPT, "stream": True}) if framing == "chunked" else (CHATS, STREAM)
    with gateway.open("POST", path, at(fake), body) as answer:
        assert text_of(answer)
    assert time.monotonic() - began < 1, "the caller does not wait for it"
    assert fake.requests[0].closed.wait(3), "nor does the gateway for long"


def test_a_stream_of_many_events_in_one_piece(gateway: Gateway, fake: Fake) -> None:
    data = b"".join(framed(chunk(str(at))) for at in range(5000))
    fake.answer(stream([data + framed(chunk(None, "stop")) + b"data: [DONE]\n\n"]))
    with gateway.open("POST", CHATS, at(fake), STREAM) as answer:
        assert text_of(answer) == "".join(map(str, range(5000)))


def test_several_choices_must_all_end(gateway: Gateway, fake: Fake) -> None:
    def of(index: int, finish: str | None) -> dict[str, Any]:
        return {"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": finish}]}

    fake.answer(events([of(0, None), of(1, None), of(0, "stop")], done=False))
    answer = gateway.call("POST", CHATS, at(fake), {**STREAM, "n": 2})
    assert b"[DONE]" not in answer.body
    assert b"before the answer was complete" in answer.body
    fake.answer(events([of(0, None), of(1, None), of(0, "stop"), of(1, "length")], done=False))
    assert data_of(gateway.call("POST", CHATS, at(fake), {**STREAM, "n": 2}).body)[-1] == b"[DONE]"
