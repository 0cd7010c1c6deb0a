"""Limits as rows keep them, and as the data plane then has them: of keys, providers, integrations and workspaces."""

import asyncio
import hashlib
import time
from typing import Any

import pytest
from msgspec.structs import replace

from gatekey.limits.limit import Limit
from gatekey.secret import Secret
from gatekey.store import api_keys, integrations, limits, providers, workspaces
from gatekey.store.database import Database
from gatekey.store.directory import Directory, Principal, Stored
from gatekey.store.integrations import Credential
from gatekey.store.limits import BARE, Revise, kind
from gatekey.store.rows import Row
from gatekey.store.workspaces import DEFAULT
from gatekey.vault import Vault, new_key

BUDGET = Limit(BARE, "cost", 10_000_000_000, "monthly", since=5, alert_threshold=8, allow_unpriced=True)
RATE = Limit(BARE, "requests", 60, per=60)
CREDENTIAL = Credential("openai", Secret("sk-1"))
KEY: dict[str, Any] = {"name": "k", "description": "", "type": "workspace-service", "user_id": None, "expires_at": None}
PATIENCE = 20.0
"""s that only a failing test waits for."""


def setting(*wanted: Limit) -> Revise:
    return lambda old, now: list(wanted)


def accounts(found: tuple[Limit, ...]) -> list[tuple[str, int]]:
    return [(one.account, one.amount) for one in found]


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (BUDGET, "cost/monthly"),
        (Limit(BARE, "cost", 1), "cost"),
        (Limit(BARE, "tokens", 1, 30), "tokens/30d"),
        (Limit(BARE, "requests", 1, "weekly"), "requests/weekly"),
        (RATE, "requests/60s"),
        (Limit(BARE, "tokens", 1, per=604_800), "tokens/604800s"),
    ],
)
def test_each_kind_of_limit_has_an_account_of_its_own(limit: Limit, name: str) -> None:
    assert kind(limit) == name
    (named,) = limits.of(limits.text([limit]), "key/1", "API key")
    assert named == replace(limit, account=f"key/1/{name}", owner="API key")


def test_a_column_holds_what_was_set_and_nothing_that_follows_from_its_row() -> None:
    named = limits.of(limits.text([BUDGET, RATE]), "key/1", "API key")
    assert limits.read(limits.text(named)) == (BUDGET, RATE)
    assert limits.revised(limits.text([RATE]), None, 1) == limits.text([RATE])
    assert limits.revised(limits.NONE, lambda old, now: [*old, replace(BUDGET, since=now)], 7) == limits.text(
        [replace(BUDGET, since=7)]
    )
    assert limits.of(limits.NONE, "key/1", "API key") == ()


def opened(database: Database, vault: Vault) -> Directory:
    return Directory(database, vault, None)


def caller(known: Directory, secret: str) -> Principal:
    found = known.principal(hashlib.sha256(secret.encode()).digest(), time.time())
    assert found is not None
    return found


def stored(known: Directory, slug: str, workspace: str = DEFAULT) -> Stored:
    found = known.provider(workspace, slug)
    assert found is not None
    return found


def test_a_keys_limits_reach_its_principal(database: Database) -> None:
    async def story() -> None:
        known = opened(database, Vault(new_key()))
        row, secret = await database.write(
            lambda write: api_keys.create(
                write, workspace=DEFAULT, defaults={}, scopes=[], limiting=setting(BUDGET, RATE), **KEY
            )
        )
        await known.refresh()
        place = f"key/{row['id']}"
        assert accounts(caller(known, secret).limits) == [
            (f"{place}/cost/monthly", BUDGET.amount),
            (f"{place}/requests/60s", 60),
        ]
        await database.write(lambda write: api_keys.change(write, row["id"], {}, name="other"))
        await known.refresh()
        assert len(caller(known, secret).limits) == 2
        await database.write(lambda write: api_keys.change(write, row["id"], {}, setting(replace(RATE, amount=1))))
        await known.refresh()
        assert accounts(caller(known, secret).limits) == [(f"{place}/requests/60s", 1)]
        await database.write(lambda write: api_keys.change(write, row["id"], {}, setting()))
        await known.refresh()
        assert caller(known, secret).limits == ()

    asyncio.run(story())


def test_a_workspaces_limits_are_known_and_gone_with_it(database: Database) -> None:
    async def story() -> None:
        known = opened(database, Vault(new_key()))
        columns: Row = {"slug": None, "description": "", "defaults": {}}
        made = await database.write(lambda write: workspaces.create(write, name="w", limiting=setting(RATE), **columns))
        await known.refresh()
        assert accounts(known.limits(made["id"])) == [(f"workspace/{made['id']}/requests/60s", 60)]
        assert known.limits(DEFAULT) == ()
        await database.write(lambda write: workspaces.update(write, made["id"], None, setting(BUDGET)))
        await database.write(lambda write: workspaces.update(write, DEFAULT, None, setting(RATE)))
        await known.refresh()
        assert accounts(known.limits(made["id"])) == [(f"workspace/{made['id']}/cost/monthly", BUDGET.amount)]
        assert accounts(known.limits(DEFAULT)) == [(f"workspace/{DEFAULT}/requests/60s", 60)]
        await database.write(lambda write: workspaces.delete(write, made["id"], force=False))
        await known.refresh()
        assert known.limits(made["id"]) == ()

    asyncio.run(story())


