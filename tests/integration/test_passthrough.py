"""Any other path below /v1: forwarded untransformed, under the same checks, and never the control plane's."""

import gzip
import http.client
import os
from typing import Any

import pytest

from gatekey.gateway.app import RESERVED
from tests.asking import CHAT, PROVIDER_KEY, at, by, fallback, refusing, target
from tests.fake import Fake, Gate, Reply, error, raw, redirect, stream, text
from tests.fake import json as json_reply
from tests.fake.reply import body as whole
from tests.gateway import KEY, Gateway


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_every_method(gateway: Gateway, fake: Fake, method: str) -> None:
    fake.answer(Reply(text("hello").head, () if method == "HEAD" else text("hello").parts))
    sent = None if method in ("GET", "HEAD", "OPTIONS") else b"some bytes"
    answer = gateway.call(method, "/v1/files/file-1", at(fake), sent)
    assert (answer.status, answer.body) == (200, b"" if method == "HEAD" else b"hello")
    assert answer.headers["content-length"] == "5"
    request = fake.requests[0]
    assert (request.method, request.target, request.body) == (method, "/v1/files/file-1", sent or b"")
    assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/files?limit=2&after=a%20b&x=%2F&x=2", "/v1/files?limit=2&after=a%20b&x=%2F&x=2"),
        ("/v1/files?", "/v1/files"),
        ("/v1/models/org%2Fmodel", "/v1/models/org%2Fmodel"),
        ("/v1/a%20b/c+d/%C3%BC", "/v1/a%20b/c+d/%C3%BC"),
        ("/v1/proxy/files/1", "/v1/files/1"),
        ("/v1/v1/files", "/v1/files"),
        ("/v1/files/", "/v1/files/"),
        ("/v1/proxyfoo/x", "/v1/proxyfoo/x"),
        ("/v1/proxy.example.org/x", "/v1/proxy.example.org/x"),
    ],
)
def test_paths_and_queries_as_they_came(gateway: Gateway, fake: Fake, path: str, sent: str) -> None:
    gateway.call("GET", path, at(fake))
    assert fake.requests[0].target == sent


def test_an_upload_of_3_mb(gateway: Gateway, fake: Fake) -> None:
    data = os.urandom(3_000_000)
    form = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + data + b"\r\n--b--\r\n"
    fake.answer(json_reply({"id": "file-1"}))
    headers = at(fake, content_type='multipart/form-data; boundary="b"')
    assert gateway.call("POST", "/v1/files", headers, form).json() == {"id": "file-1"}
    request = fake.requests[0]
    assert request.body == form
    assert request.header("content-type") == 'multipart/form-data; boundary="b"'
    assert request.header("content-length") == str(len(form))


def test_an_upload_is_sent_whole_again(gateway: Gateway, fake: Fake) -> None:
    data = os.urandom(3_000_000)
    fake.answer(error(503, headers={"retry-after-ms": "1"}), raw(b"", "reset"), json_reply({"id": "file-1"}))
    retry = {"attempts": 1, "use_retry_after_headers": True}
    config = fallback(target(fake, retry=retry), target(refusing()), target(fake))
    headers = by(config, content_type="application/octet-stream")
    answer = gateway.call("POST", "/v1/files", headers, data)
    assert (answer.status, answer.headers["x-portkey-last-used-option-index"]) == (200, "config.targets[2]")
    assert [len(request.body) for request in fake.requests] == [3_000_000] * 3
    assert all(request.body == data for request in fake.requests)


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_binary_answers(gateway: Gateway, fake: Fake, framing: Any) -> None:
    data = os.urandom(500_000)
    fake.answer(stream([data[:7], data[7:]], content_type="audio/mpeg", framing=framing))
    answer = gateway.call("POST", "/v1/audio/speech", at(fake), {"input": "x"})
    assert answer.body == data
    assert answer.headers["content-type"] == "audio/mpeg"


