"""Small words to declare a JSON language in: each says what it expects, reads a value, and has a JSON Schema.

A Field reads kept JSON, so that parts which are passed on keep their digits. It knows nothing of gateways.
Errors are `BadConfig` with the path first (`targets[1].retry.attempts: expected ...`). The value is shown only if
it is a scalar, and never below a key that may hold a credential.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from gatekey.errors import BadConfig

T = TypeVar("T")
Schema = dict[str, Any]
Read = Callable[[Raw, str], T]

SHOWN = 60
"""Characters of a value or key that a message repeats."""

_object = msgspec.json.Decoder(dict[str, Raw])
_list = msgspec.json.Decoder(list[Raw])
_private = re.compile(r"key|secret|token|passw|credential|service_?account|authori[sz]ation", re.IGNORECASE)
_hump = re.compile(r"(?<=[a-z0-9])[A-Z]")
_control = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """`says` completes the sentence "expected ..."."""

    says: str
    read: Read[T]
    schema: Schema


def bad(path: str, text: str) -> BadConfig:
    """An error at `path`; the root is called `config`."""
    return BadConfig(f"{path or 'config'}: {text}", param=path or None)


def unexpected(says: str, kept: Raw, path: str) -> BadConfig:
    """The error for a value that is not what was expected."""
    if _private.search(path):
        return bad(path, f"expected {says}")
    text = bytes(kept).decode("utf-8", "replace")
    got = {"{": "an object", "[": "a list"}.get(text[:1]) or (text if len(text) <= SHOWN else text[:SHOWN] + "...")
    return bad(path, f"expected {says}, got {got}")


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing where no known word is near."""
    near = get_close_matches(word[:SHOWN], list(known), 1)
    return f'; did you mean "{near[0]}"?' if near else ""


def snake(key: str) -> str:
    """`requestTimeout` as `request_timeout`."""
    return _hump.sub(lambda hump: "_" + hump[0], key).lower()


def _decoded(kept: Raw) -> Any:
    return msgspec.json.decode(kept)


def _checked(says: str, schema: Schema, check: Callable[[Any], bool]) -> Field[Any]:
    def read(kept: Raw, path: str) -> Any:
        value = _decoded(kept)
        if not check(value):
            raise unexpected(says, kept, path)
        return value

    return Field(says, read, schema)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer(low: int, high: int) -> Field[int]:
    """A whole number, also written `3.0`."""
    says = f"an integer from {low} to {high}"

    def read(kept: Raw, path: str) -> int:
        value = _decoded(kept)
        if not _is_number(value) or value != int(value) or not low <= value <= high:
            raise unexpected(says, kept, path)
        return int(value)

    return Field(says, read, {"type": "integer", "minimum": low, "maximum": high})


def number(low: float, high: float) -> Field[float]:
    """A finite number."""
    schema = {"type": "number", "minimum": low, "maximum": high}
    return _checked(f"a number from {low:g} to {high:g}", schema, lambda it: _is_number(it) and low <= it <= high)


def text(low: int = 1, high: int = 65_536) -> Field[str]:
    """A text on one line: a line break, or any control character, could split a header."""
    says = "a text without control characters" if low == 0 else "a text, not empty, without control characters"
    schema = {"type": "string", "minLength": low, "maxLength": high}

    def check(value: Any) -> bool:
        return isinstance(value, str) and low <= len(value) <= high and _control.search(value) is None

    return _checked(says, schema, check)


