"""The demo against a gateway that stands in for the real one and can fail in every way."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_serve.py")


def start(behaviour: str, folder: Path, *, once: bool, port: int = 0, asked: bool = True) -> subprocess.Popen[str]:
    program = (
        "import importlib, sys; demo = importlib.import_module('gatekey.cli.demo');"
        f"demo.SERVE = (sys.executable, {str(FAKE)!r}, {behaviour!r}); demo.PORT = {port};"
        f"sys.exit(demo.demo({once}, {port if asked else None}))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GATEKEY_ADMIN_KEY"}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(behaviour: str, folder: Path, *, port: int = 0, asked: bool = True) -> tuple[int, str]:
    """Exit code and what was printed."""
    with start(behaviour, folder, once=True, port=port, asked=asked) as process:
        out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_once_prints_both_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    code, out = run("works", tmp_path)
    assert code == 0, out
    assert "\n  This is a test.\n" in out
    assert "\n  one two three\n  3 pieces in " in out
    assert "by hand" not in out, "there is no gateway any more"
    assert "\N{ESCAPE}" not in out, "colours are for terminals"
    assert list(tmp_path.iterdir()) == []


def test_stays_until_it_is_interrupted_and_ends_the_gateway(tmp_path: Path) -> None:
    with start("works", tmp_path, once=False) as process:
        assert process.stdout is not None
        out = ""
        while "stays up" not in out:
            line = process.stdout.readline()
            assert line, out
            out += line
        assert "This is a test." in by_hand(out.partition("by hand:\n")[2].partition("\n\n")[0], tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    log = tmp_path / "data" / "demo.log"
    assert log.stat().st_mode & 0o777 == 0o600, "the gateway prints its key there"
    assert log.read_text().endswith("\nThe fake gateway has ended.\n")


def by_hand(command: str, folder: Path) -> str:
    """What the printed command comes to: read by a shell, sent by ourselves."""
    script = f"curl() {{ printf '%s\\n' \"$@\"; }}\n{command}"
    shell = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    url, *options = shell.stdout.splitlines()
    pairs = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ") for option, value in pairs if option == "-H")
    (body,) = (value for option, value in pairs if option == "-d")
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (
            "ends at once",
            "The gateway ended at its start, with code 1.\nThe last words of its log:\n  | The port is taken.",
        ),
        ("has no key", "There is no key in "),
        ("refuses", "The gateway answered 503: The weights are missing."),
        ("says nothing", "The answer has no text."),
        ("streams nothing", "The streamed answer has no text."),
        ("cuts the stream", "The stream ended before its end."),
        ("breaks the stream", "The stream broke: The model has died."),
    ],
)
def test_failures_are_told_and_fail(behaviour: str, says: str, tmp_path: Path) -> None:
    code, out = run(behaviour, tmp_path)
    assert code == 1
    assert says in out
    assert "key-of-the-test" not in out
    assert "Traceback" not in out


def test_a_gateway_that_ends_later_is_noticed(tmp_path: Path) -> None:
    with start("ends later", tmp_path, once=False) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The gateway has ended with code 1.\nThe last words of its log:\n  | Out of memory." in out


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out = run("works", tmp_path, port=port)
        assert (code, f"Port {port} is taken" in out) == (1, True), "the one that was asked for"
        code, out = run("works", tmp_path, port=port, asked=False)
        assert (code, str(port) in out) == (0, False), "the usual one: another is used"
    code, out = run("works", tmp_path, port=port)
    assert (code, str(port) in out) == (0, True)
