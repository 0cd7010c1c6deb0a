import base64
import json
import struct
from typing import Any

import pytest

from gatekey.errors import GatekeyError, InBand, Nonsense, Truncated
from gatekey.providers import Asked, Endpoint, Provider, Shaped, compatible, reading, shape
from gatekey.providers._read import DONE, Stream
from gatekey.streaming.sse import Event
from gatekey.wire import body

plain = compatible(
    slug="plain",
    name="Plain",
    docs="",
    base="https://plain.example",
    has=("completions", "chat", "embeddings", "models"),
    finish={"eos": "stop"},
)
only_chat = compatible(slug="only-chat", name="Only chat", docs="", base="https://chat.example")


def their_reply(theirs: dict[str, Any], asked: Asked) -> dict[str, Any]:
    return {"id": theirs["key"], "object": "chat.completion", "model": asked.model, "choices": []}


def their_stream(asked: Asked) -> Any:
    def read(event: Event) -> list[dict[str, Any]]:
        theirs = json.loads(event.data)
        return [chunk(delta={"content": text}) for text in theirs["texts"]]

    return read


foreign = Provider(
    slug="foreign",
    name="Foreign",
    docs="",
    base="https://foreign.example",
    endpoints={
        "chat": Endpoint(path="/ask", params={"messages": None}, reply=their_reply, stream=their_stream),
        "embeddings": Endpoint(
            path="/embed",
            params={"input": None},
            reply=lambda theirs, asked: {"object": "list", "data": [{"index": 0, "embedding": theirs["vector"]}]},
        ),
    },
)
lines = Provider(
    slug="lines", name="Lines", docs="", base="", endpoints={"chat": Endpoint(path="/chat", framing="ndjson")}
)


def call(provider: Provider, kind: Any = "chat", *, strict: bool = True, **more: Any) -> Shaped:
    inputs = {"chat": {"messages": []}, "completions": {"prompt": "Hi"}, "embeddings": {"input": "Hi"}, "models": {}}
    asked = Asked(kind=kind, provider="-", strict=strict)
    return shape(provider, kind, body.decode(json.dumps({"model": "m", **inputs[kind], **more}).encode()), asked)


def chunk(*, index: int = 0, finish: str | None = None, delta: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice], **more}


def said(text: str, index: int = 0) -> dict[str, Any]:
    return chunk(index=index, delta={"content": text})


def ended(index: int = 0, finish: str = "stop") -> dict[str, Any]:
    return chunk(index=index, finish=finish)


USAGE = {"id": "1", "object": "chat.completion.chunk", "choices": [], "usage": {"total_tokens": 3}}
ROLE = chunk(delta={"role": "assistant", "content": ""})
DONE_EVENT = "[DONE]"


def sse(*values: Any) -> bytes:
    texts = (value if isinstance(value, str) else json.dumps(value) for value in values)
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def read(shaped: Shaped, data: bytes) -> tuple[list[Any], GatekeyError | None]:
    """The frames of a whole stream, decoded, and how it failed."""
    stream = Stream(shaped)
    frames = stream.feed(data) + stream.close()
    return [frame if frame == DONE else json.loads(frame.removeprefix(b"data: ")) for frame in frames], stream.failure


# Whole replies


def test_a_reply_of_our_dialect_passes_byte_for_byte() -> None:
    data = b'{"id": "1",  "model": "x", "choices": [{"finish_reason": "stop", "n": 1.50}], "new": null}'
    assert reading.reply(call(plain), data).body == data


def test_only_their_finish_reasons_change() -> None:
    data = '{"model": "x", "choices": [{"finish_reason": "eos", "message": {"content": "a\u2028b"}}]}'.encode()
    assert json.loads(reading.reply(call(plain), data).body)["choices"][0] == {
        "finish_reason": "stop",
        "message": {"content": "a\u2028b"},
    }
    assert b'"eos"' in reading.reply(call(plain, strict=False), data).body


@pytest.mark.parametrize("given", [b'{"id":"1","choices":[]}', b'{"id":"1","model":null,"choices":[]}'])
def test_a_missing_model_is_filled_in(given: bytes) -> None:
    assert json.loads(reading.reply(call(plain), given).body)["model"] == "m"


@pytest.mark.parametrize(
    "data",
    [
        b'{"error": {"message": "No", "code": 429}}',
        b'{"error": {"message": "No", "code": 429}, "choices": []}',
        b'{"choices": [{"index": 0, "error": {"message": "No", "code": 429}}]}',
    ],
)
def test_an_error_in_a_200_is_an_error(data: bytes) -> None:
    with pytest.raises(InBand) as failed:
        reading.reply(call(plain), data)
    assert (failed.value.status, failed.value.message) == (429, "plain error: No")


