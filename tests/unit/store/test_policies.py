"""Policies in the store, and as requests are held against them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from gatekey.errors import Conflict, NotFound
from gatekey.limits.limit import DAY, Limit
from gatekey.limits.policy import Condition, Policy, group_id
from gatekey.store import configs, policies, rows, tables, workspaces
from gatekey.store.database import Database, Write
from gatekey.store.directory import Directory
from gatekey.store.limits import BARE, Revise
from gatekey.store.rows import Row
from gatekey.store.workspaces import DEFAULT
from gatekey.vault import Vault, new_key

BUDGET = Limit(BARE, "cost", 10, "monthly")
RATE = Limit(BARE, "requests", 60, per=60)
COLUMNS: Row = {"name": "n", "conditions": [Condition("model", ("gpt-*",))], "group_by": ["metadata._user"]}


def setting(limit: Limit) -> Revise:
    return lambda old, now: [limit]


def create(
    write: Write, workspace: str | None = DEFAULT, limit: Limit = BUDGET, kind: policies.Kind = "usage", **more: Any
) -> Row:
    return policies.create(write, workspace=workspace, kind=kind, columns={**COLUMNS, **more}, limiting=setting(limit))


def team(write: Write, slug: str = "team") -> str:
    return str(workspaces.create(write, name=slug, slug=slug, description="", defaults={})["id"])


def found(kind: policies.Kind, workspace: str | None, archived: bool = False, counts: str | None = None) -> Any:
    statement = policies.visible(kind, workspace, archived=archived, counts=counts)
    return lambda connection: {row["id"] for row in rows.page(connection, statement, tables.policies, 0, 100)[0]}


def test_a_row_is_a_policy(database: Database) -> None:
    async def story() -> None:
        row = await database.write(create)
        policy = policies.policy(await database.read(policies.find, "usage", row["id"]))
        place = policies.place(row["id"]).rstrip("/")
        assert policy == Policy(
            row["id"],
            replace(BUDGET, account=place, owner="policy 'n'"),
            (Condition("model", ("gpt-*",)),),
            ("metadata._user",),
        )
        limit = policy.applied({"model": "gpt-4o", "metadata._user": "bob"})
        assert limit == replace(policy.limit, account=f"{place}/metadata._user:bob")
        assert policy.applied({"model": "gpt-4o", "metadata._user": "bob"}) is limit
        assert policy.applied({"model": "o3"}) is None

    asyncio.run(story())


def test_they_are_found_by_kind_workspace_and_what_they_count(database: Database) -> None:
    async def story() -> None:
        there = await database.write(team)
        mine = (await database.write(create))["id"]
        whole = (await database.write(create, None, replace(BUDGET, counts="tokens")))["id"]
        other = (await database.write(create, there, RATE, "rate"))["id"]
        read = database.read
        assert await read(found("usage", None)) == {mine, whole}
        assert await read(found("usage", DEFAULT)) == {mine}
        assert await read(found("usage", there)) == set()
        assert await read(found("rate", there)) == {other}
        assert await read(found("usage", None, counts="tokens")) == {whole}
        assert await read(found("rate", None, counts="cost")) == set()
        for kind, id in (("usage", other), ("rate", mine), ("usage", "nobody")):
            with pytest.raises(NotFound):
                await read(policies.find, kind, id)
        await database.write(policies.remove, "usage", mine)
        assert await read(found("usage", None)) == {whole}
        assert await read(found("usage", None, archived=True)) == {mine}
        with pytest.raises(NotFound):
            await read(policies.find, "usage", mine)
        assert await read(lambda connection: policies.find(connection, "usage", mine, archived=True)["name"]) == "n"
        with pytest.raises(NotFound):
            await database.write(policies.remove, "usage", mine)

    asyncio.run(story())


def test_conditions_name_things_as_requests_do(database: Database) -> None:
    """One workspace learns nothing of another's id by its slug."""

    async def story() -> None:
        there = await database.write(team)
        wanted = [Condition("workspace_id", ("team", "other-*"), ("default",)), Condition("model", ("team",))]
        settled = [Condition("workspace_id", (there, "other-*"), (DEFAULT,)), wanted[1]]
        whole = await database.write(lambda write: create(write, None, conditions=wanted))
        assert policies.policy(whole).conditions == tuple(settled)
        changed = await database.write(
            policies.change, "usage", whole["id"], {"conditions": wanted[:1]}, setting(BUDGET)
        )
        assert policies.policy(changed).conditions == (settled[0],)
        own = await database.write(lambda write: create(write, there, conditions=wanted))
        of_mine = Condition("workspace_id", (there, "other-*"), ("default",))
        assert policies.policy(own).conditions == (of_mine, wanted[1])
        saved = await database.write(
            lambda write: configs.create(
                write, workspace=there, name="c", text="{}", places={}, is_default=False, by="me"
            )
        )
        by_id = [Condition("config", (saved["id"], saved["slug"], "x"))]
        for workspace, name in ((there, saved["slug"]), (None, saved["slug"]), (DEFAULT, saved["id"])):
            row = await database.write(lambda write, place=workspace: create(write, place, conditions=by_id))
            assert policies.policy(row).conditions == (Condition("config", (name, saved["slug"], "x")),)

    asyncio.run(story())


