"""Canaries in everything that is stored or sent, looked for in all that the gateway says, keeps and prints."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.asking import CHAT, CHATS, by
from tests.fake import Fake, Received, Reply, chat_stream, error, events, html
from tests.fake import json as answering
from tests.gateway import Answer, Gateway
from tests.records import listed, trace

ADMIN = f"gk-canary-{secrets.token_hex(12)}"
OWN = ("admin-key", "master-key")
"""Files that hold a secret of the gateway's own, for its owner alone."""


def canary(kind: str = "sk") -> str:
    return f"{kind}-canary-{secrets.token_hex(12)}"


HIDDEN = [ADMIN]
"""All canaries of all tests."""


class Nest:
    """A gateway, the canaries that it was given, and all that it has answered."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.hidden = [ADMIN]
        self.heard: list[str] = []

    def hide(self, kind: str = "sk") -> str:
        """A new canary."""
        self.hidden.append(canary(kind))
        HIDDEN.append(self.hidden[-1])
        return self.hidden[-1]

    def call(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        """An answer, and nothing in it that is hidden."""
        answer = self.gateway.call(method, path, headers, body, key=ADMIN)
        self.heard.append(f"{answer.headers} {answer.body.decode(errors='replace')}")
        assert self.found(self.heard[-1]) == [], (method, path)
        return answer

    def made(self, path: str, body: Mapping[str, Any]) -> Any:
        """What is answered to a success."""
        answer = self.call("POST", path, None, body)
        assert answer.status == 200, answer.body
        return answer.json()

    def found(self, text: str | bytes) -> list[str]:
        """The canaries in a text."""
        data = text if isinstance(text, bytes) else text.encode()
        return [secret for secret in self.hidden if secret.encode() in data]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Gateway]:
    with Gateway(env={"GATEKEY_ADMIN_KEY": ADMIN}) as running:
        yield running
        held = Nest(running)
        held.hidden = HIDDEN
        logs_are_clean(held)
        for group in ("keys", "virtual-keys", "integrations", "configs", "workspaces"):
            assert held.found(command(running, group, "list", "--json")) == []


@pytest.fixture
def nest(guarded: Gateway) -> Iterator[Nest]:
    """Whatever a test does, nothing of it is in the log, in a file, in a list, in the trail or printed by a command."""
    held = Nest(guarded)
    yield held
    records_are_stored(held)
    assert held.found(guarded.log) == []
    files = [file for file in guarded.data.rglob("*") if file.is_file() and file.name not in OWN]
    assert any(file.name.endswith("-wal") for file in files)
    for file in files:
        with suppress(FileNotFoundError):  # of the spool, read to its end meanwhile
            assert held.found(file.read_bytes()) == [], file
    pages = ("virtual-keys", "integrations", "providers", "configs", "api-keys", "audit-logs", "admin/workspaces")
    for path in (*(f"/v1/{page}?page_size=1000" for page in pages), "/v1/openapi.json", "/v1/models"):
        assert held.call("GET", path).status == 200
    assert held.call("GET", "/metrics").status in (200, 404)


def records_are_stored(held: Nest) -> None:
    """What was asked last is refused, and has its record after all the others."""
    mine = trace()
    assert held.call("POST", CHATS, {"x-portkey-provider": "nobody", "x-portkey-trace-id": mine}, CHAT).status == 400
    listed(held.gateway, mine, key=ADMIN)


def logs_are_clean(held: Nest) -> None:
    """Nothing is in the logs, one by one, in either export, in what the commands print."""
    rows = held.call("GET", "/v1/logs?page_size=1000").json()["data"]
    for row in rows[:150]:
        assert held.call("GET", f"/v1/logs/{row['id']}").status == 200
    fields = ["id", "trace_id", "request", "response", "request_url", "config", "metadata", "ai_model"]
    made = held.made("/v1/logs/exports", {"filters": {}, "requested_data": fields})["id"]
    held.made(f"/v1/logs/exports/{made}/start", {})
    for kind in ("jsonl", "csv"):
        address = held.call("GET", f"/v1/logs/exports/{made}/download?format={kind}").json()["signed_url"]
        file = held.call("GET", address.removeprefix(held.gateway.url))
        assert file.body.count(b"\n") >= len(rows)
    for words in (("logs", "-n", "1000"), ("logs", "--json"), ("logs", "show", rows[0]["id"]), ("logs", "export")):
        assert held.found(command(held.gateway, *words)) == []


def command(gateway: Gateway, *words: str) -> bytes:
    """What a command prints, to both of its outputs."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("gatekey")), *words, "--data", str(gateway.data)],
        env={"PATH": os.environ["PATH"], "GATEKEY_ADMIN_KEY": ADMIN},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout + done.stderr


