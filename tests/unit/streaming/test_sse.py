import json
from collections.abc import Iterable

import pytest
from cuts import cut, sliced, told
from hypothesis import example, given
from hypothesis import strategies as st

from gatekey.errors import Nonsense
from gatekey.streaming import MAX_EVENT, sse
from gatekey.streaming.sse import Decoder, Event, encode, escape_separators

MARK = b"\xef\xbb\xbf"


def decoded(pieces: Iterable[bytes]) -> list[Event]:
    return told(Decoder(), pieces)


def lines_of(text: str) -> list[str]:
    """What stands before each line end, and what stands after the last."""
    lines, line, at = [], "", 0
    while at < len(text):
        if text[at] in "\r\n":
            lines.append(line)
            line = ""
            at += 2 if text[at : at + 2] == "\r\n" else 1
        else:
            line += text[at]
            at += 1
    return [*lines, line]


def standard(data: bytes) -> list[Event]:
    """Written from section 9.2.6 of the standard, with nothing but its lines and buffers.

    Latin-1 keeps the bytes apart, and they are put together again at the end.
    """
    events: list[Event] = []
    buffer = kind = ""

    def dispatch() -> None:
        nonlocal buffer, kind
        if buffer:
            content = buffer[:-1] if buffer[-1] == "\n" else buffer
            events.append(Event(content.encode("latin-1"), kind.encode("latin-1").decode("utf-8", "replace")))
        buffer = kind = ""

    def process(line: str) -> None:
        nonlocal buffer, kind
        if line[0] == ":":
            return
        field, value = line.split(":", 1) if ":" in line else (line, "")
        if value[:1] == " ":
            value = value[1:]
        if field == "event":
            kind = value
        elif field == "data":
            buffer += value + "\n"

    text = data.decode("latin-1")
    mark = MARK.decode("latin-1")
    *lines, last = lines_of(text[3:] if text.startswith(mark) else text)
    for line in lines:
        if line:
            process(line)
        else:
            dispatch()
    # Ours: the end of the input ends a line, and an event that has data.
    if last:
        process(last)
    if buffer != "\n":
        dispatch()
    return events


FIELDS = [
    *(b"data: ", b"data:", b"data", b"data: x", b"data:{}", b"event: ", b"event", b"event: x", b"id: ", b"id: \0"),
    *(b"retry: 1", b": ping", b":", b"data : ", b"Data: ", b"data: {}\n\n", b"event: x\ndata: {}\n\n"),
]
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\r"]
BITS = [b" ", b":", b"x", b"[DONE]", b"\0", MARK, MARK[:1], MARK[:2], "é€😀\u2028".encode(), b"\xff", b"\x85"]
parts = st.sampled_from(FIELDS) | st.sampled_from(ENDS) | st.sampled_from(BITS) | st.binary(max_size=4)
transcripts = st.lists(parts, max_size=40).map(b"".join)


@given(transcripts)
@example(b"data: a\n\n\ndata: b\n\n")
@example(b"data: a\n\n\n\n\ndata: b\n\n")
@example(b"\n\n\ndata: a\n\n")
@example(b"\r\ndata: a\r\n\r\n\r\ndata: b")
def test_reads_what_the_standard_says(data: bytes) -> None:
    assert decoded([data]) == standard(data)


@given(transcripts, st.lists(st.integers(min_value=0, max_value=2**16), max_size=12))
def test_cuts_change_nothing(data: bytes, places: list[int]) -> None:
    whole = decoded([data])
    assert decoded(sliced(data, 1)) == whole
    assert decoded(cut(data, places)) == whole


PLAIN = st.sampled_from([b"", b" ", b"{}", b"data: ", b"x:y", "é\u2028".encode(), b"[DONE]"])


@given(st.lists(PLAIN, min_size=1), transcripts)
def test_the_common_form_is_read_like_any_other(contents: list[bytes], rest: bytes) -> None:
    data = b"".join(b"data: %s\n\n" % content for content in contents) + rest
    assert decoded([data]) == standard(data)
    assert decoded([data])[: len(contents)] == [Event(content) for content in contents]


@pytest.mark.parametrize(
    ("transcript", "events"),
    [
        pytest.param(b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event(b"YHOO\n+2\n10")], id="three lines"),
        pytest.param(
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event",
            [Event(b"first event"), Event(b"second event"), Event(b" third event")],
            id="four blocks, the last of which we give although no blank line ends it",
        ),
        pytest.param(b"data\n\ndata\ndata\n\ndata:", [Event(b""), Event(b"\n")], id="no content"),
        pytest.param(b"data:test\n\ndata: test\n\n", [Event(b"test"), Event(b"test")], id="one space or none"),
        pytest.param(
            b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
            [Event(b"73857293", "add"), Event(b"2153", "remove"), Event(b"113411", "add")],
            id="types",
        ),
    ],
)
def test_examples_of_the_standard(transcript: bytes, events: list[Event]) -> None:
    assert decoded([transcript]) == events
    assert standard(transcript) == events


