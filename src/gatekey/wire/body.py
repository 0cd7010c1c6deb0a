"""A JSON body whose top-level values are kept as they came.

Order, nulls, big numbers and the digits of floats survive; of repeated keys the last counts and is the only
one sent on (else gateway and provider may read different ones). Values are decoded one by one, when asked for.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from gatekey.errors import BadJson

MAX_DEPTH = 200
"""Nesting above which a body is refused: some provider's parser, or ours, would overflow its stack."""

Json = dict[str, Raw]

_decoder = msgspec.json.Decoder(Json)
_items = msgspec.json.Decoder(list[Raw])
_not_brackets = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)
_path_step = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]")

NULL = Raw(b"null")


def decode(data: bytes) -> Json:
    """The top level of a JSON object. Raises `BadJson`, which says where."""
    if not data:
        raise BadJson("The request body is empty: send a JSON object.")
    try:
        str(data, "utf-8")
        body = _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise BadJson(f"The request body is not UTF-8 (byte {error.start}).") from None
    except msgspec.ValidationError as error:
        raise BadJson(f"The request body must be a JSON object. {error}") from None
    except msgspec.DecodeError as error:
        raise BadJson(f"The request body is not valid JSON. {error}") from None
    except RecursionError:
        raise BadJson(f"The request body is nested deeper than {MAX_DEPTH}.") from None
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise BadJson(f"The request body is nested deeper than {MAX_DEPTH}.")
    return body


def _depth(data: bytes) -> int:
    deepest = depth = 0
    for bracket in _not_brackets.sub(b"", data):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def encode(body: Mapping[str, Any]) -> bytes:
    """The body as bytes, each kept value as it came."""
    return msgspec.json.encode(body)


def raw(value: Any) -> Raw:
    """A value as kept JSON."""
    return Raw(msgspec.json.encode(value))


def value(body: Mapping[str, Raw], key: str) -> Any:
    """The decoded value at `key`; None where it is absent or null."""
    kept = body.get(key)
    return None if kept is None else _decoded(key, kept)


def values(body: Mapping[str, Raw]) -> dict[str, Any]:
    """Every value decoded, nulls left out: what a translation reads. Numbers become Python's."""
    decoded = {key: _decoded(key, kept) for key, kept in body.items()}
    return {key: item for key, item in decoded.items() if item is not None}


def _decoded(key: str, kept: Raw) -> Any:
    # Kept values have been skipped over, which misses numbers out of range and half a surrogate pair.
    try:
        return msgspec.json.decode(kept)
    except msgspec.DecodeError as error:
        raise BadJson(f"`{key}` cannot be read. {error}", param=key) from None


def merge(body: Json, *, default: Mapping[str, Raw], override: Mapping[str, Raw], drop: Iterable[str]) -> Json:
    """A new body: `default` fills what is missing, `override` overwrites, `drop` removes paths, in this order."""
    merged = {**body, **override}
    for key, kept in default.items():
        merged.setdefault(key, kept)
    for path in drop:
        remove(merged, path)
    return merged


def remove(body: Json, path: str) -> None:
    """Remove `key`, `a.b`, `a[0].b` or `a[*].b`; a path that is not there is ignored."""
    steps = [name or int(index) if index != "*" else None for name, index in _path_step.findall(path)]
    if not steps or not isinstance(steps[0], str) or steps[0] not in body:
        return
    if len(steps) == 1:
        del body[steps[0]]
    else:
        body[steps[0]] = _without(body[steps[0]], steps[1:])


def _without(kept: Raw, steps: list[str | int | None]) -> Raw:
    step, rest = steps[0], steps[1:]
    try:
        if isinstance(step, str):
            inner = _decoder.decode(kept)
            if step not in inner:
                return kept
            if rest:
                inner[step] = _without(inner[step], rest)
            else:
                del inner[step]
            return Raw(msgspec.json.encode(inner))
        items = _items.decode(kept)
    except msgspec.ValidationError:
        return kept
    chosen = range(len(items)) if step is None else range(step, min(step + 1, len(items)))
    if rest:
        for index in chosen:
            items[index] = _without(items[index], rest)
    else:
        items = [item for index, item in enumerate(items) if index not in chosen]
    return Raw(msgspec.json.encode(items))
