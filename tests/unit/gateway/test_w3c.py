"""W3C trace context and baggage: what is well formed is read, and nothing else ever gets in the way."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gatekey.gateway import w3c
from gatekey.gateway.headers import MAX_METADATA_VALUE, read

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"

hexes = some.text("0123456789abcdef")


@pytest.mark.parametrize(
    "value",
    [PARENT, f" {PARENT}\t", f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-comes-later"],
)
def test_a_parent(value: str) -> None:
    assert w3c.parent(value) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "value",
    [
        *("", "00", PARENT.upper(), PARENT[:-1], PARENT[1:]),
        *(f"{PARENT}-", f"{PARENT}-more", f"{PARENT}.", f"{PARENT}\n"),
        *(f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-0g"),
        *(f"01-{TRACE}-{SPAN}-01.more", PARENT.replace("-", "_"), f"00-{TRACE}-{SPAN}-٠١", f"{PARENT},{PARENT}"),
    ],
)
def test_what_is_no_parent(value: str) -> None:
    assert w3c.parent(value) is None


@given(some.one_of(some.text(), some.builds("-".join, some.lists(hexes, max_size=6))))
def test_a_parent_has_ids_of_their_length_or_is_none(value: str) -> None:
    found = w3c.parent(value)
    assert found is None or [len(part) for part in found] == [32, 16]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 ;prop=x;y , b=%C3%BC%2C", {"a": "1", "b": "ü,"}),
        ("a=b=c", {"a": "b=c"}),
        ("a,=1,;,b c=1,ü=1,ok=", {"ok": ""}),
        ("a=1,a=2", {"a": "2"}),
        ("a=%zz%", {"a": "%zz%"}),
        ("", {}),
    ],
)
def test_baggage(value: str, found: dict[str, str]) -> None:
    assert w3c.baggage(value) == found


def test_baggage_is_bounded() -> None:
    assert len(w3c.baggage(",".join(f"k{number}=v" for number in range(1000)))) == w3c.MAX_MEMBERS
    assert w3c.baggage("a=" + "x" * 1000)["a"] == "x" * MAX_METADATA_VALUE == "x" * w3c.MAX_VALUE
    assert w3c.baggage("a=1,b=" + "x" * 100_000 + ",c=1") == {"a": "1"}


@given(some.text())
def test_any_baggage_is_metadata(value: str) -> None:
    for key, text in w3c.baggage(value).items():
        assert key and len(text) <= MAX_METADATA_VALUE


@given(some.dictionaries(some.from_regex(r"[a-z.-]{1,20}", fullmatch=True), some.text(max_size=20), max_size=20))
def test_baggage_comes_back(pairs: dict[str, str]) -> None:
    assert w3c.baggage(",".join(f"{key}={quote(text)}" for key, text in pairs.items())) == pairs


@given(some.lists(some.tuples(some.sampled_from([b"traceparent", b"baggage", b"x-portkey-trace-id"]), some.binary())))
def test_no_bytes_in_these_headers_are_an_error(raw: list[tuple[bytes, bytes]]) -> None:
    read(raw)


def test_the_gateways_own_headers_come_first() -> None:
    raw = [(b"traceparent", PARENT.encode()), (b"baggage", b"a=1,b=1")]
    options = read(raw).options
    assert (options.trace_id, options.parent_span_id, options.traced) == (TRACE, SPAN, True)
    assert options.metadata == {"a": "1", "b": "1"}
    ours = [
        (b"x-portkey-trace-id", b"mine"),
        (b"x-portkey-parent-span-id", b"above"),
        (b"x-portkey-metadata", b'{"b": "2"}'),
    ]
    options = read([*ours, *raw]).options
    assert (options.trace_id, options.parent_span_id) == ("mine", "above")
    assert options.metadata == {"a": "1", "b": "2"}


def test_two_parents_are_none_and_baggage_may_come_in_parts() -> None:
    raw = [(b"traceparent", PARENT.encode()), (b"baggage", b"a=1"), (b"baggage", b"b=1")]
    options = read([*raw, raw[0]]).options
    assert (options.trace_id, options.traced, options.metadata) == ("", False, {"a": "1", "b": "1"})


def test_a_span_is_opened_unless_the_caller_names_it() -> None:
    options = read([(b"traceparent", PARENT.encode())]).options
    options.open_span("POST /v1/x", "ab" * 8)
    assert (options.span_name, options.span_id) == ("POST /v1/x", "ab" * 8)
    named = [(b"x-portkey-span-id", b"s"), (b"x-portkey-span-name", b"n")]
    options = read([*named, (b"traceparent", PARENT.encode())]).options
    options.open_span("POST /v1/x", "ab" * 8)
    assert (options.span_name, options.span_id) == ("n", "s")
