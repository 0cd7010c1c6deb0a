"""Who may call, and which key goes where: the gateway's never upstream, a dummy nowhere."""

import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asking import CHAT, CHATS, PROVIDER_KEY, at, by, target
from tests.fake import Fake, Received
from tests.gateway import KEY, Gateway

DUMMIES = ["OPENAI_API_KEY", "DUMMY-KEY", "dummy", "undefined", "null", "None"]


def sent(request: Received) -> str:
    """All that a provider was given."""
    return f"{request.target} {request.headers} {request.body!r}"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-portkey-api-key": ""},
        {"x-portkey-api-key": "   "},
        {"x-portkey-api-key": "wrong"},
        {"x-portkey-api-key": KEY + "x"},
        {"x-portkey-api-key": f"Bearer {KEY}x"},
        {"x-portkey-api-key": "wrong", "authorization": f"Bearer {KEY}"},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Bearer dummy"},
        {"x-api-key": KEY},
        {"x-portkey-api-key": "ключ"},
    ],
    ids=str,
)
def test_without_the_right_key_nothing_is_sent(gateway: Gateway, fake: Fake, headers: dict[str, str]) -> None:
    encoded = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    config = by(target(fake))
    for method, path in (("POST", CHATS), ("GET", "/v1/models"), ("POST", "/v1/files"), ("DELETE", "/v1/anything/1")):
        answer = gateway.call(method, path, {**config, **encoded}, CHAT, key=None)
        assert answer.status == 401, path
        assert answer.error["type"] == "authentication_error"
        assert answer.headers["x-portkey-trace-id"]
        assert answer.headers["www-authenticate"] == "Bearer"
        assert KEY not in answer.body.decode()
    assert fake.requests == []


def test_the_key_is_asked_for_before_the_body_is_read(gateway: Gateway, fake: Fake) -> None:
    head = f"POST {CHATS} HTTP/1.1\r\nhost: x\r\nx-portkey-provider: openai\r\ncontent-length: 1000\r\n\r\n"
    with gateway.send(head.encode()) as stream:
        assert stream.status == 401


@pytest.mark.parametrize("form", [f"Bearer {KEY}", f"bearer   {KEY}", KEY])
def test_the_key_may_come_as_authorization(gateway: Gateway, fake: Fake, form: str) -> None:
    answer = gateway.call("POST", CHATS, {**by(target(fake)), "authorization": form}, CHAT, key=None)
    assert answer.status == 200
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert KEY not in sent(fake.requests[0])


def test_a_gateway_key_is_no_provider_key(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake, authorization=f"Bearer {KEY}")
    assert gateway.call("POST", CHATS, headers, CHAT, key=None).status == 200, "a custom host may need no key"
    assert gateway.call("POST", CHATS, headers, CHAT).status == 200
    for request in fake.requests:
        assert request.header("authorization") is None
        assert KEY not in sent(request)
    answer = gateway.call("POST", CHATS, {"x-portkey-provider": "openai", "authorization": f"Bearer {KEY}"}, CHAT)
    assert answer.status == 400
    assert answer.error["param"] == "authorization"


@pytest.mark.parametrize("dummy", DUMMIES)
@pytest.mark.parametrize("slug", ["openai", "anthropic"])
@pytest.mark.parametrize("path", [CHATS, "/v1/files"])
def test_dummies_never_leave(gateway: Gateway, fake: Fake, dummy: str, slug: str, path: str) -> None:
    forward = {"x-portkey-forward-headers": "authorization, x-api-key"}
    headers = at(fake, slug, authorization=f"Bearer {dummy}") | ({"x-api-key": dummy} if slug == "anthropic" else {})
    gateway.call("POST", path, headers, CHAT)
    gateway.call("POST", path, headers | forward, CHAT)
    assert len(fake.requests) == 2
    for request in fake.requests:
        assert (request.header("authorization"), request.header("x-api-key")) == (None, None)


@pytest.mark.parametrize("order", [(PROVIDER_KEY, "dummy"), ("dummy", PROVIDER_KEY)])
def test_of_two_authorizations_a_dummy_never_displaces_the_real_one(
    gateway: Gateway, fake: Fake, order: tuple[str, str]
) -> None:
    lines = [f"authorization: Bearer {key}" for key in order]
    lines += ["content-length: 2", "connection: close", f"x-portkey-api-key: {KEY}", "x-portkey-provider: openai"]
    head = "\r\n".join([f"POST {CHATS} HTTP/1.1", "host: x", *lines, f"x-portkey-custom-host: {fake.base}", "", ""])
    with gateway.send(head.encode() + b"{}") as stream:
        assert stream.status == 200
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"