def stored(nest: Nest, fake: Fake) -> tuple[str, list[str]]:
    """The slug of a virtual key, and what is secret in it."""
    key, header = nest.hide(), nest.hide("header")
    body = {
        "name": "n",
        "provider": "openai",
        "key": key,
        "custom_host": fake.base,
        "custom_headers": {"x-mine": header},
    }
    return str(nest.made("/v1/virtual-keys", body)["slug"]), [key, header]


def test_what_is_stored(nest: Nest, fake: Fake) -> None:
    """Credentials of every kind, made, shown, changed, used."""
    slug, (key, header) = stored(nest, fake)
    azure = {"name": "n", "provider": "azure-openai", "resource_name": "mine", "azure_ad_token": nest.hide()}
    nest.made("/v1/virtual-keys", azure)
    hosted = {"custom_host": fake.base, "custom_headers": {"authorization": nest.hide()}}
    body = {"name": "n", "ai_provider_id": "openai", "key": nest.hide(), "configurations": hosted}
    integration = nest.made("/v1/integrations", body)["slug"]
    assert nest.call("PUT", f"/v1/integrations/{integration}", None, {"key": nest.hide()}).status == 200
    assert nest.call("POST", CHATS, {"x-portkey-virtual-key": slug}, CHAT).status == 200
    [received] = fake.requests
    assert (received.header("authorization"), received.header("x-mine")) == (f"Bearer {key}", header)
    assert nest.call("PUT", f"/v1/virtual-keys/{slug}", None, {"key": nest.hide()}).status == 200
    for path in (f"/v1/virtual-keys/{slug}", f"/v1/integrations/{integration}", f"/v1/providers/{slug}"):
        assert nest.call("GET", path).status == 200
    assert nest.found(command(nest.gateway, "virtual-keys", "show", slug, "--json")) == []
    assert nest.found(command(nest.gateway, "virtual-keys", "test", slug, "--json")) == []
    assert nest.call("DELETE", f"/v1/virtual-keys/{slug}").status == 200


def test_gateway_keys(nest: Nest, fake: Fake) -> None:
    """A key is shown when it is made and when it is rotated, and nowhere else."""
    body = {"name": "n", "scopes": ["completions.write"]}
    made = once(nest, "/v1/api-keys/workspace/service", body)
    rotated = once(nest, f"/v1/api-keys/{made['id']}/rotate", {})
    nest.hidden += [made["key"], rotated["key"]]
    HIDDEN.extend(nest.hidden[-2:])
    assert nest.call("GET", f"/v1/api-keys/{made['id']}").status == 200
    for key in (made["key"], rotated["key"]):
        inline = by({"provider": "openai", "api_key": "sk-long-enough", "custom_host": fake.base})
        assert nest.gateway.call("POST", CHATS, inline, CHAT, key=key).status == 200
        refused = nest.gateway.call("GET", "/v1/configs", key=key)
        assert refused.status == 403
        assert nest.found(refused.body) == []


def once(nest: Nest, path: str, body: Any) -> Any:
    """An answer that may show what nothing else does."""
    return nest.gateway.call("POST", path, None, body, key=ADMIN).json()