def test_what_is_not_named_in_a_change_stays(database: Database) -> None:
    async def story() -> None:
        row = await database.write(create)
        larger: Revise = lambda old, now: [replace(old[0], amount=old[0].amount + 1)]  # noqa: E731
        changed = await database.write(policies.change, "usage", row["id"], {"name": "m"}, larger)
        again = await database.read(policies.find, "usage", row["id"])
        assert changed.items() >= {**again, "revision": changed["revision"]}.items()
        assert (again["name"], again["conditions"], again["group_by"]) == ("m", row["conditions"], row["group_by"])
        assert policies.policy(again).limit.amount == 11
        with pytest.raises(NotFound):
            await database.write(policies.change, "rate", row["id"], {}, larger)

    asyncio.run(story())


def test_one_group_begins_again_and_the_others_do_not(database: Database) -> None:
    async def story() -> None:
        id = (await database.write(create))["id"]
        name = "metadata._user:bob"

        async def since(group: str) -> int:
            return policies.policy(await database.read(policies.find, "usage", id)).counter(group).since

        await database.write(policies.reset, id, group_id(name))
        first = await since(name)
        assert (first > 0, await since("metadata._user:ann")) == (True, 0)
        await database.write(policies.reset, id, group_id(name))
        assert await since(name) > first
        with pytest.raises(NotFound):
            await database.write(policies.reset, "nobody", group_id(name))

    asyncio.run(story())


def test_only_so_many_begin_again_in_one_period(database: Database) -> None:
    def fill(write: Write, id: str, moment: int) -> None:
        many = {str(number): moment for number in range(policies.MAX_RESETS)}
        rows.change(write, tables.policies, id, resets=rows.text(many))

    async def story() -> None:
        id = (await database.write(create))["id"]
        await database.write(lambda write: fill(write, id, write.now))
        with pytest.raises(Conflict, match="reset_usage"):
            await database.write(policies.reset, id, "one more")
        await database.write(policies.reset, id, "7")
        await database.write(lambda write: fill(write, id, write.now - 32 * DAY))
        await database.write(policies.reset, id, "one more")
        kept = rows.value((await database.read(policies.find, "usage", id))["resets"])
        assert kept.keys() == {"one more"}

    asyncio.run(story())


def test_there_are_only_so_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "MOST", 2)

    async def story() -> None:
        for _ in range(2):
            id = (await database.write(create))["id"]
            await database.write(create, None)
        for workspace in (DEFAULT, None):
            with pytest.raises(Conflict, match="2 policies"):
                await database.write(create, workspace)
        await database.write(policies.remove, "usage", id)
        await database.write(create, DEFAULT, RATE, "rate")

    asyncio.run(story())


def test_the_directory_has_a_workspaces_own_and_those_of_all(database: Database) -> None:
    async def story() -> None:
        known = Directory(database, Vault(new_key()), None)

        async def seen(workspace: str) -> list[str]:
            await known.refresh()
            return [policy.id for policy in known.policies(workspace)]

        there = await database.write(team)
        assert (await seen(DEFAULT), await seen(there)) == ([], [])
        whole = (await database.write(create, None))["id"]
        mine = (await database.write(create))["id"]
        theirs = (await database.write(create, there, RATE, "rate"))["id"]
        assert (await seen(DEFAULT), await seen(there)) == ([mine, whole], [theirs, whole])
        assert known.policies(DEFAULT) is known.policies(DEFAULT)
        before = known.policies(DEFAULT)[1]
        await database.write(policies.change, "usage", mine, {}, setting(replace(BUDGET, amount=99)))
        await seen(DEFAULT)
        assert [policy.limit.amount for policy in known.policies(DEFAULT)] == [99, 10]
        assert known.policies(DEFAULT)[1] is before
        await database.write(policies.reset, whole, "x")
        assert (await seen(DEFAULT))[0] == mine
        assert known.policies(DEFAULT)[1].resets.keys() == {"x"}
        await database.write(lambda write: workspaces.delete(write, there, force=True))
        assert await seen(there) == [whole]
        await database.write(policies.remove, "usage", whole)
        assert (await seen(there), await seen(DEFAULT)) == ([], [mine])
        late = Directory(database, Vault(new_key()), None)
        await late.refresh()
        assert [policy.id for policy in late.policies(DEFAULT)] == [mine]

    asyncio.run(story())


def test_another_gateway_has_them_within_a_second(url: str) -> None:
    async def until(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    async def story() -> None:
        stores = [Database(url), Database(url)]
        known = Directory(stores[1], Vault(new_key()), None)
        await known.open()
        id = (await stores[0].write(create, None))["id"]
        await until(lambda: known.policies(DEFAULT))
        await stores[0].write(policies.remove, "usage", id)
        await until(lambda: not known.policies(DEFAULT))
        await known.close()
        for store in stores:
            await store.close()

    asyncio.run(story())


def test_a_database_that_was_put_back_has_none_that_came_after_it(database: Database) -> None:
    def put_back(write: Write) -> None:
        write.connection.execute(tables.policies.delete())
        write.connection.execute(tables.counters.update().values(value=1))

    async def story() -> None:
        known = Directory(database, Vault(new_key()), None)
        await database.write(create)
        await known.refresh()
        assert len(known.policies(DEFAULT)) == 1
        await database.write(put_back)
        await known.refresh()
        assert known.policies(DEFAULT) == ()

    asyncio.run(story())
