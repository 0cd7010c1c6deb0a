"""What the data plane knows: at once where it was changed, within a second elsewhere, and without the database."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from gatekey.errors import Overloaded, Unauthenticated
from gatekey.store import api_keys, directory, rows, tables, workspaces
from gatekey.store.database import Database, Write
from gatekey.store.directory import ADMIN, Directory, Principal
from gatekey.vault import Vault, new_key
from tests import databases

NEW: dict[str, Any] = {"name": "k", "description": "", "type": "workspace-service", "user_id": None, "expires_at": None}
PATIENCE = 20.0
"""s that only a failing test waits for."""


def add(write: Write, workspace: str | None = workspaces.DEFAULT, **more: Any) -> tuple[str, str]:
    """A key's id and secret."""
    columns = {"defaults": {}, "scopes": ["completions.write"], **NEW, **more}
    row, secret = api_keys.create(write, workspace=workspace, **columns)
    return row["id"], secret


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def who(known: Directory, secret: str, later: float = 0) -> Principal | None:
    return known.principal(digest(secret), time.time() + later)


def opened(database: Database, admin: bytes | None = None) -> Directory:
    return Directory(database, Vault(new_key()), admin)


async def until(condition: Callable[[], object], what: str) -> float:
    """s that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < PATIENCE, what
        await asyncio.sleep(0.01)
    return time.monotonic() - start


def test_the_admin_key_needs_no_database(database: Database) -> None:
    async def story() -> None:
        known = opened(database, digest("gk-admin"))
        assert who(known, "gk-admin") is ADMIN
        assert who(known, "gk-other") is None
        assert ADMIN.may("anything") and ADMIN.home == "ws-default"

    asyncio.run(story())


def test_a_key_is_known_as_it_is(database: Database) -> None:
    async def story() -> None:
        known = opened(database)
        defaults = {"config_id": None, "metadata": {"team": "a"}, "allow_config_override": False}
        id, secret = await database.write(lambda write: add(write, defaults=defaults, user_id="u"))
        wide, wide_secret = await database.write(lambda write: add(write, None))
        assert who(known, secret) is None
        await known.refresh()
        assert who(known, secret) == Principal(
            id=id,
            workspace="ws-default",
            scopes=frozenset({"completions.write"}),
            allow_config_override=False,
            metadata={"team": "a"},
            user="u",
        )
        found = who(known, wide_secret)
        assert found is not None
        assert (found.id, found.workspace, found.home) == (wide, "", "ws-default")
        assert found.may("completions.write") and not found.may("configs.read")

    asyncio.run(story())


def test_both_secrets_work_while_a_rotation_overlaps(database: Database) -> None:
    async def story() -> None:
        known = opened(database)
        id, first = await database.write(add)
        await known.refresh()
        second, until = await database.write(lambda write: api_keys.rotate(write, id, 60_000))
        assert 0 < until - time.time() * 1000 <= 60_000
        await known.refresh()
        assert who(known, first) == who(known, second) is not None
        with pytest.raises(Unauthenticated, match="expired"):
            who(known, first, later=61)
        assert who(known, second, later=61) is not None
        third, _ = await database.write(lambda write: api_keys.rotate(write, id, 60_000))
        await known.refresh()
        assert who(known, first) is None
        assert who(known, second) == who(known, third) is not None
        fresh = opened(database)
        await fresh.refresh()
        assert [who(fresh, secret) is None for secret in (first, second, third)] == [True, False, False]

    asyncio.run(story())


def test_an_expired_key_is_told_apart_from_a_wrong_one(database: Database) -> None:
    async def story() -> None:
        known = opened(database)
        soon = int(time.time() * 1000) + 60_000
        id, secret = await database.write(lambda write: add(write, expires_at=soon))
        await known.refresh()
        assert who(known, secret) is not None
        with pytest.raises(Unauthenticated, match="expired"):
            known.principal(digest(secret), soon / 1000)
        await database.write(lambda write: api_keys.change(write, id, {}, expires_at=None))
        await known.refresh()
        assert known.principal(digest(secret), soon / 1000 + 1) is not None

    asyncio.run(story())


def test_a_deleted_key_is_forgotten_whole(database: Database) -> None:
    async def story() -> None:
        known = opened(database)
        empty = _size(known)
        id, first = await database.write(add)
        second, _ = await database.write(lambda write: api_keys.rotate(write, id, 60_000))
        await known.refresh()
        assert _size(known) > empty
        await database.write(lambda write: api_keys.remove(write, id))
        await known.refresh()
        assert who(known, first) is who(known, second) is None
        assert _size(known) == empty

    asyncio.run(story())


def _size(known: Directory) -> int:
    return len(known._keys) + len(known._digests)


def test_a_workspaces_metadata_follows(database: Database) -> None:
    async def story() -> None:
        known = opened(database)
        columns = {"slug": None, "description": "", "defaults": {"metadata": {"a": "1"}}}
        made = await database.write(lambda write: workspaces.create(write, name="w", **columns))
        await known.refresh()
        assert known.metadata(made["id"]) == {"a": "1"}
        text = rows.text({"metadata": {"a": "2"}})
        await database.write(lambda write: workspaces.update(write, made["id"], defaults=text))
        await known.refresh()
        assert known.metadata(made["id"]) == {"a": "2"}
        await database.write(lambda write: workspaces.delete(write, made["id"], force=False))
        await known.refresh()
        assert known.metadata(made["id"]) == {}

    asyncio.run(story())


def test_a_slug_that_was_freed_and_taken_again_names_the_new_one(database: Database) -> None:
    """Both changes may come in one look, or in two."""

    def put(write: Write, id: str, text: str) -> None:
        columns = {"workspace_id": "ws-default", "slug": "pc-a", "name": "a", "version_id": id, "status": "active"}
        rows.add(write, tables.configs, id=id, is_default=False, config=text, **columns)

    async def story() -> None:
        at_once, in_steps = opened(database), opened(database)
        steps: list[Callable[[Write], None]] = [
            lambda write: put(write, "one", "1"),
            lambda write: rows.remove(write, tables.configs, "one"),
            lambda write: put(write, "two", "2"),
        ]
        for step in steps:
            await database.write(step)
            await in_steps.refresh()
        await at_once.refresh()
        for known in (at_once, in_steps):
            assert known.config("ws-default", "pc-a") == known.config("ws-default", "two") == "2"
            assert known.config("ws-default", "one") is None
            assert known.config("ws-other", "pc-a") is None

    asyncio.run(story())


async def follow(mine: Directory, theirs: Directory, store: Database) -> None:
    id, secret = await store.write(add)
    await mine.refresh()
    assert who(mine, secret) is not None
    await until(lambda: who(theirs, secret), "a new key is seen")
    await store.write(lambda write: api_keys.remove(write, id))
    await mine.refresh()
    assert who(mine, secret) is None
    await until(lambda: who(theirs, secret) is None, "a deleted key is seen")


def test_two_gateways_see_each_others_changes_within_a_second(url: str) -> None:
    async def story() -> None:
        stores = [Database(url), Database(url)]
        one, other = [opened(store) for store in stores]
        await asyncio.gather(one.open(), other.open())
        await follow(one, other, stores[0])
        await follow(other, one, stores[1])
        assert directory.INTERVAL < 0.5
        await asyncio.gather(one.close(), other.close())
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(story())


def test_changes_by_many_at_once_are_all_seen(url: str) -> None:
    async def story() -> None:
        stores = [Database(url), Database(url)]
        known = opened(stores[1])
        writing = asyncio.gather(*(stores[0].write(add) for _ in range(30)))
        while not writing.done():
            await known.refresh()
        made = await writing
        await known.refresh()
        assert {who(known, secret).id for _, secret in made} == {id for id, _ in made}  # type: ignore[union-attr]
        for store in stores:
            await store.close()

    asyncio.run(story())


def test_what_is_known_is_served_while_the_database_is_down(caplog: pytest.LogCaptureFixture) -> None:
    server = databases.Postgres()
    url = server.create()
    databases.migrate_at(url)

    async def story() -> None:
        store = Database(url)
        known = opened(store)
        await known.open()
        _, secret = await store.write(add)
        await known.refresh()
        server.stop()
        await until(lambda: known.behind > 2 * directory.INTERVAL, "the directory falls behind")
        assert who(known, secret) is not None
        with pytest.raises(Overloaded, match="cannot be reached"):
            await store.write(add)
        assert who(known, secret) is not None
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        server.start()
        await until(lambda: known.behind < directory.INTERVAL, "the directory has caught up")
        _, later = await store.write(add)
        await until(lambda: who(known, later), "a key made afterwards is seen")
        await known.close()
        await store.close()

    try:
        asyncio.run(story())
    finally:
        server.close()


def test_looking_goes_on_whatever_happens(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(directory, "INTERVAL", 0.001)

    async def story() -> None:
        known = opened(database)
        await known.open()
        with monkeypatch.context() as broken:
            broken.setattr(known, "_take_in", lambda changes: 1 / 0)
            _, lost = await database.write(add)
            await until(lambda: caplog.records, "the failure is logged")
        await until(lambda: who(known, lost), "what could not be taken in is taken in later")
        await known.close()

    asyncio.run(story())


def test_a_database_that_was_put_back_is_read_anew(database: Database) -> None:
    """A backup is older than what was seen: nothing of what came after it may be left."""

    def put_back(write: Write, id: str) -> None:
        write.connection.execute(tables.api_key_secrets.delete())
        write.connection.execute(tables.api_keys.delete().where(tables.api_keys.c.id == id))
        write.connection.execute(tables.counters.update().values(value=1))

    async def story() -> None:
        known = opened(database)
        id, secret = await database.write(add)
        await known.refresh()
        assert who(known, secret) is not None
        await database.write(put_back, id)
        await known.refresh()
        assert who(known, secret) is None
        _, later = await database.write(add)
        await known.refresh()
        assert who(known, later) is not None

    asyncio.run(story())
