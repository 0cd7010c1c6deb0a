"""A call as data: the request that it becomes, and what its answer means."""

import io
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from portkey_ai import APIResponseError, Content, Portkey, types
from portkey_ai._calls import Call, Request, call, meaning, path
from portkey_ai._results import Result


def asked(made: Call, **options: Any) -> Request:
    """The request that a client of these options sends."""
    return Portkey(**options)._settings.request(made)


def sent(request: Request) -> bytes:
    return b"".join(request.body.pieces())


def test_a_body() -> None:
    request = asked(call("POST", "/x", Result, {"a": "größe", "none": None, "deep": [{"b": 1.5}]}))
    assert (request.method, request.target) == ("POST", "/v1/x")
    assert sent(request) == '{"a":"größe","none":null,"deep":[{"b":1.5}]}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["content-length"] == str(len(sent(request)))
    assert request.headers["host"] == "127.0.0.1:8787"
    assert request.headers["user-agent"].startswith("gatekey-sdk/")


def test_no_body() -> None:
    for method, length in (("GET", None), ("DELETE", None), ("POST", "0"), ("PUT", "0")):
        request = asked(call(method, "/x", Result))
        assert sent(request) == b""
        assert request.headers.get("content-length") == length
        assert "content-type" not in request.headers


def test_a_query() -> None:
    query = {"page_size": 5, "all": True, "slugs": ["a b", "c"], "none": None, "deep": {"a": 1}, "word": "größe&"}
    for method in ("GET", "DELETE"):
        assert asked(call(method, "/x", Result, query)).target == (
            "/v1/x?page_size=5&all=true&slugs=a%20b%2Cc&deep=%7B%22a%22%3A%201%7D&word=gr%C3%B6%C3%9Fe%26"
        )
    assert asked(call("GET", "x?a=b", Result, {"c": "d"})).target == "/v1/x?a=b&c=d"


def test_what_a_call_takes_beside_its_fields() -> None:
    extra = {"extra_headers": {"X-A": "1"}, "extra_query": {"q": 1}, "extra_body": {"b": 2}, "timeout": 3}
    made = call("POST", "/x", Result, {"a": 1, **extra})
    request = asked(made, timeout=9)
    assert (json.loads(sent(request)), request.target, request.timeout) == ({"a": 1, "b": 2}, "/v1/x?q=1", 3)
    assert request.headers["x-a"] == "1"
    assert asked(call("POST", "/x", Result, {"timeout": None}), timeout=9).timeout is None
    assert asked(call("POST", "/x", Result, {}), timeout=9).timeout == 9
    assert asked(call("GET", "/x", Result, {"extra_query": {"q": 1}, "extra_body": {"b": 2}})).target == "/v1/x?b=2&q=1"
    with pytest.raises(ValueError, match="line break"):
        asked(call("POST", "/x", Result, {"extra_headers": {"X-A": "1\r\n"}}))


def test_numbers_that_json_lacks() -> None:
    with pytest.raises(ValueError, match="JSON"):
        asked(call("POST", "/x", Result, {"temperature": float("nan")}))


@pytest.mark.parametrize("value", ["", ".", "..", None, 7])
def test_what_is_no_id(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no name or id: the path is /files/\{\}"):
        path("/files/{}", value)


def test_an_id_does_not_climb_out_of_its_place() -> None:
    assert path("/files/{}/content", "../a?b#c d\r\n") == "/files/..%2Fa%3Fb%23c%20d%0D%0A/content"


def test_a_path_of_ones_own_stays_in_its_line() -> None:
    assert asked(call("GET", "/a b\r\nx: y/ö", Result)).target == "/v1/a%20b%0D%0Ax:%20y/%C3%B6"


def parts(request: Request) -> list[tuple[str, str | None, str, bytes]]:
    """The parts of a form: name, file name, media type, content."""
    whole = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode() + sent(request)
    assert request.headers["content-length"] == str(len(sent(request)))
    found = []
    for part in message_from_bytes(whole).get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found.append((str(name), part.get_filename(), part.get_content_type(), content))
    return found


def test_a_form(tmp_path: Path) -> None:
    file = tmp_path / "größe.bin"
    file.write_bytes(b"\0\r\n--x")
    with file.open("rb") as opened:
        opened.seek(1)
        files = {
            "a": file,
            "b": opened,
            "c": b"bytes",
            "d": ("name.wav", io.BytesIO(b"sound"), "audio/wav"),
            "e": [b"1", b"2"],
            "f": None,
            "g": ("text", "größe"),
        }
        fields = {"purpose": "batch", "n": 2, "deep": {"a": 1}, "list": ["x", "y"], "none": None, "yes": True}
        request = asked(call("POST", "/files", Result, fields, files=files))
        found = parts(request)
        assert parts(request) == found, "it can be sent again"
    assert [part[:2] + part[3:] for part in found[:6]] == [
        ("purpose", None, b"batch"),
        ("n", None, b"2"),
        ("deep", None, b'{"a": 1}'),
        ("list[]", None, b"x"),
        ("list[]", None, b"y"),
        ("yes", None, b"true"),
    ]
    octets = "application/octet-stream"
    assert [(name, kind, content) for name, _, kind, content in found[6:]] == [
        ("a", octets, b"\0\r\n--x"),
        ("b", octets, b"\r\n--x"),
        ("c", octets, b"bytes"),
        ("d", "audio/wav", b"sound"),
        ("e[]", octets, b"1"),
        ("e[]", octets, b"2"),
        ("g", octets, "größe".encode()),
    ]
    assert found[9][1] == "name.wav"


def test_a_file_name_does_not_break_out_of_its_header() -> None:
    request = asked(call("POST", "/files", Result, {}, files={"file": ('a"\r\nb: c', b"1")}))
    assert b'filename="a%22%0D%0Ab: c"' in sent(request)


@pytest.mark.parametrize(
    ("given", "told"), [("name.txt", "A file is a pathlib.Path"), (io.StringIO("text"), "open for bytes")]
)
def test_a_text_is_no_file(given: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        asked(call("POST", "/files", Result, {}, files={"file": given}))


JSON = {"content-type": "application/json; charset=utf-8", "x-portkey-trace-id": "t"}


def means(kind: type[Any], content: bytes, headers: dict[str, str] = JSON, **more: Any) -> Any:
    return meaning(call("POST", "/x", kind, **more), 200, headers, content)


def test_what_answers_mean() -> None:
    found = means(types.Model, b'{"id": "m", "deep": {"a": 1}}')
    assert (type(found), found.id, found.deep.a, found.get_headers()) == (types.Model, "m", 1, {"trace-id": "t"})
    assert means(Result, b"[1, 2]") == [1, 2]
    assert means(Content, b"{}") == b"{}"
    assert type(means(Result, b"\0", {"content-type": "audio/wav"})) is Content
    assert means(types.Deleted, b"", {}) == {}
    assert means(types.Model, b'{"id": "m"}', {}).id == "m"
    assert means(types.Transcription, b"words", {"content-type": "text/plain"}, files={"file": b""}).text == "words"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000], ids=["empty", "half", "bytes", "deep"])
def test_json_that_is_none(content: bytes) -> None:
    with pytest.raises(APIResponseError, match="says that it is JSON, but is not"):
        means(types.Model, content)


def test_an_answer_of_something_else() -> None:
    with pytest.raises(APIResponseError, match=r"is text/html, not JSON: is a gateway at base_url\?") as failure:
        means(types.Model, b"<html>", {"content-type": "text/html"})
    assert failure.value.body == "<html>"
