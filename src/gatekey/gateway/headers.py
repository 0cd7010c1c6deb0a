"""What the request's headers say: every documented `x-portkey-*` option, read once into one record.

Sources: portkey-api.md 1.2 and sdk-wire.md 0.1. Booleans in any letter case, values in UTF-8 or Latin-1, unknown
`x-portkey-*` names tolerated (SDKs turn every unknown argument into one). The table is also what the API
description is made of.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from gatekey.errors import BadHeader
from gatekey.gateway import w3c

PREFIX = "x-portkey-"
MAX_METADATA_VALUE = 128
"""Characters in a metadata value."""
MAX_TIMEOUT = 86_400_000
"""ms in a day: the longest time-out that can be asked for."""

DUMMIES = frozenset({"OPENAI_API_KEY", "DUMMY-KEY", "dummy", "undefined", "null", "None"})
"""Literals that SDKs send as a key where they have none: never a credential."""

KEYS = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})
"""Headers in which providers take their keys: each reaches only a provider that takes its key there."""

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "host", "content-length", "expect",
})  # fmt: skip
"""Headers that belong to one connection (RFC 9110 section 7.6.1), and those that we write ourselves."""

CLOUD = frozenset({"metadata-flavor", "x-aws-ec2-metadata-token", "x-google-metadata-request"})
"""Headers that open a cloud's metadata service: never sent on."""

_pseudo_json = re.compile(r"\s*\{\s*('[^'\"\\]*'\s*:\s*'[^'\"\\]*'\s*,?\s*)*\}\s*")
_camel = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Options(Struct):
    """The documented request headers, read. None or empty: not sent. `request_timeout` in ms.

    `traced`: a `traceparent` says that the request is part of a trace.
    """

    api_key: str = ""
    provider: str = ""
    virtual_key: str = ""
    config: str = ""
    custom_host: str = ""
    trace_id: str = ""
    span_id: str = ""
    span_name: str = ""
    parent_span_id: str = ""
    traced: bool = False
    metadata: dict[str, str] = {}
    cache_force_refresh: bool = False
    cache_namespace: str = ""
    request_timeout: int | None = None
    debug: bool = True
    strict: bool | None = None
    forward_headers: tuple[str, ...] = ()
    sensitive_headers: tuple[str, ...] = ()
    fetch_integrated_models: bool | None = None
    nitro_mode: bool = False
    beta: str = ""
    gateway_transport: str = ""
    provider_responses_proxy: bool = False

    def open_span(self, name: str, id: str) -> None:
        """The request is a span of its own, named by the caller or like this."""
        self.span_name, self.span_id = self.span_name or name, self.span_id or id


def boolean(value: str, name: str) -> bool:
    """`true` or `false` in any letter case."""
    lowered = value.strip().lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    raise BadHeader(f"{name}: expected true or false, got {_shown(value)}.", param=name)


def milliseconds(value: str, name: str) -> int:
    """A whole number of ms, at least 1."""
    if value.isascii() and value.isdigit() and len(value) <= 8 and 1 <= int(value) <= MAX_TIMEOUT:
        return int(value)
    told = f"{name}: expected a number of milliseconds from 1 to {MAX_TIMEOUT}, got {_shown(value)}."
    raise BadHeader(told, param=name)


def names(value: str, name: str) -> tuple[str, ...]:
    """Header names, separated by commas; also as a JSON or Python list. In lower case, with dashes."""
    parts = (part.strip(" \t'\"") for part in value.strip().removeprefix("[").removesuffix("]").split(","))
    return tuple(header_name(part) for part in parts if part)


def names_to_forward(value: str, name: str) -> tuple[str, ...]:
    """Header names that may be sent to a provider."""
    found = names(value, name)
    for each in found:
        if each in HOP_BY_HOP | CLOUD or each.startswith(PREFIX):
            raise BadHeader(f"{name} must not contain {each}.", param=name)
    return found


def header_name(text: str) -> str:
    """A header's name as SDKs may have written it (`my_hdr`, `xCustom`): `my-hdr`, `x-custom`."""
    return _camel.sub("-", text).replace("_", "-").lower()


def folded(name: str) -> str:
    """What all spellings of a header's name have in common (`X-Custom`, `x_custom`, `xCustom`)."""
    return name.replace("_", "").replace("-", "").lower()


def metadata(value: str, name: str) -> dict[str, str]:
    """A JSON object of strings; numbers and booleans become strings, null is left out."""
    if _pseudo_json.fullmatch(value):
        value = value.replace("'", '"')
    try:
        found = msgspec.json.decode(value, type=dict[str, str | int | float | bool | None])
    except (msgspec.DecodeError, RecursionError) as error:
        told = f'{name}: expected a JSON object of strings such as {{"_user": "john"}}. {error}'
        raise BadHeader(told, param=name) from None
    texts = {key: _text(item) for key, item in found.items() if item is not None}
    for key, text in texts.items():
        if len(text) > MAX_METADATA_VALUE:
            told = f"{name}: the value of {_shown(key)} is longer than {MAX_METADATA_VALUE} characters."
            raise BadHeader(told, param=name)
    return texts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _plain(value: str, name: str) -> str:
    return value


def _shown(value: str) -> str:
    return msgspec.json.encode(value[:60]).decode()


