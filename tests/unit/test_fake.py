"""The fake provider does what tests rely on: a fake that cannot misbehave proves nothing."""

import gzip
import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from tests import fake as provider
from tests.fake import Fake, Gate, wait_until


class Client:
    """Plain HTTP to the fake; closes what it opened."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened: list[http.client.HTTPConnection | http.client.HTTPResponse] = []

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.opened.append(connection)
        return connection

    def ask(self, path: str = "/v1/chat/completions", body: bytes = b'{"model": "m"}') -> http.client.HTTPResponse:
        connection = self.connect()
        connection.request("POST", path, body)
        answer = connection.getresponse()
        self.opened.append(answer)
        return answer

    def leave(self) -> None:
        while self.opened:
            self.opened.pop().close()


@pytest.fixture
def client(fake: Fake) -> Iterator[Client]:
    client = Client(fake.port)
    yield client
    client.leave()


def test_requests_are_recorded_as_they_came(fake: Fake, client: Client) -> None:
    connection = client.connect()
    connection.request("POST", "/v1/x%2Fy?a=1&b=", b'{"a":  1}', {"X-Mixed": "Case"})
    assert connection.getresponse().read()
    request = fake.wait(1)
    assert (request.method, request.path, request.query) == ("POST", "/v1/x%2Fy", {"a": "1", "b": ""})
    assert ("X-Mixed", "Case") in request.headers
    assert request.header("x-mixed") == "Case"
    assert request.body == b'{"a":  1}'
    assert request.answered.wait(10)
    assert not request.closed.is_set()


def test_a_chunked_request_body_is_read(fake: Fake, client: Client) -> None:
    connection = client.connect()
    connection.request("POST", "/v1/files", iter([b"one", b"two"]), encode_chunked=True)
    connection.getresponse().read()
    assert fake.wait().body == b"onetwo"


def test_it_speaks_the_dialect_by_itself_on_one_connection(fake: Fake, client: Client) -> None:
    connection = client.connect()
    objects = []
    for path in ("chat/completions", "completions", "embeddings"):
        connection.request("POST", f"/v1/{path}", b'{"model": "m", "input": ["a", "b"]}')
        objects.append(json.load(connection.getresponse())["object"])
    connection.request("GET", "/v1/models")
    objects.append(json.load(connection.getresponse())["object"])
    assert objects == ["chat.completion", "text_completion", "list", "list"]
    assert fake.connections == 1
    connection.close()
    wait_until(lambda: fake.open == 0)


def test_streams_end_with_usage_only_where_it_was_asked_for(fake: Fake, client: Client) -> None:
    for path in ("/v1/chat/completions", "/v1/completions"):
        plain = client.ask(path, b'{"stream": true}').read()
        asked = client.ask(path, b'{"stream": true, "stream_options": {"include_usage": true}}').read()
        assert plain.endswith(b"data: [DONE]\n\n")
        assert b'"usage"' not in plain
        assert b'"usage"' in asked


def test_answers_come_from_the_queue_then_from_the_routes(fake: Fake, client: Client) -> None:
    fake.answer(provider.error(429, retry_after="7"), provider.text("two"))
    fake.on("/v1/other", lambda request: provider.json({"got": request.body.decode()}))
    first = client.ask()
    assert (first.status, first.headers["retry-after"]) == (429, "7")
    assert client.ask().read() == b"two"
    assert json.load(client.ask("/v1/other", b"body")) == {"got": "body"}


def test_pieces_of_a_stream_wait_for_the_gate(fake: Fake, client: Client) -> None:
    gate = Gate()
    fake.answer(provider.events(["a", "b"]).slowly(0, gate))
    answer = client.ask()
    assert answer.read1(100) == b"data: a\n\n"
    assert not fake.requests[0].answered.is_set()
    gate.set()
    assert answer.read() == b"data: b\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize("reply", [provider.chat().cut(20), provider.events(["a", "b"]).cut_after(1)])
def test_a_cut_answer_is_incomplete(fake: Fake, client: Client, reply: provider.Reply) -> None:
    fake.answer(reply)
    with pytest.raises(http.client.IncompleteRead):
        client.ask().read()


def test_an_answer_framed_by_the_connection_ends_with_it(fake: Fake, client: Client) -> None:
    fake.answer(provider.events(["a"], framing="close"))
    assert client.ask().read() == b"data: a\n\ndata: [DONE]\n\n"


def test_a_reset_is_a_reset(fake: Fake, client: Client) -> None:
    fake.answer(provider.raw(b"", end="reset"))
    with pytest.raises(ConnectionResetError):
        client.ask()


def test_a_stalled_answer_sees_the_client_leave(fake: Fake, client: Client) -> None:
    fake.answer(provider.events(["a", "b"]).stalled(1), provider.silence())
    assert client.ask().read1(100) == b"data: a\n\n"
    assert not fake.requests[0].closed.is_set()
    client.leave()
    assert fake.requests[0].closed.wait(10)
    with socket.create_connection(("127.0.0.1", fake.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        fake.wait(2)
    assert fake.requests[1].closed.wait(10)
    assert not fake.requests[1].answered.is_set()


def test_gzip_and_redirects(fake: Fake, client: Client) -> None:
    fake.answer(provider.json({"a": 1}, gzip=True), provider.redirect("http://127.0.0.1:1/"))
    packed = client.ask()
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.read()) == b'{"a": 1}'
    moved = client.ask()
    assert (moved.status, moved.headers["location"]) == (307, "http://127.0.0.1:1/")


@pytest.mark.parametrize("body", [b"[]", b"7", b"", b"{", b'{"stream_options": 7}', b"[" * 100_000])
def test_any_body_is_answered(fake: Fake, client: Client, body: bytes) -> None:
    for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/else"):
        assert client.ask(path, body).read()


def test_a_test_that_answers_wrongly_fails() -> None:
    def answer(request: provider.Received) -> provider.Reply:
        raise AssertionError("not what was expected")

    with pytest.raises(AssertionError, match="not what was expected"), Fake() as fake:
        client = Client(fake.port)
        fake.on("/v1/else", answer)
        with pytest.raises(ConnectionError):
            client.ask("/v1/else")
        client.leave()
