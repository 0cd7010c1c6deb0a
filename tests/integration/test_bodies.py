"""Bodies: as they came to the provider, and bounded."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.asking import CHAT, CHATS, TEXTS, at, by, data_of, target
from tests.fake import Fake, Gate, chat, events
from tests.gateway import KEY, Gateway

EXACT = [
    b'{"model":"m","messages":[],"seed":1152921504606846976}',
    b'{"model":"m","temperature":0.12345678901234567,"top_p":1.0,"x":1e2,"y":-0.0,"messages":[]}',
    b'{"zebra":1,"model":"m","apple":{"b":1,"a":2},"messages":[{"content":"x","role":"user"}]}',
    b'{"model":"m","messages":[],"stop":null,"user":null,"tools":null}',
    b'{"model":"m","messages":[],"unknown":{"deep":[1,[2,[3,{"k":"v"}]]]},"t":"\\u0041 \\/ \\ud83d\\ude00"}',
    '{"model":"m","messages":[{"role":"user","content":"größer 😀 \u2028"}]}'.encode(),
    b'{"model":"m","messages":[ {"role" : "user",\n "content":"spaced" } ]}',
]


@pytest.mark.parametrize("body", EXACT, ids=lambda body: body[:40].decode())
@pytest.mark.parametrize("path", [CHATS, "/v1/embeddings"])
def test_every_value_reaches_the_provider_as_it_came(gateway: Gateway, fake: Fake, body: bytes, path: str) -> None:
    assert gateway.call("POST", path, at(fake), body).status == 200
    assert fake.requests[0].body == body
    assert fake.requests[0].header("content-length") == str(len(body))


def test_the_values_beside_an_override_stay_as_they_came(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, override_params={"seed": 7}, default_params={"big": 1152921504606846977})
    config["drop_params"] = ["gone", "deep.a", "list[0].a"]
    text = json.dumps(config).replace('"seed": 7', '"seed": 0.12345678901234567')
    body = b'{"b":1152921504606846976,"model":"m","gone":1,"deep":{"a":1,"b":1.50},"list":[{"a":1},{"a":2}]}'
    assert gateway.call("POST", CHATS, {"x-portkey-config": text}, body).status == 200
    assert fake.requests[0].body == (
        b'{"b":1152921504606846976,"model":"m","deep":{"b":1.50},"list":[{},{"a":2}],'
        b'"seed":0.12345678901234567,"big":1152921504606846977}'
    )


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"model":"a","messages":[],"model":"b"}', b'{"model":"b","messages":[]}'),
        (b'{"model":"a","mod\\u0065l":"b"}', b'{"model":"b"}'),
    ],
)
def test_of_repeated_keys_only_the_last_is_sent(gateway: Gateway, fake: Fake, body: bytes, sent: bytes) -> None:
    assert gateway.call("POST", CHATS, at(fake), body).status == 200
    assert fake.requests[0].body == sent


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"model":"\xff"}', "not UTF-8"),
        (b'{"model":"\xed\xa0\x80"}', "not UTF-8"),
        (b"[]", "JSON object"),
        (b'"text"', "JSON object"),
        (b"null", "JSON object"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": 1}}', "not valid JSON"),
        (b'{"a": 01}', "not valid JSON"),
        (b"model=m&prompt=hello", "not valid JSON"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "deeper than 200"),
        (b'{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "deeper than 200"),
        (b"[" * 1_000_000, "JSON object"),
        (b'{"model": 7}', "model"),
        (b'{"model": ["m"]}', "model"),
        (b'{"model": 1e999}', "model"),
        (b'{"model": "\\ud800"}', "not valid JSON"),
        (b'{"stream": 1e999, "model": "m"}', "`stream` cannot be read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_body(gateway: Gateway, fake: Fake, body: bytes, told: str) -> None:
    for path in (CHATS, TEXTS):
        answer = gateway.call("POST", path, at(fake), body)
        assert answer.status == 400, answer.body
        assert answer.error["type"] == "invalid_request_error"
        assert told in answer.error["message"] or answer.error["message"].startswith("The request body")
    answer = gateway.call("POST", CHATS, at(fake), body)
    assert told in answer.error["message"]
    assert fake.requests == []


def test_the_deepest_body_that_passes(gateway: Gateway, fake: Fake) -> None:
    body = b'{"a":' + b"[" * 199 + b"]" * 199 + b"}"
    assert gateway.call("POST", CHATS, at(fake), body).status == 200
    brackets = b'{"a":"' + b"[{" * 1000 + b'"}'
    assert gateway.call("POST", CHATS, at(fake), brackets).status == 200
    assert [request.body for request in fake.requests] == [body, brackets]


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=latin-1"]
)
def test_the_content_type_is_not_asked(gateway: Gateway, fake: Fake, kind: str) -> None:
    assert gateway.call("POST", CHATS, at(fake, content_type=kind), CHAT).status == 200
    assert fake.requests[0].header("content-type") == "application/json"


def test_what_translation_cannot_read_is_the_callers_error(gateway: Gateway, fake: Fake) -> None:
    for body in (
        b'{"model":"m","messages":[],"top_p":1e999}',
        b'{"model":"m","messages":{"a":1}}',
        b'{"messages":[]}',
    ):
        answer = gateway.call("POST", CHATS, at(fake, "anthropic"), body)
        assert answer.status == 400, answer.body
    assert fake.requests == []


@pytest.fixture(scope="module")
def small() -> Iterator[Gateway]:
    with Gateway(env={"GATEKEY_MAX_BODY_MB": "1", "GATEKEY_MAX_MEMORY_MB": "1.5"}) as running:
        yield running


def upload(gateway: Gateway, fake: Fake, path: str, framing: str) -> socket.socket:
    """A connection on which the head of a POST has been sent."""
    headers = {"host": "x", "x-portkey-api-key": KEY, "content-type": "application/json"} | at(fake)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    connection = socket.create_connection((gateway.host, gateway.port), 10)
    connection.sendall("\r\n".join([f"POST {path} HTTP/1.1", *lines, framing, "", ""]).encode())
    return connection


@pytest.mark.parametrize("path", [CHATS, "/v1/files", "/v1/models"])
def test_a_declared_body_over_the_limit_is_refused_at_once(small: Gateway, fake: Fake, path: str) -> None:
    with upload(small, fake, path, f"content-length: {1024 * 1024 + 1}") as connection:
        answer = connection.recv(65536)
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"larger than 1 MB" in answer
    assert fake.requests == []


@pytest.mark.parametrize(("path", "pieces", "status"), [("/v1/files", 40, 413), (CHATS, 13, 503)])
def test_a_chunked_body_over_a_limit_is_refused_when_it_gets_there(
    small: Gateway, fake: Fake, path: str, pieces: int, status: int
) -> None:
    piece = b"x" * 65536
    with upload(small, fake, path, "transfer-encoding: chunked") as connection:
        for _ in range(pieces):
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        assert connection.recv(65536).startswith(b"HTTP/1.1 %d " % status)
    assert fake.requests == []


def test_the_largest_body_passes(small: Gateway, fake: Fake) -> None:
    head, tail = b'{"model":"m","x":"', b'"}'
    body = head + b"x" * (700_000 - len(head) - len(tail)) + tail
    assert small.call("POST", CHATS, at(fake), body).status == 200
    assert fake.requests[0].body == body


def test_bodies_in_flight_share_a_memory(small: Gateway, fake: Fake) -> None:
    gate = Gate()
    body = b'{"model":"m","x":"' + b"x" * 500_000 + b'"}'
    fake.answer(chat().late(gate))
    with small.open("POST", CHATS, at(fake), body) as first:
        fake.wait()
        answer = small.call("POST", CHATS, at(fake), body)
        assert (answer.status, answer.error["code"]) == (503, "overloaded")
        assert small.call("POST", CHATS, at(fake), CHAT).status == 200
        gate.set()
        assert first.status == 200
        first.rest()
    assert small.call("POST", CHATS, at(fake), body).status == 200, "memory is given back"


def test_a_large_body_and_a_large_answer(gateway: Gateway, fake: Fake) -> None:
    body = b'{"model":"m","x":"' + b"x" * 20_000_000 + b'"}'
    fake.answer(chat("y" * 20_000_000))
    answer = gateway.call("POST", CHATS, at(fake), body)
    assert fake.requests[0].body == body
    assert len(answer.json()["choices"][0]["message"]["content"]) == 20_000_000


def test_an_event_of_8_mb_passes(gateway: Gateway, fake: Fake) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "z" * 8_000_000}, "finish_reason": None}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    fake.answer(events([chunk, end]))
    answer = gateway.call("POST", CHATS, at(fake), {**CHAT, "stream": True})
    first, *_, last = data_of(answer.body)
    assert len(json.loads(first)["choices"][0]["delta"]["content"]) == 8_000_000
    assert last == b"[DONE]"


def test_params_of_the_config_reach_the_provider_in_their_order(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, default_params={"a": 1, "b": 1}, override_params={"b": 2, "model": "o"}, drop_params=["c"])
    gateway.call("POST", CHATS, by(config), {"model": "m", "messages": [], "a": 0, "c": 1})
    assert fake.requests[0].json == {"model": "o", "messages": [], "a": 0, "b": 2}
