"""The gateway as a bare ASGI application: a table of routes, and the edge where errors become answers.

A path that is no route of its own and lies below `/v1/` is forwarded to the provider, unless its first segment is
reserved for the control plane: a `POST /virtual-keys` carries a provider's key and must never leave.
"""

import asyncio
import gc
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal, Protocol

from gatekey.errors import BodyTooLarge, GatekeyError, Overloaded, UnknownRoute
from gatekey.gateway import headers, price_list, respond
from gatekey.gateway.call import Call, Gone, Receive
from gatekey.gateway.entry import LEFT, now
from gatekey.gateway.headers import Head
from gatekey.gateway.life import House, live, recognise, release
from gatekey.gateway.line import Line, line
from gatekey.gateway.respond import JSON, Reply, Send
from gatekey.observe import families
from gatekey.observe.figures import Answered
from gatekey.observe.metrics import TYPE, Metrics
from gatekey.routing.plan import Sent
from gatekey.store.directory import Principal
from gatekey.wire import body as json

Scope = dict[str, Any]
Route = Callable[[Scope, Receive, Send], Awaitable[None]]
Kind = Literal["completions", "chat", "embeddings", "models"]

RESERVED = frozenset({
    "admin", "agents", "analytics", "api-keys", "audit-logs", "collections", "configs", "feedback", "gateway",
    "guardrails", "integrations", "labels", "logs", "mcp-integrations", "mcp-servers", "model-configs", "organisation",
    "otel", "policies", "prompts", "providers", "reference", "scim", "secret-references", "virtual-keys",
    "workspace-exclusions", "workspaces",
})  # fmt: skip
"""First segments below `/v1` that are the gateway's own (portkey-api.md 4.4 and 15)."""

KINDS: dict[tuple[str, str], Kind] = {
    ("POST", "/v1/completions"): "completions",
    ("POST", "/v1/chat/completions"): "chat",
    ("POST", "/v1/embeddings"): "embeddings",
    ("GET", "/v1/models"): "models",
}

LINGER = 2.0
"""s for which the rest of a refused body is taken in."""

COLLECT = (50_000, 20, 50)
"""Thresholds of the garbage collector: a call leaves next to no cycles behind, so that it may look less often."""

NOBODY = Principal(id="", scopes=frozenset())
"""Who comes with an address that is a permission by itself."""

log = logging.getLogger("gatekey")


class Control(Protocol):
    """The control plane, which is served at the reserved paths."""

    async def answer(
        self, asked: Scope, path: str, head: Head, principal: Principal, receive: Receive, reply: Reply
    ) -> None:
        """Serve one request; `path` is below `/v1`. Raises `GatekeyError`."""
        ...

    def failed(self, failure: GatekeyError) -> bytes:
        """The body of a refusal."""
        ...

    def signed(self, method: str, path: str) -> bool:
        """Whether an address is a permission by itself, so that no key is asked for. `path` is below `/v1`."""
        ...


