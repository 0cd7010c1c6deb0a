"""Running it: start, settings, signals, and callers who speak broken HTTP."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.asking import CHAT, CHATS, STREAM, at, target, text_of
from tests.fake import Fake, Gate, chat, chat_stream, silence, wait_until
from tests.gateway import KEY, Gateway

GATEKEY = str(Path(sys.executable).with_name("gatekey"))


def serve(*args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`gatekey serve` that is expected to end by itself."""
    command = [GATEKEY, "serve", *args]
    return subprocess.run(command, env=env or {}, capture_output=True, text=True, timeout=20, check=False)


def test_it_starts_soon() -> None:
    began = time.monotonic()
    with Gateway() as gateway:
        assert gateway.call("GET", "/ready").status == 200
        took = time.monotonic() - began
    print(f"from the command to an answer: {took:.2f} s")
    assert took < 5


def test_health_and_readiness(gateway: Gateway) -> None:
    for path in ("/health", "/v1/health", "/ready"):
        answer = gateway.call("GET", path, key=None)
        assert (answer.status, answer.json()["status"]) == (200, "ok")


def test_several_workers_serve_and_end(fake: Fake) -> None:
    with Gateway(args=("--workers", "2")) as gateway:
        wait_until(lambda: gateway.call("GET", "/ready").status == 200)
        assert [gateway.call("POST", CHATS, at(fake), CHAT).status for _ in range(20)] == [200] * 20
    # Leaving the block insists on exit code 0.
    with pytest.raises(OSError):
        socket.create_connection((gateway.host, gateway.port), 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_running_stream_ends_before_the_gateway(fake: Fake, number: signal.Signals) -> None:
    now, later = Gate(), Gate()
    now.set()
    fake.answer(chat_stream().slowly(now, now, later))
    with Gateway() as gateway, gateway.open("POST", CHATS, at(fake), STREAM) as caller:
        assert caller.status == 200
        gateway.process.send_signal(number)
        wait_until(lambda: refused(gateway), 3, "new connections are refused")
        assert gateway.process.poll() is None
        later.set()
        assert text_of(caller) == "This is a test."
        assert gateway.process.wait(5) == 0


def refused(gateway: Gateway) -> bool:
    try:
        socket.create_connection((gateway.host, gateway.port), 1).close()
    except OSError:
        return True
    return False


def test_an_answer_under_way_is_finished(fake: Fake) -> None:
    gate = Gate()
    fake.answer(chat().late(gate))
    with Gateway() as gateway, gateway.open("POST", CHATS, at(fake), CHAT) as caller:
        fake.wait()
        gateway.process.terminate()
        wait_until(lambda: refused(gateway), 3)
        gate.set()
        assert caller.status == 200
        assert caller.rest()
        assert gateway.process.wait(5) == 0


def test_grace_comes_to_an_end(fake: Fake) -> None:
    fake.answer(chat_stream().stalled(3))
    with Gateway(env={"GATEKEY_GRACE_S": "1"}) as gateway, gateway.open("POST", CHATS, at(fake), STREAM) as caller:
        assert caller.status == 200
        gateway.process.terminate()
        began = time.monotonic()
        assert gateway.process.wait(5) == 0
        assert 0.5 < time.monotonic() - began < 4
        assert fake.requests[0].closed.wait(1)


def test_idle_connections_do_not_delay_the_end() -> None:
    with Gateway() as gateway, socket.create_connection((gateway.host, gateway.port), 5) as idle:
        idle.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert idle.recv(65536)
        gateway.process.terminate()
        assert gateway.process.wait(3) == 0


def test_a_file_of_settings(fake: Fake, tmp_path: Path) -> None:
    file = tmp_path / "gatekey.toml"
    file.write_text('max_body_mb = 0.001\nhost = "192.0.2.1"\n')
    with Gateway(env={"GATEKEY_SETTINGS": str(file)}) as gateway:
        assert gateway.call("POST", CHATS, at(fake), b"x" * 2000).status == 413, "a flag beats the file's host"
    with Gateway(env={"GATEKEY_MAX_BODY_MB": "1"}, args=("--settings", str(file))) as gateway:
        assert gateway.call("POST", CHATS, at(fake), b"x" * 2000).status == 400, "a variable beats the file"


@pytest.mark.parametrize(
    ("args", "env", "told"),
    [
        ((), {"GATEKEY_PORT": "ninety"}, "port"),
        ((), {"GATEKEY_PORT": "70000"}, "port"),
        ((), {"GATEKEY_WORKERS": "0"}, "workers"),
        ((), {"GATEKEY_MAX_BODY_MB": "-1"}, "max_body_mb"),
        ((), {"GATEKEY_TRUSTED_HOSTS": "10.0.0.0/99"}, "GATEKEY_TRUSTED_HOSTS"),
        ((), {"GATEKEY_CA_BUNDLE": "/nowhere/ca.pem"}, "GATEKEY_CA_BUNDLE"),
        ((), {"GATEKEY_REDIS_URL": "localhost:6379"}, "GATEKEY_REDIS_URL must be"),
        (("--settings", "/nowhere.toml"), {}, "/nowhere.toml"),
        (("--settings", "{tmp}/bad.toml"), {}, "not TOML"),
        (("--settings", "{tmp}/unknown.toml"), {}, "prot"),
        (("--data", "/proc/nowhere"), {}, "data folder"),
        (("--host", "192.0.2.1"), {}, "Cannot listen on 192.0.2.1"),
        (("--host", "no such host"), {}, "Cannot listen on"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_told_in_a_line(
    args: tuple[str, ...], env: Mapping[str, str], told: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("port = \n")
    (tmp_path / "unknown.toml").write_text("prot = 1\n")
    args = tuple(arg.replace("{tmp}", str(tmp_path)) for arg in args)
    port = () if "GATEKEY_PORT" in env else ("--port", "0")
    data = () if "--data" in args else ("--data", str(tmp_path / "data"))
    ended = serve(*port, *data, *args, env=env)
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.1, 0.2, 0.3])
def test_a_signal_on_the_way_up_ends_it_well(tmp_path: Path, pause: float) -> None:
    command = [GATEKEY, "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, env={}, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.readline(), "it has begun"
        time.sleep(pause)
        process.terminate()
        assert process.wait(5) == 0
        assert b"Traceback" not in process.stderr.read()


def test_an_unknown_variable_is_told() -> None:
    with Gateway(env={"GATEKEY_MAX_BODYMB": "1"}) as gateway:
        assert "GATEKEY_MAX_BODYMB is set, but there is no such setting" in gateway.log


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = serve("--port", port, "--data", str(tmp_path))
    assert ended.returncode == 2
    assert f"Cannot listen on 127.0.0.1 port {port}" in ended.stderr
    assert "Choose another with --port" in ended.stderr


def test_one_call_too_many(fake: Fake) -> None:
    gate = Gate()
    fake.answer(chat().late(gate))
    with Gateway(env={"GATEKEY_MAX_CALLS": "1"}) as gateway:
        with gateway.open("POST", CHATS, at(fake), CHAT) as first:
            fake.wait()
            answer = gateway.call("POST", CHATS, at(fake), CHAT)
            assert (answer.status, answer.error["code"]) == (503, "overloaded")
            assert answer.headers["x-portkey-trace-id"]
            assert gateway.call("GET", "/health").status == 200
            gate.set()
            assert first.status == 200
            first.rest()
        assert gateway.call("POST", CHATS, at(fake), CHAT).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /health HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET /health HTTP/1.1\r\n: x\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: abc\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_not_http_is_refused(gateway: Gateway, data: bytes) -> None:
    with gateway.send(data) as stream:
        assert stream.status == 400
    assert gateway.call("GET", "/health").status == 200


@pytest.mark.parametrize("head", ["target", "one header", "many headers"])
def test_a_head_beyond_the_bound_is_refused(gateway: Gateway, head: str) -> None:
    pieces = {
        "target": b"GET /" + b"x" * 600_000,
        "one header": b"GET /health HTTP/1.1\r\nx-long: " + b"x" * 600_000,
        "many headers": b"GET /health HTTP/1.1\r\n" + b"".join(b"x-%d: y\r\n" % at for at in range(60_000)),
    }
    with socket.create_connection((gateway.host, gateway.port), 10) as connection:
        got = b""
        try:
            connection.sendall(pieces[head])
            got = connection.recv(65536)
        except ConnectionError:
            got = b"HTTP/1.1 400"  # closed before all of it was taken
    assert got.startswith(b"HTTP/1.1 400")
    assert gateway.call("GET", "/health").status == 200


def test_a_large_config_in_a_header_passes(gateway: Gateway, fake: Fake) -> None:
    config = target(fake, default_params={"note": "n" * 200_000})
    answer = gateway.call("POST", CHATS, {"x-portkey-config": json.dumps(config)}, CHAT)
    assert answer.status == 200


def request(fake: Fake, body: bytes, path: str = CHATS) -> bytes:
    headers = at(fake) | {"host": "x", "x-portkey-api-key": KEY, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def answers(connection: socket.socket, count: int) -> bytes:
    data = b""
    while data.count(b"HTTP/1.1 200 OK") < count or not data.endswith(b"}"):
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    return data


def test_requests_on_one_connection(gateway: Gateway, fake: Fake) -> None:
    with socket.create_connection((gateway.host, gateway.port), 10) as connection:
        for at_once in (1, 1, 5):
            connection.sendall(request(fake, b'{"model":"m","messages":[]}') * at_once)
            answers(connection, at_once)
    assert len(fake.requests) == 7


def test_a_request_in_single_bytes(gateway: Gateway, fake: Fake) -> None:
    with socket.create_connection((gateway.host, gateway.port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(fake, b'{"model":"m"}'):
            connection.sendall(bytes([byte]))
        answers(connection, 1)
    assert fake.requests[0].body == b'{"model":"m"}'


def test_many_at_once(gateway: Gateway, fake: Fake) -> None:
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(gateway.call("POST", CHATS, at(fake), CHAT).status))
        for _ in range(60)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == [200] * 60


def test_an_upgrade_is_no_route(gateway: Gateway, fake: Fake) -> None:
    fake.answer(chat())
    headers = at(fake, connection="upgrade", upgrade="websocket", sec_websocket_key="x", sec_websocket_version="13")
    assert gateway.call("GET", "/v1/realtime", headers).status in (200, 400, 404, 426)
    assert gateway.call("GET", "/health").status == 200


def test_a_stopped_gateway_lets_its_upstreams_go(fake: Fake) -> None:
    fake.answer(silence())
    with Gateway(env={"GATEKEY_GRACE_S": "0"}) as gateway, gateway.open("POST", CHATS, at(fake), CHAT):
        fake.wait()
        gateway.process.terminate()
        assert gateway.process.wait(5) == 0
        assert fake.requests[0].closed.wait(1)