def test_a_virtual_keys_limits_reach_what_is_stored(database: Database) -> None:
    async def story() -> None:
        vault = Vault(new_key())
        known = opened(database, vault)
        row, _ = await database.write(
            lambda write: providers.create_virtual(
                write, vault, CREDENTIAL, workspace=DEFAULT, slug="vk", name="n", limiting=setting(BUDGET)
            )
        )
        await known.refresh()
        assert accounts(stored(known, "vk").limits) == [(f"provider/{row['id']}/cost/monthly", BUDGET.amount)]
        assert stored(known, "vk").limits[0].owner == "virtual key vk"
        await database.write(providers.update, row["id"], {}, setting(RATE))
        await known.refresh()
        assert accounts(stored(known, "vk").limits) == [(f"provider/{row['id']}/requests/60s", 60)]
        await database.write(providers.update_virtual, vault, row["id"], {"note": "n"}, {}, None, setting())
        await known.refresh()
        assert stored(known, "vk").limits == ()

    asyncio.run(story())


def test_a_workspaces_share_of_an_integration_is_one_for_all_its_providers(database: Database) -> None:
    async def story() -> None:
        vault = Vault(new_key())
        known = opened(database, vault)
        there = (
            await database.write(
                lambda write: workspaces.create(write, name="t", slug=None, description="", defaults={})
            )
        )["id"]
        made = await database.write(
            lambda write: providers.establish(
                write, vault, CREDENTIAL, workspace=None, home=DEFAULT, default="one", name="i", slug="i"
            )
        )

        def share(limiting: dict[str, Revise]) -> Any:
            options: dict[str, Any] = {"everywhere": True, "anew": False, "defaults": {there: "there"}}
            given = {there: True, DEFAULT: True}
            return lambda write: providers.share(write, made["id"], given, limiting=limiting, **options)

        await database.write(lambda write: providers.create(write, made, workspace=DEFAULT, slug="two", name="n"))
        await database.write(share({integrations.EVERYWHERE: setting(BUDGET, RATE)}))
        await known.refresh()
        of_default, of_there = (f"integration/{made['id']}/{workspace}" for workspace in (DEFAULT, there))
        both = [("cost/monthly", BUDGET.amount), ("requests/60s", 60)]
        one, two = stored(known, "one").limits, stored(known, "two").limits
        assert accounts(one) == [(f"{of_default}/{name}", amount) for name, amount in both]
        assert all(mine is other for mine, other in zip(one, two, strict=True))
        assert accounts(stored(known, "there", there).limits) == [
            (f"{of_there}/{name}", amount) for name, amount in both
        ]
        # One's own rate stands in place of all's, and switches the budget of all not off.
        await database.write(share({there: setting(replace(RATE, amount=1))}))
        await known.refresh()
        assert accounts(stored(known, "there", there).limits) == [
            (f"{of_there}/cost/monthly", BUDGET.amount),
            (f"{of_there}/requests/60s", 1),
        ]
        assert accounts(stored(known, "one").limits) == accounts(one)
        await database.write(share({there: setting(), integrations.EVERYWHERE: setting()}))
        await known.refresh()
        assert stored(known, "there", there).limits == stored(known, "one").limits == ()

    asyncio.run(story())


def test_another_gateway_has_them_within_a_second(url: str) -> None:
    async def story() -> None:
        stores = [Database(url), Database(url)]
        vault = Vault(new_key())
        one, other = [opened(store, vault) for store in stores]
        await asyncio.gather(one.open(), other.open())
        row, secret = await stores[0].write(
            lambda write: api_keys.create(write, workspace=DEFAULT, defaults={}, scopes=[], **KEY)
        )
        await one.refresh()
        start = time.monotonic()
        while other.principal(hashlib.sha256(secret.encode()).digest(), time.time()) is None:
            assert time.monotonic() - start < PATIENCE
            await asyncio.sleep(0.01)
        assert caller(other, secret).limits == ()
        await stores[0].write(lambda write: api_keys.change(write, row["id"], {}, setting(RATE)))
        await stores[0].write(lambda write: workspaces.update(write, DEFAULT, None, setting(BUDGET)))
        while not (caller(other, secret).limits and other.limits(DEFAULT)):
            assert time.monotonic() - start < PATIENCE
            await asyncio.sleep(0.01)
        await asyncio.gather(one.close(), other.close())
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(story())
