"""What clients are known to send, byte by byte, and what they are known to need in answers."""

import base64
import json
import struct
from typing import Any

import pytest

from tests.clients.dialects import COHERE
from tests.fake import Fake, error, events, stream, text
from tests.fake import json as answered
from tests.gateway import KEY, Answer, Gateway

BODY = b'{"model": "m", "prompt": "Hello!"}'
Pairs = list[tuple[str, bytes]]


def ask(
    gateway: Gateway,
    headers: Pairs,
    body: bytes = BODY,
    *,
    method: str = "POST",
    target: str = "/v1/completions",
    key: str | None = KEY,
) -> Answer:
    """One request, its headers exactly as they are given: repeats, spellings and bytes."""
    fields: Pairs = [("Host", b"gateway"), ("Connection", b"close"), ("Content-Length", b"%d" % len(body))]
    if key is not None:
        fields.append(("x-portkey-api-key", key.encode()))
    head = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in [*fields, *headers])
    with gateway.send(f"{method} {target} HTTP/1.1\r\n".encode() + head + b"\r\n" + body) as reply:
        data = reply.rest()
        return Answer(reply.status, reply.headers, data)


def named(fake: Fake) -> Pairs:
    """A provider that is named in headers."""
    return [("x-portkey-provider", b"openai"), ("x-portkey-custom-host", fake.base.encode())]


def target(fake: Fake, **more: Any) -> dict[str, Any]:
    """The same in a config, with a key."""
    return {"provider": "openai", "api_key": "sk-config", "custom_host": fake.base, **more}


def upstream_key(fake: Fake) -> str | None:
    """What the provider was given as its key."""
    [received] = fake.requests
    return received.header("authorization")


# --- Authorization


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([b"Bearer sk-mine"], "Bearer sk-mine"),
        ([b"bearer sk-mine"], "Bearer sk-mine"),
        ([b"sk-mine"], "Bearer sk-mine"),
        ([b"Bearer OPENAI_API_KEY", b"Bearer sk-mine"], "Bearer sk-mine"),
        ([b"Bearer sk-mine", b"Bearer OPENAI_API_KEY"], "Bearer sk-mine"),
        ([b"Bearer sk-first", b"sk-last"], "Bearer sk-last"),
        ([b"Bearer OPENAI_API_KEY"], None),
        ([b"Bearer DUMMY-KEY"], None),
        ([b"Bearer dummy"], None),
        ([b"Bearer undefined"], None),
        ([b"Bearer "], None),
        ([b""], None),
        ([f"Bearer {KEY}".encode()], None),
        ([KEY.encode()], None),
    ],
)
def test_authorization(sent: list[bytes], expected: str | None, gateway: Gateway, fake: Fake) -> None:
    """A key may come bare, twice, or be a placeholder; the gateway's own never goes upstream."""
    assert ask(gateway, [*named(fake), *(("Authorization", value) for value in sent)]).status == 200
    assert upstream_key(fake) == expected


@pytest.mark.parametrize("sent", [b"Bearer OPENAI_API_KEY", b"Bearer sk-other", f"Bearer {KEY}".encode()])
def test_a_key_in_a_config_stands(sent: bytes, gateway: Gateway, fake: Fake) -> None:
    config = json.dumps(target(fake)).encode()
    assert ask(gateway, [("x-portkey-config", config), ("Authorization", sent)]).status == 200
    assert upstream_key(fake) == "Bearer sk-config"


def test_a_config_without_a_key_takes_the_callers(gateway: Gateway, fake: Fake) -> None:
    config = json.dumps({"provider": "openai", "custom_host": fake.base}).encode()
    assert ask(gateway, [("x-portkey-config", config), ("Authorization", b"Bearer sk-mine")]).status == 200
    assert upstream_key(fake) == "Bearer sk-mine"