def boolean() -> Field[bool]:
    """true or false, also as texts in any letter case."""
    spellings = {"true": True, "false": False}

    def read(kept: Raw, path: str) -> bool:
        value = _decoded(kept)
        found = value if isinstance(value, bool) else spellings.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise unexpected("true or false", kept, path)
        return found

    pattern = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"
    return Field("true or false", read, {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": pattern}]})


def one_of(*words: str) -> Field[str]:
    """One of some words."""
    says = "one of " + ", ".join(f'"{word}"' for word in words)
    return _checked(says, {"enum": list(words)}, lambda value: isinstance(value, str) and value in words)


def anything() -> Field[Raw]:
    """Any JSON, kept as it came."""
    return Field("a value", lambda kept, path: kept, {})


def any_object() -> Field[Raw]:
    """Any JSON object, kept as it came."""

    def read(kept: Raw, path: str) -> Raw:
        members(kept, path)
        return kept

    return Field("an object", read, {"type": "object"})


def items(kept: Raw, path: str, says: str = "a list") -> list[Raw]:
    """The items of a list."""
    try:
        return _list.decode(kept)
    except msgspec.ValidationError:
        raise unexpected(says, kept, path) from None


def members(kept: Raw, path: str) -> dict[str, Raw]:
    """The members of an object; of repeated keys the last."""
    try:
        return _object.decode(kept)
    except msgspec.ValidationError:
        raise unexpected("an object", kept, path) from None


def list_of(item: Field[T], low: int = 0) -> Field[tuple[T, ...]]:
    """A list of at least `low` items."""

    def read(kept: Raw, path: str) -> tuple[T, ...]:
        found = items(kept, path)
        if len(found) < low:
            raise bad(path, f"expected at least {low} item{'s' if low > 1 else ''}")
        return tuple(item.read(one, f"{path}[{index}]") for index, one in enumerate(found))

    return Field("a list", read, {"type": "array", "items": item.schema, "minItems": low})


def map_of(item: Field[T]) -> Field[dict[str, T]]:
    """An object whose keys are the caller's own."""

    def read(kept: Raw, path: str) -> dict[str, T]:
        return {key: item.read(one, f"{path}.{key}") for key, one in members(kept, path).items()}

    return Field("an object", read, {"type": "object", "additionalProperties": item.schema})


def either(says: str, *fields: Field[Any], form: Callable[[Raw], int]) -> Field[Any]:
    """One of several forms; `form` gives the index of the one that the value has by its looks, or -1."""

    def read(kept: Raw, path: str) -> Any:
        index = form(kept)
        if index < 0:
            raise unexpected(says, kept, path)
        return fields[index].read(kept, path)

    return Field(says, read, {"anyOf": [field.schema for field in fields]})


def by_first(starts: str) -> Callable[[Raw], int]:
    """A `form` told by the first character: `by_first('"{')` is 0 for a text, 1 for an object."""
    return lambda kept: starts.find(chr(memoryview(kept)[0]))


def then(field: Field[Any], convert: Callable[[Any, str], T]) -> Field[T]:
    """A field whose value is converted, or refused, by a function of value and path."""
    return Field(field.says, lambda kept, path: convert(field.read(kept, path), path), field.schema)


def sort(
    kept: Raw, path: str, known: Collection[str], also: Mapping[str, str]
) -> tuple[dict[str, tuple[str, Raw]], dict[str, Raw]]:
    """Split an object into known keys, as (path, value) by canonical name, and the rest as written.

    camelCase and the spellings of `also` are the same key; null is absent. Raises `BadConfig` for a key given twice.
    """
    found: dict[str, tuple[str, Raw]] = {}
    rest: dict[str, Raw] = {}
    for key, value in members(kept, path).items():
        if bytes(value) == b"null":
            continue
        name = snake(key)
        name = also.get(name, name)
        if name not in known:
            rest[key] = value
        elif name in found:
            raise bad(below(path, key), f"given twice, also as {found[name][0]}")
        else:
            found[name] = (below(path, key), value)
    return found, rest


def below(path: str, key: str) -> str:
    """The path of a member; an overlong key is cut."""
    key = key if len(key) <= SHOWN else key[:SHOWN] + "..."
    return f"{path}.{key}" if path else key


def struct(
    fields: Mapping[str, Field[Any]],
    *,
    required: Collection[str] = (),
    also: Mapping[str, str] | None = None,
    others: Field[Any] | None = None,
) -> Field[dict[str, Any]]:
    """An object with declared keys. `also` maps other spellings; `others` reads undeclared keys, else refused."""
    spellings = also or {}

    def read(kept: Raw, path: str) -> dict[str, Any]:
        found, rest = sort(kept, path, fields, spellings)
        for key, value in rest.items():
            if others is None:
                raise bad(below(path, key), "unknown key" + nearest(key, fields))
            others.read(value, below(path, key))
        for name in required:
            if name not in found:
                raise bad(below(path, name), f"missing; expected {fields[name].says}")
        return {name: fields[name].read(value, place) for name, (place, value) in found.items()}

    properties = {name: field.schema for name, field in fields.items()}
    properties |= {spelling: fields[name].schema for spelling, name in spellings.items()}
    schema: Schema = {"type": "object", "properties": properties}
    schema["additionalProperties"] = False if others is None else others.schema
    if required:
        schema["required"] = sorted(required)
    return Field("an object", read, schema)
