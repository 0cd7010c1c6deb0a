"""The request that an attempt sends: shaped for the provider, or forwarded as it came.

Inference routes send only our headers and those that the caller asked to forward. A forwarded request keeps the
caller's headers but for the gateway's own, the gateway key, and those of the connection.
"""

import time

from gatekey.errors import ModelNotAllowed
from gatekey.gateway.aim import Aim
from gatekey.gateway.call import Call
from gatekey.gateway.headers import CLOUD, HOP_BY_HOP, KEYS, folded, unwrapped
from gatekey.gateway.respond import JSON
from gatekey.providers import Asked, Shaped, Where, address, shape
from gatekey.upstream.transport import Headers, Request
from gatekey.wire import body as json
from gatekey.wire.body import Json

_OURS = ("x-portkey-", "x-gatekey-")


def inference(call: Call, aim: Aim, host: str) -> tuple[Request, Shaped]:
    """The request of an inference route, and how to read its answer. Raises `BadBody`, `UnsupportedEndpoint`."""
    assert call.kind != "proxy" and call.kind != "control"
    asked = Asked(
        kind=call.kind,
        provider=aim.provider.slug,
        strict=aim.strict,
        options=aim.options,
        created=int(time.time()),
        id=f"{call.seed:032x}",
    )
    shaped = shape(aim.provider, call.kind, _merged(call.body, aim), asked, host)
    return Request(shaped.method, shaped.url, _headers(call, aim, shaped), shaped.body), shaped


def forwarded(call: Call, aim: Aim, host: str) -> Request:
    """A request forwarded untransformed; a JSON body still takes what the config sets. Raises `BadJson`."""
    assert call.spool is not None
    provider = aim.provider
    headers = {
        name: value
        for name, value in call.head.all()
        if name not in KEYS - {*aim.provider.key_headers} and _may_leave(call, aim, name)
    }
    headers = {**provider.sends(aim.options), **headers, **aim.headers}
    if aim.secrets or call.method not in ("GET", "HEAD"):
        # What it consumed is read, and an error may repeat the credential: it must not be compressed.
        headers["accept-encoding"] = "identity"
    if aim.key is not None:
        headers |= provider.auth(aim.key.reveal())
    where = Where(options=aim.options, host=host)
    request = Request(call.method, address(provider, where) + call.path, list(headers.items()))
    if (_changes(aim) or aim.stored) and call.fields():
        request.body = json.encode(_merged(call.fields(), aim))
    elif call.spool.small:
        request.body = call.spool.read()
    else:
        request.body, request.length = call.spool.pieces(), call.spool.length
    return request


def _changes(aim: Aim) -> bool:
    settings = aim.target.settings
    return bool(settings.override_params or settings.default_params or settings.drop_params)


def _merged(body: Json, aim: Aim) -> Json:
    """The body with the config's parameters, and the model by the name that the provider knows.

    Raises `ModelNotAllowed`.
    """
    if _changes(aim):
        settings = aim.target.settings
        body = json.merge(
            body,
            default=settings.default_params,
            override=settings.override_params,
            drop=settings.drop_params,
        )
    if not aim.stored:
        return body
    model = json.value(body, "model")
    prefix = f"@{aim.stored}/"
    if isinstance(model, str) and model.startswith(prefix):
        model = model.removeprefix(prefix)
        body = {**body, "model": json.raw(model)}
    if aim.models is not None and isinstance(model, str) and model not in aim.models:
        raise ModelNotAllowed(f"Model {model} is not allowed for {aim.stored}.", param="model")
    return body


def _headers(call: Call, aim: Aim, shaped: Shaped) -> Headers:
    headers = {
        "accept": "text/event-stream" if shaped.asked.stream else JSON,
        # What arrives is read, so it must not be compressed.
        "accept-encoding": "identity",
        "user-agent": "gatekey",
    }
    if shaped.body:
        headers["content-type"] = JSON
    headers |= shaped.headers
    headers.update(aim.headers)
    if aim.key is not None:
        headers |= aim.provider.auth(aim.key.reveal())
    if aim.forward:
        # SDKs and people list a header in one spelling and send it in another.
        wanted = {folded(name) for name in aim.forward}
        for name, value in call.head.all():
            if folded(name) in wanted and value and _may_leave(call, aim, name):
                headers[name] = value
    return list(headers.items())


def _may_leave(call: Call, aim: Aim, name: str) -> bool:
    """Whether a header of the caller's may reach a provider: none of ours, no key of ours, no dummy for a key."""
    if name in HOP_BY_HOP or name in CLOUD or name in call.head.hop_by_hop or name.startswith(_OURS):
        return False
    key = unwrapped(call.head.get(name))
    if not key:
        return name != "authorization" and name not in aim.provider.key_headers
    return key != call.gateway_key