@pytest.mark.parametrize("empty", [b"", b"   "])
def test_an_empty_gateway_key_is_none(empty: bytes, gateway: Gateway, fake: Fake) -> None:
    headers = [*named(fake), ("x-portkey-api-key", empty)]
    assert ask(gateway, headers, key=None).status == 401
    assert ask(gateway, [*headers, ("Authorization", f"Bearer {KEY}".encode())], key=None).status == 200
    assert upstream_key(fake) is None


@pytest.mark.parametrize(
    "header", [("x-portkey-provider", b"@openai-prod"), ("x-portkey-virtual-key", b"vk"), ("x-portkey-config", b"pc-1")]
)
def test_what_is_stored_is_refused_and_nothing_is_sent(header: tuple[str, bytes], gateway: Gateway, fake: Fake) -> None:
    answer = ask(gateway, [header, ("Authorization", b"Bearer OPENAI_API_KEY")])
    assert answer.status == 400
    assert answer.error["param"] == header[0]
    assert fake.requests == []


# --- headers


@pytest.mark.parametrize("spelling", ["compact", "spaced", "escaped", "utf-8", "latin-1"])
def test_a_config_in_every_spelling(spelling: str, gateway: Gateway, fake: Fake) -> None:
    """The value of `override_params.user` tells that it was read as it was meant."""
    config = target(fake, override_params={"user": "Jörg"})
    written = {
        "compact": json.dumps(config, separators=(",", ":")).encode(),
        "spaced": b"  " + json.dumps(config).replace(": ", " : ").encode() + b" ",
        "escaped": json.dumps(config).encode(),
        "utf-8": json.dumps(config, ensure_ascii=False).encode(),
        "latin-1": json.dumps(config, ensure_ascii=False).encode("latin-1"),
    }[spelling]
    assert ask(gateway, [("X-Portkey-Config", written)]).status == 200
    assert fake.requests[0].json["user"] == "Jörg"
    assert upstream_key(fake) == "Bearer sk-config"


@pytest.mark.parametrize(
    "metadata",
    [b'{"_user": "J\\u00f6rg"}', '{"_user":"Jörg"}'.encode(), '{"_user":"Jörg"}'.encode("latin-1")],
    ids=["escaped", "utf-8", "latin-1"],
)
def test_metadata_in_the_bytes_of_every_client(metadata: bytes, gateway: Gateway, fake: Fake) -> None:
    config = {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"metadata._user": "Jörg"}, "then": "jörg"}],
            "default": "others",
        },
        "targets": [target(fake, name="others"), target(fake, name="jörg")],
    }
    headers = [("x-portkey-config", json.dumps(config).encode()), ("x-portkey-metadata", metadata)]
    answer = ask(gateway, headers)
    assert answer.headers["x-portkey-last-used-option-index"] == "config.targets[1]"


@pytest.mark.parametrize("written", [b"true", b"True", b"TRUE"])
def test_booleans_in_any_letter_case(written: bytes, gateway: Gateway, fake: Fake) -> None:
    config = json.dumps(target(fake, cache={"mode": "simple"})).encode()
    headers = [("x-portkey-config", config), ("x-portkey-cache-force-refresh", written)]
    assert ask(gateway, headers).headers["x-portkey-cache-status"] == "REFRESH"
    assert ask(gateway, [*headers[:1], ("x-portkey-debug", b"False")]).headers["x-portkey-cache-status"] == "MISS"


@pytest.mark.parametrize(
    ("listed", "sent"),
    [
        (b"X-Custom", "X-Custom"),
        (b"X-Custom,my_hdr", "my-hdr"),
        (b"xCustom,Authorization", "x-custom"),
        (b"my_hdr", "my_hdr"),
        (b"xCustom", "xCustom"),
        (b"x-custom", "X_Custom"),
        (b"['X-A', 'X-B']", "x-b"),
        (b'["X-A","X-B"]', "x-a"),
    ],
)
@pytest.mark.parametrize("place", ["header", "config"])
def test_forwarded_headers_in_every_spelling(
    place: str, listed: bytes, sent: str, gateway: Gateway, fake: Fake
) -> None:
    config = target(fake, forward_headers=listed.decode()) if place == "config" else target(fake)
    headers: Pairs = [("x-portkey-config", json.dumps(config).encode()), (sent, b"of mine"), ("x-not-listed", b"no")]
    if place == "header":
        headers.append(("x-portkey-forward-headers", listed))
    assert ask(gateway, headers).status == 200
    [received] = fake.requests
    assert received.header(sent) == "of mine"
    assert received.header("x-not-listed") is None


