from collections.abc import Iterable

import pytest
from cuts import cut, sliced, told
from hypothesis import example, given
from hypothesis import strategies as st

from gatekey.errors import Nonsense
from gatekey.streaming import MAX_EVENT, ndjson
from gatekey.streaming.ndjson import Decoder
from gatekey.streaming.sse import Event


def decoded(pieces: Iterable[bytes]) -> list[Event]:
    return told(Decoder(), pieces)


WORDS = [
    *(b"{}", b'{"a": "b c"}', "é\u2028\x85".encode(), b"\v", b"\0", b"\xff"),
    *(b"\n", b"\r\n", b"\r", b" ", b"\t", b"\n\n"),
]
transcripts = st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), max_size=40).map(b"".join)
places = st.lists(st.integers(min_value=0, max_value=2**16), max_size=12)


@given(transcripts, places)
@example(b'{"a":1}\r\n\r\n{"b":2}', [8])
def test_lines_whatever_the_cuts(data: bytes, places: list[int]) -> None:
    stripped = [line.strip(b" \t\r") for line in data.split(b"\n")]
    expected = [Event(line) for line in stripped if line]
    assert decoded([data]) == expected
    assert decoded(sliced(data, 1)) == expected
    assert decoded(cut(data, places)) == expected


def test_a_line_is_given_with_its_last_byte() -> None:
    decoder = Decoder()
    assert decoder.feed(b'{"a"') == []
    assert decoder.feed(b":1}\r") == []
    assert decoder.feed(b"\n") == [Event(b'{"a":1}')]
    assert decoder.feed(b' \n\r\n{"b":2}\n{"c"') == [Event(b'{"b":2}')]
    assert decoder.feed(b":3}") == []
    assert decoder.close() == [Event(b'{"c":3}')]
    assert decoder.close() == []


@pytest.mark.parametrize("size", [16, 65536, 2**24])
def test_a_large_line_passes(size: int) -> None:
    """In anything but linear time this runs into the time-out of the tests."""
    data = b"x" * (8 * 1024 * 1024) + b"\n"
    assert [len(event.data) for event in decoded(sliced(data, size))] == [2**23]


@pytest.mark.parametrize(("unit", "expected"), [(b"\n", 0), (b"\r\n", 0), (b"1\n", 1)])
@pytest.mark.parametrize(("size", "total"), [(1, 2**17), (4096, 2**20), (2**24, 2**22)])
def test_much_of_little(unit: bytes, expected: int, size: int, total: int) -> None:
    """In anything but linear time this runs into the time-out of the tests."""
    times = total // len(unit)
    data = unit * times
    assert len(decoded(sliced(data, size))) == times * expected


@pytest.mark.parametrize("size", [65536, 2**25])
def test_the_largest_line_passes_and_one_byte_more_does_not(size: int) -> None:
    for end in (b"", b"\n"):
        for length in (MAX_EVENT, MAX_EVENT + 1):
            data = b"x" * length + end
            pieces = sliced(data, size)
            if length > MAX_EVENT:
                with pytest.raises(Nonsense, match="16 MB"):
                    decoded(pieces)
            else:
                assert [len(event.data) for event in decoded(pieces)] == [length]


def test_what_has_no_end_is_not_held() -> None:
    decoder = Decoder()
    fed = 0
    with pytest.raises(Nonsense):
        for _ in range(1000):
            decoder.feed(b"x" * 65536)
            fed += 65536
    assert fed <= MAX_EVENT


@given(transcripts, places, st.integers(1, 12))
def test_cuts_do_not_change_what_is_too_large(data: bytes, places: list[int], bound: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ndjson, "MAX_EVENT", bound)
        for pieces in ([data], sliced(data, 1), cut(data, places)):
            if max(map(len, data.split(b"\n"))) > bound:
                with pytest.raises(Nonsense):
                    decoded(pieces)
            else:
                decoded(pieces)
