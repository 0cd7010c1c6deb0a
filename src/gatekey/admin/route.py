"""A route of the control plane: what it needs, who may call it, what it is for. Declared once, where it is served.

The same declaration routes, checks the scope, reads the body, writes the audit trail and is described in the API
document. A route without a scope cannot be declared.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from gatekey.admin.visit import Visit

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is no JSON, sent piece by piece: what it is, how a browser is to call it."""

    kind: str
    name: str
    pieces: AsyncIterator[bytes]


Handler = Callable[["Visit"], Awaitable[Answer | File]]

_parameter = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter."""

    name: str
    about: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`path` is below `/v1`, with parameters in braces. `resource` and `action` name it in the audit trail.

    `body`: the struct that a request's body is read into, None where there is none. `several`: it may also be an array
    of these, and is read into a list.
    `scope`: of several any one lets in, and the handler looks closer.
    `organisation`: only a key of the whole organisation may call it.
    `signed`: its address is a permission, which the handler checks; no key is asked for.
    `produces`: content types of a `File`. `trailed` False: it is no change to the gateway, and refusals are not kept.
    """

    method: str
    path: str
    handler: Handler
    scope: str | tuple[str, ...]
    about: str
    resource: str
    action: str
    body: type[Struct] | None = None
    several: bool = False
    query: tuple[Query, ...] = ()
    organisation: bool = False
    signed: bool = False
    produces: tuple[str, ...] = ()
    trailed: bool = True

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes of which one is needed."""
        return (self.scope,) if isinstance(self.scope, str) else self.scope

    def matches(self) -> re.Pattern[str]:
        """A pattern of the paths it serves; a parameter is one segment."""
        return re.compile(_parameter.sub(r"(?P<\1>[^/]+)", self.path))
