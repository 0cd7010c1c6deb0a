"""The ledgers that there are, for tests of what they have in common: each on a real server, and one in memory.

with place("redis", folder) as there:
    first, second = there.open(), there.open()    # as two workers would
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from gatekey.limits.account import NEW, Ask
from gatekey.limits.ledger import LIFE, Ledger
from gatekey.limits.limit import Limit
from gatekey.store.database import Database, engine
from gatekey.store.ledger import SqlLedger
from gatekey.store.redis_ledger import EXPIRIES, HOLDERS, RedisLedger
from tests import databases
from tests.redis_server import server
from tests.unit.limits.twin import Twin

Story = Callable[[Ledger], Awaitable[None]]

SERVERS = ("postgresql", "redis")
REAL = ("sqlite", *SERVERS)
KINDS = ("memory", *REAL)


class Place(ABC):
    """Where a ledger is kept."""

    @abstractmethod
    def open(self) -> Ledger:
        """A ledger with connections of its own."""

    @abstractmethod
    def silence(self, holder: str) -> None:
        """Let it be long since a holder was heard of. In memory that goes for all of them."""

    @abstractmethod
    def expire(self, account: str) -> None:
        """Let the time come from which on an account says no more than a new one."""

    @abstractmethod
    def freeze(self) -> AbstractContextManager[None]:
        """A context in which it answers nobody."""


class Memory(Place):
    """A dict."""

    def __init__(self) -> None:
        self._twin = Twin()

    def open(self) -> Ledger:
        return self._twin

    def silence(self, holder: str) -> None:
        self._twin.books.now += LIFE + 1

    def expire(self, account: str) -> None:
        raise NotImplementedError

    def freeze(self) -> AbstractContextManager[None]:
        raise NotImplementedError


class Sql(Place):
    """A database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def open(self) -> Ledger:
        return _Own(Database(self.url))

    def silence(self, holder: str) -> None:
        self._execute("UPDATE ledger_holders SET seen = seen - :life WHERE id = :id", life=LIFE + 1, id=holder)

    def expire(self, account: str) -> None:
        self._execute("UPDATE ledger_accounts SET expires_at = 1 WHERE name = :name", name=account)

    @contextmanager
    def freeze(self) -> Iterator[None]:
        made = engine(self.url)
        with made.begin() as connection:
            if made.dialect.name == "postgresql":
                connection.execute(sqlalchemy.text("LOCK TABLE ledger_holders, ledger_accounts"))
            else:
                connection.execute(sqlalchemy.text("DELETE FROM ledger_holders WHERE id = 'nobody'"))
            yield
        made.dispose()

    def _execute(self, statement: str, **values: object) -> None:
        made = engine(self.url)
        with made.begin() as connection:
            connection.execute(sqlalchemy.text(statement), values)
        made.dispose()


class _Own(SqlLedger):
    """With a database that is closed with it."""

    async def close(self) -> None:
        await self._database.close()


class Redis(Place):
    """A Redis server, which is emptied."""

    def __init__(self) -> None:
        with server().client() as client:
            client.flushall()

    def open(self) -> Ledger:
        return RedisLedger(server().url)

    def silence(self, holder: str) -> None:
        with server().client() as client:
            client.zincrby(HOLDERS, -LIFE - 1, holder)

    def expire(self, account: str) -> None:
        with server().client() as client:
            client.zadd(EXPIRIES, {account: time.time() * 1000 - 1})
            client.pexpireat(f"{{gatekey}}:ledger:account:{account}", 1)

    @contextmanager
    def freeze(self) -> Iterator[None]:
        server().freeze(True)
        try:
            yield
        finally:
            server().freeze(False)


@contextmanager
def place(kind: str, folder: Path) -> Iterator[Place]:
    """An empty one. `folder`: an empty folder for files."""
    if kind == "memory":
        yield Memory()
    elif kind == "redis":
        yield Redis()
    else:
        with databases.migrated(kind, folder) as url:
            yield Sql(url)


def run(there: Place, story: Story) -> None:
    """With two holders, `h` and `g`."""

    async def whole() -> None:
        ledger = there.open()
        try:
            await ledger.join("h")
            await ledger.join("g")
            await story(ledger)
        finally:
            await ledger.close()

    asyncio.run(whole())


def draw(
    limit: Limit, least: int, want: int = 0, *, epoch: int = NEW, total: int = 0, keep: int = 0, **more: Any
) -> Ask:
    return Ask(limit, epoch, total, keep, **{"least": least, "bound": least, "want": want, **more})