def test_what_sdks_add_is_tolerated_and_stays_here(gateway: Gateway, fake: Fake) -> None:
    added: Pairs = [
        ("x-portkey-package-version", b"portkey-2.3.4"),
        ("x-portkey-runtime", b"CPython"),
        ("x-portkey-strict-open-ai-compliance", b"false"),
        ("x-portkey-mode", b"proxy x"),
        ("x-portkey-headers", b'{"a": "b"}'),
        ("x-portkey-dangerously-allow-browser", b"false"),
        ("x-portkey-confg", b"a typing error"),
        ("x-portkey-span-name", b"s"),
        ("X-Stainless-Lang", b"python"),
        ("x-stainless-timeout", b"NOT_GIVEN"),
        ("User-Agent", b"OpenAI/Python 2.30.0"),
        ("Accept", b"*/*"),
    ]
    assert ask(gateway, [*named(fake), *added]).status == 200
    sent = {name.lower() for name, _ in fake.requests[0].headers}
    assert not [name for name in sent if name.startswith(("x-portkey-", "x-stainless-"))]
    assert fake.requests[0].header("user-agent") == "gatekey"


@pytest.mark.parametrize("accept", [b"*/*", b"application/json", b"text/event-stream"])
def test_a_stream_whatever_the_caller_accepts(accept: bytes, gateway: Gateway, fake: Fake) -> None:
    answer = ask(gateway, [*named(fake), ("accept", accept)], b'{"model": "m", "prompt": "x", "stream": true}')
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body.endswith(b"data: [DONE]\n\n")
    documented = {"trace-id", "cache-status", "retry-attempt-count", "last-used-option-index", "provider"}
    assert {f"x-portkey-{name}" for name in documented} <= set(answer.headers)


@pytest.mark.parametrize("content_type", [None, b"application/x-www-form-urlencoded", b"application/json"])
def test_json_is_json_whatever_it_is_called(content_type: bytes | None, gateway: Gateway, fake: Fake) -> None:
    """curl calls it a form unless it is told otherwise."""
    headers = named(fake) if content_type is None else [*named(fake), ("content-type", content_type)]
    assert ask(gateway, headers).status == 200
    assert fake.requests[0].header("content-type") == "application/json"


# --- paths and bodies


@pytest.mark.parametrize("path", ["/v1/completions?", "/v1/v1/completions", "/v1/v1/v1/completions?"])
def test_paths_as_clients_join_them(path: str, gateway: Gateway, fake: Fake) -> None:
    assert ask(gateway, named(fake), target=path).json()["object"] == "text_completion"
    assert fake.requests[0].target == "/v1/completions"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models?", "/v1/v1/models"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_body_on_get(path: str, body: bytes, gateway: Gateway, fake: Fake) -> None:
    headers = [*named(fake), ("content-type", b"application/json")]
    answer = ask(gateway, headers, body, method="GET", target=path)
    assert answer.status == 200
    assert answer.json()["object"] == "list"
    assert (fake.requests[0].target, fake.requests[0].body) == ("/v1/models", b"")


def test_a_body_on_what_is_only_passed_on(gateway: Gateway, fake: Fake) -> None:
    fake.on("/v1/files/f1", answered({"id": "f1", "deleted": True}))
    answer = ask(gateway, named(fake), b"{}", method="DELETE", target="/v1/files/f1?")
    assert answer.json() == {"id": "f1", "deleted": True}
    assert fake.requests[0].method == "DELETE"


