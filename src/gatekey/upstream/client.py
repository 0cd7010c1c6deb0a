"""The transport: HTTP/1.1 over pooled connections, made only to addresses that the egress policy has approved.

Every origin has its own pool, keyed also by whether the gateway itself chose the address, so that a connection
made without the policy never carries a caller's choice. A name's addresses are approved once and connected to
as they are; they are looked up again after a minute. No redirect, proxy, cookie or decoding; no environment.

One thing is tried twice: a request whose whole body is at hand, sent on a connection that had lain idle, and
which the server closes within a second without one byte of an answer. That server had hung up before it was asked.
"""

import asyncio
import errno
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from gatekey import __version__
from gatekey.errors import BadBody, BadHeader, CallerError, Nonsense, Overloaded, Unreachable, UpstreamError
from gatekey.upstream import egress
from gatekey.upstream.http1 import Connection
from gatekey.upstream.pool import Pool
from gatekey.upstream.transport import Request

CONNECT_TIMEOUT = 10.0  # seconds, TLS included, shared by the addresses of a name
IDLE_TIMEOUT = 60.0  # seconds that a connection may lie idle, give or take the interval of the sweep
STALE_WITHIN = 1.0  # seconds in which a connection that had been hung up shows it
ORIGINS = 512  # pools kept; the one unused for longest goes first
CONNECTIONS = 4096  # open at once, in all
WHOLE = 64 * 1024  # bytes of a body up to which head and body are written as one

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN = re.compile(r"[\r\n\0]")
# Framing and the connection are the transport's own business.
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection"}) | {
    "te",
    "trailer",
    "upgrade",
    "expect",
}
_AGENT = f"user-agent: gatekey/{__version__}"


