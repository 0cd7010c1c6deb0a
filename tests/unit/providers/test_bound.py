"""The most that a request can come to."""

import json
from typing import Any

import pytest

from gatekey.providers import bound
from gatekey.providers._bound import AUDIO, MESSAGE, OUTPUT, PART, Most

MODEL = 4096
"""What a model puts out at most, as the table of prices says."""


def asked(kind: str, body: dict[str, Any], most: int | None = MODEL, *, translated: bool = False) -> Most:
    return bound.inference(kind, json.dumps(body).encode(), body if translated else {}, most)


@pytest.mark.parametrize("translated", [False, True])
@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({}, MODEL),
        ({"max_tokens": 7}, 7),
        ({"max_completion_tokens": 9}, 9),
        ({"max_tokens": 7, "max_completion_tokens": 9}, 9),
        ({"max_tokens": 0}, MODEL),
        ({"max_tokens": None}, MODEL),
        ({"max_tokens": -1}, MODEL),
        ({"max_tokens": True}, MODEL),
        ({"max_tokens": [7]}, MODEL),
        ({"max_tokens": 7.5}, 8),
        ({"max_tokens": "7"}, 7),
        ({"max_tokens": 10**30}, 10**30),
        ({"max_output_tokens": 7}, MODEL),
        ({"max_tokens": 7, "n": 3}, 21),
        ({"max_tokens": 7, "n": "3"}, 21),
        ({"max_tokens": 7, "n": 2, "best_of": 5}, 35),
        ({"max_tokens": 7, "n": 0}, 7),
    ],
)
def test_an_answer(body: dict[str, Any], output: int, translated: bool) -> None:
    """Lenient providers read numbers in many forms, so that all of them count."""
    assert asked("chat", body, translated=translated).output == output


def test_an_answer_that_nothing_bounds() -> None:
    assert asked("chat", {}, None).output == OUTPUT
    assert asked("embeddings", {"input": "a"}).output == 0


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2), ([], 1), (None, 1)],
)
def test_several_prompts(prompt: Any, count: int) -> None:
    assert asked("completions", {"max_tokens": 7, "prompt": prompt}).output == 7 * count


def test_what_goes_in() -> None:
    body = {"messages": [{"role": "user", "content": "äö" * 50}]}
    sent = json.dumps(body, ensure_ascii=False).encode()
    assert bound.inference("chat", sent, {}, None).input == len(sent) + 2 * MESSAGE


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "file", "file": {"file_id": "x"}},
        {"file_data": {"file_uri": "gs"}},
        {"fileData": {"fileUri": "x"}},
        {"s3Location": {"uri": "s3://x"}},
    ],
)
def test_what_is_elsewhere(part: dict[str, Any]) -> None:
    assert asked("chat", {"messages": [{"role": "user", "content": [part]}]}).input >= PART


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({"max_tokens": 7}, 7),
        ({"max_output_tokens": 7}, 7),
        ({"generationConfig": {"maxOutputTokens": 7}}, 7),
        ({"generationConfig": {"maxOutputTokens": 7, "candidateCount": 2}}, 14),
        ({"generationConfig": 3}, MODEL),
        ({"inferenceConfig": {"maxTokens": 7}}, 7),
        ({"parameters": {"max_new_tokens": 7}}, 7),
        ({"options": {"num_predict": 7}}, 7),
        ({}, MODEL),
    ],
)
def test_what_is_forwarded(body: dict[str, Any], output: int) -> None:
    sent = json.dumps(body).encode()
    most = bound.forwarded(sent, len(sent), body.get, MODEL)
    assert most.output == output
    assert (most.audio_ms, most.characters) == (AUDIO * len(sent), len(sent))


def test_pictures() -> None:
    body = {"prompt": "x", "n": 3}
    assert bound.forwarded(b"{}", 2, body.get, None).images == 3
    form = b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n4\r\n--x--\r\n'
    assert bound.forwarded(form, len(form), {}.get, None).images == 4


def test_a_body_that_is_too_large_to_be_read() -> None:
    assert bound.forwarded(b"", 10**9, {}.get, None) == Most(10**9, OUTPUT, 1, AUDIO * 10**9, 10**9)
