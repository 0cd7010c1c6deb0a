"""Budgets under a crowd: whoever serves it, not one nano-dollar more than the budget is spent."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from gatekey.limits.leases import FIRST_WANT
from gatekey.vault import new_key
from tests import databases
from tests.asking import CHAT, CHATS, at
from tests.fake import Fake, wait_until
from tests.fake.openai import chat
from tests.gateway import Answer, Gateway
from tests.redis_server import Server
from tests.stored import api_key, ask

CALLS = 500
PAID = 10
COST = 70_000
"""Nano-dollars of a call, and its bound: 7 tokens of the answer at 10 dollars a million; what goes in is free."""
FLAT = {**CHAT, "model": "flat", "max_tokens": 7}


@pytest.fixture
def prices(tmp_path: Path) -> dict[str, str]:
    """Settings with a model that costs as much as it may cost at most."""
    file = tmp_path / "prices.json"
    file.write_text(json.dumps({"providers": {"openai": {"flat": {"input": 0, "output": 10}}}}))
    return {"GATEKEY_PRICES": str(file)}


async def crowd(gateways: Sequence[Gateway], calls: int, headers: dict[str, str], body: Any) -> list[int]:
    """The statuses of as many calls at once, each on a connection of its own, once its worker knows the key.

    0: the connection broke.
    """
    content = json.dumps(body).encode()
    fields = {"host": "test", "connection": "close", "content-length": str(len(content)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    asked = f"POST {CHATS} HTTP/1.1\r\n{head}\r\n".encode() + content

    async def status(gateway: Gateway) -> int:
        try:
            reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
        except ConnectionError:
            return 0
        try:
            writer.write(asked)
            answer = await reader.read()
            return int(answer.split(b" ", 2)[1]) if answer else 0
        except ConnectionError:
            return 0
        finally:
            writer.close()

    async def call(gateway: Gateway) -> int:
        while (found := await status(gateway)) == 401:
            await asyncio.sleep(0.1)
        return found

    async with asyncio.timeout(60):
        return await asyncio.gather(*(call(gateways[number % len(gateways)]) for number in range(calls)))


def overrun(gateways: Sequence[Gateway], fake: Fake) -> None:
    """A crowd against a budget that pays for few of it."""
    fake.on(CHATS, chat(model="flat").late(0.02))
    id, key = api_key(gateways[0], usage_limits=[{"type": "cost", "credit_limit": PAID * COST / 1e9}])
    headers = at(fake) | {"x-portkey-api-key": key}
    statuses = Counter(asyncio.run(crowd(gateways, CALLS, headers, FLAT)))
    assert statuses[200] == PAID == len(fake.requests), statuses
    assert set(statuses) <= {200, 412, 429}, statuses
    again = gateways[-1].call("POST", CHATS, at(fake), FLAT, key=key)
    assert (again.status, again.error["code"]) == (412, "budget_exhausted")

    def usage() -> dict[str, Any]:
        found: dict[str, Any] = ask(gateways[0], "GET", f"/api-keys/{id}")["usage_limits"]
        return found

    wait_until(lambda: usage()["remaining"] == 0, 5, "all is told")
    assert (usage()["current_usage"], usage()["status"]) == (PAID * COST / 1e9, "exhausted")


def without_its_ledger(gateway: Gateway, fake: Fake, redis: Server) -> None:
    """A worker spends what it has drawn, then there is nothing that it may spend."""
    _, key = api_key(gateway, usage_limits=[{"type": "cost", "credit_limit": 1000 * COST / 1e9}])

    def call() -> Answer:
        return gateway.call("POST", CHATS, at(fake), FLAT, key=key)

    assert call().status == 200
    redis.stop()
    assert [call().status for _ in range(FIRST_WANT)] == [200] * (FIRST_WANT - 1) + [503]
    refused = call()
    assert (refused.status, refused.error["code"]) == (503, "ledger_down")
    assert gateway.call("POST", CHATS, at(fake), FLAT).status == 200
    redis.start()
    wait_until(lambda: call().status == 200, 10, "budgets are kept again")


def test_one_process(prices: dict[str, str], fake: Fake, tmp_path: Path) -> None:
    """When it ends, it has given back what it held."""
    with Gateway(env=prices, data=tmp_path / "data") as gateway:
        overrun([gateway], fake)
        id, key = api_key(gateway, usage_limits=[{"type": "cost", "credit_limit": 1}])
        assert gateway.call("POST", CHATS, at(fake), FLAT, key=key).status == 200
    with closing(sqlite3.connect(tmp_path / "data/gatekey.db")) as database:
        accounts = database.execute("SELECT spent, held FROM ledger_accounts WHERE name = ?", (f"key/{id}/cost",))
        assert accounts.fetchall() == [(COST, 0)]
        assert database.execute("SELECT count(*) FROM ledger_holders").fetchone() == (0,)


def test_what_was_running_when_it_was_killed_stays_paid(prices: dict[str, str], fake: Fake, tmp_path: Path) -> None:
    """Nobody knows what became of it, so that nobody else may spend it."""
    fake.on(CHATS, chat(model="flat").late(0.5))
    gateway = Gateway(env=prices, data=tmp_path / "data")
    gateway.__enter__()
    try:
        _, key = api_key(gateway, usage_limits=[{"type": "cost", "credit_limit": PAID * COST / 1e9}])
        headers = at(fake) | {"x-portkey-api-key": key}
        with ThreadPoolExecutor(1) as pool:
            callers = pool.submit(asyncio.run, crowd([gateway], 40, headers, FLAT))
            fake.wait(PAID // 2)
            gateway.process.kill()
            assert 0 in callers.result(20)
    finally:
        gateway._end()
    with Gateway(env=prices, data=tmp_path / "data") as again:
        statuses = Counter(asyncio.run(crowd([again], 40, headers, FLAT)))
    assert len(fake.requests) <= PAID, statuses
    assert set(statuses) <= {200, 412, 429}, statuses


def test_four_workers(prices: dict[str, str], fake: Fake) -> None:
    with Gateway(env=prices, args=("--workers", "4")) as gateway:
        overrun([gateway], fake)


def test_two_gateways_on_one_postgresql(prices: dict[str, str], fake: Fake, tmp_path: Path) -> None:
    with databases.empty("postgresql", tmp_path) as url, ExitStack() as stack:
        shared = {**prices, "GATEKEY_DATABASE_URL": url, "GATEKEY_MASTER_KEY": new_key()}
        overrun([stack.enter_context(Gateway(env=shared)) for _ in range(2)], fake)


def test_two_gateways_on_one_redis(prices: dict[str, str], fake: Fake, tmp_path: Path) -> None:
    with databases.empty("postgresql", tmp_path) as url, closing(Server()) as redis, ExitStack() as stack:
        shared = {
            **prices,
            "GATEKEY_DATABASE_URL": url,
            "GATEKEY_MASTER_KEY": new_key(),
            "GATEKEY_REDIS_URL": redis.url,
        }
        gateways = [stack.enter_context(Gateway(env=shared)) for _ in range(2)]
        overrun(gateways, fake)
        without_its_ledger(gateways[0], fake, redis)