@pytest.mark.parametrize("header", ["Authorization", "X-Api-Key"])
def test_a_client_of_another_dialect(header: str, gateway: Gateway, fake: Fake) -> None:
    """The anthropic client joins its own `/v1` to the base URL; releases differ in where they put the key."""
    fake.on("/v1/messages", answered({"type": "message"}))
    key = (header, b"Bearer sk-mine" if header == "Authorization" else b"sk-mine")
    version = ("anthropic-version", b"2026-10-21")
    headers: Pairs = [
        ("x-portkey-provider", b"anthropic"),
        ("x-portkey-custom-host", fake.base.encode()),
        ("x-stainless-timeout", b"NOT_GIVEN"),
        key,
        version,
    ]
    answer = ask(gateway, headers, b'{"max_tokens": 5}', target="/v1/v1/messages?beta=true")
    assert answer.json() == {"type": "message"}
    [received] = fake.requests
    assert (received.target, received.body) == ("/v1/messages?beta=true", b'{"max_tokens": 5}')
    assert received.header("x-api-key") == "sk-mine"
    assert received.header("authorization") is None
    assert received.header("anthropic-version") == "2026-10-21"


def test_the_placeholder_for_a_missing_model(gateway: Gateway, fake: Fake) -> None:
    """A provider's default model where there is one; else the field is named."""
    missing = ask(gateway, named(fake), b'{"model": "portkey-default", "prompt": "x"}')
    assert missing.status == 400
    assert missing.error["param"] == "model"
    assert fake.requests == []
    local = [("x-portkey-provider", b"local"), ("x-portkey-custom-host", fake.base.encode())]
    assert ask(gateway, local, b'{"model": "portkey-default", "prompt": "x"}').status == 200
    assert fake.requests[0].json["model"] == "smollm2-135m-instruct"


def test_a_config_names_the_model_that_is_missing(gateway: Gateway, fake: Fake) -> None:
    config = json.dumps(target(fake, override_params={"model": "of-the-config"})).encode()
    assert ask(gateway, [("x-portkey-config", config)], b'{"model": "portkey-default", "prompt": "x"}').status == 200
    assert fake.requests[0].json["model"] == "of-the-config"


@pytest.mark.parametrize("prompt", [b'"prompt": null, ', b""])
def test_messages_on_the_text_endpoint(prompt: bytes, gateway: Gateway, fake: Fake) -> None:
    body = b'{"model": "m", %b"messages": [{"role": "user", "content": "Hello"}], "note": null}' % prompt
    answer = ask(gateway, named(fake), body)
    assert answer.json()["object"] == "chat.completion"
    assert fake.requests[0].path == "/v1/chat/completions"
    assert fake.requests[0].body == b'{"model":"m","messages":[{"role": "user", "content": "Hello"}],"note":null}'


def test_vectors_in_base64_from_a_provider_that_gives_numbers(gateway: Gateway, fake: Fake) -> None:
    reply, ours = COHERE.reply("embeddings-list")
    fake.answer(reply)
    headers = [("x-portkey-provider", b"cohere"), ("x-portkey-custom-host", fake.url.encode()), ("authorization", b"k")]
    asked = {"model": COHERE.model("embeddings"), "input": ["one", "two"], "encoding_format": "base64"}
    answer = ask(gateway, headers, json.dumps(asked).encode(), target="/v1/embeddings").json()
    for item, expected in zip(answer["data"], ours["data"], strict=True):
        packed = base64.b64decode(item["embedding"], validate=True)
        assert packed == struct.pack(f"<{len(expected['embedding'])}f", *expected["embedding"])


# --- answers


@pytest.mark.parametrize(
    ("headers", "body", "method", "path", "status"),
    [
        ([("x-portkey-provider", b"openai")], BODY, "POST", "/v1/completions", 400),
        ([("x-portkey-provider", b"nobody")], BODY, "POST", "/v1/completions", 400),
        ([("x-portkey-config", b"{")], BODY, "POST", "/v1/completions", 400),
        ([("x-portkey-provider", b"ollama")], b"{", "POST", "/v1/completions", 400),
        ([("x-portkey-api-key", b"wrong-key")], BODY, "POST", "/v1/completions", 401),
        ([], b"", "GET", "/v1/prompts?", 404),
        ([], b"", "DELETE", "/v1/virtual-keys/x", 404),
        ([], b"", "GET", "/nowhere", 404),
    ],
)
def test_every_error_is_json_in_both_shapes(
    headers: Pairs, body: bytes, method: str, path: str, status: int, gateway: Gateway
) -> None:
    both_shapes(ask(gateway, headers, body, method=method, target=path), status)