@dataclass(frozen=True, slots=True)
class Header:
    """One documented header: the field of `Options` that it fills, how it is read, and what it is for."""

    into: str
    read: Callable[[str, str], Any]
    about: str


_ROWS: tuple[tuple[str, str, Callable[[str, str], Any], str], ...] = (
    ("api-key", "api_key", _plain, "The gateway key."),
    ("provider", "provider", _plain, "The provider's slug."),
    ("virtual-key", "virtual_key", _plain, "Name of a stored credential."),
    ("config", "config", _plain, "A config: inline JSON, or the id of a saved one."),
    ("custom-host", "custom_host", _plain, "Base URL instead of the provider's, with its version."),
    ("trace-id", "trace_id", _plain, "Groups requests; made when absent, and sent back."),
    ("span-id", "span_id", _plain, "Place in the trace tree."),
    ("span-name", "span_name", _plain, "Name of the span."),
    ("parent-span-id", "parent_span_id", _plain, "The span above this one."),
    ("metadata", "metadata", metadata, "A JSON object of strings, for logs and routing."),
    ("cache-force-refresh", "cache_force_refresh", boolean, "Store a new answer instead of reading the cached one."),
    ("cache-namespace", "cache_namespace", _plain, "Cache partition."),
    ("request-timeout", "request_timeout", milliseconds, "Time-out of one try in ms; answered with 408."),
    ("debug", "debug", boolean, "false: bodies are not logged."),
    ("strict-open-ai-compliance", "strict", boolean, "false: provider extras are passed on."),
    ("strict-openai-compliance", "strict", boolean, "Another spelling of the same."),
    ("forward-headers", "forward_headers", names_to_forward, "Names of headers to send to the provider."),
    ("sensitive-headers", "sensitive_headers", names, "Names of headers to mask in logs."),
    ("fetch-integrated-models", "fetch_integrated_models", boolean, "GET /models: from the catalog."),
    ("nitro-mode", "nitro_mode", boolean, "Raw pass-through: no retries, fallbacks, overrides."),
    ("beta", "beta", _plain, "Features to opt into, by commas."),
    ("gateway-transport", "gateway_transport", _plain, "`grpc`: reach the provider over gRPC."),
    ("provider-responses-proxy", "provider_responses_proxy", boolean, "Send /responses through as it is."),
)

TABLE = {PREFIX + name: Header(into, read, about) for name, into, read, about in _ROWS}
"""The documented headers, by name."""
_BYTES = {name.encode(): (name, header) for name, header in TABLE.items()}


class Head(Struct):
    """The head of a request: `options` read, the rest by name when it is asked for.

    Of repeated headers the last counts, but a literal dummy never displaces a real `authorization`.
    """

    raw: dict[bytes, bytes]
    options: Options

    def get(self, name: str) -> str:
        """A header's value; empty where it was not sent."""
        data = self.raw.get(name.encode())
        return "" if data is None else decoded(data)

    def all(self) -> Iterator[tuple[str, str]]:
        """Every header, its name in lower case."""
        return ((str(name, "latin-1"), decoded(data)) for name, data in self.raw.items())

    @property
    def hop_by_hop(self) -> frozenset[str]:
        """Further headers that the caller's `Connection` keeps to its own connection."""
        return named_by_connection(self.get("connection"))

    @property
    def authorization(self) -> str:
        """The credential in `Authorization`, without `Bearer `; empty where there is none or only a dummy."""
        return unwrapped(self.get("authorization"))


def named_by_connection(value: str) -> frozenset[str]:
    """The headers that a `Connection` header keeps to its connection (RFC 9110 section 7.6.1)."""
    return frozenset(name.strip().lower() for name in value.split(",")) if value else frozenset()


def unwrapped(value: str) -> str:
    """The credential in an `Authorization` value. `Bearer` may be missing; a dummy counts as nothing."""
    scheme, _, rest = value.partition(" ")
    key = rest.strip() if scheme.lower() == "bearer" else value.strip()
    return "" if key in DUMMIES else key


def read(raw: Sequence[tuple[bytes, bytes]]) -> Head:
    """The head of a request from ASGI's header list. Raises `BadHeader`, which names the header."""
    found = dict(raw)
    if len(found) < len(raw):
        for key, data in raw:
            if key == b"authorization" and unwrapped(decoded(data)):
                found[key] = data
    options = Options()
    for key in found.keys() & _BYTES.keys():
        value = decoded(found[key]).strip()
        if value:
            name, header = _BYTES[key]
            setattr(options, header.into, header.read(value, name))
    if b"traceparent" in found or b"baggage" in found:
        _w3c(options, raw)
    return Head(found, options)


def _w3c(options: Options, raw: Sequence[tuple[bytes, bytes]]) -> None:
    """What W3C headers say where `x-portkey-*` do not. Of two parents neither is one; baggage may come in parts."""
    parents = [data for name, data in raw if name == b"traceparent"]
    found = w3c.parent(decoded(parents[0])) if len(parents) == 1 else None
    if found is not None:
        options.traced = True
        options.trace_id = options.trace_id or found[0]
        options.parent_span_id = options.parent_span_id or found[1]
    parts = [decoded(data) for name, data in raw if name == b"baggage"]
    if parts:
        options.metadata = {**w3c.baggage(",".join(parts)), **options.metadata}


def decoded(data: bytes) -> str:
    """A header's value: UTF-8, or else Latin-1."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        return str(data, "latin-1")