@pytest.mark.parametrize(
    ("transcript", "events"),
    [
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [Event(b"a"), Event(b"b")], id="CRLF"),
        pytest.param(b"data: a\r\ndata: b\r\n\r\n", [Event(b"a\nb")], id="CRLF between lines"),
        pytest.param(b"data: a\rdata: b\r\rdata: c\r\r", [Event(b"a\nb"), Event(b"c")], id="lone CR"),
        pytest.param(b"data: a\n\rdata: b\r\n\n", [Event(b"a"), Event(b"b")], id="mixed line ends"),
        pytest.param(b": one\n:two\n:\n\n: three\ndata: a\n: four\n\n", [Event(b"a")], id="comments"),
        pytest.param(MARK + b"data: a\n\n", [Event(b"a")], id="mark"),
        pytest.param(MARK * 2 + b"data: a\n\ndata: b\n\n", [Event(b"b")], id="only one mark"),
        pytest.param(b"data: a\n\n" + MARK + b"data: b\n\n", [Event(b"a")], id="mark elsewhere"),
        pytest.param(MARK[:2] + b"data: a\n\ndata: b\n\n", [Event(b"b")], id="part of a mark"),
        pytest.param(b"data:   a \n\n", [Event(b"  a ")], id="one space is removed"),
        pytest.param(b"data:\ta\n\n", [Event(b"\ta")], id="a tab stays"),
        pytest.param(b"data: a:b: c\n\n", [Event(b"a:b: c")], id="colons in data"),
        pytest.param(b"data: a\ndata\ndata:\ndata: b\n\n", [Event(b"a\n\n\nb")], id="no colon"),
        pytest.param(b"foo: 1\nid: 2\0\nretry: x\nDATA: y\n data: z\ndata: a\n\n", [Event(b"a")], id="unknown fields"),
        pytest.param(b"event: x\n\ndata: a\n\n", [Event(b"a")], id="a type without data is forgotten"),
        pytest.param(b"event: x\nid: 1\n\n", [], id="no data, no event"),
        pytest.param(b"event: x\nevent: y\ndata: a\n\n", [Event(b"a", "y")], id="the last type counts"),
        pytest.param(b"data: a\nevent\nevent:message\n\n", [Event(b"a", "message")], id="type after data"),
        pytest.param(b"event: \xffx\xe2\x82\ndata: \xff\n\n", [Event(b"\xff", "�x�")], id="not UTF-8"),
        pytest.param(
            "data: \u2028\u2029\x85\v\f\n\n".encode(), [Event("\u2028\u2029\x85\v\f".encode())], id="no line ends"
        ),
        pytest.param(b"data: a", [Event(b"a")], id="ended by the end"),
        pytest.param(b"event: x\ndata: a\n", [Event(b"a", "x")], id="ended by a line end"),
        pytest.param(b"data: a\r\n\r", [Event(b"a")], id="ended by CR"),
        pytest.param(b"data: a\n\ndata:\n", [Event(b"a")], id="nothing to end"),
        pytest.param(b"data: a\n\n: bye", [Event(b"a")], id="ended by a comment"),
        pytest.param(b"", [], id="nothing"),
        pytest.param(MARK[:2], [], id="nothing but part of a mark"),
    ],
)
def test_rules(transcript: bytes, events: list[Event]) -> None:
    assert decoded([transcript]) == events
    assert decoded(sliced(transcript, 1)) == events
    assert standard(transcript) == events


def test_an_event_is_given_with_its_last_byte() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [Event(b"a")]
    assert decoder.feed(b"data: b\r\n") == []
    assert decoder.feed(b"\r") == [Event(b"b")]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: c\n\ndata: d") == [Event(b"c")]
    assert decoder.close() == [Event(b"d")]
    assert decoder.close() == []


@pytest.mark.parametrize(
    ("pieces", "events"),
    [
        ([b"data: a\r", b"\ndata: b\n\n"], [Event(b"a\nb")]),
        ([b"data: a\r", b"", b"\ndata: b\n\n"], [Event(b"a\nb")]),
        ([b"data: a\r", b"\n\ndata: b\n\n"], [Event(b"a"), Event(b"b")]),
        ([b"data: a\r", b"\r", b"\n", b"data: b\n\n"], [Event(b"a"), Event(b"b")]),
        ([MARK[:1], b"", MARK[1:], b"data: a\n\n"], [Event(b"a")]),
    ],
)
def test_awkward_cuts(pieces: list[bytes], events: list[Event]) -> None:
    assert decoded(pieces) == events
    assert standard(b"".join(pieces)) == events


def test_an_event_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Event(b"a").data = b"b"  # type: ignore[misc]


