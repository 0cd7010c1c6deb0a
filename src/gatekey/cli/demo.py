"""`gatekey demo`: a gateway with a model of this machine behind it, asked twice before your eyes.

Uses the gateway as any client does, over HTTP, with the documented headers; must not reach into it.
"""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn, Self, TypeVar

HOST = "127.0.0.1"
PORT = 8787
MODEL = "smollm2-135m-instruct"
READY_SECONDS = 30
ANSWER_SECONDS = 120
"""The first answer waits for the model's server, which starts with it."""
STOP_SECONDS = 30
"""The gateway's own grace period for running streams is shorter."""
LOG_LINES = 15
KEY_LINE = re.compile(r"^Admin key.*\n?", re.MULTILINE)
"""Of the log, not to be repeated."""
SERVE = (sys.executable, "-c", "import sys; from gatekey.cli import main; sys.exit(main())", "serve")

T = TypeVar("T")


class Failure(Exception):
    """The demo cannot go on; the message is for the one who runs it."""


def demo(once: bool, port: int | None) -> int:
    """Start the gateway, ask it twice, and stay until Ctrl-C (`once`: end after the answers). Returns the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a model may say what the terminal cannot show
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatekey-"))) if once else Path("data")
        try:
            gateway = stack.enter_context(Gateway(data, _port(port)))
            _ask(gateway)
            if not once:
                _show_how_to_go_on(gateway)
                gateway.stay()
        except KeyboardInterrupt:
            _say()
            return 130 if once else 0
        except Failure as failure:
            _say(f"\n{red('The demo failed.')} {failure}")
            return 1
    return 0


def _ask(gateway: "Gateway") -> None:
    """Both requests with their answers. Raises `Failure` where one has no text."""
    _say(bold("\nPOST /v1/completions") + f"   {json.dumps(_body())}")
    text = waiting("the model starts and answers", lambda: gateway.complete(**_body()))
    _say(f"  {green(text.strip())}\n")
    streamed = {**_body("Continuously stream this test"), "max_tokens": 48, "stream": True}
    _say(bold("POST /v1/completions") + f"   {json.dumps(streamed)}")
    _print_stream(gateway.stream(**streamed))


def _show_how_to_go_on(gateway: "Gateway") -> None:
    _say(bold("The first request again, by hand:"))
    _say(
        f"  curl {gateway.url}/v1/completions \\\n"
        f'    -H "x-portkey-api-key: {gateway.key_in_shell}" -H "x-portkey-provider: local" \\\n'
        f"    -H \"content-type: application/json\" -d '{json.dumps(_body())}'\n"
    )
    _say(f"  API      {gateway.url}/v1\n  health   {gateway.url}/health\n  openapi  {gateway.url}/v1/openapi.json\n")
    _say(bold("The gateway stays up until Ctrl-C."))


def _body(prompt: str = "Say this is a test") -> dict[str, object]:
    return {"model": MODEL, "prompt": prompt}


def _print_stream(pieces: Iterator[str]) -> None:
    """Each piece as it comes. Raises `Failure` where there is no text."""
    started, count, text = time.monotonic(), 0, ""
    sys.stdout.write("  ")
    for piece in pieces:
        count, text = count + 1, text + piece
        sys.stdout.write(green(piece.replace("\n", "\n  ")))
        sys.stdout.flush()
    if not text.strip():
        raise Failure("The streamed answer has no text.")
    _say(f"\n  {dim(f'{count} pieces in {time.monotonic() - started:.1f} s')}\n")


class Gateway:
    """`gatekey serve` as a child process, and a client of it. `data` is its data folder."""

    def __init__(self, data: Path, port: int) -> None:
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._data = data
        self._log = data / "demo.log"

    def __enter__(self) -> Self:
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [*SERVE, "--host", HOST, "--port", str(self._port), "--data", str(self._data)]
        self._log.unlink(missing_ok=True)
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as log:  # holds the key
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        try:
            waiting(f"the gateway starts on {self.url}", self._wait_until_ready)
            self._key, self.key_in_shell = self._find_key()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            waiting("the gateway ends", self._stop)

    def stay(self) -> NoReturn:
        """Wait for the gateway, which ends only by a signal or a fault."""
        code = self._process.wait()
        raise self._failure(f"The gateway has ended with code {code}.")

    def complete(self, **body: object) -> str:
        """The text that answers a completion request. Raises `Failure` where there is none."""
        with self._post(body) as answer:
            try:
                text = str(json.load(answer)["choices"][0]["text"])
            except (ValueError, LookupError, TypeError, http.client.HTTPException):
                raise self._failure("The answer is not a text completion.") from None
        if not text.strip():
            raise self._failure("The answer has no text.")
        return text

    def stream(self, **body: object) -> Iterator[str]:
        """The pieces of a streamed answer as they arrive. Raises `Failure` where it does not come to its end."""
        with self._post(body) as answer:
            try:
                for line in answer:
                    data = line.removeprefix(b"data:").strip()
                    if data == b"[DONE]":
                        return
                    if line.startswith(b"data:"):
                        event = json.loads(data)
                        if "error" in event:
                            raise self._failure(f"The stream broke: {_message(data)}")
                        yield from (choice["text"] for choice in event["choices"] if choice["text"])
            except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException):
                raise self._failure("The stream broke.") from None
        raise self._failure("The stream ended before its end.")

    @contextlib.contextmanager
    def _post(self, body: dict[str, object]) -> Iterator[http.client.HTTPResponse]:
        headers = {
            "x-portkey-api-key": self._key,
            "x-portkey-provider": "local",
            "content-type": "application/json",
        }
        with contextlib.closing(http.client.HTTPConnection(HOST, self._port, timeout=ANSWER_SECONDS)) as connection:
            try:
                connection.request("POST", "/v1/completions", json.dumps(body), headers)
                answer = connection.getresponse()
                error = answer.read() if answer.status != 200 else b""
            except (OSError, http.client.HTTPException):
                raise self._failure(f"{self.url} does not answer.") from None
            if answer.status != 200:
                raise self._failure(f"The gateway answered {answer.status}: {_message(error)}")
            yield answer

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if (code := self._process.poll()) is not None:
                raise self._failure(f"The gateway ended at its start, with code {code}.")
            if time.monotonic() > give_up:
                raise self._failure(f"The gateway was not ready within {READY_SECONDS} s.")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection(HOST, self._port, timeout=5)) as connection:
            try:
                connection.request("GET", "/ready")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def _find_key(self) -> tuple[str, str]:
        """The admin key, and how a shell finds it."""
        if key := os.environ.get("GATEKEY_ADMIN_KEY"):
            return key, "$GATEKEY_ADMIN_KEY"
        file = self._data / "admin-key"
        try:
            return file.read_text().strip(), f"$(cat {file})"
        except OSError:
            raise Failure(f"There is no key in {file}: remove {self._data}, and a new one is made.") from None

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.kill()
            self._process.wait()

    def _failure(self, what: str) -> Failure:
        """With the end of the gateway's log, which says more, and the next step."""
        lines = KEY_LINE.sub("", self._log.read_text(errors="replace")).splitlines()[-LOG_LINES:]
        log = "".join(f"\n  | {line}" for line in lines) or " nothing."
        command = f"gatekey serve --port {self._port} --data {self._data}"
        return Failure(f"{what}\nThe last words of its log:{log}\nTo look closer: {command}")