@pytest.mark.parametrize("data", [b"", b"<html>busy</html>", b"[]", b'{"choices": 7}', b'{"model": "a"'])
@pytest.mark.parametrize("provider", [plain, foreign])
def test_what_is_not_the_protocol_is_nonsense(provider: Provider, data: bytes) -> None:
    with pytest.raises(Nonsense):
        reading.reply(call(provider), data)


def test_a_translated_reply() -> None:
    assert json.loads(reading.reply(call(foreign), b'{"key": "k"}').body) == {
        "id": "k",
        "object": "chat.completion",
        "model": "m",
        "choices": [],
        "provider": "foreign",
    }


def test_text_comes_back_from_chat() -> None:
    chat = {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": "you"}}]}
    told = json.loads(reading.reply(call(only_chat, "completions", echo=True), json.dumps(chat).encode()).body)
    assert (told["object"], told["choices"][0]["text"], told["provider"]) == ("text_completion", "Hiyou", "only-chat")


def test_translated_vectors_come_in_the_encoding_that_was_asked_for() -> None:
    data = b'{"vector": [0.25, -0.5]}'
    plainly = json.loads(reading.reply(call(foreign, "embeddings"), data).body)
    packed = json.loads(reading.reply(call(foreign, "embeddings", encoding_format="base64"), data).body)
    assert plainly["data"][0]["embedding"] == [0.25, -0.5]
    assert struct.unpack("<2f", base64.b64decode(packed["data"][0]["embedding"])) == (0.25, -0.5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"error": {"message": "No"}}', "plain error: No"),
        (b"Bad Gateway\n", "plain error: Bad Gateway"),
        (b"", "plain error: no explanation"),
        (b"\xff\xfe", "plain error: \ufffd\ufffd"),
    ],
)
def test_a_failure_says_whose_it_is(data: bytes, message: str) -> None:
    assert reading.failure(plain, data).message == message


# Streams


def test_chunks_of_our_dialect_pass_byte_for_byte() -> None:
    stream = Stream(call(plain))
    first = b'data: {"id":"1",  "choices": [{"delta": {"content": "a"}}], "new": 1.50}\n\n'
    assert stream.feed(first) == [first]


def test_it_has_started_with_the_first_content() -> None:
    stream = Stream(call(plain))
    assert stream.feed(sse(ROLE))
    assert not stream.started
    stream.feed(sse(said("a")))
    assert stream.started


@pytest.mark.parametrize(
    "events",
    [
        [ROLE, said("a"), ended(), DONE_EVENT],
        [ROLE, said("a"), ended()],
        [said("a"), said("b", 1), ended(1), ended()],
        [ended(finish="content_filter")],
        [said("a"), DONE_EVENT],
        [said("a"), ended(), USAGE],
    ],
    ids=["done", "no done", "two choices", "nothing but an end", "done without a reason", "usage after the end"],
)
def test_complete(events: list[Any]) -> None:
    frames, failure = read(call(plain), sse(*events))
    assert failure is None
    assert frames[-1] == DONE
    assert frames.count(DONE) == 1


@pytest.mark.parametrize(
    "events",
    [
        [],
        [ROLE],
        [ROLE, said("a")],
        [said("a"), said("b", 1), ended(1)],
        [ROLE, DONE_EVENT],
        [DONE_EVENT],
    ],
    ids=["nothing", "role", "no end", "one of two ended", "done without content", "only done"],
)
def test_truncated(events: list[Any]) -> None:
    frames, failure = read(call(plain), sse(*events))
    assert isinstance(failure, Truncated)
    assert DONE not in frames


def test_an_end_without_its_last_blank_line_counts() -> None:
    frames, failure = read(call(plain), sse(said("a"), ended())[:-2])
    assert (failure, frames[-1]) == (None, DONE)
    cut, failure = read(call(plain), sse(said("a"), ended())[:-9])
    assert failure is not None
    assert len(cut) == 1


def test_nothing_follows_done() -> None:
    frames, failure = read(call(plain), sse(said("a"), DONE_EVENT, said("b"), {"error": {"message": "No"}}))
    assert failure is None
    assert frames == [said("a"), DONE]


