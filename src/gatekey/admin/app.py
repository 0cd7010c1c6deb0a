"""The control plane: finds the route, checks who asks, reads the body, answers, keeps the trail."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module, resources
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec.structs import asdict

from gatekey.admin import visit as visits
from gatekey.admin.route import File, Route
from gatekey.admin.visit import House, Visit
from gatekey.errors import BadBody, Forbidden, GatekeyError, MethodNotAllowed, UnknownRoute
from gatekey.gateway.app import Scope
from gatekey.gateway.call import Receive, arriving
from gatekey.gateway.headers import Head
from gatekey.gateway.respond import JSON, Pairs, Reply
from gatekey.gateway.watch import Watch
from gatekey.store import audit
from gatekey.store.directory import Principal
from gatekey.store.rows import Row
from gatekey.wire import error

CODES = {400: "AB01", 404: "AB02", 403: "AB03", 500: "AB04", 503: "AB04", 401: "AB05", 429: "AB06", 409: "AB07"}
"""`errorCode` by status (portkey-api.md section 12)."""
MAX_TRACE = 255
"""Characters of a trace id that the audit trail keeps."""
KEPT_HEADERS = ("user-agent", "content-type", "x-portkey-trace-id")
"""Request headers that the audit trail keeps: none that may hold a credential."""


def routes() -> Iterator[Route]:
    """Every route of every file in `rooms/`."""
    for file in sorted(resources.files("gatekey.admin.rooms").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py") and not file.name.startswith("_"):
            yield from import_module(f"gatekey.admin.rooms.{file.name.removesuffix('.py')}").routes


class Admin:
    """Serves the control plane."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._routes: list[tuple[re.Pattern[str], Route]] = [(route.matches(), route) for route in routes()]

    def serves(self, path: str) -> bool:
        """Whether some route has this path, given below `/v1`."""
        return any(pattern.fullmatch(path) for pattern, _ in self._routes)

    def signed(self, method: str, path: str) -> bool:
        """Whether an address is a permission by itself, so that no key is asked for. `path` is below `/v1`."""
        return any(
            pattern.fullmatch(path) for pattern, route in self._routes if route.signed and route.method == method
        )

    async def answer(
        self, asked: Scope, path: str, head: Head, principal: Principal, receive: Receive, reply: Reply
    ) -> None:
        """Serve one request. Raises `GatekeyError` for whoever answers errors."""
        route, parameters = self._find(asked["method"], path)
        data = b"".join([piece async for piece in arriving(receive, head, visits.MAX_BODY)])
        query = dict(parse_qsl(asked["query_string"].decode("latin-1")))
        trail = _trail(route, path, query, head, principal, data) | {"client_ip": _peer(asked)}
        try:
            if not route.signed:
                _may(principal, route)
            read = visits.contents if route.several else visits.content
            content = read(data, route.body) if route.body else None
            _storable({**query, **(asdict(content) if isinstance(content, msgspec.Struct) else {})})
            visit = Visit(self._house, route, principal, parameters, query, content, trail, _origin(asked, head))
            answer = await route.handler(visit)
        except GatekeyError as failure:
            if route.method != "GET" and route.trailed:
                refused = {**trail, "response_status_code": failure.status}
                await self._house.database.write(lambda write: audit.record(write, **refused))
            raise
        if isinstance(answer, File):
            await _send(answer, head, receive, reply)
        else:
            await reply.whole(200, _headers(head), msgspec.json.encode(answer))

    def failed(self, failure: GatekeyError) -> bytes:
        """The body of a refusal: the shape of the inference routes, and that of the documented control plane."""
        data: dict[str, Any] = {"message": failure.message, "errorCode": CODES.get(failure.status, "AB01")}
        return error.body(error.of(failure), success=False, data=data)

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        methods = []
        for pattern, route in self._routes:
            match = pattern.fullmatch(path)
            if match:
                if route.method == method:
                    parameters = {name: unquote(text) for name, text in match.groupdict().items()}
                    _storable(parameters)
                    return route, parameters
                methods.append(route.method)
        if methods:
            raise MethodNotAllowed(f"/v1{path} takes {' and '.join(sorted(methods))}, not {method}.")
        raise UnknownRoute(f"/v1{path} is not available yet, and is never forwarded to a provider.")


def _may(principal: Principal, route: Route) -> None:
    if route.organisation and principal.workspace:
        raise Forbidden("This needs an API key of the organisation: yours belongs to a workspace.")
    if not any(principal.may(scope) for scope in route.scopes):
        raise Forbidden(f"Your API key lacks the scope {' or '.join(route.scopes)}.")


def _storable(fields: Mapping[str, Any]) -> None:
    """Raises `BadBody` naming the field with a NUL character, which PostgreSQL has in no text."""
    for name, value in fields.items():
        if isinstance(value, str) and "\0" in value:
            raise BadBody(f"{name}: a NUL character cannot be stored.", param=name)


def _trail(route: Route, path: str, query: Mapping[str, str], head: Head, principal: Principal, data: bytes) -> Row:
    return {
        "method": route.method,
        "uri": f"/v1{path}",
        "request_id": head.options.trace_id[:MAX_TRACE],
        "request_body": visits.shown(data, route.body),
        "query_params": msgspec.json.encode(audit.masked(query)).decode(),
        "request_headers": msgspec.json.encode({name: head.get(name) for name in KEPT_HEADERS}).decode(),
        "user_id": principal.user or principal.id,
        "user_type": "user" if principal.user else "api_key",
        "workspace_id": principal.workspace or None,
        "resource_type": route.resource,
        "action": route.action,
    }


def _peer(asked: Scope) -> str | None:
    """The address at the other end of the connection: headers that tell of another one can be made up by anybody."""
    client = asked.get("client")
    return str(client[0]) if client else None


def _origin(asked: Scope, head: Head) -> str:
    """Scheme and host by which the caller reached the gateway."""
    scheme = head.get("x-forwarded-proto").lower()
    return f"{scheme if scheme in ('http', 'https') else asked.get('scheme', 'http')}://{head.get('host')}"


async def _send(file: File, head: Head, receive: Receive, reply: Reply) -> None:
    """A file, piece by piece, as long as the caller is there."""
    disposition = f'attachment; filename="{file.name}"'.encode()
    with Watch(None, receive, reply):
        await reply.head(200, [*_headers(head, file.kind), (b"content-disposition", disposition)])
        async for piece in file.pieces:
            await reply.content(piece)
        await reply.end()


def _headers(head: Head, kind: str = JSON) -> Pairs:
    return [
        (b"content-type", kind.encode()),
        (b"x-portkey-trace-id", head.options.trace_id.encode()),
        (b"cache-control", b"no-store"),
    ]
