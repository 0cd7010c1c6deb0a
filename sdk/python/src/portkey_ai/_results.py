"""What calls return: JSON objects that are dicts with attributes.

    response.choices[0].message.content == response["choices"][0]["message"]["content"]

Nothing is checked and nothing is lost: fields that a class does not name are there too. A field that it names and that
did not come is None. Names of a dict's own methods (`items`, `get`) are read with brackets.
"""

import json
from functools import lru_cache
from typing import Any, Self, TypeVar, get_args, get_type_hints

from portkey_ai._options import PREFIX, meant

R = TypeVar("R", bound="Result")


class Result(dict[str, Any]):
    """A JSON object."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            pass
        known = _fields(type(self))
        if name in known:
            return None
        nearest = "" if name.startswith("_") else meant(name, [*self, *known])
        told = f"{type(self).__name__} has no field {name!r}. {nearest}".rstrip()
        raise AttributeError(told, name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}.", name=name, obj=self) from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def __str__(self) -> str:
        return self.model_dump_json(indent=2)

    def get_headers(self) -> dict[str, str]:
        """The gateway's response headers, without their prefix: `trace-id`, `provider`, `cache-status` and others."""
        return told(self.__dict__.get("headers", {}))

    def model_dump(self) -> dict[str, Any]:
        """Plain dicts, all the way down."""
        plain: dict[str, Any] = json.loads(json.dumps(self))
        return plain

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The JSON."""
        return json.dumps(self, indent=indent, ensure_ascii=False)

    def _with(self, headers: dict[str, str]) -> Self:
        self.__dict__["headers"] = headers
        return self


class Content(bytes):
    """A file or a sound."""

    _headers: dict[str, str]

    @property
    def content(self) -> bytes:
        """The bytes."""
        return bytes(self)

    @property
    def text(self) -> str:
        """The bytes as text in UTF-8."""
        return self.decode()

    def read(self) -> bytes:
        """The bytes."""
        return bytes(self)

    def write_to_file(self, path: Any) -> None:
        """Write a file of these bytes."""
        with open(path, "wb") as file:  # noqa: PTH123 (pathlib costs more than the rest of the import)
            file.write(self)

    def get_headers(self) -> dict[str, str]:
        """The gateway's response headers, without their prefix."""
        return told(self._headers)

    def _with(self, headers: dict[str, str]) -> Self:
        self._headers = headers
        return self


def told(headers: dict[str, str]) -> dict[str, str]:
    """The gateway's own of these headers, without their prefix."""
    return {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}


def loads(data: bytes | str, kind: type[R]) -> Any:
    """JSON with results for objects; the outermost is a `kind`, and those below it what `kind` says."""
    value = json.loads(data, object_hook=Result)
    return typed(value, kind) if isinstance(value, Result) else value


def typed(value: R | Result, kind: type[R]) -> R:
    """The object itself, now a `kind`: its class is exchanged, so that nothing is copied."""
    object.__setattr__(value, "__class__", kind)
    for name, inner in _inner(kind):
        found = value.get(name)
        if isinstance(found, Result):
            typed(found, inner)
        elif isinstance(found, list):
            for item in found:
                if isinstance(item, Result):
                    typed(item, inner)
    return value  # type: ignore[return-value]


@lru_cache(None)
def _fields(kind: type[Result]) -> frozenset[str]:
    """The fields that a class names."""
    return frozenset(name for base in kind.__mro__ for name in getattr(base, "__annotations__", ()))


@lru_cache(None)
def _inner(kind: type[Result]) -> tuple[tuple[str, type[Result]], ...]:
    """The fields of a class that hold results (`Choice`, `list[Choice]`, `Usage | None`), and their classes."""
    return tuple(
        (name, found)
        for name, hint in get_type_hints(kind).items()
        for found in (hint, *get_args(hint))
        if isinstance(found, type) and issubclass(found, Result)
    )