class Client:
    """Implements `Transport`. Belongs to the event loop in which it is first used."""

    def __init__(
        self,
        policy: egress.Policy,
        *,
        ca_bundle: bytes | None = None,
        resolver: egress.Resolver = egress.lookup,
        connections: int = CONNECTIONS,
    ) -> None:
        """`ca_bundle`: PEM certificates to trust beside the system's. Raises `ssl.SSLError` where it holds none."""
        self._policy = policy
        self._resolver = resolver
        self._limit = connections
        self._tls = ssl.create_default_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        if ca_bundle is not None:
            self._tls.load_verify_locations(cadata=ca_bundle.decode("ascii"))
        self._pools: OrderedDict[tuple[egress.Origin, bool], Pool] = OrderedDict()
        self._live: set[Connection] = set()
        self._connecting = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(self, request: Request) -> "Response":
        """The response's head. Raises `Unreachable`, `Nonsense`, `EgressRefused`, `Overloaded` or a `CallerError`."""
        if self._closed:
            raise Overloaded("The gateway is shutting down: try again in a moment.")
        origin, target = _split(request.url)
        head = _head(request, origin, target)
        pool = self._pool(origin, request.trusted)
        # A body that can be sent only once must not meet a connection that may have been hung up.
        idle = pool.take() if isinstance(request.body, bytes) else None
        if idle is not None:
            began = time.monotonic()
            try:
                return await _exchange(pool, idle, request, head)
            except Unreachable:
                if idle.received or time.monotonic() - began > STALE_WITHIN:
                    raise
        connection = await self._connect(pool)
        request.connected = time.perf_counter()
        return await _exchange(pool, connection, request, head)

    async def close(self) -> None:
        """Close every connection, those in use too."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in list(self._live):
            connection.fail(Unreachable("The gateway is shutting down."))
        self._pools.clear()
        await asyncio.sleep(0)  # lets the transports close

    def _pool(self, origin: egress.Origin, trusted: bool) -> Pool:
        key = (origin, trusted)
        pool = self._pools.get(key)
        if pool is None:
            if not trusted:
                self._policy.check(origin)
            pool = self._pools[key] = Pool(origin, None if trusted else self._policy, self._resolver)
            if len(self._pools) > ORIGINS:
                self._pools.popitem(last=False)[1].shut()
            if self._sweeper is None:
                self._sweep()
        self._pools.move_to_end(key)
        return pool

    async def _connect(self, pool: Pool) -> Connection:
        if len(self._live) + self._connecting >= self._limit and not self._spare():
            raise Overloaded(f"All {self._limit} upstream connections of this worker are in use: try again later.")
        self._connecting += 1
        try:
            addresses = await pool.addresses(time.monotonic())
            with mapped(pool.origin):
                connection = await self._first(pool, addresses)
        finally:
            self._connecting -= 1
        if connection.closed:  # by the server, since
            raise Unreachable(f"{connection.host} closed the connection before it was asked.")
        if self._closed:
            connection.abort()
            raise Overloaded("The gateway is shutting down: try again in a moment.")
        self._live.add(connection)
        return connection

    async def _first(self, pool: Pool, addresses: list[str]) -> Connection:
        """A connection to the first address that takes one. Raises `OSError`."""
        loop, origin = asyncio.get_running_loop(), pool.origin
        secure = origin.scheme == "https"

        def lost(connection: Connection) -> None:
            self._live.discard(connection)
            pool.drop(connection)

        refusal: OSError = OSError()
        for address in addresses:
            try:
                # Each has its share of the time, so that a dead one does not hide the next.
                async with asyncio.timeout(CONNECT_TIMEOUT / len(addresses)):
                    _, connection = await loop.create_connection(
                        lambda: Connection(origin.authority, lost),
                        address,
                        origin.port,
                        ssl=self._tls if secure else None,
                        server_hostname=origin.host if secure else None,
                    )
                return connection
            except OSError as error:
                refusal = error
        raise refusal

    def _spare(self) -> bool:
        """Close one idle connection to make room for another."""
        for pool in self._pools.values():
            connection = pool.take()
            if connection is not None:
                self._live.discard(connection)
                connection.abort()
                return True
        return False

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        for pool in self._pools.values():
            pool.sweep(time.monotonic() - IDLE_TIMEOUT)
        self._sweeper = loop.call_later(IDLE_TIMEOUT / 4, self._sweep)


class Response:
    """Implements the port's `Response`."""

    __slots__ = ("_connection", "_feeder", "_pool", "headers", "status")

    def __init__(self, connection: Connection, pool: Pool, feeder: asyncio.Task[None] | None) -> None:
        self.status = connection.status
        self.headers = connection.headers
        self._pool = pool
        self._feeder = feeder
        self._connection: Connection | None = connection

    @property
    def ended(self) -> bool:
        """Whether all of the body has been taken."""
        return self._connection is None or self._connection.drained

    def chunks(self) -> "Response":
        """The body as it arrives. Raises `Unreachable` where it breaks, `Nonsense` where it is malformed."""
        return self

    def __aiter__(self) -> "Response":
        return self

    async def __anext__(self) -> bytes:
        data = await self._next()
        if data is None:
            raise StopAsyncIteration
        return data

    async def whole(self, limit: int, heard: Callable[[], None] = lambda: None) -> bytes:
        """All of the body; `heard` is called for each piece.

        Raises what `chunks` raises, and `Nonsense` where it has more than `limit` bytes.
        """
        pieces, size = [], 0
        while (data := self._taken() or await self._next()) is not None:
            heard()
            pieces.append(data)
            size += len(data)
            if size > limit:
                raise Nonsense(f"The provider's answer is larger than {limit // (1024 * 1024)} MB.")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _taken(self) -> bytes | None:
        """The whole body where it is at hand, as it nearly always is once its head is."""
        connection = self._connection
        data = None if connection is None else connection.taken()
        if connection is not None and data is not None:
            self._release(connection)
        return data

    async def _next(self) -> bytes | None:
        connection = self._connection
        if connection is None:
            return None
        try:
            data = await connection.read()
        except BaseException:
            self._release(connection)
            raise
        if data is None:
            self._release(connection)
        return data

    async def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._connection is not None:
            self._release(self._connection)

    def _release(self, connection: Connection) -> None:
        self._connection = None
        unsent = self._feeder is not None and self._feeder.cancel()
        if unsent:
            connection.abort()
        else:
            self._pool.give(connection, time.monotonic())


@contextmanager
def mapped(origin: egress.Origin) -> Iterator[None]:
    """Turn what goes wrong on the way to a connection into ours: the one place where foreign errors are read."""
    host = origin.authority
    try:
        yield
    except ssl.SSLCertVerificationError:
        error: Exception = Unreachable(
            f"The TLS certificate of {host} is invalid or of an unknown authority: add its CA to GATEKEY_CA_BUNDLE."
        )
    except ssl.SSLError:
        error = Unreachable(f"TLS with {host} failed: check that this port speaks https.")
    except TimeoutError:
        error = Unreachable(f"{host} accepted no connection within {CONNECT_TIMEOUT:.0f} seconds.")
    except ConnectionRefusedError:
        error = Unreachable(f"{host} refused the connection: check the port and that the server runs.")
    except OSError as cause:
        if cause.errno in (errno.EMFILE, errno.ENFILE):
            error = Overloaded("The gateway has no file descriptors left: raise the limit of open files.")
        else:
            error = Unreachable(f"{host} cannot be reached.")
    else:
        return
    raise error from None