@pytest.mark.parametrize("size", [16, 65536, 2**24])
@pytest.mark.parametrize("head", [b"data: ", b"event: x\ndata:"])
def test_a_large_event_passes(head: bytes, size: int) -> None:
    """In anything but linear time this runs into the time-out of the tests."""
    content = b"x" * (8 * 1024 * 1024)
    data = head + content + b"\n\n"
    events = decoded(sliced(data, size))
    assert [event.data for event in events] == [content]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (b"\r", 0),
        (b"\n", 0),
        (b"\r\n", 0),
        (b": ping\r\n\r\n", 0),
        (b"data:\n\n", 1),
        (b"data: x\r\r", 1),
    ],
)
@pytest.mark.parametrize(("size", "total"), [(1, 2**17), (4096, 2**20), (2**24, 2**22)])
def test_much_of_little(unit: bytes, expected: int, size: int, total: int) -> None:
    """In anything but linear time this runs into the time-out of the tests."""
    times = total // len(unit)
    data = unit * times
    assert len(decoded(sliced(data, size))) == times * expected


@pytest.mark.parametrize("line", [b"data\n", b"\ndata", b"data\r", b"\rdata"])
def test_many_lines_in_one_event(line: bytes) -> None:
    """In anything but linear time this runs into the time-out of the tests."""
    assert decoded([line] * 500_000) == [Event(b"\n" * 499_999)]


@pytest.mark.parametrize("size", [65536, 2**25])
def test_the_largest_event_passes_and_one_byte_more_does_not(size: int) -> None:
    data = b"data: " + b"x" * (MAX_EVENT - 6)
    for end in (b"", b"\n", b"\n\n", b"\r\n\r\n"):
        for more in (0, 1):
            given = data + b"x" * more + end
            pieces = sliced(given, size)
            if more:
                with pytest.raises(Nonsense, match="16 MB"):
                    decoded(pieces)
            else:
                assert [len(event.data) for event in decoded(pieces)] == [MAX_EVENT - 6]


def test_what_has_no_end_is_not_held() -> None:
    decoder = Decoder()
    fed = 0
    with pytest.raises(Nonsense):
        for _ in range(1000):
            decoder.feed(b": " + b"x" * 65534)
            fed += 65536
    assert fed <= MAX_EVENT


@given(transcripts, st.lists(st.integers(min_value=0, max_value=2**16), max_size=12), st.integers(1, 20))
def test_cuts_do_not_change_what_is_too_large(data: bytes, places: list[int], bound: int) -> None:
    def outcome(pieces: list[bytes]) -> list[Event] | None:
        try:
            return decoded(pieces)
        except Nonsense:
            return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sse, "MAX_EVENT", bound)
        whole = outcome([data])
        assert outcome(sliced(data, 1)) == whole
        assert outcome(cut(data, places)) == whole
    assert whole in (None, standard(data))


@given(st.binary(), st.text())
@example(b"a\r\nb\rc\nd\n", "")
@example(b" a\n b", "x")
@example(b"", "")
def test_what_is_written_is_read_back(data: bytes, name: str) -> None:
    name = name.replace("\r", "").replace("\n", "")
    unified = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert decoded([encode(data, name) * 2]) == [Event(unified, name)] * 2


def test_frames() -> None:
    assert encode(b"{}") == b"data: {}\n\n"
    assert encode(b"a\nb", "error") == b"event: error\ndata: a\ndata: b\n\n"


@pytest.mark.parametrize("name", ["a\ndata: b", "a\r", "\n"])
def test_a_name_starts_no_field(name: str) -> None:
    with pytest.raises(ValueError, match="line end"):
        encode(b"{}", name)


SEPARATORS = "\u2028\u2029\x85\v\f"
json_values = st.recursive(
    st.none() | st.integers() | st.text() | st.text(alphabet=SEPARATORS + '\\"a€\u2027\u202a\x84é\u00c2'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet=SEPARATORS + "a\\"), inner),
)


@given(json_values)
def test_escapes_keep_the_value(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    escaped = escape_separators(text)
    assert json.loads(escaped.decode()) == value
    assert not any(separator in escaped.decode() for separator in SEPARATORS)


@pytest.mark.parametrize(
    ("data", "escaped"),
    [
        ("\u2028", rb"\u2028"),
        ("\u2029", rb"\u2029"),
        ("\x85", rb"\u0085"),
        ("\v", rb"\u000b"),
        ("\f", rb"\u000c"),
        ("a\u2028\x85\vé", rb"a\u2028\u0085\u000b" + "é".encode()),
        ("\u2027\u202a\x84\x86Å€\t\n", "\u2027\u202a\x84\x86Å€\t\n".encode()),
    ],
)
def test_escapes(data: str, escaped: bytes) -> None:
    assert escape_separators(data.encode()) == escaped


@pytest.mark.parametrize("data", [b'{"a":"b"}', '{"a":"é€😀–"}'.encode(), b""])
def test_nothing_to_escape_is_the_same_object(data: bytes) -> None:
    assert escape_separators(data) is data
