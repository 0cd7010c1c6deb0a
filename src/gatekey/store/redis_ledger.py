"""The ledger in Redis. An exchange reads what it needs, works out what follows, and writes it if nothing has changed.

So there is one arithmetic, in `gatekey.limits.account`, and none in the server; who is overtaken tries again. The
clock is the server's. All keys have one hash tag: a step that touches several is one step in a cluster too.

    {gatekey}:ledger:holder:<id>       the number of its last exchange; none: it is unknown, or being written off
    {gatekey}:ledger:holds:<id>        a set of the accounts that it has leases of
    {gatekey}:ledger:account:<name>    an `Entry`; it expires when it says no more than a new one
    {gatekey}:ledger:holders           holders by when they were last heard of
    {gatekey}:ledger:accounts          the names of accounts, sorted
    {gatekey}:ledger:expiries          names by when their accounts expire
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from gatekey.errors import Overloaded
from gatekey.limits import account as arithmetic
from gatekey.limits.account import Account, Ask, Lease, Reply, Standing
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import Limit, expiry

DEADLINE = 2.0
"""s that a call of any method may take; connecting is part of it."""
TRIES = 100
"""How often a step that was overtaken is tried again."""
PAUSE = 0.02
"""s between two tries at most."""
CONNECTIONS = 8
"""Connections of a worker, unless the address says `max_connections`."""
BATCH = 256
"""Accounts that one step changes."""
MOST_DEAD = 100
"""Holders that one sweep writes off."""

PREFIX = "{gatekey}:ledger:"
HOLDERS, NAMES, EXPIRIES = PREFIX + "holders", PREFIX + "accounts", PREFIX + "expiries"

_IF_UNCHANGED = """
for i = 2, #ARGV do
    if (redis.call('GET', KEYS[i - 1]) or '') ~= ARGV[i] then return 0 end
end
for _, command in ipairs(cjson.decode(ARGV[1])) do redis.call(unpack(command)) end
return 1
"""
"""Run commands if the first keys still hold what they held, where an empty text stands for no key."""

Command = tuple[str, ...]
T = TypeVar("T")

log = logging.getLogger("gatekey")


class Entry(Struct):
    """An account and the leases of it, by their holders."""

    account: Account
    leases: dict[str, Lease]


class RedisLedger:
    """A `Ledger` in Redis, 6.2 or newer."""

    deadline = DEADLINE

    def __init__(self, url: str) -> None:
        """`url`: `redis://`, `rediss://` (TLS) or `unix://`. Raises ValueError where it cannot be used."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=DEADLINE,
            socket_timeout=DEADLINE,
            socket_connect_timeout=DEADLINE,
            retry=Retry(NoBackoff(), 1),  # an idle connection may have ended; to write twice does nothing
        )
        try:
            pool.connection_class(**pool.connection_kwargs)
        except TypeError:
            raise ValueError("unknown option") from None
        self._client = Redis.from_pool(pool)
        self._if_unchanged = self._client.register_script(_IF_UNCHANGED)
        self._down = False

    async def join(self, holder: str) -> None:
        """Make a holder known."""
        async with self._in_time():
            now, _ = await self._read()
            commands = [("SET", _holder(holder), "-1"), ("ZADD", HOLDERS, str(now), holder)]
            await self._swap({_holder(holder): b""}, commands, [HOLDERS])

    async def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        """Take in what the holder tells, and answer."""
        key = _holder(holder)
        keys = [_account(ask.limit.account) for ask in asks]

        async def step() -> list[Reply] | None:
            now, found = await self._read(key, *keys)
            if not found[key]:
                raise Gone
            if int(found[key]) >= number:
                raise Overloaded("The exchange with the ledger was overtaken by a later one.")
            replies, commands = _answered(holder, asks, found, now)
            commands += [("SET", key, str(number)), ("ZADD", HOLDERS, str(now), holder)]
            done = await self._swap(found, commands, [_holds(holder), HOLDERS, NAMES, EXPIRIES])
            return replies if done else None

        async with self._in_time():
            return await _repeat(step)

    async def leave(self, holder: str) -> None:
        """Forget a holder."""
        async with self._in_time():
            await self._bury(holder, 0)

    async def sweep(self) -> None:
        """Write off what the dead held, and forget the names of accounts that have expired."""
        async with self._in_time():
            now, _ = await self._read()
            dead = await self._range(HOLDERS, now - LIFE, MOST_DEAD)
        for holder in dead:
            async with self._in_time():
                await self._bury(holder, LIFE)
        async with self._in_time():
            names = await self._range(EXPIRIES, now, BATCH)
            _, found = await self._read(*map(_account, names))
            gone = [name for name in names if not found[_account(name)]]
            commands = [*_one("ZREM", NAMES, gone), *_one("ZREM", EXPIRIES, gone)]
            await self._swap({_account(name): b"" for name in gone}, commands, [NAMES, EXPIRIES])

    async def usage(self, limits: Sequence[Limit]) -> list[Standing]:
        """How limits stand."""
        async with self._in_time():
            now, found = await self._read(*{_account(limit.account) for limit in limits})
        entries = {key: _entry(value) for key, value in found.items()}
        return [arithmetic.standing(entries[_account(limit.account)].account, limit, now) for limit in limits]

    async def accounts(self, prefix: str, most: int) -> list[str]:
        """Names of accounts that begin so, sorted, as many as `most`."""
        async with self._in_time():
            start = f"[{prefix}" if prefix else "-"
            names = [
                name.decode() for name in await self._ask("ZRANGEBYLEX", NAMES, start, "+", "LIMIT", "0", str(most))
            ]
        return [name for name in names if name.startswith(prefix)]

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()

    async def _bury(self, holder: str, silent: int) -> None:
        """Count what a holder holds as spent, if it was silent for so many ms. From its first step on it is dead."""

        async def dead() -> bool | None:
            now, found = await self._read(_holder(holder))
            seen = await self._ask("ZSCORE", HOLDERS, holder)  # after that: an exchange changes both
            if seen is not None and now - float(seen) < silent:
                return False
            return await self._swap(found, [("DEL", _holder(holder))]) or None

        async def some() -> int | None:
            names = [name.decode() for name in await self._ask("SRANDMEMBER", _holds(holder), str(BATCH))]
            now, found = await self._read(*map(_account, names))
            commands = [*_written_off(holder, found, now), *_one("SREM", _holds(holder), names)]
            return len(names) if await self._swap(found, commands, [_holds(holder)]) else None

        if await _repeat(dead):
            while await _repeat(some):
                pass
            await self._ask("ZREM", HOLDERS, holder)

    async def _read(self, *keys: str) -> tuple[int, dict[str, bytes]]:
        """The server's time, in ms, and what keys hold at that time; nothing where there is no such key."""
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.execute_command("TIME")
            if keys:
                pipe.execute_command("MGET", *keys)
            (seconds, micros), *values = await pipe.execute()
        held = (value or b"" for value in (values[0] if keys else ()))
        return seconds * 1000 + micros // 1000, dict(zip(keys, held, strict=True))

    async def _swap(self, found: Mapping[str, bytes], commands: Sequence[Command], also: Iterable[str] = ()) -> bool:
        """Run commands if the keys still hold what was found; whether they did. `also`: what else is touched."""
        done = await self._if_unchanged([*found, *also], [msgspec.json.encode(commands), *found.values()])
        return bool(done)

    async def _range(self, key: str, until: int, most: int) -> list[str]:
        """Members of a sorted set up to a time."""
        found = await self._ask("ZRANGEBYSCORE", key, "-inf", str(until), "LIMIT", "0", str(most))
        return [member.decode() for member in found]

    async def _ask(self, *command: str) -> Any:
        run: Any = self._client.execute_command  # it has no types
        return await run(*command)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.deadline):
                yield
            self._down = False
        except (RedisError, OSError) as error:  # a TimeoutError is an OSError
            if isinstance(error, ResponseError):
                # It refuses, perhaps because another one has taken over at the same address.
                await self._client.connection_pool.disconnect()
            if not self._down:
                self._down = True
                log.warning("The ledger in Redis cannot be used: %s", error or type(error).__name__)
            raise Overloaded("The ledger cannot be reached: try again in a moment.") from None


