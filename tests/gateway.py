"""The gateway as callers meet it: a process of its own, reached over HTTP.

    with Gateway(env={"GATEKEY_LOG": "x"}) as gateway:
        answer = gateway.call("POST", "/v1/chat/completions", headers, {"model": ...})
        with gateway.open("POST", path, headers, body) as stream:
            for event in stream.events(): ...

Leaving the block asks the process to end (SIGTERM) and insists on exit code 0; its log is shown where it did not.
"""

import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fake import wait_until

KEY = "gk-test-admin"
PATIENCE = 20.0
"""Seconds that the process may take to listen, to answer and to end. Only failing tests wait so long."""

Body = bytes | str | Mapping[str, Any] | list[Any] | None


@dataclass(frozen=True)
class Answer:
    """A whole answer. Header names are in lower case; of repeated headers `headers` has the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The `error` object of a failure."""
        found: dict[str, Any] = self.json()["error"]
        return found


@dataclass(frozen=True)
class Event:
    """A server-sent event and when it was read, in s of `time.monotonic`."""

    data: str
    name: str
    at: float

    def json(self) -> Any:
        """The data, decoded."""
        return json.loads(self.data)


class Stream:
    """An answer on a socket of its own, read as it arrives; the caller may leave at any moment."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._response = http.client.HTTPResponse(connection)
        self._began = False

    def _begin(self) -> http.client.HTTPResponse:
        if not self._began:
            self._began = True
            self._response.begin()
        return self._response

    @property
    def status(self) -> int:
        """The status, as soon as the head is there."""
        return self._begin().status

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        return {name.lower(): value for name, value in self._begin().getheaders()}

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives. Raises `http.client.IncompleteRead` where its framing is left open."""
        response = self._begin()
        while piece := response.read1(65536):
            yield piece

    def events(self) -> Iterator[Event]:
        """Server-sent events, each as it arrives, `[DONE]` too."""
        waiting = b""
        for piece in self.pieces():
            waiting += piece
            *whole, waiting = waiting.split(b"\n\n")
            for block in whole:
                yield _event(block.decode())
        assert waiting == b"", f"the stream ends inside an event: {waiting!r}"

    def rest(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def leave(self) -> None:
        """Close the connection, whatever is under way."""
        self._response.close()
        self._socket.close()

    def reset(self) -> None:
        """Leave with a reset (RST)."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()


def _event(block: str) -> Event:
    fields = [line.partition(":")[::2] for line in block.split("\n") if line and not line.startswith(":")]
    data = "\n".join(value.removeprefix(" ") for name, value in fields if name == "data")
    names = [value.strip() for name, value in fields if name == "event"]
    return Event(data, names[-1] if names else "", time.monotonic())


class Gateway:
    """A running gateway. `env` is added to an environment that trusts loopback addresses; `args` to `serve`.

    `data`: its data folder; without, it has one that goes with it.
    """

    def __init__(
        self, *, env: Mapping[str, str] | None = None, args: tuple[str, ...] = (), data: Path | None = None
    ) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="gatekey-test-")
        self.data = data or Path(self._scratch.name) / "data"
        self._log = Path(self._scratch.name) / "log"
        program = str(Path(sys.executable).with_name("gatekey"))
        self._command = [program, "serve", "--host", "127.0.0.1", "--port", "0", "--data", str(self.data), *args]
        # Nothing of the environment that the tests run in configures the gateway, proxies included.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        self._env = {
            **kept,
            "GATEKEY_ADMIN_KEY": KEY,
            "GATEKEY_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "PYTHONWARNINGS": "error",
            **(env or {}),
        }
        self.process: subprocess.Popen[bytes]
        self.url = ""

    @property
    def log(self) -> str:
        """What the process has printed so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def __enter__(self) -> "Gateway":
        (self.data / "address").unlink(missing_ok=True)  # of the one before on this folder
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        address = self.data / "address"
        try:
            wait_until(
                lambda: self.process.poll() is not None or (address.exists() and address.read_text().strip()),
                PATIENCE,
                "the gateway listens",
            )
            assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}"
            self.url = address.read_text().strip()
        except BaseException as error:
            error.add_note(f"The gateway's log:\n{self.log}")
            self._end()
            raise
        split = urlsplit(self.url)
        self.host, self.port = str(split.hostname), int(split.port or 0)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            code: int | None = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            code = None
        log = self.log
        self._end()
        if error is not None:
            error.add_note(f"The gateway's log:\n{log}")
        else:
            assert code == 0, f"SIGTERM ended the gateway with {code}. Its log:\n{log}"

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._scratch.cleanup()

    def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        key: str | None = KEY,
        timeout: float = PATIENCE,
    ) -> Answer:
        """One request with the gateway key (`key` None: without), and its whole answer."""
        with self.open(method, path, headers, body, key=key, timeout=timeout) as stream:
            data = stream.rest()
            return Answer(stream.status, stream.headers, data)

    def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        key: str | None = KEY,
        timeout: float = PATIENCE,
    ) -> Stream:
        """The same, with its answer to be read as it arrives."""
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _json(body)
        fields = {"host": f"{self.host}:{self.port}", "connection": "close"}
        if key is not None:
            fields["x-portkey-api-key"] = key
        if body is not None:
            fields |= {"content-type": "application/json", "content-length": str(len(content))}
        fields |= {name.lower(): value for name, value in (headers or {}).items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + content, timeout=timeout)

    def send(self, data: bytes, *, timeout: float = PATIENCE) -> Stream:
        """Exactly these bytes on a new connection."""
        connection = socket.create_connection((self.host, self.port), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(data)
        return Stream(connection)


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
