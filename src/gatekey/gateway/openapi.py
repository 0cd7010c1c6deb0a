"""The description of the API (OpenAPI 3.1), made of the tables that serve it.

Routes, headers, providers, the config language and errors are read where they are declared; `described` adds the
fields of bodies and the words. Nothing here is used to serve any other request.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from gatekey import __version__, errors
from gatekey.catalog import Catalog
from gatekey.config import load
from gatekey.gateway import described, headers, price_list
from gatekey.gateway.app import FIXED, KINDS, RESERVED
from gatekey.gateway.respond import JSON
from gatekey.pricing import config

EVENTS = "text/event-stream"
SECURITY: list[dict[str, list[str]]] = [{"gateway": [], "bearer": []}, {"gateway": []}, {"bearer": []}]
"""The gateway key with a provider's, alone, or alone as bearer."""
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
"""Methods of forwarded requests."""

ELSEWHERE = (404, 409)
"""Statuses of the gateway's own that the routes described here do not meet: they exist, and they change nothing."""

Object = dict[str, Any]

_NAMES: Object = {"schema": {"type": "array", "items": {"type": "string"}}}
_READ_AS: dict[Any, Object] = {
    headers.boolean: {"schema": {"type": "boolean"}},
    headers.milliseconds: {"schema": {"type": "integer", "minimum": 1, "maximum": headers.MAX_TIMEOUT}},
    headers.names: _NAMES,
    headers.names_to_forward: _NAMES,
    headers.metadata: {
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "additionalProperties": {
                        "type": ["string", "number", "boolean", "null"],
                        "maxLength": headers.MAX_METADATA_VALUE,
                    },
                }
            }
        }
    },
}
"""How a header is read -> what it may be; a text, where nothing is said."""


More = Callable[[], tuple[Object, Object]]
"""Gives further paths, and the schemas that they use."""


def _nothing() -> tuple[Object, Object]:
    return {}, {}


@cache
def document(catalog: Catalog, more: More = _nothing) -> bytes:
    """The document as JSON, with `more` that is served beside the data plane; made once for each catalog."""
    parameters = _parameters(catalog)
    paths, schemas = more()
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Gatekey",
                "version": __version__,
                "summary": "One key to every model.",
                "description": described.ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": SECURITY,
            "paths": {**_served(parameters), **_fixed(), **_price(), **paths, "/v1/{path}": _forwarded(parameters)},
            "components": {
                "schemas": {
                    **described.SCHEMAS,
                    "Config": load.schema(catalog, "#/components/schemas/Config"),
                    **schemas,
                },
                "parameters": parameters,
                "headers": {
                    name: {"schema": schema, "description": about}
                    for name, (schema, about) in described.ANSWERED.items()
                },
                "responses": dict(_failures()),
                "securitySchemes": _schemes(catalog),
            },
        }
    )


def failing() -> dict[int, list[type[errors.GatekeyError]]]:
    """The errors of the gateway's own that a described request may meet, by status."""
    found: dict[int, list[type[errors.GatekeyError]]] = {}
    waiting = [errors.GatekeyError]
    while waiting:
        error = waiting.pop(0)
        found.setdefault(error.status, []).append(error)
        waiting += [kind for kind in error.__subclasses__() if kind.__module__ == errors.__name__]
    return {status: kinds for status, kinds in sorted(found.items()) if status not in ELSEWHERE}


def _parameters(catalog: Catalog) -> dict[str, Object]:
    """Request headers: those of the table, the standard ones, and the providers' own options."""
    found = {name: _parameter(name, header) for name, header in headers.TABLE.items() if header.into != "api_key"}
    found["x-portkey-provider"]["schema"] = {
        "anyOf": [{"enum": list(catalog.slugs())}, {"type": "string", "pattern": "^@."}]
    }
    found["x-portkey-config"] = {
        "name": "x-portkey-config",
        "in": "header",
        "description": "A config as JSON, or the slug or id of a saved one.",
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Config"}}},
    }
    found["x-portkey-virtual-key"] |= {"deprecated": True}
    for name, about in described.STANDARD.items():
        found[name] = _text(name, about)
    for slug in catalog.slugs():
        provider = catalog.provider(slug)
        for header in provider.key_headers:
            found[header] = _text(header, f"{provider.name}: its key, in place of Authorization.")
        for option, meaning in provider.options.items():
            for name in ("x-portkey-" + option.replace("_", "-"), *meaning.headers):
                found[name] = _text(name, f"{provider.name}: {meaning.about}")
    return found


def _parameter(name: str, header: headers.Header) -> Object:
    kind = _READ_AS.get(header.read, {"schema": {"type": "string"}})
    return {"name": name, "in": "header", "description": header.about, **kind}


def _text(name: str, about: str) -> Object:
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}


def _refs(parameters: Object) -> list[Object]:
    return [{"$ref": f"#/components/parameters/{name}"} for name in parameters]


def _schemes(catalog: Catalog) -> Object:
    own = sorted({name for slug in catalog.slugs() for name in catalog.provider(slug).key_headers})
    return {
        "gateway": {"type": "apiKey", "in": "header", "name": "x-portkey-api-key", "description": "The gateway key."},
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The provider's key beside x-portkey-api-key, or else the gateway key. "
            f"A provider's key may also come in its own header: {', '.join(own)}.",
        },
    }