def test_usage_that_nobody_asked_for_is_kept_back_and_known() -> None:
    stream = Stream(call(plain))
    frames = stream.feed(sse(said("a"), ended(), USAGE, DONE_EVENT)) + stream.close()
    assert stream.usage == {"total_tokens": 3}
    assert len(frames) == 3
    assert not [frame for frame in frames if b"usage" in frame]


def test_usage_that_was_asked_for_passes() -> None:
    frames, _ = read(call(plain, stream=True, stream_options={"include_usage": True}), sse(said("a"), ended(), USAGE))
    assert frames[-2] == USAGE


def test_usage_beside_choices_passes_anyway() -> None:
    last = chunk(finish="stop", usage={"total_tokens": 3})
    frames, _ = read(call(plain), sse(said("a"), last))
    assert frames == [said("a"), last, DONE]


@pytest.mark.parametrize(
    "data",
    [
        sse({"error": {"message": "No", "code": 429}}),
        sse({"error": {"message": "No", "code": 429}, "choices": []}),
        sse(chunk(error=None) | {"choices": [{"index": 0, "delta": {}, "error": {"message": "No", "code": 429}}]}),
        b'event: error\ndata: {"message": "No", "code": 429}\n\n',
        b'event: error\ndata: {"error": {"message": "No", "code": 429}}\n\n',
    ],
)
def test_an_error_in_the_stream_ends_it_after_what_came_before(data: bytes) -> None:
    frames, failure = read(call(plain), sse(said("a")) + data + sse(said("b"), ended(), DONE_EVENT))
    assert isinstance(failure, InBand)
    assert (failure.status, failure.message) == (429, "plain error: No")
    assert frames == [said("a")]


def test_an_error_event_that_is_no_json() -> None:
    _, failure = read(call(plain), b"event: error\ndata: busy\n\n")
    assert isinstance(failure, InBand)
    assert failure.message == "plain error: busy"


@pytest.mark.parametrize("data", [b'data: {"choices": [{"del\n\n', b"data: <html>\n\n", b"data: []\n\n"])
def test_a_malformed_frame(data: bytes) -> None:
    frames, failure = read(call(plain), sse(said("a")) + data + sse(ended(), DONE_EVENT))
    assert isinstance(failure, Nonsense)
    assert frames == [said("a")]


def test_a_page_instead_of_a_stream() -> None:
    frames, failure = read(call(plain), b"<!doctype html>\n<title>Login</title>\n")
    assert (frames, type(failure)) == ([], Truncated)


def test_their_finish_reasons_in_a_stream() -> None:
    frames, _ = read(call(plain), sse(said("eos"), ended(finish="eos")))
    assert frames == [said("eos"), ended(finish="stop"), DONE]
    lax, _ = read(call(plain, strict=False), sse(said("a"), ended(finish="eos")))
    assert lax == [said("a"), ended(finish="eos"), DONE]


def test_line_separators_are_escaped_in_a_stream() -> None:
    stream = Stream(call(plain))
    (frame,) = stream.feed('data: {"choices":[{"delta":{"content":"a\u2028\u2029\u0085b"}}]}\n\n'.encode())
    assert frame == b'data: {"choices":[{"delta":{"content":"a\\u2028\\u2029\\u0085b"}}]}\n\n'


def test_text_streams_come_back_from_chat() -> None:
    shaped = call(only_chat, "completions", stream=True, echo=True)
    frames, failure = read(shaped, sse(ROLE, said("you"), ended(), USAGE, DONE_EVENT))
    assert failure is None
    texts = [[choice["text"] for choice in frame["choices"]] for frame in frames[:-1]]
    assert texts == [["Hiyou"], [""]]
    assert {frame["object"] for frame in frames[:-1]} == {"text_completion"}


def test_a_translated_stream() -> None:
    frames, failure = read(call(foreign, stream=True), b'data: {"texts": ["a", "b"]}\n\ndata: {"texts": []}\n\n')
    assert frames == [said("a"), said("b")]
    assert isinstance(failure, Truncated), "only a finish reason or [DONE] says that it is whole"


@pytest.mark.parametrize("data", [b"data: {}\n\n", b"data: []\n\n", b'data: {"texts": 7}\n\n', b"data: <html>\n\n"])
def test_an_event_that_a_translation_cannot_read(data: bytes) -> None:
    frames, failure = read(call(foreign, stream=True), data)
    assert (frames, type(failure)) == ([], Nonsense)


def test_lines_of_json() -> None:
    data = b"".join(json.dumps(value).encode() + b"\n" for value in (said("a"), ended()))
    assert read(call(lines, stream=True), data) == ([said("a"), ended(), DONE], None)