def _message(body: bytes) -> str:
    """What the gateway says is wrong."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return body[:500].decode(errors="replace")


def _port(asked: int | None) -> int:
    """The port asked for (0: a free one), else the usual one, else a free one.

    Raises `Failure` where the one asked for is taken.
    """
    for port in (PORT, 0) if asked is None else (asked,):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                listener.bind((HOST, port))
                return int(listener.getsockname()[1])
    raise Failure(f"Port {asked} is taken or not allowed: choose another with --port, or none.")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


# What the one who waits sees.


def waiting(what: str, work: Callable[[], T]) -> T:
    """The work's result; meanwhile `what`, a sign of life and the seconds that have passed."""
    started, done = time.monotonic(), threading.Event()
    ticker = threading.Thread(target=_tick, args=(what, started, done), daemon=True)
    ticker.start()
    ok = False
    try:
        result = work()
        ok = True
        return result
    finally:
        done.set()
        ticker.join()
        _line(f"{green('✓') if ok else red('✗')} {what} {dim(f'{time.monotonic() - started:.1f} s')}")


def _tick(what: str, started: float, done: threading.Event) -> None:
    if not sys.stdout.isatty():
        _say(f"… {what}")
    count = 0
    while not done.wait(0.1 if sys.stdout.isatty() else 5):
        seconds = f"{time.monotonic() - started:.1f} s"
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\033[K{'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'[count % 10]} {what} {dim(seconds)}")
            sys.stdout.flush()
        else:
            _say(f"… {what} {seconds}")
        count += 1


def _line(text: str) -> None:
    """A line in the place of the spinner."""
    _say(("\r\033[K" if sys.stdout.isatty() else "") + text)


def _say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _paint(code: str) -> Callable[[str], str]:
    def paint(text: str) -> str:
        plain = os.environ.get("NO_COLOR") or not sys.stdout.isatty()
        return text if plain else f"\033[{code}m{text}\033[0m"

    return paint


bold, dim, green, red = _paint("1"), _paint("2"), _paint("32"), _paint("31")