def test_a_streamed_answer_passes_as_it_arrives(gateway: Gateway, fake: Fake) -> None:
    gates = [Gate(), Gate(), Gate()]
    gates[0].set()
    fake.answer(stream([b"event: a\ndata: 1\n\n", b"data: [DONE]\n\n"]).slowly(*gates))
    with gateway.open("POST", "/v1/responses", at(fake), {"stream": True}) as answer:
        pieces = answer.pieces()
        assert next(pieces) == b"event: a\ndata: 1\n\n"
        gates[1].set()
        gates[2].set()
        assert b"".join(pieces) == b"data: [DONE]\n\n"


def test_nothing_stays_nothing(gateway: Gateway, fake: Fake) -> None:
    fake.answer(raw(b"HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n", "keep"))
    answer = gateway.call("DELETE", "/v1/files/1", at(fake))
    assert (answer.status, answer.body, answer.headers["x-a"]) == (204, b"", "1")
    assert "content-length" not in answer.headers
    assert "transfer-encoding" not in answer.headers
    fake.answer(raw(b"HTTP/1.1 304 Not Modified\r\netag: 1\r\n\r\n", "keep"))
    answer = gateway.call("GET", "/v1/files/1", at(fake, if_none_match="1"))
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", "1")


def test_a_redirect_is_relayed(gateway: Gateway, fake: Fake) -> None:
    fake.answer(redirect("http://127.0.0.1:1/elsewhere", 302))
    answer = gateway.call("GET", "/v1/files/1/content", at(fake))
    assert (answer.status, answer.headers["location"]) == (302, "http://127.0.0.1:1/elsewhere")
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_an_error_as_it_came(gateway: Gateway, fake: Fake, status: int) -> None:
    data = b'{ "error" : {"message":"No such file"}, "n": 1152921504606846976 }'
    fake.answer(whole(status, "application/problem+json", data, {"x-request-id": "r"}))
    answer = gateway.call("GET", "/v1/files/1", at(fake))
    assert (answer.status, answer.body) == (status, data)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "r"


@pytest.mark.parametrize("status", [200, 404])
def test_a_compressed_answer_is_not_touched(gateway: Gateway, fake: Fake, status: int) -> None:
    fake.answer(json_reply({"id": "file-1"}, status, gzip=True))
    answer = gateway.call("GET", "/v1/files/1", at(fake, accept_encoding="gzip"))
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b'{"id": "file-1"}'
    assert fake.requests[0].header("accept-encoding") == "gzip"


def test_which_headers_are_forwarded(gateway: Gateway, fake: Fake) -> None:
    headers = at(
        fake,
        connection="close, X-Hop, keep-alive",
        x_hop="1",
        keep_alive="timeout=5",
        te="trailers",
        upgrade="h2c",
        proxy_authorization="Basic x",
        x_kept="yes",
        accept="audio/mpeg",
        user_agent="mine/1",
        cookie="a=b",
        metadata_flavor="Google",
        x_portkey_metadata='{"a": "b"}',
    )
    gateway.call("POST", "/v1/files", headers, CHAT)
    request = fake.requests[0]
    assert (request.header("x-kept"), request.header("cookie")) == ("yes", "a=b")
    assert (request.header("accept"), request.header("user-agent")) == ("audio/mpeg", "mine/1")
    assert request.header("host") == f"127.0.0.1:{fake.port}"
    gone = ("x-hop", "keep-alive", "te", "upgrade", "proxy-authorization", "x-portkey-metadata", "metadata-flavor")
    assert [name for name in gone if request.header(name) is not None] == []
    assert KEY not in str(request.headers)


def test_a_json_body_takes_what_the_config_sets(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, override_params={"model": "o"}, default_params={"d": 1}, drop_params=["gone"])
    gateway.call("POST", "/v1/responses", by(config), b'{"model":"m","x":1.50,"gone":1}')
    assert fake.requests[0].body == b'{"model":"o","x":1.50,"d":1}'
    form = b"--b--\r\n"
    gateway.call("POST", "/v1/files", by(config, content_type="multipart/form-data; boundary=b"), form)
    assert fake.requests[1].body == form
    gateway.call("GET", "/v1/files", by(config))
    assert fake.requests[2].body == b""
    answer = gateway.call("POST", "/v1/responses", by(config), b"{")
    assert answer.status == 400


