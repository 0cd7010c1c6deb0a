"""Requests as real clients sent them, header by header: each is answered as it should be, and none with a 500.

`captures.json` holds 258 of them: the Portkey clients of PyPI and npm, openai of both in two generations, anthropic,
curl. Only what leads to a provider is changed: a saved config's slug, and the host of a provider that has none stored.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gatekey.admin.app import routes
from gatekey.gateway.app import KINDS, RESERVED
from tests.clients.test_quirks import both_shapes
from tests.fake import Fake, Received, Reply, error, events, speak
from tests.fake import json as answered
from tests.gateway import Answer, Gateway
from tests.stored import SECRET, ask, config, virtual_key

KEY = "PORTKEY_API_KEY"
"""The gateway key that all clients were given, but for those that were to be refused."""
DUMMIES = (KEY, "OPENAI_API_KEY", "dummy")
"""What clients send as a provider's key of themselves."""
STORED = {
    **dict.fromkeys(("openai-virtual-key", "openai-prod", "vk", "a", "b"), "openai"),
    **dict.fromkeys(("anthropic-virtual-key", "v"), "anthropic"),
}
"""Virtual keys that the clients name, and their providers."""
OBJECTS = {"completions": "text_completion", "chat": "chat.completion", "embeddings": "list", "models": "list"}


@dataclass(frozen=True)
class Capture:
    """A request, its headers in order; `json` or `raw` is its body."""

    client: str
    case: str
    method: str
    target: str
    headers: list[tuple[str, str]]
    json: Any = None
    raw: str | None = None

    @property
    def path(self) -> str:
        """The path as the gateway understands it."""
        return self.target.partition("?")[0].replace("/v1/v1/", "/v1/").removeprefix("/v1")

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        if self.raw is not None:
            return self.raw.encode("latin-1")
        return b"" if self.json is None else json.dumps(self.json, separators=(",", ":")).encode()

    def header(self, name: str) -> str:
        """The last value of a header, empty where there is none."""
        return ([""] + [value for given, value in self.headers if given.lower() == name])[-1]

    def field(self, name: str) -> Any:
        """A field of a body that is an object."""
        return self.json.get(name) if isinstance(self.json, dict) else None

    def send(self, gateway: Gateway) -> Answer:
        """What it is answered."""
        head = [("Host", f"{gateway.host}:{gateway.port}"), *self.headers]
        if self.body:
            head.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in head), "", ""]
        with gateway.send("\r\n".join(lines).encode("latin-1") + self.body) as reply:
            body = reply.rest()
            return Answer(reply.status, reply.headers, body)


@dataclass(frozen=True)
class Place:
    """A gateway that knows the clients' key, the provider that all stored keys lead to, and a saved config."""

    gateway: Gateway
    fake: Fake
    saved: str

    def led(self, capture: Capture) -> Capture:
        """The capture, so that it leads here."""
        headers = []
        for name, value in capture.headers:
            if name.lower() == "x-portkey-config":
                inline = value.startswith("{")
                value = json.dumps({**json.loads(value), "custom_host": self.fake.base}) if inline else self.saved
            headers.append((name, value))
        if capture.header("x-portkey-provider") in STORED.values():
            headers.append(("x-portkey-custom-host", self.fake.base))
        return replace(capture, headers=headers)

    def stored(self, capture: Capture) -> tuple[Capture, str]:
        """The capture, so that what it names is there, and its path where it can be deleted."""
        room, _, slug = capture.path.removeprefix("/").partition("/")
        if room == "feedback" and slug:
            given = ask(self.gateway, "POST", "/feedback", {"trace_id": "t", "value": 1}, key=KEY)
            [id] = given["feedback_ids"]
            body = {**capture.json, "feedback_id": id} if capture.field("feedback_id") else capture.json
            return replace(capture, target=f"/v1/feedback/{id}", json=body), ""
        if room not in ("configs", "virtual-keys") or not slug:
            return capture, ""
        content = {"virtual_key": "openai-virtual-key"}
        make = (
            config(self.gateway, content, by=KEY) if room == "configs" else virtual_key(self.gateway, self.fake, by=KEY)
        )
        body = {**capture.json, "slug": make} if capture.field("slug") else capture.json
        return replace(capture, target=f"/v1/{room}/{make}", json=body), f"/{room}/{make}"


