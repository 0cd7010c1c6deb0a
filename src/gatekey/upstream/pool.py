"""The idle connections of one origin, and the approved addresses that new ones go to. Makes no connection."""

import asyncio

from gatekey.errors import Unreachable
from gatekey.upstream.egress import Origin, Policy, Resolver, resolve
from gatekey.upstream.http1 import Connection

PIN_TIMEOUT = 60.0  # seconds until a name is looked up again
ADDRESSES = 3  # of a name that are tried; one that has more has them for balance


class Pool:
    """Connections are taken last in, first out: the warm ones stay warm, the others grow old together."""

    def __init__(self, origin: Origin, policy: Policy | None, resolver: Resolver) -> None:
        self.origin = origin
        self._policy = policy
        self._resolver = resolver
        self._idle: list[Connection] = []
        self._shut = False
        self._pinned: list[str] = []
        self._pinned_at = 0.0
        self._lookup: asyncio.Task[list[str]] | None = None

    def take(self) -> Connection | None:
        """An idle connection, as far as can be known still open."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return None

    def give(self, connection: Connection, now: float) -> None:
        """Take a connection back after an exchange: kept where it is fit for another, closed otherwise."""
        if self._shut or not connection.reusable():
            connection.abort()
        else:
            connection.rest(now)
            self._idle.append(connection)

    def drop(self, connection: Connection) -> None:
        """Forget a connection that was lost."""
        if connection in self._idle:
            self._idle.remove(connection)

    def sweep(self, before: float) -> None:
        """Close what has lain idle since before then."""
        for connection in [each for each in self._idle if each.idle_since < before]:
            self._idle.remove(connection)
            connection.abort()

    def shut(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._shut = True
        self.sweep(float("inf"))

    async def addresses(self, now: float) -> list[str]:
        """Approved addresses, at most a minute old. Raises `EgressRefused` or `Unreachable`.

        Waiters share one look-up. Where none succeeds, addresses that were approved before go on serving:
        a name server that is down takes down nothing that works.
        """
        if self._pinned and now - self._pinned_at < PIN_TIMEOUT:
            return self._pinned
        if self._lookup is None:
            self._lookup = asyncio.create_task(resolve(self.origin, self._policy, self._resolver))
            self._lookup.add_done_callback(self._looked_up)
        try:
            self._pinned = (await asyncio.shield(self._lookup))[:ADDRESSES]
        except Unreachable:
            if not self._pinned:
                raise
        self._pinned_at = now
        return self._pinned

    def _looked_up(self, task: asyncio.Task[list[str]]) -> None:
        self._lookup = None
        if not task.cancelled():
            task.exception()  # the waiters may all have left