def test_a_body_that_nothing_changes_is_not_read(gateway: Gateway, fake: Fake) -> None:
    data = b'{"a":1,"a":2, \xff nonsense'
    gateway.call("POST", "/v1/responses", at(fake), data)
    assert fake.requests[0].body == data


@pytest.mark.parametrize(
    "reply",
    [
        stream([b"x" * 1000, b"y" * 1000]).cut_after(1),
        stream([b"x" * 1000, b"y" * 1000]).cut_after(1).reset(),
        whole(200, "audio/mpeg", b"x" * 2000).cut(1000),
    ],
    ids=["chunked", "reset", "counted"],
)
def test_a_cut_answer_breaks_the_connection(gateway: Gateway, fake: Fake, reply: Reply) -> None:
    fake.answer(reply.slowly(0.0, 0.1) if reply.end != "close" else reply)
    with (
        gateway.open("GET", "/v1/files/1/content", at(fake)) as answer,
        pytest.raises((http.client.IncompleteRead, ConnectionResetError)),
    ):
        assert answer.status == 200
        if len(answer.rest()) < 2000:
            raise ConnectionResetError  # read1 does not tell where a counted body is too short


def test_what_cannot_be_reached(gateway: Gateway) -> None:
    answer = gateway.call("GET", "/v1/files", by(target(refusing())))
    assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")


@pytest.mark.parametrize("first", sorted(RESERVED))
def test_the_control_planes_paths_are_never_forwarded(gateway: Gateway, fake: Fake, first: str) -> None:
    encoded = f"%{ord(first[0]):02x}{first[1:]}"
    upper = first.upper()
    paths = [first, f"{first}/", f"{first}/x", f"{first}?x=1", encoded, upper, f"{first.title()}/x", f"./{first}"]
    paths += [f"/{first}", f"x/../{first}", f"x/%2e%2e/{first}", f"%2f{first}", f"proxy/{first}", f"proxy//{first}"]
    paths += [f"v1/{first}", f"v1/v1/{encoded}", f"proxy/{encoded}", f"proxy%2f{first}", f"v1/proxy/{first}"]
    paths += [f"x/..%2f{first}", f"proxy/v1/{first}", f"%76%31/{first}", f"proxy/proxy/{first}"]
    for path in paths:
        for method in ("GET", "POST"):
            answer = gateway.call(method, f"/v1/{path}", at(fake), {"key": "sk"} if method == "POST" else None)
            # Whether it is served here is the control plane's to say; a provider never sees it.
            assert answer.status < 500, path
            assert "x-portkey-provider" not in answer.headers, path
    assert fake.requests == []


@pytest.mark.parametrize(
    "path", ["/", "/v2/files", "/v1", "/v1/", "/files", "//v1/files", "/V1/files", "/v1/../etc", "/v1/a//b", "/v1x/y"]
)
def test_what_is_no_route(gateway: Gateway, fake: Fake, path: str) -> None:
    answer = gateway.call("POST", path, at(fake), CHAT)
    assert (answer.status, answer.error["code"]) == (404, "unknown_route")
    assert fake.requests == []


def test_a_key_in_a_header_of_its_own_reaches_only_who_takes_it_there(gateway: Gateway, fake: Fake) -> None:
    for slug, reaches in (("openai", None), ("anthropic", "sk-ant")):
        fake.answer(json_reply({}))
        headers = by(target(fake, provider=slug, api_key=None, custom_host=fake.base), **{"x-api-key": "sk-ant"})
        gateway.call("GET", "/v1/files", headers)
        assert fake.requests[-1].header("x-api-key") == reaches
