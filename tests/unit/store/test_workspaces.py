"""Workspaces in the store."""

import asyncio

import pytest
from sqlalchemy import Connection

from gatekey.errors import Conflict, NotFound
from gatekey.store import api_keys, rows, tables, workspaces
from gatekey.store.database import Database, Write
from gatekey.store.rows import Row

NEW = {"description": "", "defaults": {}}


def create(write: Write, slug: str | None = None) -> Row:
    return workspaces.create(write, name="Team", slug=slug, **NEW)


def add_key(write: Write, workspace: str, name: str) -> Row:
    columns = {"description": "", "type": "workspace-service", "user_id": None, "expires_at": None}
    return api_keys.create(write, workspace=workspace, defaults={}, scopes=["models.list"], name=name, **columns)[0]


def digests(connection: Connection) -> int:
    return len(connection.execute(tables.api_key_secrets.select()).all())


def test_it_is_found_by_id_and_by_slug(database: Database) -> None:
    async def story() -> None:
        made = await database.write(create, "team")
        for name in (made["id"], "team"):
            assert await database.read(workspaces.find, name) == made
        with pytest.raises(NotFound, match="'nobody'"):
            await database.read(workspaces.find, "nobody")

    asyncio.run(story())


def test_a_slug_belongs_to_one_that_lives(database: Database) -> None:
    async def story() -> None:
        first = await database.write(create, "team")
        with pytest.raises(Conflict):
            await database.write(create, "team")
        await database.write(lambda write: workspaces.delete(write, "team", force=False))
        second = await database.write(create, "team")
        assert second["id"] != first["id"]
        assert (await database.read(workspaces.find, "team"))["id"] == second["id"]

    asyncio.run(story())


def test_slugs_are_made_of_names_and_differ(database: Database) -> None:
    async def story() -> None:
        made = [await database.write(create) for _ in range(3)]
        assert len({row["slug"] for row in made}) == 3
        assert all(row["slug"].startswith("team-") for row in made)

    asyncio.run(story())


def test_deleting_asks_for_an_empty_one_or_for_force(database: Database) -> None:
    async def story() -> None:
        team, other = [(await database.write(create))["id"] for _ in range(2)]
        gone = await database.write(add_key, team, "one of the team")
        stays = await database.write(add_key, other, "another")
        with pytest.raises(Conflict, match="one of the team"):
            await database.write(lambda write: workspaces.delete(write, team, force=False))
        assert await database.read(digests) == 2
        await database.write(lambda write: workspaces.delete(write, team, force=True))
        assert await database.read(digests) == 1
        with pytest.raises(NotFound):
            await database.read(api_keys.find, gone["id"])
        assert (await database.read(api_keys.find, stays["id"]))["name"] == "another"

    asyncio.run(story())


def test_the_default_one_stays(database: Database) -> None:
    async def story() -> None:
        with pytest.raises(Conflict):
            await database.write(lambda write: workspaces.delete(write, workspaces.DEFAULT, force=True))
        found, total = await database.read(rows.page, rows.live(tables.workspaces), tables.workspaces, 0, 10)
        assert ([row["slug"] for row in found], total) == (["default"], 1)

    asyncio.run(story())