@lru_cache(1024)
def _origin(base: str) -> egress.Origin:
    return egress.split_url(base)[0]


def _split(url: str) -> tuple[egress.Origin, str]:
    """Origin and target; the origin remembered without the rest, which may hold a key."""
    slash = url.find("/", 8)
    if slash < 0 or "?" in url[:slash]:
        return egress.split_url(url)
    return _origin(url[:slash]), _target(url[slash:])


def _target(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise CallerError("The path of the upstream URL has characters that are not allowed: percent-encode them.")
    return text.partition("#")[0]


def _head(request: Request, origin: egress.Origin, target: str) -> bytes:
    """Request line and headers. Raises `BadHeader` for what would not arrive as it was meant."""
    if not _TOKEN.fullmatch(request.method):
        raise CallerError("The method is not an HTTP method.")
    lines = [f"{request.method} {target} HTTP/1.1", f"host: {origin.authority}"]
    agent = False
    for name, value in request.headers:
        lower = _name(name)
        if lower in _OURS:
            continue
        agent = agent or lower == "user-agent"
        lines.append(f"{name}: {value}")
    if not agent:
        lines.append(_AGENT)
    if not isinstance(request.body, bytes):
        lines.append("transfer-encoding: chunked" if request.length is None else f"content-length: {request.length}")
    elif request.body or request.method in ("POST", "PUT", "PATCH"):
        lines.append(f"content-length: {len(request.body)}")
    head = "\r\n".join(lines)
    if head.count("\n") + head.count("\r") != 2 * len(lines) - 2 or "\0" in head:
        broken = next((_name(name) for name, value in request.headers if _FORBIDDEN.search(value)), None)
        raise BadHeader(f"The value of {broken} holds a line break or a NUL.", param=broken)
    try:
        return (head + "\r\n\r\n").encode("latin-1")
    except UnicodeEncodeError:
        raise BadHeader("A header's value has characters beyond Latin-1.") from None


@lru_cache(4096)
def _name(name: str) -> str:
    """A header's name in lower case. Raises `BadHeader` where it is none."""
    if not _TOKEN.fullmatch(name):
        raise BadHeader("A header's name has characters that are not allowed.")
    return name.lower()


async def _exchange(pool: Pool, connection: Connection, request: Request, head: bytes) -> Response:
    body, feeder = request.body, None
    request.sent = True
    try:
        if isinstance(body, bytes):
            connection.start(request.method, head + body if len(body) <= WHOLE else head)
            if len(body) > WHOLE:
                connection.write(body)
        else:
            connection.start(request.method, head)
            feeder = asyncio.create_task(_feed(connection, body, request.length))
            feeder.add_done_callback(lambda task: _fed(connection, task))
        await connection.head()
    except UpstreamError:
        connection.abort()
        if feeder is not None and feeder.done() and not feeder.cancelled() and (fault := feeder.exception()):
            raise fault from None  # the caller's body is what went wrong
        raise
    except BaseException:
        connection.abort()
        raise
    finally:
        if feeder is not None and connection.closed:
            feeder.cancel()
    return Response(connection, pool, feeder)


async def _feed(connection: Connection, body: AsyncIterator[bytes], length: int | None) -> None:
    """Write a body as it comes. Raises `BadBody` where it is not as long as was said."""
    sent = 0
    async for chunk in body:
        sent += len(chunk)
        if length is not None and sent > length:
            raise BadBody(f"The body is longer than the {length} bytes that were announced.")
        if chunk:
            connection.write(chunk if length is not None else b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await connection.drain()
        if connection.closed:
            return
    if length is None:
        connection.write(b"0\r\n\r\n")
    elif sent < length:
        raise BadBody(f"The body ended after {sent} of the {length} bytes that were announced.")


def _fed(connection: Connection, feeder: asyncio.Task[None]) -> None:
    if not feeder.cancelled() and feeder.exception() is not None:
        connection.fail(Unreachable("The request's body broke off."))
