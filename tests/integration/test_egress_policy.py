"""Where the gateway may be sent: one policy, whichever way an address is named."""

from collections.abc import Iterator

import pytest

from tests.asking import CHAT, CHATS, PROVIDER_KEY, at, by, target
from tests.fake import Fake, json, redirect
from tests.gateway import KEY, Gateway
from tests.integration.test_naming import GOOGLE

REFUSED = [
    "http://169.254.169.254/latest",
    "http://[fd00:ec2::254]/v1",
    "http://metadata.google.internal/v1",
    "http://10.0.0.1/v1",
    "http://192.168.1.1/v1",
    "http://172.16.0.1:8080/v1",
    "http://100.64.0.1/v1",
    "http://0.0.0.0/v1",
    "http://[::ffff:10.0.0.1]/v1",
    "http://[fe80::1]/v1",
    "http://012.0.0.1/v1",
    "http://0xa.1/v1",
    "http://167772161/v1",
    "http://printer/v1",
    "http://db.internal/v1",
    "http://10.0.0.1.nip.io/v1",
    "http://127.0.0.1:22/v1",
    "http://user:secret-word@api.example.com/v1",
    "ftp://example.com/v1",
    "file:///etc/passwd",
    "gopher://127.0.0.1/v1",
    "//127.0.0.1/v1",
    "http://",
    "http://exa mple.com/v1",
    "http://127.0.0.1:0/v1",
    "http://127.0.0.1:99999/v1",
    "http://127.0.0.1\\@10.0.0.1/v1",
    "http://127.0.0.1:1#@10.0.0.1/v1",
    "http://127.0.0.1:1/v1?x=1",
    "http://127.0.0.1:1/v1#x",
]


@pytest.mark.parametrize("url", REFUSED)
@pytest.mark.parametrize("path", [CHATS, "/v1/files"])
def test_addresses_that_are_refused(gateway: Gateway, fake: Fake, url: str, path: str) -> None:
    for headers in (at(fake, x_portkey_custom_host=url), by(target(url))):
        answer = gateway.call("POST", path, headers, CHAT)
        assert answer.status == 400, answer.body
        assert answer.error["param"] in ("x-portkey-custom-host", "config.custom_host", "custom_host")
        assert "secret-word" not in answer.body.decode()
        assert PROVIDER_KEY not in answer.body.decode()
    assert fake.requests == []


def test_the_refused_target_is_named(gateway: Gateway, fake: Fake) -> None:
    config = {"strategy": {"mode": "fallback"}, "targets": [target(fake), target("http://10.0.0.1/v1")]}
    answer = gateway.call("POST", CHATS, by(config), CHAT)
    assert (answer.status, answer.error["code"]) == (400, "egress_refused")
    assert answer.error["param"] == "config.targets[1].custom_host"
    assert fake.requests == [], "before anything is sent"


@pytest.fixture(scope="module")
def trusting_nobody() -> Iterator[Gateway]:
    """A gateway that others can reach, and that was told of no trusted hosts."""
    with Gateway(env={"GATEKEY_TRUSTED_HOSTS": ""}, args=("--host", "0.0.0.0")) as running:
        running.host = "127.0.0.1"
        yield running


@pytest.mark.parametrize("path", [CHATS, "/v1/files"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "127.1"])
def test_a_public_gateway_keeps_off_its_own_machine(trusting_nobody: Gateway, fake: Fake, path: str, host: str) -> None:
    base = f"http://{host}:{fake.port}/v1"
    for headers in (at(fake, x_portkey_custom_host=base), by(target(base))):
        answer = trusting_nobody.call("POST", path, headers, CHAT)
        assert (answer.status, answer.error["code"]) == (400, "egress_refused")
    assert fake.requests == []


def test_a_gateway_on_loopback_may_use_loopback(fake: Fake) -> None:
    with Gateway(env={"GATEKEY_TRUSTED_HOSTS": ""}) as gateway:
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200
        assert gateway.call("POST", CHATS, at(fake, x_portkey_custom_host="http://10.0.0.1/v1"), CHAT).status == 400


def test_a_trusted_host_is_trusted(fake: Fake) -> None:
    env = {"GATEKEY_TRUSTED_HOSTS": f"127.0.0.1:{fake.port}"}
    with Gateway(env=env, args=("--host", "0.0.0.0")) as gateway, Fake() as other:
        gateway.host = "127.0.0.1"
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200
        assert gateway.call("POST", CHATS, at(other), CHAT).status == 400
        assert other.requests == []


def test_redirects_lead_nowhere(gateway: Gateway, fake: Fake) -> None:
    with Fake() as other:
        fake.answer(redirect(f"{other.base}/chat/completions"))
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 502
        assert other.requests == []


@pytest.mark.parametrize("option", ["openai_organization", "api_key"])
def test_line_breaks_in_a_config_write_no_headers(gateway: Gateway, fake: Fake, option: str) -> None:
    config = target(fake) | {option: "a\r\nx-evil: 1\r\n\r\nGET /evil HTTP/1.1"}
    for path in (CHATS, "/v1/files"):
        answer = gateway.call("POST", path, by(config), CHAT)
        assert answer.status == 400, answer.body
        assert b"\n" not in answer.body
    assert fake.requests == []


@pytest.mark.parametrize("model", ["../../admin", "a/../../b", "m?key=x", "m#x", "m\r\nx-evil: 1", "m n", "%2e%2e/x"])
def test_a_model_cannot_climb_out_of_a_path(gateway: Gateway, fake: Fake, model: str) -> None:
    fake.answer(json(GOOGLE))
    gateway.call("POST", CHATS, at(fake, "google"), {**CHAT, "model": model})
    for request in fake.requests:
        assert request.path.startswith("/v1/models/")
        assert request.path.count("/") == 3
        assert request.path.endswith(":generateContent")
        assert request.query == {}
        assert request.header("x-evil") is None


def test_the_resource_of_an_azure_host_is_only_a_name(gateway: Gateway) -> None:
    for name in ("evil.example.com/", "a.b", "x@127.0.0.1", "127.0.0.1:80/#"):
        headers = {
            "x-portkey-provider": "azure-openai",
            "x-portkey-azure-resource-name": name,
            "x-portkey-azure-deployment-id": "d",
            "x-portkey-azure-api-version": "2024-10-21",
            "api-key": "k",
        }
        answer = gateway.call("POST", CHATS, headers, CHAT)
        assert (answer.status, answer.error["param"]) == (400, "azure_resource_name"), answer.body


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b"])
def test_what_is_no_http_is_refused(gateway: Gateway, fake: Fake, value: str) -> None:
    head = f"POST {CHATS} HTTP/1.1\r\nhost: x\r\nx-portkey-api-key: {KEY}\r\nx-mine: {value}\r\n\r\n"
    with gateway.send(head.encode()) as stream:
        assert stream.status == 400
    assert fake.requests == []
