"""HTTP/1.1 as the client reads it: well-framed answers however cut, and nothing else."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portkey_ai import _http1
from portkey_ai._http1 import Answer, Origin, ProtocolError, head, origin

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-A: 1\r\nx-a:2 \r\n\r\nhello world"
CHUNKS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6\r\nhello \r\n5;name=value\r\nworld\r\n0\r\nTrailer: 1\r\n\r\n"
)
CLOSED = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello world"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH
WELL = {"length": LENGTH, "chunks": CHUNKS, "closed": CLOSED, "interim": INTERIM}


def read(pieces: list[bytes], method: str = "POST") -> tuple[Answer, bytes]:
    """What an answer of these pieces is; then the connection ends."""
    answer, body = Answer(method), b""
    for piece in pieces:
        body += b"".join(answer.feed(piece))
    if not answer.done:
        answer.feed(b"")
    assert answer.done
    return answer, body


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    return [piece for start, end in pairwise(edges) if (piece := data[start:end])]


@pytest.mark.parametrize("data", WELL.values(), ids=WELL)
def test_whole_and_byte_by_byte(data: bytes) -> None:
    for pieces in ([data], [bytes([byte]) for byte in data]):
        answer, body = read(pieces)
        assert (answer.status, body) == (200, b"hello world")
        assert answer.reusable is (data is not CLOSED)


@given(some.sampled_from(list(WELL.values())), some.lists(some.integers(0, 1000)))
def test_cut_anywhere(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places))[1] == b"hello world"


def test_headers() -> None:
    assert read([LENGTH])[0].headers == {"content-length": "11", "x-a": "1, 2"}


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", "POST"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET"),
        (b"HTTP/1.1 200 Connection established\r\n\r\n", "CONNECT"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "GET"),
    ],
)
def test_answers_without_a_body(data: bytes, method: str) -> None:
    answer, body = read([data], method)
    assert (body, answer.done, answer.reusable) == (b"", True, True)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Close, x", False),
        (b"HTTP/1.1 200 OK", True),
        (b"HTTP/1.0 200 OK", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive", True),
    ],
)
def test_which_connections_are_kept(fields: bytes, kept: bool) -> None:
    assert read([fields + b"\r\nContent-Length: 0\r\n\r\n"])[0].reusable is kept


def test_what_nobody_asked_for_ends_the_connection() -> None:
    answer = Answer("POST")
    assert answer.feed(LENGTH + b"HTTP/1.1 200 OK\r\n") == [b"hello world"]
    assert (answer.done, answer.reusable) == (True, False)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HOSTILE = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP/2": b"HTTP/2 200\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status of another script": "HTTP/1.1 ٢٠٠ OK\r\n\r\n".encode(),
    "no status": b"HTTP/1.1 \r\n\r\n",
    "a field without a colon": b"HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
    "a field with a space before its colon": b"HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n",
    "a folded field": b"HTTP/1.1 200 OK\r\nA: 1\r\n b: 2\r\n\r\n",
    "a field without a name": b"HTTP/1.1 200 OK\r\n: 2\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "a length in words": b"HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n",
    "an endless length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "a negative chunk": CHUNKED + b"-1\r\n",
    "a chunk without a size": CHUNKED + b"\r\n",
    "a chunk of no number": CHUNKED + b"0x5\r\n",
    "an endless chunk": CHUNKED + b"f" * 16 + b"\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nabc\r\n",
    "a line without an end": CHUNKED + b"1;" + b"a" * (_http1.MAX_LINE + 1),
    "a head without an end": b"HTTP/1.1 200 OK\r\nA: " + b"a" * (_http1.MAX_HEAD + 1) + b"\r\n\r\n",
    "a trailer without an end": CHUNKED + b"0\r\n" + b"a" * (_http1.MAX_HEAD + 2),
    "trailers without an end": CHUNKED + b"0\r\n" + b"a: b\r\n" * (_http1.MAX_HEAD // 4 + 1),
    "interim answers without an end": b"HTTP/1.1 100 Continue\r\n\r\n" * 101,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Answer("POST").feed(data)
    answer = Answer("POST")
    with pytest.raises(ProtocolError):
        for start in range(0, len(data), 1000):
            answer.feed(data[start : start + 1000])


@pytest.mark.parametrize("data", [LENGTH, CHUNKS], ids=["length", "chunks"])
def test_an_answer_that_breaks_off(data: bytes) -> None:
    for size in range(len(data)):
        answer = Answer("POST")
        if size:
            answer.feed(data[:size])
        with pytest.raises(ProtocolError, match=r"closed (before an answer|in the middle)"):
            answer.feed(b"")


@given(some.binary(max_size=200), some.lists(some.integers(0, 1000), max_size=5))
def test_garbage_is_refused_or_read_however_it_is_cut(garbage: bytes, places: list[int]) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + garbage
    assert _came(cut(data, places)) == _came([data])


def _came(pieces: list[bytes]) -> Any:
    try:
        answer, body = read(pieces)
    except ProtocolError:
        return None
    return answer.status, answer.headers, body


def test_a_request() -> None:
    assert head("POST", "/v1/x?a=b", {"host": "a", "x-name": "größe"}) == (
        "POST /v1/x?a=b HTTP/1.1\r\nhost: a\r\nx-name: größe\r\n\r\n".encode()
    )


@pytest.mark.parametrize(
    ("url", "found", "name", "path"),
    [
        ("http://127.0.0.1:8787/v1", (False, "127.0.0.1", 8787), "127.0.0.1:8787", "/v1"),
        ("https://gateway.example/v1/", (True, "gateway.example", 443), "gateway.example", "/v1"),
        ("http://[::1]:80", (False, "::1", 80), "[::1]", ""),
        ("https://a:80/x/v1", (True, "a", 80), "a:80", "/x/v1"),
    ],
)
def test_an_address(url: str, found: tuple[bool, str, int], name: str, path: str) -> None:
    where, began = origin(url)
    assert (where, where.name, began) == (Origin(*found), name, path)
