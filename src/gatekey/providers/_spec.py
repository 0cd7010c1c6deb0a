"""What a provider is: an address, a way to authenticate, and its endpoints.

The contracts of the functions that a provider's file may add, all pure:

    translate   (ours, theirs, asked) -> lost       finishes the mapped request where the map is not enough
    reply       (theirs, asked) -> ours             an unstreamed 2xx body, decoded
    stream      (asked) -> read;  read(event) -> [chunk, ...]    one event of their stream to chunks of ours
    error       (theirs) -> Fault                   what an error body says
    counts      (theirs) -> Usage or None           a usage object, ours or the provider's own, in disjoint classes

A reader of streams may have `so_far`: what was reported of the usage until now, in the provider's own words.
`ours` is always an OpenAI body: a chat completion, a list of embeddings, a list of models, or for a legacy
text endpoint a text completion. Text completions through a chat endpoint are made from chat by the core.
A reader raises `errors.InBand` for an error inside a 200 answer, `errors.Nonsense` for what is not the protocol.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from gatekey.providers._usage import counted
from gatekey.streaming.sse import Event
from gatekey.wire.error import Fault
from gatekey.wire.error import read as read_error
from gatekey.wire.usage import Usage

Theirs = dict[str, Any]
"""A decoded body in the provider's dialect."""
Chunk = dict[str, Any]
"""A decoded stream chunk in our dialect: `chat.completion.chunk`, or `text_completion` for a text endpoint."""

Kind = Literal["completions", "chat", "embeddings", "models"]


class Where(Struct, frozen=True):
    """What an address may depend on. `host` is the custom host without its last slash, or empty."""

    model: str = ""
    stream: bool = False
    options: Mapping[str, str] = {}
    host: str = ""


class Asked(Struct, frozen=True):
    """What a reader may need to know of the request.

    `ours` is the decoded request body after the config's parameters (empty where nothing is translated).
    `created` in s since the epoch and `id` (unique, without prefix) are for providers that give none.
    `usage`: the caller wants usage in the stream. `several`: more than one choice.
    `encoding_format`: how the caller wants vectors.
    """

    kind: Kind
    provider: str
    model: str = ""
    stream: bool = False
    strict: bool = True
    usage: bool = False
    several: bool = False
    encoding_format: Any = None
    ours: Mapping[str, Any] = {}
    options: Mapping[str, str] = {}
    created: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class To:
    """Where one of our parameters goes in their body.

    `name` may be dotted (`generationConfig.topK`). `via` maps the value; a value that it maps to None is left
    out. Numbers are clamped to `low`..`high`, the range that the provider documents, and that is reported.
    """

    name: str
    via: Callable[[Any], Any] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of a provider.

    `params` None: it speaks our dialect, and bodies pass as they came. Otherwise only what the map names is sent
    (None as a value: known, and handled by `translate`), and what it lacks is dropped and reported.
    `translate` gets the decoded body and the mapped one, which it may change, and returns what it had to drop.
    `usage_on_request`: streams bear usage only when `stream_options.include_usage` asks, and that is accepted.
    `finish`: their own finish reasons to ours, applied to passed-through answers when the caller wants strictness.
    `failed`: finish reasons that say that the answer broke off: such an answer is an in-band error.
    `lacks`: parameters of ours that it is documented to refuse, dropped and reported though the rest passes.
    `model`: what goes into the body's `model` where that is not what the caller wrote.
    `serves`: whether a model has this endpoint. `needs`: an option that must be `true` for it to be used.
    """

    path: str | Callable[[Where], str]
    method: str = "POST"
    params: Mapping[str, To | None] | None = None
    translate: Callable[[Mapping[str, Any], Theirs, Asked], list[str]] | None = None
    reply: Callable[[Theirs, Asked], dict[str, Any]] | None = None
    stream: Callable[[Asked], Callable[[Event], list[Chunk]]] | None = None
    framing: Literal["sse", "ndjson"] = "sse"
    usage_on_request: bool | Callable[[Where], bool] = False
    lacks: tuple[str, ...] = ()
    finish: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ("error",)
    model: Callable[[Where], str] | None = None
    needs: str = ""
    serves: Callable[[str], bool] = lambda model: True


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the provider's own: header `x-portkey-<name with dashes>`, config key `<name>` or an alias.

    `headers`: further header names that callers may send it in. `fields`: further names that it has in the body of a
    stored credential, and `read` makes the option out of what such a body holds; it raises ValueError saying why not.
    """

    about: str
    aliases: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    secret: bool = False
    fields: tuple[str, ...] = ()
    read: Callable[[Any], str] | None = None


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider.

    `base` is the address that paths are appended to, which a custom host replaces.
    `auth` turns the credential into headers; `key_headers` are the provider's own headers in which a caller may
    send it beside `Authorization`. `key_needed` False: it may be called without one.
    `sends` makes further headers out of the options. `server` names a module that serves the provider on this
    machine (`python -m`), started on first use; `base` is then unused.
    Text completions go through `chat` where `completions` is missing or does not serve the model.
    `deploys`: what callers name as the model is a deployment of their own; which model that is, its answers tell.
    """

    slug: str
    name: str
    docs: str
    base: str | Callable[[Where], str] = ""
    auth: Callable[[str], dict[str, str]] = lambda key: {"authorization": f"Bearer {key}"}
    endpoints: Mapping[str, Endpoint]
    key_headers: tuple[str, ...] = ()
    key_needed: bool = True
    options: Mapping[str, Option] = field(default_factory=dict)
    sends: Callable[[Mapping[str, str]], dict[str, str]] = lambda options: {}
    error: Callable[[Any], Fault] = read_error
    counts: Callable[[Theirs], Usage | None] = counted
    default_model: str = ""
    server: str = ""
    deploys: bool = False

    @cached_property
    def option_headers(self) -> dict[bytes, str]:
        """Every header that an option may be sent in, to its name."""
        return {
            header.encode(): name
            for name, option in self.options.items()
            for header in ("x-portkey-" + name.replace("_", "-"), *option.headers)
        }

    @property
    def option_fields(self) -> dict[str, str]:
        """Every spelling of an option in a stored credential's body, to its name."""
        return self.option_names | {field: name for name, option in self.options.items() for field in option.fields}

    @property
    def option_names(self) -> dict[str, str]:
        """Every spelling of an option in a config, to its name."""
        return {spelling: name for name, option in self.options.items() for spelling in (name, *option.aliases)}