def _told(failed: bool) -> Object:
    """The gateway's response headers; all five documented ones are on every success, the trace id on everything."""
    found: Object = {name: {"$ref": f"#/components/headers/{name}"} for name in described.ANSWERED}
    if not failed:
        del found["x-should-retry"]
    return found


def _failures() -> Iterator[tuple[str, Object]]:
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, kinds in failing().items():
        words = [f"`{kind.code}`: {(kind.__doc__ or '').partition(chr(10))[0]}" for kind in kinds]
        yield str(status), {"description": "\n".join(words), "headers": _told(True), "content": content}
    whose = "The provider's own status, with its text in the one shape of errors."
    for either in ("4XX", "5XX"):
        yield either, {"description": whose, "headers": _told(True), "content": content}


def _served(parameters: Object) -> Object:
    """The routes whose bodies the gateway understands."""
    failures = {name: {"$ref": f"#/components/responses/{name}"} for name, _ in _failures()}
    paths: Object = {}
    for (method, path), kind in KINDS.items():
        summary, answer, request, chunk = described.KINDS[kind]
        schema = {"$ref": f"#/components/schemas/{answer}"}
        success: Object = {
            "description": "The answer, in the OpenAI dialect.",
            "headers": _told(False),
            "content": {JSON: {"schema": schema}},
        }
        if chunk:
            success["content"][EVENTS] = {"schema": _event(chunk)}
        operation: Object = {
            "operationId": kind,
            "summary": summary,
            "tags": ["inference"],
            "responses": {"200": success, **failures},
        }
        if request:
            schema = {"$ref": f"#/components/schemas/{request}"}
            body = {"schema": schema, "example": described.EXAMPLES[request]}
            operation["requestBody"] = {"required": True, "content": {JSON: body}}
        paths[path] = {"parameters": _refs(parameters), method.lower(): operation}
    return paths


def _event(chunk: str) -> Object:
    """What each event of a stream is."""
    json = [
        {"contentMediaType": JSON, "contentSchema": {"$ref": f"#/components/schemas/{name}"}}
        for name in (chunk, "Error")
    ]
    return {
        "type": "object",
        "description": "Each event: chunks, and at the end `[DONE]`; or an `error`, which is the end, too.",
        "properties": {
            "event": {"type": "string", "description": "`error`, where the stream fails after its first content."},
            "data": {"type": "string", "anyOf": [{"const": "[DONE]"}, *json]},
        },
        "required": ["data"],
    }


def _fixed() -> Object:
    """The routes that answer by themselves, to anybody."""
    paths: Object = {}
    for (method, path), serve in FIXED.items():
        plain = path in ("/", "/metrics")
        content = {"text/plain": {"schema": {"type": "string"}}} if plain else {JSON: {"schema": {"type": "object"}}}
        paths[path] = {
            method.lower(): {
                "operationId": path.strip("/").replace("/", "-").replace(".", "-") or "root",
                "summary": (serve.__doc__ or "").rstrip("."),
                "tags": ["gateway"],
                "security": [],
                "responses": {"200": {"description": "Always.", "content": content}},
            }
        }
    return paths


def _price() -> Object:
    """The list of prices, for anybody."""
    price: Object = {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}, "required": ["price"]}
    schema: Object = {
        "type": "object",
        "properties": {
            "pay_as_you_go": {
                "type": "object",
                "description": "US cents for one token of each type.",
                "properties": dict.fromkeys(config.TYPES, price),
            },
            "calculate": {"type": "object", "description": "How counts and prices make the cost."},
            "currency": {"const": "USD"},
            "above": {"type": "array", "items": {"type": "object"}, "description": "Prices of prompts above a size."},
            "max_output_tokens": {"type": ["integer", "null"], "description": "The most that the model puts out."},
            "as_of": {"type": ["string", "null"], "description": "The date of the table that the price is of."},
        },
        "required": ["pay_as_you_go", "calculate", "currency"],
    }
    unknown = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    names = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in ("provider", "model")
    ]
    operation: Object = {
        "operationId": "model-pricing",
        "summary": "What a model costs",
        "description": "By the table that ships, for anybody; by the operator's own, for whoever has a key. What "
        "integrations and workspaces have set is not in it.",
        "tags": ["gateway"],
        "security": [],
        "responses": {
            "200": {"description": "Its prices.", "content": {JSON: {"schema": schema}}},
            "401": {"description": "The price is the operator's own.", "content": unknown},
            "404": {"description": "No price is known.", "content": unknown},
        },
    }
    return {f"{price_list.PREFIX}{{provider}}/{{model}}": {"parameters": names, "get": operation}}


def _forwarded(parameters: Object) -> Object:
    """The catch-all. A path parameter stands for one segment here: the text says that there may be more."""
    operation: Object = {
        "summary": "Forward a request as it is",
        "description": described.FORWARDED.format(reserved=", ".join(f"`{name}`" for name in sorted(RESERVED))),
        "tags": ["forwarding"],
        "responses": {
            "default": {
                "description": "What the provider answered; or a failure of the gateway's own, of the schema `Error`.",
                "headers": _told(True),
                "content": {"*/*": {}},
            }
        },
    }
    body: Object = {"content": {"*/*": {}}}
    taken = {"name": "path", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    paths: Object = {"parameters": [taken, *_refs(parameters)]}
    for method in METHODS:
        more = {} if method in ("get", "head", "options", "delete") else {"requestBody": body}
        paths[method] = {**operation, **more, "operationId": f"forward-{method}"}
    return paths
