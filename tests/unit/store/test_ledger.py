"""The ledger in the database, where `tests/conformance/test_ledgers.py` does not see it: its rows, its steps."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, select

from gatekey.errors import Overloaded
from gatekey.limits.account import NEW, Ask
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import DAY, Limit
from gatekey.store import ledger as module
from gatekey.store.database import Database, revision
from gatekey.store.ledger import SqlLedger
from gatekey.store.ledgers import ledger
from gatekey.store.tables import ledger_accounts, ledger_holders, ledger_leases

BUDGET = Limit("budget", "cost", 1000)


def ask(limit: Limit, **more: Any) -> Ask:
    return Ask(limit, NEW, 0, 0, least=10, bound=10, want=10, **more)


def rows(connection: Connection) -> list[list[Any]]:
    return [
        list(connection.execute(select(table).order_by(*table.primary_key)))
        for table in (ledger_accounts, ledger_holders, ledger_leases)
    ]


def test_a_database_is_the_ledger_where_no_redis_is_named(database: Database) -> None:
    assert isinstance(ledger(database, ""), SqlLedger)


def test_an_exchange_takes_no_revision_and_leaves_nothing_of_a_lease_that_ended(database: Database) -> None:
    async def story() -> None:
        made, before = SqlLedger(database), await database.read(revision)
        await made.join("h")
        monthly = Limit("monthly", "cost", 1000, period="monthly")
        await made.exchange("h", 1, [ask(BUDGET), ask(monthly)])
        await made.exchange("h", 2, [Ask(BUDGET, 0, 3, 0, last=True)])
        assert await database.read(revision) == before
        accounts, holders, leases = await database.read(rows)
        assert [(row.name, row.spent, row.held, row.expires_at is None) for row in accounts] == [
            ("budget", 3, 0, True),
            ("monthly", 0, 10, False),
        ]
        assert accounts[1].expires_at % DAY == 0
        assert [(row.id, row.number) for row in holders] == [("h", 2)]
        assert [(row.holder, row.account, row.held) for row in leases] == [("h", "monthly", 10)]
        await made.leave("h")
        assert (await database.read(rows))[1:] == [[], []]

    asyncio.run(story())


def test_an_exchange_that_fails_leaves_no_trace(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    async def story() -> None:
        made = SqlLedger(database)
        await made.join("h")
        before = await database.read(rows)
        monkeypatch.setattr(module.arithmetic, "exchange", fail)
        with pytest.raises(ZeroDivisionError):
            await made.exchange("h", 1, [ask(BUDGET)])
        assert await database.read(rows) == before

    asyncio.run(story())


def test_who_is_being_written_off_is_gone_and_who_spoke_meanwhile_is_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    other = Limit("other", "tokens", 1000)

    async def story() -> None:
        made = SqlLedger(database)
        for holder in "hg":
            await made.join(holder)
            await made.exchange(holder, 1, [ask(BUDGET), ask(other)])
        assert await database.transact(module._write_off, "h", -1000)
        with pytest.raises(Gone):
            await made.exchange("h", 2, [])
        # One that sweeps has seen `g` as dead, and comes when it has spoken.
        assert not await database.transact(module._write_off, "g", LIFE)
        assert await made.exchange("g", 2, []) == []
        accounts, holders, leases = await database.read(rows)
        assert [(row.name, row.spent, row.held) for row in accounts] == [("budget", 10, 10), ("other", 0, 20)]
        assert [(row.holder, row.account) for row in leases] == [("g", "budget"), ("g", "other"), ("h", "other")]
        await made.sweep()
        accounts, holders, leases = await database.read(rows)
        assert [(row.name, row.spent, row.held) for row in accounts] == [("budget", 10, 10), ("other", 10, 10)]
        assert [row.id for row in holders] == ["g"]

    asyncio.run(story())


def test_an_overtaken_exchange_is_refused(database: Database) -> None:
    async def story() -> None:
        made = SqlLedger(database)
        await made.join("h")
        await made.exchange("h", 0, [])
        with pytest.raises(Overloaded, match="overtaken"):
            await made.exchange("h", 0, [])

    asyncio.run(story())