def both_shapes(answer: Answer, status: int) -> None:
    """What every known client can read."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-portkey-trace-id"]
    body = answer.json()
    assert body["status"] == "failure"
    assert body["message"] == body["error"]["message"] != ""
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert isinstance(body["error"]["type"], str)


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions", "/v1/embeddings"])
@pytest.mark.parametrize("kind", ["object", "text", "empty"])
def test_a_providers_error_is_json_in_both_shapes(path: str, kind: str, gateway: Gateway, fake: Fake) -> None:
    fake.answer({"object": error(418, "Short."), "text": text("Stout.", 418), "empty": text("", 418)}[kind])
    answer = ask(gateway, named(fake), b'{"model":"m","prompt":"x","messages":[],"input":"x"}', target=path)
    body = answer.json()
    assert body["provider"] == "openai"
    assert body["message"] == body["error"]["message"]
    assert body["message"].startswith("openai error: ")
    assert (answer.status, answer.headers["content-type"]) == (418, "application/json")
    assert answer.headers["x-portkey-trace-id"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
@pytest.mark.parametrize("written", ["raw", "escaped"])
def test_no_stream_holds_what_clients_split_lines_at(
    separator: str, written: str, gateway: Gateway, fake: Fake
) -> None:
    value = f"one{separator}two"
    chunk = {"id": "x", "object": "text_completion", "created": 1, "model": "m"}
    said = {**chunk, "choices": [{"index": 0, "text": value, "logprobs": None, "finish_reason": None}]}
    ended = {**chunk, "choices": [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}]}
    # A control character that stands in JSON as it is would be no JSON: VT and FF can only come escaped.
    plain = written == "escaped" or separator in "\x0b\x0c"
    fake.answer(events([json.dumps(said, ensure_ascii=plain), json.dumps(ended)]))
    answer = ask(gateway, named(fake), b'{"model": "m", "prompt": "x", "stream": true}')
    lines = answer.body.decode().splitlines()
    assert lines == answer.body.decode().split("\n")[:-1]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line and "[DONE]" not in line]
    assert chunks[0]["choices"][0]["text"] == value


def test_comments_of_a_provider_do_not_disturb(gateway: Gateway, fake: Fake) -> None:
    chunk = {"id": "x", "object": "text_completion", "created": 1, "model": "m"}
    said = {**chunk, "choices": [{"index": 0, "text": "one", "logprobs": None, "finish_reason": "stop"}]}
    fake.answer(stream([b": ping\n\n", b"data: %b\n\n" % json.dumps(said).encode(), b": bye\n\n", b"data: [DONE]\n\n"]))
    answer = ask(gateway, named(fake), b'{"model": "m", "prompt": "x", "stream": true}')
    assert [json.loads(line[6:]) for line in answer.body.splitlines() if line.startswith(b"data: {")] == [said]
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("name", ["Metadata-Flavor", "X-aws-ec2-metadata-token"])
def test_no_header_opens_a_clouds_metadata(name: str, gateway: Gateway, fake: Fake) -> None:
    """However it is listed, and where nothing need be listed."""
    config = json.dumps(target(fake, forward_headers=[name.replace("-", "_")])).encode()
    headers: Pairs = [("x-portkey-config", config), (name, b"Google")]
    assert ask(gateway, headers).status == 200
    assert ask(gateway, [*named(fake), headers[1]], method="GET", target="/v1/files").status == 404
    assert fake.requests
    assert not [received for received in fake.requests if received.header(name)]
