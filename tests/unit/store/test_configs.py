"""What the directory knows of configs follows what the store does to them."""

import asyncio

from gatekey.store import configs, rows, tables
from gatekey.store.database import Database, Write
from gatekey.store.directory import Directory
from gatekey.store.workspaces import DEFAULT
from gatekey.vault import Vault, new_key


def create(write: Write, text: str) -> rows.Row:
    return configs.create(write, workspace=DEFAULT, name="n", text=text, places={}, is_default=False, by="me")


def change(write: Write, id: str, text: str) -> rows.Row:
    return configs.update(write, id, {}, text=text, places={}, by="me")


def test_the_directory_follows_by_id_and_by_slug(database: Database) -> None:
    async def run() -> None:
        directory = Directory(database, Vault(new_key()), None)

        def known(row: rows.Row) -> tuple[str | None, str | None]:
            return directory.config(DEFAULT, row["id"]), directory.config(DEFAULT, row["slug"])

        first = await database.write(create, '{"a":1}')
        assert known(first) == (None, None)
        await directory.refresh()
        assert known(first) == ('{"a":1}', '{"a":1}')
        assert directory.config("ws-other", first["slug"]) is None
        await database.write(change, first["id"], '{"a":2}')
        await directory.refresh()
        assert known(first) == ('{"a":2}', '{"a":2}')
        await database.write(configs.delete, first["id"])
        await directory.refresh()
        assert known(first) == (None, None)
        again = await database.write(create, '{"b":1}')
        await database.write(lambda write: rows.change(write, tables.configs, again["id"], slug=first["slug"]))
        await directory.refresh()
        assert directory.config(DEFAULT, first["slug"]) == '{"b":1}'
        assert directory.config(DEFAULT, again["id"]) == '{"b":1}'
        assert directory.config(DEFAULT, first["id"]) is None
        # one that starts now sees the same, though the deleted row has the slug too
        late = Directory(database, Vault(new_key()), None)
        await late.refresh()
        assert late.config(DEFAULT, first["slug"]) == '{"b":1}'

    asyncio.run(run())


def test_a_slug_that_goes_from_one_to_another_between_two_looks(database: Database) -> None:
    async def run() -> None:
        directory = Directory(database, Vault(new_key()), None)
        first = await database.write(create, '{"a":1}')
        await directory.refresh()
        await database.write(configs.delete, first["id"])
        second = await database.write(create, '{"b":1}')
        await database.write(lambda write: rows.change(write, tables.configs, second["id"], slug=first["slug"]))
        await directory.refresh()
        assert directory.config(DEFAULT, first["slug"]) == '{"b":1}'

    asyncio.run(run())