def test_authorization_without_bearer_is_a_key(gateway: Gateway, fake: Fake) -> None:
    assert gateway.call("POST", CHATS, at(fake, authorization=PROVIDER_KEY), CHAT).status == 200
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"


@pytest.mark.parametrize("path", [CHATS, "/v1/files", "/v1/some/where?x=1"])
def test_the_gateway_key_leaves_in_no_header(gateway: Gateway, fake: Fake, path: str) -> None:
    names = ["x-custom", "api-key", "x-api-key", "x-goog-api-key", "openai-organization", "x-two"]
    headers = at(fake) | dict.fromkeys(names, KEY) | {"x-two": f"Bearer {KEY}"}
    headers |= {"x-portkey-forward-headers": ", ".join([*names, "authorization"])}
    assert gateway.call("POST", path, headers, CHAT).status < 500
    assert KEY not in sent(fake.requests[0])
    assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"


def test_no_header_of_ours_leaves(gateway: Gateway, fake: Fake) -> None:
    headers = at(fake, x_portkey_trace_id="t", x_portkey_unknown="u", x_gatekey_thing="g")
    for path in (CHATS, "/v1/files"):
        gateway.call("POST", path, headers, CHAT)
    for request in fake.requests:
        ours = [name for name, _ in request.headers if name.startswith(("x-portkey-", "x-gatekey-"))]
        assert ours == []


def test_what_needs_no_key(gateway: Gateway) -> None:
    for path in ("/", "/health", "/v1/health", "/ready", "/v1/openapi.json"):
        assert gateway.call("GET", path, key=None).status == 200, path


def test_open_asks_for_no_key_and_keeps_a_sent_one_from_leaving(fake: Fake) -> None:
    with Gateway(args=("--open",)) as gateway:
        assert gateway.call("POST", CHATS, at(fake), CHAT, key=None).status == 200
        assert fake.requests[0].header("authorization") == f"Bearer {PROVIDER_KEY}"
        assert gateway.call("POST", "/v1/files", at(fake, x_other="gk-mine"), CHAT, key="gk-mine").status == 404
        assert "gk-mine" not in sent(fake.requests[1])


def serve(*args: str) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("gatekey"))
    return subprocess.run([program, "serve", *args], env={}, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])
def test_open_is_refused_where_others_can_come_in(host: str, tmp_path: Path) -> None:
    ended = serve("--open", "--host", host, "--port", "0", "--data", str(tmp_path / "data"))
    assert ended.returncode == 2
    assert "--open" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "data").exists()


def test_the_first_start_makes_a_key_and_prints_it_once(fake: Fake, tmp_path: Path) -> None:
    folder = ("--data", str(tmp_path / "kept"))
    gateway = Gateway(env={"GATEKEY_ADMIN_KEY": ""}, args=folder)
    gateway.data = tmp_path / "kept"
    with gateway:
        file = gateway.data / "admin-key"
        key = file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((gateway.data / "admin-key.sha256").stat().st_mode) == 0o600
        assert stat.S_IMODE(gateway.data.stat().st_mode) == 0o700
        assert gateway.log.count(key) == 1
        assert (gateway.data / "admin-key.sha256").read_text().strip() == hashlib.sha256(key.encode()).hexdigest()
        assert gateway.call("POST", CHATS, at(fake), CHAT, key=key).status == 200
        assert gateway.call("POST", CHATS, at(fake), CHAT, key=KEY).status == 401
    (gateway.data / "address").unlink()
    again = Gateway(env={"GATEKEY_ADMIN_KEY": ""}, args=folder)
    again.data = tmp_path / "kept"
    with again:
        assert key not in again.log
        assert again.call("POST", CHATS, at(fake), CHAT, key=key).status == 200


def test_the_key_of_the_environment_counts_instead(fake: Fake) -> None:
    with Gateway(env={"GATEKEY_ADMIN_KEY": "gk-from-the-environment"}) as gateway:
        assert gateway.call("POST", CHATS, at(fake), CHAT, key="gk-from-the-environment").status == 200
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 401
        assert "gk-from-the-environment" not in gateway.log
        assert not (gateway.data / "admin-key").exists()


def test_a_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("gatekey"))
    ended = subprocess.run(
        [program, "serve", "--port", "0", "--data", str(tmp_path)],
        env={"GATEKEY_ADMIN_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert "GATEKEY_ADMIN_KEY" in ended.stderr