def test_refused_bodies_and_queries(nest: Nest, fake: Fake) -> None:
    """Whatever is wrong with a body that holds a credential."""
    good = {"name": "n", "provider": "openai", "custom_host": fake.base}
    bodies: list[tuple[str, Any]] = [
        ("/v1/virtual-keys", {**good, "key": [nest.hide()]}),
        ("/v1/virtual-keys", {**good, "kye": nest.hide()}),
        ("/v1/virtual-keys", {**good, "key": f"{nest.hide()}\n"}),
        ("/v1/virtual-keys", {**good, "key": nest.hide(), "expires_at": "soon"}),
        ("/v1/virtual-keys", {**good, "key": nest.hide(), "provider": "nobody"}),
        ("/v1/virtual-keys", {**good, "key": nest.hide(), "custom_headers": {"x y": nest.hide()}}),
        ("/v1/virtual-keys", {**good, "key": nest.hide(), "custom_headers": [nest.hide()]}),
        ("/v1/virtual-keys", {**good, "key": nest.hide(), "custom_host": f"http://u:{nest.hide()}@example.com/v1"}),
        ("/v1/virtual-keys", f'{{"name": "n", "key": "{nest.hide()}"'),
        ("/v1/virtual-keys", f'["{nest.hide()}"]'),
        ("/v1/virtual-keys", f'{{"name": "n", "key": "{nest.hide()}", "key": 7}}'),
        ("/v1/integrations", {"name": "n", "ai_provider_id": "openai", "configurations": {"api_key": nest.hide()}}),
        ("/v1/integrations", {"name": "n", "ai_provider_id": "openai", "configurations": nest.hide()}),
        ("/v1/configs", {"name": "n", "config": {"provider": "openai", "api_key": nest.hide()}}),
        ("/v1/configs", {"name": "n", "config": json.dumps({"targets": [{"api_key": nest.hide(), "retry": 1}]})}),
        ("/v1/configs", {"name": "n", "config": f'{{"api_key": "{nest.hide()}'}),
        ("/v1/configs", {"name": "n", "config": {"provider": "azure-openai", "azure_ad_token": nest.hide()}}),
        (f"/v1/virtual-keys?api_key={nest.hide()}", {"name": "n", "provider": "nobody"}),
    ]
    for path, body in bodies:
        answer = nest.call("POST", path, {"authorization": f"Bearer {nest.hide()}", "x-api-key": nest.hide()}, body)
        assert answer.status == 400, (path, body)
    slug, _ = stored(nest, fake)
    for body in ({"key": [nest.hide()]}, {"custom_host": "http://127.0.0.1:9/v1"}, {"kye": nest.hide()}):
        assert nest.call("PUT", f"/v1/virtual-keys/{slug}", None, body).status == 400
    wrong = nest.gateway.call("GET", "/v1/virtual-keys", key=nest.hide())
    assert (wrong.status, nest.found(wrong.body)) == (401, [])
    assert fake.requests == []


def test_requests(nest: Nest, fake: Fake) -> None:
    """What comes with requests: in headers, in inline configs, in queries and bodies, good and bad."""
    good = {"provider": "openai", "api_key": nest.hide(), "custom_host": fake.base}
    headers = {"authorization": f"Bearer {nest.hide()}", "x-api-key": nest.hide(), "api-key": nest.hide()}
    headers |= {"x-portkey-aws-secret-access-key": nest.hide(), "cookie": nest.hide(), "x-mine": nest.hide()}
    headers |= {"x-portkey-sensitive-headers": "user-agent", "user-agent": nest.hide()}
    tools = [{"server_url": "https://example.com", "headers": {"Authorization": nest.hide()}}]
    body = {**CHAT, "api_key": nest.hide(), "servers": tools, "client_secret": {"value": nest.hide()}}
    for config in (good, {**good, "retry": "x"}, {**good, "api_key": [nest.hide()]}, {**good, "kye": nest.hide()}):
        nest.call("POST", CHATS, headers | by(config, x_portkey_metadata=json.dumps({"token": nest.hide()})), body)
        nest.call("POST", f"/v1/files?key={nest.hide()}", headers | by(config), body)
        nest.call("POST", CHATS, headers | by(config), f'{{"api_key": "{nest.hide()}"')
        nest.call("POST", CHATS, headers | by(config), f'{{"a": [{{"password": "{nest.hide()}"}}')
    form = {"content-type": "application/x-www-form-urlencoded"}
    nest.call(
        "POST", "/v1/files", headers | by(good) | form, f"model=m&api_key={nest.hide()}&access_token={nest.hide()}"
    )
    part = f'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{nest.hide()}\r\n--b--\r\n'
    nest.call("POST", "/v1/files", headers | by(good) | {"content-type": "multipart/form-data; boundary=b"}, part)
    assert len(fake.requests) == 4


