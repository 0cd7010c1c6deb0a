"""Every recorded stream, fed whole, byte by byte and cut at random: the same frames, and the right ones."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gatekey.errors import GatekeyError
from gatekey.providers import Shaped
from gatekey.providers._read import DONE, Stream
from tests.conformance.material import CATALOG, Recorded, files, name, recorded

REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}


def read(record: Recorded, pieces: Iterable[bytes]) -> tuple[list[bytes], Stream]:
    """The frames that come out, and the stream at its end."""
    stream = Stream(record.shaped(stream=True))
    frames = [frame for piece in pieces for frame in stream.feed(piece)]
    return frames + stream.close(), stream


def text(frames: list[bytes], failure: GatekeyError | None) -> str:
    ending = f"!! {type(failure).__name__}: {failure.message}\n" if failure else ""
    return b"".join(frames).decode() + ending


@pytest.mark.parametrize("path", files("streams"), ids=name)
def test_what_the_caller_gets(path: Path) -> None:
    record = recorded(path)
    frames, stream = read(record, [record.theirs])
    record.check(text(frames, stream.failure))


@pytest.mark.parametrize("path", files("streams"), ids=name)
def test_however_it_arrives(path: Path) -> None:
    record = recorded(path)
    data = record.theirs
    frames, stream = read(record, [data])
    dice = random.Random(path.name)
    deliveries = [[data[i : i + 1] for i in range(len(data))]]
    for _ in range(20):
        cuts = sorted(dice.sample(range(1, len(data)), dice.randint(1, min(40, len(data) - 1))))
        deliveries.append([data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])
    # CR LF is as good a line end as LF.
    deliveries.append([data.replace(b"\n", b"\r\n")])
    for pieces in deliveries:
        frames_again, again = read(record, pieces)
        assert text(frames_again, again.failure) == text(frames, stream.failure)
        assert (again.usage, again.started, again.complete) == (stream.usage, stream.started, stream.complete)


@pytest.mark.parametrize("path", files("streams"), ids=name)
def test_no_prefix_looks_complete(path: Path) -> None:
    """Cut anywhere before the caller has its finish reason, a stream fails: never does a part pass for the whole."""
    record = recorded(path)
    frames, stream = read(record, [record.theirs])
    if stream.failure is not None:
        return
    complete = accumulate(frames)
    for end in range(0, len(record.theirs), 7):
        part, cut = read(record, [record.theirs[:end]])
        if cut.failure is None:
            told = accumulate(part)
            assert told["choices"] == complete["choices"], f"cut after {end} bytes, it passes for complete"


@pytest.mark.parametrize("path", files("streams"), ids=name)
def test_a_stream_has_our_shape(path: Path) -> None:
    record = recorded(path)
    frames, stream = read(record, [record.theirs])
    shaped = record.shaped(stream=True)
    assert (DONE in frames) is (stream.failure is None)
    if stream.failure is not None:
        return
    assert frames[-1] == DONE
    assert stream.started
    if record.settings.get("usage") == "none":
        assert stream.usage is None
    else:
        assert stream.usage["total_tokens"] >= stream.usage["completion_tokens"] >= 0
    told = accumulate(frames)
    if shaped.endpoint.stream is not None:
        ours_alone(frames, shaped)
    assert "usage" in told or not shaped.asked.usage or stream.usage is None
    if not shaped.asked.usage:
        assert not [frame for frame in frames if b'"choices":[],"usage"' in frame], "nobody asked for that chunk"
    for choice in told["choices"].values():
        if shaped.asked.strict:
            assert choice["finish_reason"] in REASONS
        for call in choice["tool_calls"].values():
            assert call["id"]
            assert call["name"]
            json.loads(call["arguments"])
        assert sorted(choice["tool_calls"]) == list(range(len(choice["tool_calls"])))


def ours_alone(frames: list[bytes], shaped: Shaped) -> None:
    """Every chunk that a translation made is of one answer, and says what it is."""
    chunks = [json.loads(frame[6:]) for frame in frames[:-1]]
    text = shaped.text or shaped.asked.kind == "completions"
    assert {chunk["object"] for chunk in chunks} == {"text_completion" if text else "chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    if not text:
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"


def accumulate(frames: list[bytes]) -> dict[str, Any]:
    """What a client puts together from a stream."""
    told: dict[str, Any] = {"choices": {}}
    for frame in frames:
        assert frame.startswith(b"data: ")
        assert frame.endswith(b"\n\n")
        assert b"\n" not in frame[:-2]
        if frame == DONE:
            continue
        chunk = json.loads(frame[6:])
        if chunk.get("usage"):
            told["usage"] = chunk["usage"]
        for part in chunk.get("choices") or ():
            blank = {"text": "", "reasoning": "", "tool_calls": {}, "finish_reason": None}
            add(told["choices"].setdefault(part["index"], blank), part)
    return told


def add(choice: dict[str, Any], part: dict[str, Any]) -> None:
    """One choice of one chunk, added to what there is of it."""
    delta = part.get("delta") or {}
    choice["text"] += part.get("text") or delta.get("content") or ""
    choice["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
    choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]
    for call in delta.get("tool_calls") or ():
        whole_call = choice["tool_calls"].setdefault(call["index"], {"id": None, "name": None, "arguments": ""})
        function = call.get("function") or {}
        whole_call["id"] = whole_call["id"] or call.get("id")
        whole_call["name"] = whole_call["name"] or function.get("name")
        whole_call["arguments"] += function.get("arguments") or ""


def test_every_translated_provider_has_a_recorded_stream() -> None:
    there = {path.parent.name for path in files("streams")}
    translated = {
        slug
        for slug in CATALOG.slugs()
        if any(endpoint.stream is not None for endpoint in CATALOG.provider(slug).endpoints.values())
    }
    assert translated <= there <= set(CATALOG.slugs())
