"""Every method of the client sends the documented request, and there is one for everything that the gateway serves."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gatekey.admin.app import routes
from gatekey.gateway.app import KINDS
from portkey_ai import AsyncPortkey, Portkey, RawResponse
from portkey_ai._async.resource import AsyncRaw, AsyncResource
from portkey_ai._sync.resource import Raw, Resource
from tests.asking import PROVIDER_KEY
from tests.fake import Fake, Received, Reply
from tests.fake import json as answered
from tests.gateway import KEY, Gateway
from tests.sdk.surface import CONTROL, FORWARDED, INFERENCE, SURFACE, method
from tests.sdk.ways import Way

ALIASES = r"/analytics/graphs/([a-z]+-(requests|rate|stack|status-code|rescued|hit-rate|latency)|feedbacks/score)$"
"""Names of the client for Node, which the gateway serves too."""
BESIDE = {"GET /logs/exports/{id}/file"}
"""What the answer of another method leads to."""


def methods(resource: Any, name: str = "") -> Iterator[str]:
    """The names of all methods below a client."""
    for part, found in vars(type(resource)).items():
        if part.startswith("_") or part in ("with_raw_response",):
            continue
        if isinstance(found, property):
            yield from methods(getattr(resource, part), f"{name}{part}.")
        elif isinstance(resource, Resource | AsyncResource):
            yield name + part


def resources(client: Any) -> set[str]:
    found: set[str] = set()
    for part, kind in vars(type(client).__mro__[1]).items():
        if isinstance(kind, property):
            found |= set(methods(getattr(client, part), f"{part}."))
    return found


@pytest.mark.parametrize("make", [Portkey, AsyncPortkey])
def test_no_method_is_missing_here(make: Any) -> None:
    assert resources(make()) == set(SURFACE)


def passed(request: Received) -> Reply:
    """A side that tells what has arrived."""
    return answered({"asked": f"{request.method} {request.target.removeprefix('/v1')}"})


def test_every_method_is_the_documented_request(near: Way, fake: Fake, subtests: pytest.Subtests) -> None:
    for name, (ask, route) in SURFACE.items():
        fake.answer(answered({"a": 1}))
        with subtests.test(name):
            found = near(lambda client, ask=ask, name=name: ask(method(client, name)))
            request = fake.requests[-1]
            assert f"{request.method} {request.target.removeprefix('/v1')}" == route
            assert isinstance(found, bytes) or found.a == 1


def test_every_method_has_its_raw_form(near: Way, fake: Fake, subtests: pytest.Subtests) -> None:
    for name, (ask, _) in SURFACE.items():
        fake.answer(answered({"a": 1}, headers={"x-portkey-trace-id": "t", "x-other": "o"}))
        resource, _, last = name.rpartition(".")
        with subtests.test(name):
            raw = near(lambda client, ask=ask, r=resource, m=last: ask(getattr(method(client, r).with_raw_response, m)))
            assert (type(raw), raw.status_code, raw.content, raw.text) == (RawResponse, 200, b'{"a": 1}', '{"a": 1}')
            assert (raw.headers["x-other"], raw.get_headers()) == ("o", {"trace-id": "t"})
            assert raw.parse() == {"a": 1} or raw.parse() == raw.content


def test_a_raw_resource_leads_no_further() -> None:
    for client, kind in ((Portkey(), Raw), (AsyncPortkey(), AsyncRaw)):
        assert isinstance(client.completions.with_raw_response, kind)
        assert client.completions._raw is False


def test_bodies(near: Way, fake: Fake) -> None:
    """Those that are not just the fields."""

    def sent(ask: Any) -> Any:
        fake.answer(answered({}))
        near(ask)
        return fake.requests[-1].json

    assert sent(lambda client: client.feedback.bulk_create(feedbacks=[{"trace_id": "t", "value": 1}])) == [
        {"trace_id": "t", "value": 1}
    ]
    assert sent(lambda client: client.feedback.create(trace_id="t", value=5, weight=0.5)) == {
        "trace_id": "t", "value": 5, "weight": 0.5, "metadata": {},
    }  # fmt: skip
    assert sent(lambda client: client.logs.create(request={"a": 1}, response={"b": 2}, metadata={"c": "d"})) == {
        "request": {"a": 1}, "response": {"b": 2}, "metadata": {"c": "d"},
    }  # fmt: skip
    assert sent(lambda client: client.completions.create(model="m", prompt="Hi", extra_body={"seed": 7})) == {
        "model": "m", "prompt": "Hi", "seed": 7,
    }  # fmt: skip
    assert sent(lambda client: client.post("/x", {"a": 1}, b=2)) == {"a": 1, "b": 2}
    assert sent(lambda client: client.post(url="/x", a=1)) == {"a": 1}
    assert sent(lambda client: client.put(path="/x", body=[1])) == [1]
    assert sent(lambda client: client.patch("/x", a=None)) == {"a": None}


def test_any_route_at_all(near: Way, fake: Fake) -> None:
    fake.on("/v1/x/y", passed)
    asked = {
        "GET /x/y?a=b": lambda client: client.get("/x/y", a="b"),
        "GET /x/y": lambda client: client.get(path="x/y"),
        "DELETE /x/y?a=true": lambda client: client.delete("/x/y", a=True),
        "POST /x/y": lambda client: client.post("/x/y"),
        "PUT /x/y": lambda client: client.put("/x/y"),
        "PATCH /x/y": lambda client: client.patch("/x/y"),
    }
    assert [near(ask).asked for ask in asked.values()] == list(asked)
    assert near(lambda client: client.post("/x/y", files={"file": b"1"}, a=1)).asked == "POST /x/y"
    assert (fake.requests[-1].header("content-type") or "").startswith("multipart/form-data; boundary=")


def test_everything_that_the_gateway_serves_has_a_method() -> None:
    served = {f"{verb} {path.removeprefix('/v1')}" for verb, path in KINDS}
    served |= {f"{route.method} {route.path}" for route in routes() if not re.search(ALIASES, route.path)}
    reached = {re.sub(r"\?.*", "", route) for _, route in {**INFERENCE, **CONTROL}.values()}
    lacking = [
        route
        for route in served - BESIDE
        if not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path) for path in reached)
    ]
    assert not lacking


def test_what_the_gateway_does_not_know_it_forwards(way: Way, fake: Fake, subtests: pytest.Subtests) -> None:
    for name, (ask, route) in FORWARDED.items():
        if name.startswith("chat."):
            continue
        fake.answer(answered({"a": 1}))
        with subtests.test(name):
            found = way(lambda client, ask=ask, name=name: ask(method(client, name)))
            request = fake.requests[-1]
            assert f"{request.method} {request.target.removeprefix('/v1')}" == route
            assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"
            assert KEY not in str(request.headers)
            assert isinstance(found, bytes) or (found.a == 1 and found.get_headers()["provider"] == "openai")


def test_a_file_arrives_as_it_is(way: Way, fake: Fake, gateway: Gateway) -> None:
    content = bytes(range(256)) * 8000
    fake.answer(answered({"id": "file-1"}))
    made = way(lambda client: client.files.create(file=("größe.bin", content), purpose="batch"))
    assert (made.id, content in fake.requests[-1].body) == ("file-1", True)
    fake.answer(Reply(b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 4\r\n\r\n\0\1\2\3"))
    sound = way(lambda client: client.audio.speech.create(input="Hi", model="m", voice="v"))
    assert sound.read() == b"\0\1\2\3"
    assert sound.get_headers()["provider"] == "openai"
