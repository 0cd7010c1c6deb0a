"""Stored credentials on both databases: sealed, changed, moved to another master key, gone when they are deleted."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from gatekey.errors import Conflict, NotFound, Unsealable
from gatekey.secret import Secret
from gatekey.store import configs, integrations, providers, rows, tables, workspaces
from gatekey.store.database import Database, Write
from gatekey.store.directory import Directory, Stored
from gatekey.store.integrations import Credential
from gatekey.store.rows import Row
from gatekey.store.workspaces import DEFAULT
from gatekey.vault import Vault, new_key

OLD, NEW = new_key(), new_key()


def canary() -> str:
    return f"canary-{secrets.token_hex(12)}"


def stored_as(
    write: Write, vault: Vault, credential: Credential, slug: str = "main", **columns: Any
) -> tuple[Row, Row]:
    return providers.create_virtual(write, vault, credential, workspace=DEFAULT, slug=slug, name=slug, **columns)


class World:
    """A database with a directory of it."""

    def __init__(self, database: Database, *keys: str) -> None:
        self.database = database
        self.vault = Vault(*(keys or (OLD,)))
        self.directory = Directory(database, self.vault, None)

    async def store(self, credential: Credential, slug: str = "main", **columns: Any) -> tuple[Row, Row]:
        return await self.database.write(lambda write: stored_as(write, self.vault, credential, slug, **columns))

    async def seen(self, slug: str = "main") -> Stored | None:
        await self.directory.refresh()
        return self.directory.provider(DEFAULT, slug)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


WHOLE = Credential("openai", Secret("sk-1"), {"openai_project": "p"}, "https://host/v1", {"x-team": "a"})


def test_the_directory_has_what_was_stored(database: Database) -> None:
    async def work() -> None:
        world = World(database)
        await world.store(WHOLE, models=["a"], expires_at=5)
        assert await world.seen() == Stored(
            slug="main",
            provider="openai",
            key=Secret("sk-1"),
            options={"openai_project": "p"},
            custom_host="https://host/v1",
            custom_headers={"x-team": "a"},
            models=frozenset({"a"}),
            expires_at=5,
        )
        assert world.directory.providers(DEFAULT) == ["main"]
        assert world.directory.provider("ws-other", "main") is None

    run(work)


def test_the_directory_follows_a_change_a_deletion_and_another_of_the_same_slug(database: Database) -> None:
    async def work() -> None:
        world, late = World(database), World(database)
        row, integration = await world.store(WHOLE)
        assert await world.seen() is not None

        def rotated(old: Credential) -> Credential:
            return replace(old, key=Secret("sk-2"))

        await database.write(providers.update_virtual, world.vault, row["id"], {"note": "n"}, {}, rotated)
        seen = await world.seen()
        assert seen is not None
        assert (seen.key, seen.options) == (Secret("sk-2"), {"openai_project": "p"})
        await database.write(providers.delete, row["id"])
        again, _ = await world.store(Credential("groq", Secret("sk-3")))
        for each in (world, late):  # one that saw the first, and one that sees it deleted already
            seen = await each.seen()
            assert seen is not None
            assert (seen.provider, seen.key) == ("groq", Secret("sk-3"))
            assert each.directory.providers(DEFAULT) == ["main"]
        await database.write(providers.delete, again["id"])
        assert await world.seen() is None
        assert await late.seen() is None
        with pytest.raises(NotFound):
            await database.read(providers.find, DEFAULT, row["id"])
        assert integration["hidden"]

    run(work)


def test_a_change_of_an_integration_reaches_all_that_use_it(database: Database) -> None:
    async def work() -> None:
        world = World(database)
        made = await database.write(
            lambda write: providers.establish(
                write, world.vault, WHOLE, workspace=None, home=DEFAULT, default="one", name="n", slug="shared"
            )
        )
        await database.write(lambda write: providers.join(write, "shared", workspace=DEFAULT, slug="two", name="two"))
        assert (await world.seen("one"), await world.seen("two")) != (None, None)
        await database.write(
            integrations.update, world.vault, made["id"], {}, lambda old: replace(old, key=Secret("sk-9"))
        )
        for slug in ("one", "two"):
            seen = await world.seen(slug)
            assert seen is not None
            assert seen.key == Secret("sk-9")
        with pytest.raises(Conflict, match=r"@one .*@two "):
            await database.write(integrations.delete, made["id"])

    run(work)


def test_what_cannot_be_opened_is_said_and_stops_nothing_else(database: Database) -> None:
    async def work() -> None:
        world, other = World(database), World(database, NEW)
        row, integration = await world.store(WHOLE)
        await other.store(replace(WHOLE, key=Secret("sk-other")), "other")
        broken = await other.seen()
        assert broken is not None
        assert "GATEKEY_MASTER_KEY" in broken.broken
        assert (broken.key, broken.options, broken.provider) == (None, {}, "openai")
        fine = await other.seen("other")
        assert fine is not None
        assert (fine.broken, fine.key) == ("", Secret("sk-other"))
        with pytest.raises(Conflict, match="cannot be opened"):
            await database.write(providers.update_virtual, other.vault, row["id"], {"note": "n"}, {}, lambda old: old)
        unchanged, _ = await database.read(providers.find, DEFAULT, "main")
        assert unchanged["note"] == ""
        for damage in ("", "gk1", "gk1.a.b.c", integration["credential"][:-30], integration["credential"]):

            def spoil(write: Write, text: str = damage) -> None:
                rows.change(write, tables.integrations, integration["id"], credential=text)

            await database.write(spoil)
            seen = await world.seen()
            assert seen is not None
            assert bool(seen.broken) == (damage != integration["credential"])

    run(work)


def test_every_credential_moves_to_another_master_key(database: Database) -> None:
    async def work() -> None:
        running, both = World(database), World(database, NEW, OLD)
        await running.store(WHOLE)
        await running.store(Credential("ollama"), "keyless")
        assert await running.seen() is not None
        assert await database.write(integrations.rewrap_all, both.vault) == 2
        assert await database.write(integrations.rewrap_all, both.vault) == 0
        seen = await running.seen()  # it knows only the old one, and has the row in memory
        assert seen is not None
        assert (seen.key, seen.broken) == (Secret("sk-1"), "")
        fresh = await World(database, NEW).seen()
        assert fresh is not None
        assert (fresh.key, fresh.options, fresh.custom_headers) == (Secret("sk-1"), WHOLE.options, WHOLE.headers)
        stale = await World(database, OLD).seen()
        assert stale is not None
        assert stale.broken

    run(work)


def test_a_move_that_fails_changes_nothing(database: Database) -> None:
    async def work() -> None:
        world = World(database)
        await world.store(WHOLE)
        await World(database, new_key()).store(WHOLE, "foreign")
        before = await database.read(_sealed)
        with pytest.raises(Unsealable):
            await database.write(integrations.rewrap_all, Vault(NEW, OLD))
        assert await database.read(_sealed) == before

    run(work)


def test_a_deleted_credential_is_gone_from_its_row(database: Database) -> None:
    async def work() -> None:
        world = World(database)
        row, _ = await world.store(WHOLE)
        await database.write(providers.delete, row["id"])
        made = await database.write(
            lambda write: workspaces.create(write, name="w", slug="w", description="", defaults={})
        )

        def inside(write: Write) -> None:
            providers.create_virtual(write, world.vault, WHOLE, workspace=made["id"], slug="x", name="x")

        await database.write(inside)
        await database.write(lambda write: workspaces.delete(write, "w", force=True))
        assert await database.read(_sealed) == [""] * 2

    run(work)


def test_a_credential_in_the_row_of_another_opens_nothing(database: Database) -> None:
    async def work() -> None:
        world = World(database)
        _, victim = await world.store(WHOLE)
        _, mine = await world.store(Credential("openai", Secret("mine"), {}, "https://mine/v1"), "mine")

        def swap(write: Write) -> None:
            stolen = update(tables.integrations).where(tables.integrations.c.id == mine["id"])
            write.connection.execute(stolen.values(credential=victim["credential"], revision=write.revision))

        await database.write(swap)
        seen = await world.seen("mine")
        assert seen is not None
        assert (seen.key, bool(seen.broken)) == (None, True)

    run(work)


def test_who_can_write_to_the_database_sends_no_credential_elsewhere(database: Database) -> None:
    """Neither is the address in the open, nor does a credential open for another provider than its own."""

    async def work() -> None:
        world = World(database)
        _, integration = await world.store(WHOLE)
        assert "https://host/v1" not in await database.read(_everything)

        def turn(write: Write) -> None:
            rows.change(write, tables.integrations, integration["id"], ai_provider_id="groq")

        await database.write(turn)
        seen = await world.seen()
        assert seen is not None
        assert (seen.key, seen.custom_host, bool(seen.broken)) == (None, "", True)

    run(work)


@pytest.mark.parametrize(
    "config",
    [
        '{"virtual_key":"main"}',
        '{"provider":"@main"}',
        '{"strategy":{"mode":"fallback"},"targets":[{"provider":"openai"},{"virtualKey":"main"}]}',
        '{"override_params":{"model":"@main/gpt-4o"}}',
    ],
)
def test_what_a_config_uses_is_not_deleted(database: Database, config: str) -> None:
    async def work() -> None:
        world = World(database)
        row, _ = await world.store(WHOLE)
        await world.store(WHOLE, "idle")
        saved = await database.write(
            lambda write: configs.create(
                write, workspace=DEFAULT, name="c", text=config, places={}, is_default=False, by="me"
            )
        )
        with pytest.raises(Conflict, match=saved["slug"]):
            await database.write(providers.delete, row["id"])
        idle, _ = await database.read(providers.find, DEFAULT, "idle")
        await database.write(providers.delete, idle["id"])
        await database.write(configs.delete, saved["id"])
        await database.write(providers.delete, row["id"])

    run(work)


def test_no_secret_is_in_the_database_or_the_log(
    database: Database, url: str, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    key, option, header, second = canary(), canary(), canary(), canary()

    async def work() -> None:
        world = World(database)
        row, _ = await world.store(Credential("openai", Secret(key), {"openai_beta": option}, "", {"x-key": header}))
        seen = await world.seen()
        assert key not in repr(seen)
        await database.write(
            providers.update_virtual, world.vault, row["id"], {}, {}, lambda old: replace(old, key=Secret(second))
        )

    with caplog.at_level(logging.DEBUG):
        run(work)
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert files or not database.sqlite
    kept = asyncio.run(database.read(_everything))
    assert "main" in kept
    for secret in (key, option, header, second):
        assert secret not in kept
        assert secret not in caplog.text
        assert not any(secret.encode() in file for file in files)


def _sealed(connection: Any) -> list[Any]:
    table = tables.integrations
    return list(connection.execute(select(table.c.credential).order_by(table.c.created_at, table.c.id)).scalars())


def _everything(connection: Any) -> str:
    return repr([connection.execute(select(table)).all() for table in tables.metadata.sorted_tables])
