"""Canaries: a unique secret in every place that may hold one, looked for in all that the gateway says and keeps."""

import http.client
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.asking import CHATS, TEXTS, by, data_of, refusing
from tests.fake import Fake, Reply, chat, chat_stream, error, html, json, raw, silence, stream
from tests.gateway import Gateway

KEY = f"gk-canary-{secrets.token_hex(8)}"


def canary() -> str:
    return f"canary-{secrets.token_hex(12)}"


class Secrets:
    """One of each kind."""

    def __init__(self) -> None:
        self.provider, self.native, self.config, self.forwarded = canary(), canary(), canary(), canary()
        self.body, self.answer, self.path = canary(), canary(), canary()

    def all(self) -> list[str]:
        return [*vars(self).values(), KEY]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Gateway]:
    env = {"GATEKEY_ADMIN_KEY": KEY, "GATEKEY_SILENCE_S": "1", "GATEKEY_MAX_BODY_MB": "1"}
    with Gateway(env=env) as running:
        yield running


def replies(said: str) -> dict[str, Reply]:
    """What a provider may do, some of it with a secret in its words."""
    return {
        "good": chat(said),
        "error": error(401, f"Incorrect API key: {said}"),
        "text error": html(f"<title>{said}</title>", 500),
        "nonsense": json(f'{{"choices": {said}'.encode()),
        "page": html(said),
        "not HTTP": raw(said.encode()),
        "bad head": raw(f"HTTP/1.1 200 OK\r\n{said}\r\n\r\n".encode()),
        "redirect": Reply(f"HTTP/1.1 302 Found\r\nlocation: http://x/{said}\r\ncontent-length: 0\r\n\r\n".encode()),
        "silent": silence(),
        "cut": chat(said).cut(30),
        "stream": chat_stream([said]),
        "bad event": stream([f"data: {{{said}\n\n".encode()]),
        "cut stream": chat_stream([said, "b", "c"]).cut_after(3),
    }


@pytest.mark.parametrize("name", replies(""))
@pytest.mark.parametrize("path", [CHATS, TEXTS, "/v1/files"])
@pytest.mark.parametrize("slug", ["openai", "anthropic"])
def test_what_was_secret_stays_so(guarded: Gateway, fake: Fake, name: str, path: str, slug: str) -> None:
    held = Secrets()
    fake.answer(replies(held.answer)[name])
    config = {"provider": slug, "api_key": held.config, "custom_host": f"{fake.base}/{held.path}"}
    headers = by(
        config,
        authorization=f"Bearer {held.provider}",
        x_api_key=held.native,
        x_mine=held.forwarded,
        x_portkey_forward_headers="x-mine",
    )
    body = {"model": "m", "prompt": held.body, "messages": [{"role": "user", "content": held.body}]}
    body["stream"] = "stream" in name or "event" in name
    with guarded.open("POST", path, headers, body, key=KEY) as answer:
        data = b""
        with suppress(http.client.IncompleteRead):
            for piece in answer.pieces():
                data += piece
        words = f"{answer.headers} {data.decode(errors='replace')}"
    # What a provider says is passed on to the one who asked it; keys and requests never come back.
    told = [secret for secret in held.all() if secret in words and secret != held.answer]
    assert told == []
    if answer.status in (502, 504):
        assert held.answer not in words, "the gateway's own words repeat nothing"
    assert [secret for secret in held.all() if secret in guarded.log] == []


def test_refusals_repeat_no_secret(guarded: Gateway, fake: Fake) -> None:
    held = Secrets()
    good = {"provider": "openai", "api_key": held.config, "custom_host": fake.base}
    asked = {"authorization": f"Bearer {held.provider}", "x-api-key": held.native}
    cases = [
        (by({**good, "custom_host": refusing()}), b"{}"),
        (by({**good, "custom_host": f"http://u:{held.path}@example.com/v1"}), b"{}"),
        (by({**good, "custom_host": f"http://10.0.0.1/{held.path}"}), b"{}"),
        (by({**good, "retry": {"attempts": 9}}), b"{}"),
        (by({**good, "api_key": {"key": held.config}}), b"{}"),
        (by({**good, "unknown": held.config}), b"{}"),
        (by({**good, "provider": "azure-openai", "azure_ad_token": [held.config]}), b"{}"),
        (by(good), f'{{"prompt": "{held.body}"'.encode()),
        (by(good), f'["{held.body}"]'.encode()),
        (by({**good, "provider": "anthropic"}), f'{{"model": "m", "messages": "{held.body}"}}'.encode()),
        (by(good), held.body.encode() * 40_000),
        ({"x-portkey-config": f'{{"api_key": "{held.config}", '}, b"{}"),
    ]
    for headers, body in cases:
        answer = guarded.call("POST", CHATS, asked | headers, body, key=KEY)
        assert answer.status >= 400, headers
        said = answer.body.decode()
        assert [secret for secret in held.all() if secret in said] == [], headers
    wrong = guarded.call("POST", CHATS, by(good), b"{}", key=held.native)
    assert wrong.status == 401
    assert held.native not in wrong.body.decode()
    assert [secret for secret in held.all() if secret in guarded.log] == []


def test_nothing_is_kept_in_the_open(guarded: Gateway, fake: Fake) -> None:
    held = Secrets()
    config = {"provider": "openai", "api_key": held.config, "custom_host": fake.base}
    upload = held.body.encode() * 20_000
    # What is said is content, which a log keeps unless it is told not to.
    quiet = by(config, x_portkey_debug="false")
    assert guarded.call("POST", "/v1/files", quiet, upload, key=KEY).status == 400
    answer = guarded.call("POST", CHATS, by(config), {"model": "m", "messages": [], "stream": True}, key=KEY)
    assert data_of(answer.body)[-1] == b"[DONE]"
    for file in guarded.data.rglob("*"):
        if file.is_file():
            kept = file.read_bytes()
            assert [secret for secret in held.all() if secret.encode() in kept] == [], file


def test_the_admin_key_is_in_no_environment_of_a_worker(guarded: Gateway) -> None:
    with Gateway(env={"GATEKEY_ADMIN_KEY": KEY}, args=("--workers", "2")) as gateway:
        parent = gateway.process.pid
        for _ in range(50):
            if gateway.call("GET", "/ready", key=None).status == 200:
                break
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        assert len(children) >= 2
        for child in children:
            assert KEY.encode() not in Path(f"/proc/{child}/environ").read_bytes()
            assert KEY.encode() not in Path(f"/proc/{child}/cmdline").read_bytes()
