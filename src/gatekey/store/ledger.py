"""The ledger in the database. An exchange is one transaction, which holds its rows' locks from before it reads them.

Whoever takes locks takes the holder's first, then those of accounts in the order of their names: nobody waits in a
circle. The clock is the database's; with SQLite that is this machine's.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from msgspec.structs import asdict
from sqlalchemy import BigInteger, Connection, Row, bindparam, delete, exists, insert, select, text, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gatekey.errors import Overloaded
from gatekey.limits import account as arithmetic
from gatekey.limits.account import Account, Ask, Lease, Reply, Standing
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import Limit, expiry
from gatekey.store.database import Database
from gatekey.store.tables import ledger_accounts, ledger_holders, ledger_leases

DEADLINE = 3.0
"""s that an exchange may take."""
BATCH = 256
"""Leases that are written off in a transaction."""
MOST_DEAD = 100
"""Holders that one sweep writes off."""
MOST_EXPIRED = 1000
"""Accounts that one sweep removes."""
MOST_NAMES = 1000
"""Accounts that are read in a statement."""

T = TypeVar("T")


class SqlLedger:
    """A `Ledger` in SQLite or PostgreSQL."""

    deadline = DEADLINE

    def __init__(self, database: Database) -> None:
        """`database` is the caller's to close."""
        self._database = database

    async def join(self, holder: str) -> None:
        """Make a holder known."""
        await self._in_time(_join, holder)

    async def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        """Take in what the holder tells, and answer."""
        return await self._in_time(_exchange, holder, number, asks)

    async def leave(self, holder: str) -> None:
        """Forget a holder."""
        while await self._in_time(_write_off, holder, 0):
            pass

    async def sweep(self) -> None:
        """Write off what the dead held, and remove accounts that mean nothing any more."""
        dead, expired = await self._in_time(_swept)
        for holder in dead:
            while await self._in_time(_write_off, holder, LIFE):
                pass
        if expired:
            await self._in_time(_remove)

    async def usage(self, limits: Sequence[Limit]) -> list[Standing]:
        """How limits stand."""
        return await self._in_time(_usage, limits)

    async def accounts(self, prefix: str, most: int) -> list[str]:
        """Names of accounts that begin so, sorted, as many as `most`."""
        return await self._in_time(_named, prefix, most)

    async def close(self) -> None:
        """Nothing: the connections are the database's."""

    async def _in_time(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            async with asyncio.timeout(self.deadline):
                return await self._database.transact(function, *arguments)
        except TimeoutError:
            raise Overloaded("The ledger did not answer in time: try again in a moment.") from None


class _Clock(FunctionElement[int]):
    """The time by the database's clock, in ms since the epoch: not that of the transaction's start."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Clock, "sqlite")
def _sqlite(element: _Clock, compiler: Any, **options: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"


@compiles(_Clock, "postgresql")
def _postgresql(element: _Clock, compiler: Any, **options: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


_lock = text(
    "INSERT INTO ledger_accounts (name, epoch, spent, held, alerted, exhausted, at) VALUES (:name, 0, 0, 0, 0, -1, 0) "
    "ON CONFLICT (name) DO UPDATE SET name = excluded.name WHERE false"
)
"""Lock an account, which is made where there is none. The condition is looked at when the row is locked already."""
_keep = text(
    "INSERT INTO ledger_leases (holder, account, epoch, held, booked) "
    "VALUES (:holder, :account, :epoch, :held, :booked) "
    "ON CONFLICT (holder, account) DO UPDATE SET epoch = excluded.epoch, held = excluded.held, booked = excluded.booked"
)
_holder = ledger_holders.c
_account = ledger_accounts.c
_lease = ledger_leases.c
_FIELDS = Account.__struct_fields__
_change = (
    update(ledger_accounts)
    .where(_account.name == bindparam("account"))
    .values({field: bindparam(field) for field in _FIELDS})
)
_change_until = _change.values(expires_at=bindparam("expires_at"))
_DEAD = 0
"""When a holder that is being written off was last heard of."""


def _join(connection: Connection, holder: str) -> None:
    connection.execute(insert(ledger_holders).values(id=holder, seen=_Clock(), number=-1))


def _exchange(connection: Connection, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
    _enter(connection, holder, number)
    if not asks:
        return []
    names = sorted(ask.limit.account for ask in asks)
    connection.execute(_lock, [{"name": name} for name in names])
    accounts = _accounts(connection, names)
    leases = _leases(connection, select(ledger_leases).where(_lease.holder == holder, _lease.account.in_(names)))
    known = set(leases)
    now = _now(connection)
    replies = arithmetic.exchange(accounts, leases, asks, now)
    expiries = {ask.limit.account: expiry(ask.limit, now) for ask in asks}
    rows = [{"account": name, "expires_at": expiries[name], **asdict(accounts[name])} for name in names]
    connection.execute(_change_until, rows)
    if leases:
        connection.execute(_keep, [{"holder": holder, "account": name, **asdict(leases[name])} for name in leases])
    if over := known - leases.keys():
        connection.execute(delete(ledger_leases).where(_lease.holder == holder, _lease.account.in_(sorted(over))))
    return replies


def _enter(connection: Connection, holder: str, number: int) -> None:
    """Lock the holder, and see that nothing overtook this exchange."""
    entered = connection.execute(
        update(ledger_holders)
        .where(_holder.id == holder, _holder.seen > _DEAD, _holder.number < number)
        .values(seen=_Clock(), number=number)
    )
    if entered.rowcount:
        return
    seen = connection.execute(select(_holder.seen).where(_holder.id == holder)).scalar()
    if not seen:
        raise Gone
    raise Overloaded("The exchange with the ledger was overtaken by a later one.")


def _write_off(connection: Connection, holder: str, silent: int) -> bool:
    """Count some of what a holder holds as spent, if it was silent for so many ms; whether there may be more.

    From the first of these on the holder is dead.
    """
    condition = (_holder.id == holder) & (_holder.seen <= _Clock() - silent)
    if not connection.execute(update(ledger_holders).where(condition).values(seen=_DEAD)).rowcount:
        return False
    some = select(ledger_leases).where(_lease.holder == holder).order_by(_lease.account).limit(BATCH)
    leases = _leases(connection, some)
    locked = select(ledger_accounts).where(_account.name.in_(leases)).order_by(_account.name).with_for_update()
    found = {row.name: _read(row) for row in connection.execute(locked)}
    now = _now(connection)
    for name, account in found.items():
        arithmetic.write_off(account, leases[name], now)
    if found:
        connection.execute(_change, [{"account": name, **asdict(account)} for name, account in found.items()])
    connection.execute(delete(ledger_leases).where(_lease.holder == holder, _lease.account.in_(leases)))
    if len(leases) == BATCH:
        return True
    connection.execute(delete(ledger_holders).where(_holder.id == holder))
    return False


def _swept(connection: Connection) -> tuple[list[str], bool]:
    """Who is dead, and whether accounts have expired."""
    dead = select(_holder.id).where(_holder.seen <= _Clock() - LIFE).limit(MOST_DEAD)
    expired = select(exists().where(_account.expires_at < _Clock()))
    return list(connection.execute(dead).scalars()), bool(connection.execute(expired).scalar())


def _remove(connection: Connection) -> None:
    """Remove accounts that have expired. One that is locked is in use."""
    some = select(_account.name).where(_account.expires_at < _Clock()).limit(MOST_EXPIRED)
    connection.execute(delete(ledger_accounts).where(_account.name.in_(some.with_for_update(skip_locked=True))))


def _usage(connection: Connection, limits: Sequence[Limit]) -> list[Standing]:
    names = sorted({limit.account for limit in limits})
    found: dict[str, Account] = {}
    for start in range(0, len(names), MOST_NAMES):
        found |= _accounts(connection, names[start : start + MOST_NAMES])
    now = _now(connection)
    return [arithmetic.standing(found.get(limit.account) or Account(), limit, now) for limit in limits]


def _named(connection: Connection, prefix: str, most: int) -> list[str]:
    some = select(_account.name).where(_account.name >= prefix).order_by(_account.name).limit(most)
    return [name for name in connection.execute(some).scalars() if name.startswith(prefix)]


def _accounts(connection: Connection, names: Iterable[str]) -> dict[str, Account]:
    found = connection.execute(select(ledger_accounts).where(_account.name.in_(names)))
    return {row.name: _read(row) for row in found}


def _read(row: Row[Any]) -> Account:
    return Account(*(getattr(row, name) for name in _FIELDS))


def _leases(connection: Connection, statement: Any) -> dict[str, Lease]:
    return {row.account: Lease(row.epoch, row.held, row.booked) for row in connection.execute(statement)}


def _now(connection: Connection) -> int:
    now: int = connection.execute(select(_Clock())).scalar_one()
    return now
