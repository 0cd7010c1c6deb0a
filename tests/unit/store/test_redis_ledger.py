"""The ledger in Redis, where `tests/conformance/test_ledgers.py` does not see it: its keys, its tries, its address."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
import redis

from gatekey.errors import Overloaded
from gatekey.limits.account import NEW, Account, Ask, Standing
from gatekey.limits.limit import DAY, Limit
from gatekey.store import redis_ledger as module
from gatekey.store.ledgers import redis as in_redis
from gatekey.store.redis_ledger import PREFIX, Entry, RedisLedger
from tests.redis_server import server

BUDGET = Limit("budget", "cost", 1000)
MONTHLY = Limit("monthly", "cost", 1000, period="monthly")


def ask(limit: Limit, **more: Any) -> Ask:
    return Ask(limit, NEW, 0, 0, least=10, bound=10, want=10, **more)


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    """A connection of the test's own to a server that is empty."""
    with server().client() as made:
        made.flushall()
        yield made


def run(story: Callable[[RedisLedger], Awaitable[None]]) -> None:
    async def whole() -> None:
        made = RedisLedger(server().url)
        try:
            await made.join("h")
            await story(made)
        finally:
            await made.close()

    asyncio.run(whole())


def test_all_keys_are_of_one_slot_and_go_when_they_say_nothing_more(client: redis.Redis) -> None:
    def account(name: str) -> str:
        return f"{PREFIX}account:{name}"

    async def story(ledger: RedisLedger) -> None:
        await ledger.exchange("h", 1, [ask(BUDGET), ask(MONTHLY)])
        assert all(key.startswith(b"{gatekey}:ledger:") for key in client.scan_iter())
        assert client.pttl(account("budget")) == -1
        assert 7 * DAY < client.pttl(account("monthly")) < 40 * DAY
        await ledger.exchange("h", 2, [Ask(BUDGET, 0, 3, 0, last=True)])
        assert client.smembers(f"{PREFIX}holds:h") == {b"monthly"}
        await ledger.leave("h")
        assert 7 * DAY < client.pttl(account("monthly")) < 40 * DAY
        assert {key.decode().removeprefix(PREFIX) for key in client.scan_iter()} == {
            *("account:budget", "account:monthly", "accounts", "expiries"),
        }
        assert await ledger.usage([BUDGET, MONTHLY]) == [Standing(3), Standing(10)]

    run(story)


def test_a_budget_whose_period_is_taken_away_does_not_expire(client: redis.Redis) -> None:
    async def story(ledger: RedisLedger) -> None:
        await ledger.exchange("h", 1, [ask(MONTHLY)])
        await ledger.exchange("h", 2, [ask(Limit("monthly", "cost", 1000))])
        assert client.pttl(f"{PREFIX}account:monthly") == -1
        assert client.zcard(module.EXPIRIES) == 0

    run(story)


def test_a_server_that_has_forgotten_the_script_gets_it_again(client: redis.Redis) -> None:
    async def story(ledger: RedisLedger) -> None:
        client.script_flush()
        (reply,) = await ledger.exchange("h", 1, [ask(BUDGET)])
        assert reply.granted == 10

    run(story)


def test_who_is_overtaken_every_time_gives_up(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIES", 3)
    monkeypatch.setattr(module, "PAUSE", 0)
    read, reads = RedisLedger._read, []

    async def overtaken(self: RedisLedger, *keys: str) -> Any:
        found = await read(self, *keys)
        reads.append(client.set(f"{PREFIX}account:budget", msgspec.json.encode(Entry(Account(spent=len(reads)), {}))))
        return found

    async def story(ledger: RedisLedger) -> None:
        monkeypatch.setattr(RedisLedger, "_read", overtaken)
        with pytest.raises(Overloaded, match="Too many"):
            await ledger.exchange("h", 1, [ask(BUDGET)])
        assert len(reads) == 3
        monkeypatch.setattr(RedisLedger, "_read", read)
        (reply,) = await ledger.exchange("h", 1, [ask(BUDGET)])
        assert (reply.spent, reply.left) == (2, 988)

    run(story)


def test_what_a_server_refuses_is_told_once_to_the_log_and_in_our_words_to_callers(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(ledger: RedisLedger) -> None:
        client.config_set("maxmemory", 1)
        try:
            for _ in range(2):
                with pytest.raises(Overloaded, match="cannot be reached: try again"):
                    await ledger.exchange("h", 1, [ask(BUDGET)])
        finally:
            client.config_set("maxmemory", 0)
        assert (await ledger.exchange("h", 2, [ask(BUDGET)]))[0].granted == 10
        warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 1
        assert "maxmemory" in warnings[0]

    run(story)


def test_one_that_became_a_replica_is_connected_to_anew(client: redis.Redis) -> None:
    """Behind a name that leads to whoever takes over."""

    async def story(ledger: RedisLedger) -> None:
        await ledger.exchange("h", 1, [ask(BUDGET)])
        before = {each["id"] for each in client.client_list()} - {str(client.client_id())}
        client.replicaof("127.0.0.1", 1)
        try:
            with pytest.raises(Overloaded):
                await ledger.exchange("h", 2, [])
        finally:
            client.replicaof("NO", "ONE")
        (reply,) = await ledger.exchange("h", 3, [Ask(BUDGET, 0, 4, 6)])
        assert reply.spent == 4
        assert before.isdisjoint(each["id"] for each in client.client_list())

    run(story)


def test_more_calls_at_a_time_than_connections_wait_for_one(client: redis.Redis) -> None:
    async def story(ledger: RedisLedger) -> None:
        calls = (ledger.usage([BUDGET]) for _ in range(4 * module.CONNECTIONS))
        assert await asyncio.gather(*calls) == [[Standing()]] * (4 * module.CONNECTIONS)
        assert len(client.client_list()) <= module.CONNECTIONS + 1

    run(story)


@pytest.mark.parametrize(
    "url",
    ["http://h", "h", "redis://h:x", "redis://:secret#word@h:1", "redis://h?socket_timeout=x", "redis://h?is=not"],
)
def test_an_address_that_cannot_be_used_is_refused_without_what_it_says(url: str) -> None:
    with pytest.raises(ValueError, match=r"^GATEKEY_REDIS_URL must be") as refused:
        in_redis(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://h", "rediss://user:password@h:6380/1?ssl_ca_certs=/ca.pem", "unix:///s?db=1"])
def test_addresses_are_of_these_forms(url: str) -> None:
    assert in_redis(url)
