"""What the control plane's routes say of themselves, as paths and schemas of the API document (OpenAPI 3.1).

Read off the routes that serve: nothing is declared here a second time.
"""

import re
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from gatekey import errors
from gatekey.admin.app import routes
from gatekey.admin.route import Route
from gatekey.admin.visit import MAX_SEVERAL
from gatekey.gateway.respond import JSON
from gatekey.secret import Secret

Object = dict[str, Any]

FAILING = (400, 401, 403, 404, 409, 413, 503)
"""Statuses of refusals."""

_REFS = "#/components/schemas/control."
_ROOMS = "gatekey.admin.rooms."
_DECIMAL, _NUMBER = b'"type":"string","format":"decimal"', b'"type":"number"'
"""A decimal is read from a text too, which nobody needs."""
_parameter = re.compile(r"\{(\w+)\}")

LIST: Object = {
    "type": "object",
    "properties": {
        "object": {"const": "list"},
        "total": {"type": "integer", "minimum": 0, "description": "Rows on all pages."},
        "data": {"type": "array", "items": {"type": "object"}},
        "records": {"type": "array", "items": {"type": "object"}, "description": "Of the audit trail, in its place."},
    },
    "required": ["object", "total"],
    "anyOf": [{"required": ["data"]}, {"required": ["records"]}],
}
ERROR: Object = {
    "allOf": [
        {"$ref": "#/components/schemas/Error"},
        {
            "type": "object",
            "properties": {
                "success": {"const": False},
                "data": {
                    "type": "object",
                    "properties": {"message": {"type": "string"}, "errorCode": {"type": "string"}},
                    "required": ["message", "errorCode"],
                },
            },
            "required": ["success", "data"],
        },
    ]
}


@cache
def control_plane() -> tuple[Object, Object]:
    """Paths, and the schemas that they use by name."""
    every = list(routes())
    bodies = list(dict.fromkeys(route.body for route in every if route.body is not None))
    made = msgspec.json.schema_components(bodies, schema_hook=_secret, ref_template=_REFS + "{name}")
    text = msgspec.json.encode(made).replace(_ROOMS.encode(), b"").replace(_DECIMAL, _NUMBER)
    refs, named = msgspec.json.decode(text)
    whole = {"control.List": LIST, "control.Error": ERROR}
    whole |= {f"control.{name}": schema for name, schema in named.items()}
    for body, ref in zip(bodies, refs, strict=True):
        if getattr(body, "REST", None):
            whole[ref["$ref"].removeprefix("#/components/schemas/")].pop("additionalProperties", None)
    body_refs = dict(zip(bodies, refs, strict=True))
    paths: Object = {}
    for route in every:
        path = paths.setdefault(f"/v1{route.path}", {"parameters": _path_parameters(route.path)})
        path[route.method.lower()] = _operation(route, body_refs)
    return paths, whole


def _path_parameters(path: str) -> list[Object]:
    text = {"type": "string", "minLength": 1}
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in _parameter.findall(path)]


def _operation(route: Route, bodies: dict[type[Struct], Object]) -> Object:
    answer = {"$ref": f"{_REFS}List"} if route.action == "list" else {"type": "object"}
    failed = {JSON: {"schema": {"$ref": f"{_REFS}Error"}}}
    headers = {"x-portkey-trace-id": {"$ref": "#/components/headers/x-portkey-trace-id"}}
    content = {kind: {"schema": {"type": "string"}} for kind in route.produces} or {JSON: {"schema": answer}}
    caller = "A key of the organisation" if route.organisation else "A key"
    needs = f"{caller} needs the scope {' or '.join(f'`{scope}`' for scope in route.scopes)}."
    operation: Object = {
        # `/users/requests` and `/users-requests` are two.
        "operationId": route.method.lower() + re.sub(r"[/{}]+", "-", route.path.replace("-", "_")).rstrip("-"),
        "summary": route.about.rstrip("."),
        "description": "The address is the permission: no key is asked for." if route.signed else needs,
        "tags": [route.resource],
        "security": [] if route.signed else [{"gateway": []}, {"bearer": []}],
        "parameters": [
            {"name": query.name, "in": "query", "required": query.needed, "description": query.about,
             "schema": query.schema}
            for query in route.query
        ],
        "responses": {
            "200": {"description": "It is done.", "headers": headers, "content": content},
            **{str(status): {"description": _why(status), "headers": headers, "content": failed} for status in FAILING},
        },
    }  # fmt: skip
    if route.body is not None:
        needed = any(field.required for field in msgspec.structs.fields(route.body))
        schema = bodies[route.body]
        if route.several:
            schema = {"oneOf": [schema, {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_SEVERAL}]}
        operation["requestBody"] = {"required": needed, "content": {JSON: {"schema": schema}}}
    return operation


@cache
def _why(status: int) -> str:
    """The errors that have a status, each with what its docstring says first."""
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.GatekeyError) and kind.status == status
    ]
    return "\n".join(f"`{kind.code}`: {(kind.__doc__ or '').partition(chr(10))[0]}" for kind in found)


def _secret(kind: type) -> Object:
    if kind is Secret:
        return {"type": "string", "writeOnly": True}
    raise NotImplementedError
