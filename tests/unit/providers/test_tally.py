"""Usage is found wherever a forwarded answer has it; what counts no tokens is told by its path."""

import json
import random
from typing import Any

import pytest

from gatekey.providers import Tally, model_in, stores, units
from gatekey.providers import _tally as module

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"
REPORT = {"input_tokens": 5, "output_tokens": 7}


def nothing(name: str) -> Any:
    return None


def read(content_type: str, data: bytes, path: str = "/x", asked: Any = nothing) -> Tally:
    """The same whole, byte by byte and cut at random."""
    found = []
    dice = random.Random(7)
    cuts = sorted(dice.sample(range(len(data)), min(len(data), 9)))
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    for fed in ([data], [data[at : at + 1] for at in range(len(data))], pieces):
        tally = Tally(content_type, path, asked)
        for piece in fed:
            tally.feed(piece)
        tally.close()
        found.append((tally.usage, tally.model))
    assert found[0] == found[1] == found[2]
    return tally


def events(*values: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values) + b"data: [DONE]\n\n"


@pytest.mark.parametrize(
    "answer",
    [
        {"model": "m", "usage": REPORT},
        {"modelVersion": "m", "usageMetadata": REPORT},
        {"response": {"model": "m", "usage": REPORT}},
        {"model": "m", "meta": {"billed_units": 1, **REPORT}},
        [{"modelVersion": "m"}, {"usageMetadata": REPORT}],
    ],
)
def test_a_whole_answer(answer: Any) -> None:
    tally = read(JSON, json.dumps(answer).encode())
    assert {name: tally.usage[name] for name in REPORT} == REPORT
    assert tally.model == "m"


def test_what_is_no_report_is_none() -> None:
    assert read(JSON, b'{"meta": {"page": 1}, "usage": null}').usage == {}
    assert read(JSON, b"[1, 2").usage == {}
    assert read("audio/mpeg", b'{"usage": {"input_tokens": 5}}').usage == {}


def test_a_stream_reports_at_both_ends_and_later_counts_hold() -> None:
    tally = read(
        EVENTS,
        events(
            {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5, "output_tokens": 1}}},
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": '"usage": {"output_tokens": 99}'}},
            {"type": "message_delta", "usage": {"output_tokens": 7, "input_tokens": None}},
        ),
    )
    assert (tally.usage, tally.model) == (REPORT, "m")


@pytest.mark.parametrize("inside", ["response", "message", "delta", "x_groq"])
def test_an_event_may_have_it_inside(inside: str) -> None:
    assert read(EVENTS, events({"type": "e", inside: {"usage": REPORT}})).usage == REPORT


def test_of_an_answer_too_large_to_be_read_the_end_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_READ", 1000)
    monkeypatch.setattr(module, "END", 200)
    picture = {"b64_json": "x" * 2000, "revised_prompt": '"usage": {"input_tokens": 1}'}
    report = {**REPORT, "input_tokens_details": {"text_tokens": 1}}
    assert read(JSON, json.dumps({"data": [picture], "usage": report}).encode(), "/images/edits").usage == report
    asked = {"n": 3}.get
    assert read(JSON, json.dumps({"data": [picture]}).encode(), "/images/edits", asked).usage == {"images": 3}
    assert read(JSON, b'{"data": "' + b"x" * 2000 + b'", "usage": {"a": ').usage == {}


class TestUnits:
    """What endpoints consume that count no tokens."""

    @pytest.mark.parametrize(
        ("path", "asked", "told", "found"),
        [
            ("/images/generations", {"n": 2}, {"data": [{}, {}, {}]}, {"images": 3}),
            ("/deployments/d/images/generations", {"n": 2}, {}, {"images": 2}),
            ("/images/variations", {}, {}, {"images": 1}),
            ("/images/edits", {"n": -1}, {"data": {}}, {"images": 1}),
            ("/audio/speech", {"input": "héllo"}, {}, {"characters": 5}),
            ("/audio/speech", {"input": ["a"]}, {}, {}),
            ("/audio/transcriptions", {}, {"duration": 2.5}, {"seconds": 2.5}),
            ("/audio/translations", {}, {"duration": "2.5"}, {}),
            ("/moderations", {"input": "x"}, {}, {}),
        ],
    )
    def test_by_path(self, path: str, asked: Any, told: Any, found: Any) -> None:
        assert units(path, asked.get, told) == found

    def test_a_report_goes_before_them(self) -> None:
        data = json.dumps({"data": [{}], "usage": REPORT}).encode()
        assert read(JSON, data, "/images/generations?x=1").usage == REPORT

    def test_the_query_is_no_part_of_a_path(self) -> None:
        tally = read("audio/mpeg", b"sound", "/audio/speech?api-version=2025", {"input": "four"}.get)
        assert tally.usage == {"characters": 4}

    @pytest.mark.parametrize("path", ["/files", "/files?purpose=x", "/openai/files/", "/uploads", "/uploads/1/parts"])
    def test_what_only_stores_a_file(self, path: str) -> None:
        assert stores(path)
        assert not stores("/files/1/process")
        assert not stores("/chat/completions")


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "gemini-2.5-flash"),
        ("/deployments/my%20own/chat/completions?api-version=2025-01-01", "my own"),
        ("/responses", ""),
        ("/models", ""),
    ],
)
def test_a_path_may_name_the_model(path: str, model: str) -> None:
    assert model_in(path) == model
