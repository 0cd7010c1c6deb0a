"""What lies between the client and a gateway that is not on this machine: TLS and proxies."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from portkey_ai import APIConnectionError, Portkey
from tests.fake import Fake
from tests.sdk.ways import WAYS, Way

HELLO: Any = [{"role": "user", "content": "Hello"}]


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO, **more)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Fake]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Fake(tls=context) as server:
        yield server


@pytest.mark.parametrize("kind", WAYS.values(), ids=WAYS)
def test_tls(kind: type[Way], secure: Fake, authority: trustme.CA) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    url = f"https://localhost:{secure.port}/v1"
    way = kind(base_url=url, ssl_context=trusting, max_retries=0)
    for _ in range(2):
        assert way(ask).choices
    assert len(way.items(way(lambda client: ask(client, stream=True)))) == 6
    assert {request.connection for request in secure.requests} == {0}
    with pytest.raises(APIConnectionError, match=r"certificate|CERTIFICATE"):
        way(lambda client: ask(client.with_options(base_url=f"https://127.0.0.1:{secure.port}/v1")))
    way.end()
    stranger = kind(base_url=url)
    with pytest.raises(APIConnectionError, match=r"certificate|CERTIFICATE") as failure:
        stranger(ask)
    assert not failure.value.unsent, "a refused certificate is refused again"
    stranger.end()


class Proxied(http.server.BaseHTTPRequestHandler):
    """A proxy that answers by itself, or that tunnels to `server.to`."""

    def do_POST(self) -> None:
        self.server.seen.append((self.path, self.headers["proxy-authorization"]))  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"choices": []}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.server.seen.append((self.path, self.headers["proxy-authorization"]))  # type: ignore[attr-defined]
        self.send_response(407)
        self.end_headers()

    def log_message(self, *told: Any) -> None:
        pass


@pytest.mark.parametrize("kind", WAYS.values(), ids=WAYS)
def test_proxies(kind: type[Way], monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxied) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://me:pass%20word@127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.setenv("NO_PROXY", "kept.example")
        way = kind(base_url="http://gateway.example/v1", max_retries=0)
        assert way(ask) == {"choices": []}
        assert way(lambda client: ask(client.with_options(base_url=fake.base))).choices, "none to this machine"
        with pytest.raises(APIConnectionError, match="The proxy answered with status 407"):
            way(lambda client: ask(client.with_options(base_url="https://gateway.example/v1")))
        way.end()
        server.shutdown()
        thread.join()
    credentials = "Basic bWU6cGFzcyB3b3Jk"
    assert server.seen == [  # type: ignore[attr-defined]
        ("http://gateway.example/v1/chat/completions", credentials),
        ("gateway.example:443", credentials),
    ]


def test_a_proxy_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with (
        Portkey(base_url="http://gateway.example/v1") as client,
        pytest.raises(ValueError, match="only http:// is spoken"),
    ):
        ask(client)
