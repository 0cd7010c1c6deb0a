"""Transactions: whole or not at all, in line, bounded; a database that is not there is said to be so."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from gatekey.errors import BadBody, Conflict, Overloaded
from gatekey.store import database as databases
from gatekey.store import rows, tables, workspaces
from gatekey.store.database import Database, Write, engine, revision

NEW = {"slug": None, "description": "", "defaults": {}}


def add(write: Write, name: str) -> int:
    workspaces.create(write, name=name, **NEW)
    return write.revision


def names(connection: Connection) -> list[str]:
    return [row["name"] for row in rows.every(connection, tables.workspaces)]


def test_what_raises_leaves_nothing_and_takes_no_revision(database: Database) -> None:
    def fail(write: Write) -> None:
        add(write, "half")
        raise Conflict("no")

    async def story() -> None:
        before = await database.read(revision)
        with pytest.raises(Conflict):
            await database.write(fail)
        assert await database.read(names) == ["Default"]
        assert await database.read(revision) == before
        assert await database.write(add, "whole") == before + 1
        assert sorted(await database.read(names)) == ["Default", "whole"]

    asyncio.run(story())


def test_writers_stand_in_line(url: str) -> None:
    """Two processes' worth of connections: no revision twice, none left out, and the row carries its own."""

    async def story() -> None:
        pair = [Database(url), Database(url)]
        before = await pair[0].read(revision)
        taken = await asyncio.gather(*(pair[count % 2].write(add, f"w{count}") for count in range(40)))
        assert sorted(taken) == list(range(before + 1, before + 41))
        found = await pair[0].read(rows.every, tables.workspaces)
        assert sorted(row["revision"] for row in found) == [1, *sorted(taken)]
        assert await pair[0].read(revision) == before + 40
        for one in pair:
            await one.close()

    asyncio.run(story())


def test_whoever_has_seen_a_revision_has_seen_all_before_it(url: str) -> None:
    """A reader beside writers: with revision n it finds every row up to n."""

    async def story() -> None:
        writer, reader = Database(url), Database(url)
        first = await reader.read(revision)

        def look(connection: Connection) -> tuple[int, list[int]]:
            seen = revision(connection)
            found = rows.every(connection, tables.workspaces)
            return seen, sorted(row["revision"] for row in found if first < row["revision"] <= seen)

        writing = asyncio.gather(*(writer.write(add, f"w{count}") for count in range(30)))
        while not writing.done():
            seen, found = await reader.read(look)
            assert found == list(range(first + 1, seen + 1))
        await writing
        await writer.close()
        await reader.close()

    asyncio.run(story())


def test_only_so_many_may_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "WAITING", 3)
    go_on = threading.Event()

    async def story() -> None:
        held = [asyncio.create_task(database.read(lambda _: go_on.wait(60))) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="busy"):
            await database.read(names)
        go_on.set()
        await asyncio.gather(*held)
        assert await database.read(names) == ["Default"]

    asyncio.run(story())


def test_what_cannot_begin_in_time_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.01)
    go_on = threading.Event()

    async def story() -> None:
        threads = 1 if database.sqlite else databases.THREADS
        held = [asyncio.create_task(database.read(lambda _: go_on.wait(60))) for _ in range(threads)]
        await asyncio.sleep(0)
        ran: list[str] = []
        with pytest.raises(Overloaded, match="busy"):
            await database.read(lambda _: ran.append("late"))
        go_on.set()
        await asyncio.gather(*held)
        assert await database.read(names) == ["Default"]
        assert ran == []

    asyncio.run(story())


def test_a_caller_who_leaves_breaks_nothing(database: Database) -> None:
    go_on = threading.Event()

    async def story() -> None:
        task = asyncio.create_task(database.read(lambda _: go_on.wait(60)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert await database.read(names) == ["Default"]

    asyncio.run(story())


def test_a_database_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    async def story(url: str) -> None:
        database = Database(url)
        with pytest.raises(Overloaded, match="cannot be reached"):
            await database.read(names)
        with pytest.raises(Overloaded, match="cannot be reached"):
            await database.write(add, "w")
        await database.close()

    asyncio.run(story(f"postgresql://user:password-of-ours@127.0.0.1:{port}/gatekey"))
    asyncio.run(story(f"sqlite:///{tmp_path / 'no' / 'folder' / 'gatekey.db'}"))


def test_the_database_itself_keeps_the_bounds(database: Database) -> None:
    def bounds(connection: Connection) -> list[Any]:
        if database.sqlite:
            return [connection.exec_driver_sql("PRAGMA busy_timeout").scalar()]
        return [connection.exec_driver_sql(f"SHOW {name}_timeout").scalar() for name in ("statement", "lock")]

    assert asyncio.run(database.read(bounds)) == ([5000] if database.sqlite else ["5s", "5s"])


def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Again and again, as it depends on who is where when."""
    for number in range(20):
        start = threading.Barrier(4)

        def opened(url: str, start: threading.Barrier = start) -> str:
            made = engine(url)
            start.wait(60)
            with made.connect() as connection:
                mode: str = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
            made.dispose()
            return mode

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(opened, [f"sqlite:///{tmp_path / str(number)}"] * 4)) == {"wal"}


def test_what_cannot_be_stored_is_the_callers_error(database: Database) -> None:
    def fail(write: Write) -> None:
        add(write, "a\0b")

    async def story() -> None:
        if database.sqlite:
            await database.write(fail)
            assert "a\0b" in await database.read(names)
            return
        with pytest.raises(BadBody):
            await database.write(fail)
        assert await database.read(names) == ["Default"]

    asyncio.run(story())


@pytest.mark.parametrize("url", ["mysql://h/d", "oracle://h/d"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="GATEKEY_DATABASE_URL"):
        engine(url)
