"""Looking into answers of our dialect without decoding what is only passed on."""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct

from gatekey.errors import Nonsense
from gatekey.wire.body import raw

T = TypeVar("T")


class _Part(Struct):
    """What a choice holds: any of it that is not empty is content."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None
    function_call: Any = None
    audio: Any = None
    refusal: Any = None
    images: Any = None


class End(Struct):
    """What says whether a choice has ended, and how."""

    index: Any = 0
    finish_reason: Any = None
    error: Any = None


class _Choice(End):
    delta: _Part | None = None
    text: Any = None


class Opening(Struct):
    """A chunk, looked into for its first content."""

    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None

    def has_content(self) -> bool:
        """Whether the caller would see something of it."""
        for choice in self.choices or ():
            part = choice.delta
            if choice.finish_reason or choice.text:
                return True
            if part and (
                part.content
                or part.reasoning_content
                or part.reasoning
                or part.tool_calls
                or part.function_call
                or part.audio
                or part.refusal
                or part.images
            ):
                return True
        return False


class Going(Struct):
    """A chunk, looked into for its end, its usage and an error: all that matters after the first content."""

    choices: list[End] | None = None
    usage: Any = None
    error: Any = None


class Whole(Struct):
    """An unstreamed answer."""

    model: Any = UNSET
    choices: list[End] | None = None
    usage: Any = None
    error: Any = None


_opening = msgspec.json.Decoder(Opening)
_going = msgspec.json.Decoder(Going)
_any = msgspec.json.Decoder()
_whole = msgspec.json.Decoder(Whole)
_object = msgspec.json.Decoder(dict[str, Raw])
_choices = msgspec.json.Decoder(list[dict[str, Raw]] | None)


def opening(data: bytes) -> Opening:
    """Raises `Nonsense`."""
    return _read(_opening, data)


def going(data: bytes) -> Going:
    """Raises `Nonsense`."""
    return _read(_going, data)


def whole(data: bytes) -> Whole:
    """Raises `Nonsense`."""
    return _read(_whole, data)


def any_value(data: bytes) -> Any:
    """Any JSON, decoded. Raises `Nonsense`."""
    return _read(_any, data)


def fields(data: bytes) -> dict[str, Any]:
    """A JSON object, decoded. Raises `Nonsense`."""
    decoded = any_value(data)
    if not isinstance(decoded, dict):
        raise Nonsense("The provider's answer is not a JSON object.")
    return decoded


def _read(decoder: "msgspec.json.Decoder[T]", data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Nonsense("The provider's answer is not the JSON that was expected.") from None


def with_finish_reasons(data: bytes, finish: dict[bytes, str]) -> bytes:
    """The answer with the provider's own finish reasons replaced by ours; untouched where it has none of them.

    `finish`: their reason as JSON (`b'"eos"'`) to ours. Raises `Nonsense`.
    """
    if not any(needle in data for needle in finish):
        return data
    body = _read(_object, data)
    choices = _read(_choices, body["choices"]) if "choices" in body else None
    if not choices:
        return data
    for choice in choices:
        ours = finish.get(bytes(choice.get("finish_reason", b"")))
        if ours is not None:
            choice["finish_reason"] = raw(ours)
    return msgspec.json.encode({**body, "choices": choices})


def with_model(data: bytes, model: str) -> bytes:
    """The answer with `model` filled in."""
    return msgspec.json.encode({**_object.decode(data), "model": model})
