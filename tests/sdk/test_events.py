"""Server-sent events, however the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portkey_ai import _events
from portkey_ai._events import Event, Events

WHOLE = (
    b": a comment\n\n"
    b'data: {"a": 1}\n\n'
    b"event: error\r\ndata: one\r\ndata:two\r\n\r\n"
    b"id: 7\nretry: 10\ndata:  spaced\n\n"
    b"event: without data\n\n"
    b"data: gr\xc3\xb6\xc3\x9fe\xe2\x80\xa8still one line\r\r"
    b"data\n\n\n\n"
    b"data: [DONE]\n\n"
    b"data: unfinished\n"
)
FOUND = [
    Event("", '{"a": 1}'),
    Event("error", "one\ntwo"),
    Event("", " spaced"),
    Event("", "größe\u2028still one line"),
    Event("", "[DONE]"),
]


def fed(pieces: list[bytes]) -> list[Event]:
    events = Events()
    return [event for piece in pieces for event in events.feed(piece)]


def test_whole() -> None:
    assert fed([WHOLE]) == FOUND


def test_byte_by_byte() -> None:
    assert fed([bytes([byte]) for byte in WHOLE]) == FOUND


@given(some.lists(some.integers(0, len(WHOLE))))
def test_cut_anywhere(places: list[int]) -> None:
    edges = [0, *sorted(places), len(WHOLE)]
    assert fed([WHOLE[start:end] for start, end in pairwise(edges)]) == FOUND


@given(
    some.lists(some.text(some.characters(exclude_characters="\r\n"), min_size=1)),
    some.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_is_read(texts: list[str], end: str) -> None:
    written = "".join(f"data: {text}{end}{end}" for text in texts).encode("utf-8", "replace")
    assert [event.data for event in fed([written])] == [text.encode("utf-8", "replace").decode() for text in texts]


@given(some.binary(), some.binary())
def test_whatever_comes(one: bytes, other: bytes) -> None:
    assert fed([one, other]) == fed([one + other])


def test_an_event_is_there_as_soon_as_its_end_is() -> None:
    assert fed([b"data: a\r\r"]) == fed([b"data: a\n\n"]) == fed([b"data: a\r\n\r"]) == [Event("", "a")]


def test_events_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_events, "MAX_EVENT", 100)
    for pieces in ([b"data: " + b"x" * 100], [b"x" * 50, b"x" * 51], [b"data: x\n"] * 13):
        with pytest.raises(ValueError, match="more than 100 bytes"):
            fed(pieces)
    assert len(fed([b"data: 50\n\n"] * 50)) == 50
    assert fed([b":\n\n"] * 100 + [b"\n"] * 200) == []