async def _repeat(step: Callable[[], Awaitable[T | None]]) -> T:
    """What a step gives, once nobody was faster. The pause before another try is longer the more often somebody was."""
    for number in range(TRIES):
        given = await step()
        if given is not None:
            return given
        await asyncio.sleep(random.random() * min(PAUSE, 0.001 * 2**number))  # noqa: S311 (no secret)
    raise Overloaded("Too many workers want the same of the ledger: try again in a moment.")


def _answered(
    holder: str, asks: Sequence[Ask], found: Mapping[str, bytes], now: int
) -> tuple[list[Reply], list[Command]]:
    """The replies, and what to write."""
    entries = {ask.limit.account: _entry(found[_account(ask.limit.account)]) for ask in asks}
    accounts = {name: entry.account for name, entry in entries.items()}
    leases = {name: entry.leases[holder] for name, entry in entries.items() if holder in entry.leases}
    replies = arithmetic.exchange(accounts, leases, asks, now)
    commands: list[Command] = []
    for ask in asks:
        name = ask.limit.account
        entry, until = entries[name], expiry(ask.limit, now)
        if name in leases:
            entry.leases[holder] = leases[name]
            commands.append(("SADD", _holds(holder), name))
        elif entry.leases.pop(holder, None):
            commands.append(("SREM", _holds(holder), name))
        commands.append(("ZADD", NAMES, "0", name))
        if until is None:
            commands += [_set(name, entry), ("ZREM", EXPIRIES, name)]
        else:
            commands += [_set(name, entry, "PXAT", str(until)), ("ZADD", EXPIRIES, str(until), name)]
    return replies, commands


def _written_off(holder: str, found: Mapping[str, bytes], now: int) -> list[Command]:
    """What to write where a holder is gone."""
    commands = []
    for key, value in found.items():
        entry = _entry(value)
        lease = entry.leases.pop(holder, None)
        if lease is not None:
            arithmetic.write_off(entry.account, lease, now)
            commands.append(_set(key.removeprefix(_account("")), entry, "KEEPTTL"))
    return commands


def _one(command: str, key: str, members: Sequence[str]) -> list[Command]:
    """A command over several members, unless there are none."""
    return [(command, key, *members)] if members else []


def _set(name: str, entry: Entry, *options: str) -> Command:
    return ("SET", _account(name), msgspec.json.encode(entry).decode(), *options)


def _entry(value: bytes) -> Entry:
    return msgspec.json.decode(value, type=Entry) if value else Entry(Account(), {})


def _account(name: str) -> str:
    return f"{PREFIX}account:{name}"


def _holder(holder: str) -> str:
    return f"{PREFIX}holder:{holder}"


def _holds(holder: str) -> str:
    return f"{PREFIX}holds:{holder}"
