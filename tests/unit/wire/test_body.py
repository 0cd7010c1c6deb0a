import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.errors import BadJson
from gatekey.wire import body
from gatekey.wire.body import MAX_DEPTH, Json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def merged(text: str, **settings: Any) -> Any:
    """The body `text` after merging; settings are written as JSON text, `drop` as a list."""
    default, override = (body.decode(settings.get(name, "{}").encode()) for name in ("default", "override"))
    done = body.merge(body.decode(text.encode()), default=default, override=override, drop=settings.get("drop", ()))
    return body.encode(done).decode()


@given(st.dictionaries(st.text(), anything))
def test_what_is_decoded_and_encoded_says_the_same(value: dict[str, Any]) -> None:
    encoded = body.encode(body.decode(json.dumps(value).encode()))
    assert json.loads(encoded) == value
    assert list(json.loads(encoded)) == list(value)


@given(
    st.integers(min_value=-(10**40), max_value=10**40),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})\.[0-9]{1,25}", fullmatch=True),
)
def test_digits_survive(integer: int, decimal: str) -> None:
    text = f'{{"seed":{integer},"temperature":{decimal},"deep":[{decimal}]}}'
    assert body.encode(body.decode(text.encode())).decode() == text


def test_order_nulls_and_unknown_fields_survive() -> None:
    text = b'{"z":null,"a":[1,  2],"model":"m","\\u006eew":{"b":1,"a":1e2},"seed":1152921504606846976}'
    kept = body.encode(body.decode(text))
    assert kept == text.replace(b"\\u006eew", b"new")


def test_of_repeated_keys_only_the_last_is_sent() -> None:
    assert body.encode(body.decode(b'{"model":"a","n":1,"model":"b"}')) == b'{"model":"b","n":1}'


def test_a_key_spelled_with_an_escape_is_the_same_key() -> None:
    assert body.encode(body.decode(b'{"mod\\u0065l":"a","model":"b"}')) == b'{"model":"b"}'


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'"text"', "object"),
        (b'{"a": }', "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": 1} x', "not valid JSON"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"a": NaN}', "not valid JSON"),
    ],
)
def test_what_is_no_json_object_is_refused_and_said(data: bytes, word: str) -> None:
    with pytest.raises(BadJson, match=word):
        body.decode(data)


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


def test_depth_is_bounded() -> None:
    body.decode(nested(MAX_DEPTH))
    for data in (
        nested(MAX_DEPTH + 1),
        nested(MAX_DEPTH + 1, b'{"b":', b"}"),
        nested(1_000_000),
    ):
        with pytest.raises(BadJson, match=f"deeper than {MAX_DEPTH}"):
            body.decode(data)


def test_brackets_in_strings_and_wide_bodies_are_not_deep() -> None:
    wide = {"messages": [{"content": "[{" * 500 + '\\"[['}] * 300}
    body.decode(json.dumps(wide).encode())


def test_value_and_values() -> None:
    decoded = body.decode(b'{"a":{"b":[1]},"none":null,"x":false}')
    assert body.value(decoded, "a") == {"b": [1]}
    assert body.value(decoded, "none") is None
    assert body.value(decoded, "missing") is None
    assert body.values(decoded) == {"a": {"b": [1]}, "x": False}


def test_raw_is_kept_json() -> None:
    body_with: Json = {"a": body.raw({"b": "é"}), "n": body.NULL}
    assert body.encode(body_with) == '{"a":{"b":"é"},"n":null}'.encode()


def test_default_then_override_then_drop() -> None:
    assert (
        merged(
            '{"model":"m","temperature":1,"top_p":null}',
            default='{"temperature":0,"top_p":0.5,"max_tokens":5,"seed":1152921504606846976}',
            override='{"model":"other","temperature":0.70}',
            drop=["max_tokens"],
        )
        == '{"model":"other","temperature":0.70,"top_p":null,"seed":1152921504606846976}'
    )


def test_override_counts_over_default_and_drop_over_both() -> None:
    assert merged("{}", default='{"a":1,"b":1}', override='{"a":2,"b":2}', drop=["b"]) == '{"a":2}'


def test_merging_leaves_its_arguments_as_they_were() -> None:
    given_body = body.decode(b'{"a":{"b":1,"c":2}}')
    body.merge(given_body, default={}, override={}, drop=["a.b"])
    assert body.encode(given_body) == b'{"a":{"b":1,"c":2}}'


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("a", '{"l":[{"x":1,"y":2},{"x":3}],"n":null}'),
        ("a.b", '{"a":{"c":{"d":1.50}},"l":[{"x":1,"y":2},{"x":3}],"n":null}'),
        ("a.c.d", '{"a":{"b":1,"c":{}},"l":[{"x":1,"y":2},{"x":3}],"n":null}'),
        ("l[0].x", '{"a":{"b":1,"c":{"d":1.50}},"l":[{"y":2},{"x":3}],"n":null}'),
        ("l[*].x", '{"a":{"b":1,"c":{"d":1.50}},"l":[{"y":2},{}],"n":null}'),
        ("l[1]", '{"a":{"b":1,"c":{"d":1.50}},"l":[{"x":1,"y":2}],"n":null}'),
        ("l[*]", '{"a":{"b":1,"c":{"d":1.50}},"l":[],"n":null}'),
        ("n", '{"a":{"b":1,"c":{"d":1.50}},"l":[{"x":1,"y":2},{"x":3}]}'),
    ],
)
def test_a_dropped_path_goes_and_the_rest_stays(path: str, left: str) -> None:
    whole = '{"a":{"b":1,"c":{"d":1.50}},"l":[{"x":1,"y":2},{"x":3}],"n":null}'
    assert merged(whole, drop=[path]) == left


@pytest.mark.parametrize("path", ["zz", "a.zz", "a[0]", "l.x", "l[9]", "l[9].x", "n.x", "", "[0]", "a.b.c"])
def test_a_path_that_is_not_there_is_ignored(path: str) -> None:
    whole = '{"a":{"b":1},"l":[{"x":1}],"n":null}'
    assert merged(whole, drop=[path]) == whole
