"""From a call to what is sent: the endpoint that serves it, the body in their dialect, the address.

A provider that speaks our dialect gets the body as it came; any other gets what its parameter map names.
What it lacks is dropped, what is out of its range is clamped, and both are reported.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from gatekey.errors import BadBody, UnsupportedEndpoint
from gatekey.providers._spec import Asked, Endpoint, Kind, Provider, Theirs, To, Where
from gatekey.wire import body as json
from gatekey.wire import completion
from gatekey.wire.body import Json

DEFAULT_MODEL = "portkey-default"
"""What an SDK sends for a missing model."""


class Shaped(Struct, frozen=True):
    """A request ready to be authorised and sent, and what is needed to read its answer.

    `text`: the answer of a chat endpoint is to be turned into a text completion; `echo` goes before its text.
    """

    provider: Provider
    endpoint: Endpoint
    asked: Asked
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    text: bool = False
    echo: str = ""
    dropped: tuple[str, ...] = ()
    clamped: tuple[str, ...] = ()


def shape(provider: Provider, kind: Kind, body: Json, asked: Asked, host: str = "") -> Shaped:
    """What to send for `body`, the config's parameters already in it.

    `asked` brings what the shell knows (`created`, `id`, `strict`, `options`); the rest of it is filled in here.
    Raises `BadBody` or `UnsupportedEndpoint`.
    """
    lost: list[str] = []
    echo = ""
    if kind == "completions" and completion.is_chat(body):
        kind = "chat"
        body = {key: kept for key, kept in body.items() if key != "prompt"}
    body, model = _with_model(provider, body)
    endpoint = provider.endpoints.get(kind)
    text = kind == "completions" and not _serves(endpoint, model, asked) and "chat" in provider.endpoints
    if text:
        echo = completion.echoed(body)
        body, lost = completion.to_chat(body)
        endpoint = provider.endpoints["chat"]
    if endpoint is None:
        raise UnsupportedEndpoint(f"{provider.slug} has no endpoint for {kind}: choose another provider.")
    stream = kind in ("completions", "chat") and json.value(body, "stream") is True
    asked = replace(
        asked,
        kind=kind,
        provider=provider.slug,
        model=model,
        stream=stream,
        usage=_wants_usage(body),
        several=json.value(body, "n") not in (None, 1),
        encoding_format=json.value(body, "encoding_format") if kind == "embeddings" else None,
    )
    where = Where(model=model, stream=stream, options=asked.options, host=host)
    clamped: list[str] = []
    if endpoint.method == "GET":
        content = b""
    elif endpoint.params is None:
        content = _passed(endpoint, body, where, lost)
    else:
        asked = replace(asked, ours=json.values(body))
        content = _translated(endpoint, endpoint.params, asked, lost, clamped)
    return Shaped(
        provider=provider,
        endpoint=endpoint,
        asked=asked,
        method=endpoint.method,
        url=address(provider, where) + (endpoint.path if isinstance(endpoint.path, str) else endpoint.path(where)),
        headers=provider.sends(asked.options),
        body=content,
        text=text,
        echo=echo,
        dropped=tuple(lost),
        clamped=tuple(clamped),
    )


def address(provider: Provider, where: Where) -> str:
    """The base that paths are appended to, without a slash at its end."""
    base = where.host or (provider.base if isinstance(provider.base, str) else provider.base(where))
    return base.rstrip("/")


def segment(text: str, name: str = "model") -> str:
    """A value as part of a path: encoded, and unable to climb out of it. Raises `BadBody` naming `name`."""
    if text in ("", ".", ".."):
        raise BadBody(f"`{name}` is {text!r}, which cannot be part of an address.", param=name)
    return quote(text, safe="")


def _with_model(provider: Provider, body: Json) -> tuple[Json, str]:
    model = json.value(body, "model")
    if model == DEFAULT_MODEL or (model is None and provider.default_model):
        if not provider.default_model:
            raise BadBody(f"`model` is missing, and {provider.slug} has no default model.", param="model")
        return {**body, "model": json.raw(provider.default_model)}, provider.default_model
    if model is not None and not isinstance(model, str):
        raise BadBody("`model` must be a string.", param="model")
    return body, model or ""


def _serves(endpoint: Endpoint | None, model: str, asked: Asked) -> bool:
    if endpoint is None or (endpoint.needs and asked.options.get(endpoint.needs, "").lower() != "true"):
        return False
    return endpoint.serves(model)


def _wants_usage(body: Json) -> bool:
    options = json.value(body, "stream_options") if "stream_options" in body else None
    return isinstance(options, dict) and options.get("include_usage") is True


def _passed(endpoint: Endpoint, body: Json, where: Where, lost: list[str]) -> bytes:
    """The body of a provider that speaks our dialect: as it came, but for what it is known to refuse."""
    refused = [name for name in endpoint.lacks if name in body]
    if refused:
        body = {key: kept for key, kept in body.items() if key not in refused}
        lost += [name for name in refused if name != "stream_options"]
    if endpoint.model is not None:
        body = {**body, "model": json.raw(endpoint.model(where))}
    accepted = endpoint.usage_on_request
    if where.stream and (accepted if isinstance(accepted, bool) else accepted(where)):
        options = json.value(body, "stream_options")
        if not (isinstance(options, dict) and options.get("include_usage") is True):
            more = options if isinstance(options, dict) else {}
            body = {**body, "stream_options": json.raw({**more, "include_usage": True})}
    return json.encode(body)


def _translated(
    endpoint: Endpoint, params: Mapping[str, To | None], asked: Asked, lost: list[str], clamped: list[str]
) -> bytes:
    if not asked.model and "model" in params:
        raise BadBody(f"`model` is missing: {asked.provider} needs one.", param="model")
    theirs: Theirs = {}
    name = ""
    try:
        for name, given in asked.ours.items():
            if name not in params:
                if name not in ("stream", "stream_options", "model"):
                    lost.append(name)
                continue
            to = params[name]
            if to is not None:
                _place(theirs, to, name, given, clamped)
        name = ""
        if endpoint.translate is not None:
            lost += endpoint.translate(asked.ours, theirs, asked)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        # Translations index plainly what the dialect promises: what breaks one is not the dialect.
        what = f"`{name}`" if name else "The body"
        problem = f"{what} is not as documented, so {asked.provider} cannot be given it: a value has a wrong type."
        raise BadBody(problem, param=name or None) from None
    return json.encode(theirs)


def _place(theirs: Theirs, to: To, name: str, given: Any, clamped: list[str]) -> None:
    mapped = given if to.via is None else to.via(given)
    if mapped is None:
        return
    if isinstance(mapped, (int, float)) and not isinstance(mapped, bool):
        bounded = mapped
        if to.low is not None and mapped < to.low:
            bounded = to.low
        if to.high is not None and mapped > to.high:
            bounded = to.high
        if bounded != mapped:
            clamped.append(f"{name}={bounded:g}")
            mapped = bounded
    *outer, last = to.name.split(".")
    inside = theirs
    for step in outer:
        inside = inside.setdefault(step, {})
    inside[last] = mapped
