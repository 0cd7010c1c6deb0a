"""One database, SQLite or PostgreSQL, with one set of statements. Everything blocking happens in its threads.

Policy where the database is down or slow: what is in memory goes on being served; the control plane answers 503
after `PATIENCE`. What has not begun by then is given up; what has begun comes to its end. PostgreSQL bounds each of its
statements. SQLite bounds only the wait for its lock: a statement may take what this machine needs for it.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.engine import make_url

from gatekey.errors import BadBody, Overloaded
from gatekey.store.tables import counters

PATIENCE = 5.0
"""s that a thread, a lock or a connection is waited for, and that a statement of PostgreSQL may take."""
WAITING = 256
"""Transactions that may wait for a thread; one more is refused."""
THREADS = 4
"""Connections to PostgreSQL of one worker. SQLite has one writer at a time anyway, and gets one thread."""

T = TypeVar("T")


class Write:
    """A transaction that changes something: its connection, its revision, its time in ms since the epoch."""

    def __init__(self, connection: Connection, revision: int, now: int) -> None:
        self.connection = connection
        self.revision = revision
        self.now = now


class Database:
    """Runs functions in transactions."""

    def __init__(self, url: str) -> None:
        """`url`: `sqlite:///path` or `postgresql://user:password@host/name`."""
        self.engine = engine(url)
        self._threads = ThreadPoolExecutor(1 if self.sqlite else THREADS, thread_name_prefix="gatekey-store")
        self._waiting = 0

    @property
    def sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.engine.dialect.name == "sqlite"

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(connection, *arguments)` in a transaction of its own. Raises `Overloaded` where it cannot run."""

        def run() -> T:
            with self.engine.connect() as connection:
                return function(connection, *arguments)

        return await self._run(run)

    async def write(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(write, *arguments)` in a transaction that is committed, or undone where it raises."""

        def run() -> T:
            with self.engine.begin() as connection:
                # Taking the next revision first puts all writers in line, on both databases.
                statement = update(counters).where(counters.c.name == "revision").values(value=counters.c.value + 1)
                revision = connection.execute(statement.returning(counters.c.value)).scalar_one()
                return function(Write(connection, revision, int(time.time() * 1000)), *arguments)

        return await self._run(run)

    async def transact(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(connection, *arguments)` in a transaction without a revision: of tables that no directory holds."""

        def run() -> T:
            with self.engine.begin() as connection:
                return function(connection, *arguments)

        return await self._run(run)

    async def close(self) -> None:
        """Let go of every connection."""
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        self.engine.dispose()

    async def _run(self, run: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Overloaded("The database is busy: try again in a moment.")
        self._waiting += 1
        future = self._threads.submit(run)
        result = asyncio.wrap_future(future)
        try:
            await asyncio.wait((result,), timeout=PATIENCE)
            # What has begun comes to its end: the bounds of its statements see to that.
            if not result.done() and future.cancel():
                raise Overloaded("The database is busy: try again in a moment.")
            return await result
        except sqlalchemy.exc.DataError:
            raise BadBody("A value holds what cannot be stored, such as a NUL character, or is too long.") from None
        except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, sqlalchemy.exc.TimeoutError):
            raise Overloaded("The database cannot be reached: try again in a moment.") from None
        finally:
            result.cancel()
            self._waiting -= 1


def engine(url: str) -> Engine:
    """The engine for a URL. Raises ValueError where it names no database that we know."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        made = sqlalchemy.create_engine(parsed, connect_args={"timeout": PATIENCE})
        event.listen(made, "connect", _sqlite)
        event.listen(made, "begin", _begin)
        return made
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        milliseconds = int(PATIENCE * 1000)
        return sqlalchemy.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=THREADS,
            max_overflow=0,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": int(PATIENCE),
                "tcp_user_timeout": milliseconds,  # a server that can be reached no more does not say so
                "keepalives_idle": 1,
                "keepalives_interval": 1,
                "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}",
            },
        )
    raise ValueError("GATEKEY_DATABASE_URL must begin with sqlite:/// or postgresql://")


def _sqlite(connection: Any, record: Any) -> None:
    # The driver's own transactions would commit before DDL: they are switched off, and `_begin` opens ours.
    connection.isolation_level = None
    # A checkpoint for every 16 MB: the writer's rows would call for one several times a second.
    pragmas = ("synchronous=NORMAL", "foreign_keys=ON", "wal_autocheckpoint=4000")
    for pragma in (*pragmas, f"busy_timeout={int(PATIENCE * 1000)}"):
        connection.execute(f"PRAGMA {pragma}")
    _to_wal(connection)


def _to_wal(connection: Any) -> None:
    """Of two that make a new file WAL, SQLite refuses one at once, whatever its time-out: it is tried again here."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def revision(connection: Connection) -> int:
    """The number of the last write."""
    value: int = connection.execute(select(counters.c.value).where(counters.c.name == "revision")).scalar_one()
    return value