def failing(request: Received) -> Reply:
    """A provider that fails as the model's name says."""
    model = request.json.get("model", "")
    return error(int(model.split("-")[1]), "As asked.") if model.startswith("err-") else speak(request)


def passed(request: Received) -> Reply:
    """A provider that tells what has arrived."""
    told = {"passed": request.path}
    return events([told]) if b'"stream":true' in request.body else answered(told)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with Fake() as fake, Gateway(env={"GATEKEY_ADMIN_KEY": KEY}) as gateway:
        for slug, provider in STORED.items():
            virtual_key(gateway, fake, by=KEY, slug=slug, provider=provider)
        for slug in ("ws", "ws1"):
            ask(gateway, "POST", "/admin/workspaces", {"name": slug, "slug": slug}, key=KEY)
        for capture in CAPTURES:
            if kind(capture) == "passed on" and "no/such" not in capture.path:
                fake.on(f"/v1{capture.path}", passed)
        fake.on("/v1/chat/completions", failing)
        yield Place(gateway, fake, config(gateway, {"virtual_key": "openai-virtual-key"}, by=KEY))


def kind(capture: Capture) -> str:
    """What becomes of a capture, told from what it is."""
    keys = [capture.header(name) for name in ("x-portkey-api-key", "authorization")]
    names = [capture.header(f"x-portkey-{name}") for name in ("provider", "config", "virtual-key")]
    model = str(capture.field("model") or "")
    if next((key for key in keys if key), "").removeprefix("Bearer ") != KEY:
        return "refused"
    if capture.path.split("/")[1] in RESERVED:
        served = any(each.method == capture.method and each.matches().fullmatch(capture.path) for each in routes())
        return "control plane" if served else "still to come"
    if not any(names) and not model.startswith("@"):
        return "no provider"
    if all(names) or model == "portkey-default":
        return "contradiction" if all(names) else "no model"
    if (capture.method, f"/v1{capture.path}") not in KINDS:
        return "passed on"
    return "failing" if model.startswith("err-") else "streamed" if capture.field("stream") else "answered"


def refused(place: Place, capture: Capture, answer: Answer) -> None:
    both_shapes(answer, 401)
    assert place.fake.requests == []


def no_provider(place: Place, capture: Capture, answer: Answer) -> None:
    both_shapes(answer, 400)
    assert "x-portkey-provider header is required" in answer.error["message"]


def contradiction(place: Place, capture: Capture, answer: Answer) -> None:
    """A stored key beside a host of the caller's."""
    both_shapes(answer, 400)
    assert answer.error["param"] == "x-portkey-custom-host"
    assert place.fake.requests == []


def no_model(place: Place, capture: Capture, answer: Answer) -> None:
    both_shapes(answer, 400)
    assert answer.error["param"] == "model"


def still_to_come(place: Place, capture: Capture, answer: Answer) -> None:
    both_shapes(answer, 404)
    assert "is not available yet" in answer.error["message"]
    assert place.fake.requests == []


def control_plane(place: Place, capture: Capture, answer: Answer) -> None:
    """Served; a field that the provider lacks is refused by its name."""
    assert place.fake.requests == []
    if capture.field("api_version") and answer.status == 400:
        both_shapes(answer, 400)
        assert answer.error["param"] == "api_version"
    else:
        assert answer.status == 200, answer.body
        assert isinstance(answer.json(), dict)