class App:
    """The ASGI application of one worker. `description` makes the OpenAPI document.

    `most`: calls at a time; one more is answered with 503.
    """

    def __init__(
        self,
        house: House,
        metrics: Metrics,
        description: Callable[[], bytes],
        control: Control | None = None,
        *,
        most: int = 4096,
    ) -> None:
        self._house = house
        self._metrics = metrics
        self._ready = False
        self._control = control
        self._most = most
        self._running = 0
        self._description = description
        metrics.tells(families.RUNNING, lambda: self._running)
        metrics.tells(families.BEHIND, lambda: house.directory.behind)

    def drain(self) -> None:
        """The worker is about to end: whoever asks whether it is ready is told so."""
        self._ready = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's message: a request, the lifespan, or a WebSocket (which is refused)."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1011})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._house.directory.open()
        await self._house.money.purse.open()
        await self._house.money.prices.open()
        # What is here now stays for the life of the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
        await self._metrics.open()
        await self._house.journal.open()
        self._ready = True
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.drain()
        await self._metrics.close()
        await self._house.journal.close()
        await self._house.money.prices.close()
        await self._house.money.purse.close()
        await self._house.directory.close()
        upstream = self._house.upstream
        await upstream.children.close()
        await upstream.transport.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = now()
        connection = line(scope)
        reply = Reply(send, connection)
        trace_id, reserved = "", False
        endpoint: str | None = None
        call: Call | None = None
        try:
            pathname = _collapsed(scope["path"])
            fixed = FIXED.get((scope["method"], pathname))
            if fixed is not None:
                return await fixed(self, reply)
            endpoint = ""
            seed = random.getrandbits(128)
            trace_id = f"{seed:032x}"
            endpoint = kind = KINDS.get((scope["method"], pathname)) or _forwardable(pathname)
            reserved = kind == "control"
            head = headers.read(scope["headers"])
            trace_id = head.options.trace_id = head.options.trace_id or trace_id
            if head.options.traced:
                head.options.open_span(f"{scope['method']} {pathname}", f"{seed:032x}"[16:])
            path = _below_v1(scope) if kind == "proxy" or head.options.nitro_mode else pathname
            call = Call(kind, scope["method"], path, pathname, head, trace_id, seed)
            await self._admitted(call, scope, connection, receive, reply, began)
        except BodyTooLarge as failure:
            await self._refuse(receive, reply, failure, _given_trace_id(scope) or trace_id, reserved)
        except GatekeyError as failure:
            await self._fail(reply, failure, _given_trace_id(scope) or trace_id, reserved)
        except Gone:
            if reply.entry is not None:
                reply.entry.left = True
        except respond.Broken:
            # Returning with the body unfinished makes the server break the connection.
            pass
        except Exception:
            log.exception("A request failed inside the gateway (trace %s).", trace_id)
            told = GatekeyError("The gateway failed. Its log says more, under this trace id.")
            await self._fail(reply, told, trace_id)
        finally:
            if reply.entry is not None:
                reply.entry.write()
            elif endpoint is not None:
                took = int((now() - began) * 1_000_000)
                self._metrics.add(Answered(scope["method"], endpoint, reply.status or LEFT, took))
            if call is not None:
                release(call, self._house)
        return None

    async def _admitted(
        self, call: Call, scope: Scope, connection: Line | None, receive: Receive, reply: Reply, began: float
    ) -> None:
        if self._running >= self._most:
            raise Overloaded(f"The gateway is busy with {self._most} calls: try again in a moment.")
        self._running += 1
        try:
            if call.kind == "control":
                await self._control_plane(call, scope, receive, reply)
            else:
                await live(call, connection, receive, reply, self._house, began)
        finally:
            self._running -= 1

    async def _control_plane(self, call: Call, scope: Scope, receive: Receive, reply: Reply) -> None:
        if call.method == "GET" and call.pathname.startswith(price_list.PREFIX):
            return await self._price(call, reply)
        path = call.pathname.removeprefix("/v1")
        if self._control is not None and self._control.signed(call.method, path):
            call.principal = NOBODY
        else:
            recognise(call, self._house)
        if self._control is None:
            raise UnknownRoute(f"{call.pathname[:200]} is not served here, and is never forwarded to a provider.")
        return await self._control.answer(scope, path, call.head, call.principal, receive, reply)

    async def _fail(self, reply: Reply, failure: GatekeyError, trace_id: str, reserved: bool = False) -> None:
        self._metrics.refused(failure.code)
        if reply.sent is Sent.NOTHING:
            if reply.entry is not None:
                reply.entry.error = failure.message
            status, pairs, body = respond.failed(failure, trace_id or f"{random.getrandbits(128):032x}")
            if reserved and self._control is not None:
                body = self._control.failed(failure)
            await reply.whole(status, pairs, body)

    async def _refuse(
        self, receive: Receive, reply: Reply, failure: GatekeyError, trace_id: str, reserved: bool
    ) -> None:
        """Answer while the body still comes: a connection that is closed with bytes unread loses its answer."""
        if reply.entry is not None:
            reply.entry.error = failure.message
        status, pairs, body = respond.failed(failure, trace_id)
        if reserved and self._control is not None:
            body = self._control.failed(failure)
        await reply.head(status, [*pairs, (b"content-length", b"%d" % len(body))])
        await reply.content(body)
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while (await receive()).get("more_body"):
                    pass
        await reply.end()

    async def _price(self, call: Call, reply: Reply) -> None:
        try:
            recognise(call, self._house)
            known = True
        except GatekeyError:
            known = False
        path = call.pathname.removeprefix(price_list.PREFIX)
        told = price_list.answer(path, self._house.money.prices.table, self._house.catalog, known=known)
        await reply.whole(200, [(b"content-type", JSON.encode())], json.encode(told))

    async def health(self, reply: Reply) -> None:
        """The process lives."""
        await reply.whole(200, [(b"content-type", JSON.encode())], b'{"status":"ok"}')

    async def ready(self, reply: Reply) -> None:
        """The worker can serve, and does not end. A database that is away is no reason: what is known is served."""
        status, said = (200, b"ok") if self._ready else (503, b"not ready")
        await reply.whole(status, [(b"content-type", JSON.encode())], b'{"status":"%b"}' % said)

    async def metrics(self, reply: Reply) -> None:
        """What the gateway is doing, for Prometheus."""
        await reply.whole(200, [(b"content-type", TYPE.encode())], await self._metrics.text())

    async def description(self, reply: Reply) -> None:
        """The OpenAPI document."""
        await reply.whole(200, [(b"content-type", JSON.encode())], self._description())

    async def root(self, reply: Reply) -> None:
        """Where to go from here."""
        text = b"Gatekey: one key to every model. The API is below /v1, its description at /v1/openapi.json.\n"
        await reply.whole(200, [(b"content-type", b"text/plain; charset=utf-8")], text)


FIXED: dict[tuple[str, str], Callable[[App, Reply], Awaitable[None]]] = {
    ("GET", "/"): App.root,
    ("GET", "/health"): App.health,
    ("GET", "/v1/health"): App.health,
    ("GET", "/ready"): App.ready,
    ("GET", "/metrics"): App.metrics,
    ("GET", "/v1/openapi.json"): App.description,
}


def _collapsed(path: str) -> str:
    """The path with a repeated `/v1` once: base URLs and SDK paths both bring one."""
    while path.startswith("/v1/v1/"):
        path = path[3:]
    return path


def _forwardable(path: str) -> Literal["proxy", "control"]:
    """What a path is that has no route of its own. Raises `UnknownRoute`."""
    first, *rest = path.removeprefix("/v1/").split("/")
    if not path.startswith("/v1/") or not first or {".", ".."} & {first, *rest} or "" in rest[:-1]:
        raise UnknownRoute(f"There is no route {path[:200]}. The API is below /v1, described at /v1/openapi.json.")
    while rest and first in ("v1", "proxy"):
        first, *rest = rest
    return "control" if first.lower() in RESERVED else "proxy"


def _below_v1(scope: Scope) -> str:
    """The path below `/v1` as it came, with its query."""
    path = _collapsed(scope["raw_path"].decode("ascii", "replace")).removeprefix("/v1")
    if path.startswith("/proxy/"):
        path = path.removeprefix("/proxy")
    query = scope["query_string"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def _given_trace_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-portkey-trace-id":
            return headers.decoded(value).strip()
    return ""