def test_what_is_said_is_content(nest: Nest, fake: Fake) -> None:
    """A log keeps what users say, who they are, and what requests are marked with."""
    mine, said, user, team = trace(), canary("said"), canary("user"), canary("team")
    good = {"provider": "openai", "api_key": nest.hide(), "custom_host": fake.base}
    body = {"model": "m", "messages": [{"role": "user", "content": said}], "user": user}
    headers = by(good, x_portkey_trace_id=mine, x_portkey_metadata=json.dumps({"team": team}))
    assert nest.call("POST", CHATS, headers, body).status == 200
    [found] = listed(nest.gateway, mine, key=ADMIN)
    kept = nest.call("GET", f"/v1/logs/{found['id']}").body.decode()
    assert all(word in kept for word in (said, user, team))


def test_logs_that_callers_bring(nest: Nest) -> None:
    request = {
        "url": f"https://user:{nest.hide()}@example.com/v1?key={nest.hide()}",
        "headers": {"Authorization": nest.hide(), "X-Own": nest.hide()},
        "body": {"api_key": nest.hide(), "nested": {"password": nest.hide()}},
    }
    response = {"body": {"token": nest.hide()}, "headers": {"set-cookie": nest.hide()}}
    metadata = {"secret": nest.hide()}
    for wrong in ({}, {"response": {"status": "x"}}, {"metadata": []}):
        log = {"request": request, "response": response, "metadata": metadata, **wrong}
        assert nest.call("POST", "/v1/logs", None, log).status == (400 if wrong else 200)


def echoing(secret: str) -> dict[str, Reply]:
    """Failures that repeat what the provider was sent."""
    said = f"Incorrect API key provided: {secret}. You can find yours elsewhere."
    return {
        "error": error(401, said),
        "in other fields": answering({"error": {"message": "No.", "code": secret, "param": secret}}, 400),
        "of another shape": answering({"detail": [{"loc": ["header", secret], "msg": secret}]}, 422),
        "page": html(f"<title>{secret}</title>", 500),
        "header": error(429, "Slow down.", headers={"x-request-key": secret}),
        "in a good answer": answering({"error": {"message": said, "code": 401}}),
        "stream": events([{"error": {"message": said}}], done=False),
    }


SUCCESSES = ("in a good answer", "stream")
"""They are relayed as they came where a request is only forwarded."""
WAYS = [(CHATS, name) for name in echoing("")]
WAYS += [("/v1/responses", name) for name in echoing("") if name not in SUCCESSES]


@pytest.mark.parametrize(("path", "name"), WAYS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_provider_that_repeats_what_is_stored(nest: Nest, fake: Fake, path: str, name: str, place: int) -> None:
    slug, held = stored(nest, fake)
    fake.answer(echoing(held[place])[name])
    answer = nest.call("POST", path, {"x-portkey-virtual-key": slug}, {**CHAT, "stream": name == "stream"})
    assert answer.status >= 400
    assert "[secret]" in nest.heard[-1]


def test_a_stream_that_repeats_it_in_the_middle(nest: Nest, fake: Fake) -> None:
    slug, (key, _) = stored(nest, fake)
    begun = chat_stream(["a", "b"]).cut_after(3, "keep")
    said = events([{"error": {"message": f"It failed with {key}."}}], done=False)
    # A pause, since an error in the same read as the content is a failed attempt, which moves on.
    fake.answer(Reply(begun.head, (*begun.parts, 0.5, *said.parts), "close"))
    answer = nest.call("POST", CHATS, {"x-portkey-virtual-key": slug}, {**CHAT, "stream": True})
    assert answer.status == 200
    assert "It failed with [secret]." in nest.heard[-1]


def test_the_provider_that_is_told_the_caller_sent_it(nest: Nest, fake: Fake) -> None:
    """A key of the caller's own is no secret to the caller: the provider's words stay whole."""
    mine = canary()
    fake.on(CHATS, lambda request: error(401, f"Incorrect: {_bearer(request)}"))
    answer = nest.call("POST", CHATS, by({"provider": "openai", "api_key": mine, "custom_host": fake.base}), CHAT)
    assert mine in answer.error["message"]


def _bearer(request: Received) -> str:
    return (request.header("authorization") or "").removeprefix("Bearer ")