def passed_on(place: Place, capture: Capture, answer: Answer) -> None:
    """Whatever it is, it arrives as it was sent, and the answer as it was given."""
    received = upstream(place, capture)
    assert (received.method, received.path, received.body) == (capture.method, f"/v1{capture.path}", capture.body)
    if "no/such" in capture.path:
        assert answer.status == 404
        assert "No such path" in answer.error["message"]
    elif capture.field("stream"):
        assert answer.body.startswith(b'data: {"passed":')
    else:
        assert answer.json() == {"passed": f"/v1{capture.path}"}


def failed(place: Place, capture: Capture, answer: Answer) -> None:
    upstream(place, capture)
    assert answer.status == int(capture.json["model"].split("-")[1])
    assert answer.json()["provider"] == "openai"
    assert answer.error["message"] == answer.json()["message"] == "openai error: As asked."


def whole(place: Place, capture: Capture, answer: Answer) -> None:
    received = upstream(place, capture)
    served = KINDS[capture.method, received.path]
    assert (answer.status, answer.json()["object"]) == (200, OBJECTS[served])
    assert received.method == "GET" or carried(received) == carried(capture)


def streamed(place: Place, capture: Capture, answer: Answer) -> None:
    assert carried(upstream(place, capture)) == carried(capture)
    *chunks, done = answer.body.decode().strip().split("\n\n")
    assert (answer.status, done) == (200, "data: [DONE]")
    assert {json.loads(chunk.removeprefix("data: "))["model"] for chunk in chunks} == {capture.json["model"]}


def carried(of: Any) -> Any:
    """What a request is about."""
    return [of.json.get(name) for name in ("messages", "prompt", "input")]


def upstream(place: Place, capture: Capture) -> Received:
    """What reached the provider: with a key that was meant for it, and nothing of the gateway's."""
    [received] = place.fake.requests
    own = capture.header("x-portkey-virtual-key") + capture.header("x-portkey-config").partition("{")[0]
    by_slug = "@" in capture.header("x-portkey-provider") + str(capture.field("model"))
    key = SECRET if own or by_slug else "sk-ant-test" if "messages" in capture.path else "sk-test-openai"
    assert (received.header("authorization") or received.header("x-api-key") or "").removeprefix("Bearer ") == key
    assert not [name for name, _ in received.headers if name.lower().startswith("x-portkey-")]
    assert not [value for _, value in received.headers if any(dummy in value for dummy in DUMMIES)]
    return received


CHECKS: dict[str, Callable[[Place, Capture, Answer], None]] = {
    "refused": refused,
    "no provider": no_provider,
    "contradiction": contradiction,
    "no model": no_model,
    "still to come": still_to_come,
    "control plane": control_plane,
    "passed on": passed_on,
    "failing": failed,
    "answered": whole,
    "streamed": streamed,
}

CAPTURES = [Capture(**each) for each in json.loads(Path(__file__).with_name("captures.json").read_text())]


@pytest.mark.parametrize("capture", CAPTURES, ids=[f"{n} {each.client} {each.case}" for n, each in enumerate(CAPTURES)])
def test_a_capture(capture: Capture, place: Place) -> None:
    becomes = kind(capture)
    led, made = place.stored(place.led(capture)) if becomes == "control plane" else (place.led(capture), "")
    place.fake.requests.clear()
    answer = led.send(place.gateway)
    given = capture.header("x-portkey-trace-id")
    assert answer.headers["x-portkey-trace-id"] == given if given else answer.headers["x-portkey-trace-id"]
    CHECKS[becomes](place, capture, answer)
    if becomes == "control plane" and (capture.method, answer.status) == ("POST", 200) and "id" in answer.json():
        made = f"/{capture.path.split('/')[1]}/{answer.json()['id']}"
    if made and capture.method != "DELETE":
        ask(place.gateway, "DELETE", made, key=KEY)


def test_every_kind_is_there() -> None:
    """But for what may have come meanwhile."""
    assert {kind(capture) for capture in CAPTURES} >= CHECKS.keys() - {"still to come"}
    assert len(CAPTURES) == 258
