"""The purse: one task talks to the ledger, and calls wait for it no longer than they must."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from gatekey.errors import Exhausted, LedgerDown, Limited, UnpricedModel
from gatekey.gateway import purse as module
from gatekey.gateway.purse import Purse
from gatekey.limits.limit import Limit
from tests.unit.limits.twin import Twin

BUDGET = Limit("key/1/cost", "cost", 10_000, owner="API key")
SMALL = Limit("key/2/cost", "cost", 100, owner="API key")
RATE = Limit("key/1/requests/60s", "requests", 3, per=60, owner="API key")


@asynccontextmanager
async def opened(twin: Twin) -> AsyncIterator[Purse]:
    purse = Purse(twin)
    await purse.open()
    try:
        yield purse
    finally:
        await purse.close()


def run(test: Callable[[Twin, Purse], Awaitable[None]], twin: Twin | None = None) -> Twin:
    """Run a test with a purse of its own; the ledger as it is left."""
    used = twin or Twin()

    async def within() -> None:
        async with asyncio.timeout(20), opened(used) as purse:
            await test(used, purse)

    asyncio.run(within())
    return used


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what other tasks bring about."""
    while not holds():
        await asyncio.sleep(0.005)


def suspends(awaitable: Any) -> bool:
    """Whether it has to wait for anything."""
    try:
        awaitable.send(None)
    except StopIteration:
        return False
    return True


def test_nothing_is_asked_without_limits() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        await asyncio.sleep(0.02)

    twin = run(test)
    assert (twin.joined, twin.exchanges, twin.left, twin.closed) == ([], [], [], True)


def test_a_reservation_and_its_settling() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        (await purse.reserve([(SMALL, 90)])).settle([40])
        await until(lambda: twin.books.accounts[SMALL.account].spent == 40)
        with pytest.raises(Exhausted):
            await purse.reserve([(SMALL, 90)])

    twin = run(test)
    assert (twin.books.accounts[SMALL.account].held, twin.left, twin.books.leases) == (0, twin.joined, {})


def test_where_leases_suffice_nothing_is_waited_for() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        await purse.reserve([(BUDGET, 10)])
        assert not suspends(purse.reserve([(BUDGET, 10)]))
        with pytest.raises(UnpricedModel):
            purse.reserve([(BUDGET, None)]).send(None)
        assert not suspends(purse.reserve([(replace(BUDGET, allow_unpriced=True), None)]))

    run(test)


def test_many_calls_need_few_exchanges() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        grants = await asyncio.gather(*(purse.reserve([(replace(BUDGET, amount=10**9), 10)]) for _ in range(500)))
        assert len(grants) == 500

    assert len(run(test).exchanges) < 12


def test_those_that_cannot_be_paid_wait_for_those_that_run() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        first = await purse.reserve([(SMALL, 80)])
        waiting = asyncio.create_task(purse.reserve([(SMALL, 80)]))
        await until(lambda: len(twin.exchanges) > 1)
        assert (purse.numbers.waiting, waiting.done()) == (1, False)
        first.settle([10])
        (await waiting).settle([90])

    assert run(test).books.accounts[SMALL.account].spent == 100


def test_a_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatekey.limits.leases.PATIENCE", 0.1)

    async def test(twin: Twin, purse: Purse) -> None:
        await purse.reserve([(SMALL, 80)])
        with pytest.raises(Limited, match="Running calls hold"):
            await purse.reserve([(SMALL, 80)])

    run(test)


def test_a_caller_that_leaves_leaves_nothing_behind() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        first = await purse.reserve([(SMALL, 80)])
        waiting = asyncio.create_task(purse.reserve([(SMALL, 80), (RATE, 1)]))
        await until(lambda: purse.numbers.waiting == 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert purse.numbers.waiting == 0
        first.settle([0])
        (await purse.reserve([(SMALL, 100)])).settle([0])

    twin = run(test)
    assert RATE.account not in twin.books.accounts or twin.books.accounts[RATE.account].spent == 0


def test_a_caller_that_leaves_as_its_grant_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Purse._answer

    def and_leave(purse: Purse) -> None:
        answer(purse)
        for task in tasks:
            if any(answered.done() for answered in purse._waiting.values()):
                task.cancel()

    tasks: list[asyncio.Task[Any]] = []
    monkeypatch.setattr(Purse, "_answer", and_leave)

    async def test(twin: Twin, purse: Purse) -> None:
        task = asyncio.create_task(purse.reserve([(SMALL, 80), (RATE, 1)]))
        tasks.append(task)
        with pytest.raises(asyncio.CancelledError):
            await task

    twin = run(test)
    assert [(account.spent, account.held) for account in twin.books.accounts.values()] == [(0, 0), (0, 0)]


def test_a_ledger_out_of_reach(caplog: pytest.LogCaptureFixture) -> None:
    """The lease is spent, then calls get 503; when it is there again all is told."""

    async def test(twin: Twin, purse: Purse) -> None:
        grants = [await purse.reserve([(BUDGET, 10)])]
        twin.down = True
        grants += [await purse.reserve([(BUDGET, 10)]) for _ in range(3)]
        for _ in range(2):
            with pytest.raises(LedgerDown) as refused:
                await purse.reserve([(BUDGET, 10)])
            assert refused.value.status == 503
        for grant in grants:
            grant.settle([7])
        twin.down = False
        await purse.reserve([(BUDGET, 50)])
        await until(lambda: twin.books.accounts[BUDGET.account].spent == 28)
        assert purse.numbers.failures >= 2

    run(test)
    assert caplog.text.count("out of reach") == 1


def test_a_ledger_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Twin):
        deadline = 0.05

        async def exchange(self, *arguments: Any) -> Any:
            answer = await super().exchange(*arguments)
            if len(self.exchanges) == 1:
                await asyncio.sleep(5)
            return answer

    async def test(twin: Twin, purse: Purse) -> None:
        with pytest.raises(LedgerDown):
            await purse.reserve([(SMALL, 80)])
        assert twin.books.accounts[SMALL.account].held == 80
        (await purse.reserve([(SMALL, 80)])).settle([80])

    assert run(test, Slow()).books.accounts[SMALL.account].spent == 80


def test_a_worker_that_was_taken_for_dead_joins_anew() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        (await purse.reserve([(SMALL, 30)])).settle([30])
        await until(lambda: twin.books.accounts[SMALL.account].spent == 30)
        twin.books.leave(twin.joined[0])
        (await purse.reserve([(SMALL, 70)])).settle([70])

    twin = run(test)
    assert len(set(twin.joined)) == 2
    assert twin.books.accounts[SMALL.account].spent == 100


def test_it_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    monkeypatch.setattr(module, "TICK", 0.01)

    async def test(twin: Twin, purse: Purse) -> None:
        await purse.reserve([(BUDGET, 10)])
        await until(lambda: () in {tuple(asks) for asks in twin.exchanges})

    run(test)


def test_with_nothing_held_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("IDLE", 0.01), ("FORGET", 0.02), ("TICK", 0.01)):
        monkeypatch.setattr(f"gatekey.limits.leases.{name}", seconds)
    monkeypatch.setattr(module, "TICK", 0.01)

    async def test(twin: Twin, purse: Purse) -> None:
        (await purse.reserve([(BUDGET, 10)])).settle([10])
        await until(lambda: twin.left == twin.joined)
        assert purse.numbers.leases == 0
        await purse.reserve([(BUDGET, 10)])
        assert len(twin.joined) == 2

    run(test)


def test_those_that_died_are_seen_after() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        twin.books.join("dead")
        twin.books.exchange("dead", 1, [])
        twin.books.now += 60_000
        await purse.reserve([(BUDGET, 10)])
        await until(lambda: "dead" not in twin.books.leases)

    run(test)


def test_an_alert_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        (await purse.reserve([(replace(SMALL, alert_threshold=50), 60)])).settle([60])
        await until(lambda: purse.numbers.alerts == 1)

    run(test)
    told = "Budget alert: $0.00000006 of $0.0000001 are spent of key/2/cost (API key); its threshold is $0.00000005."
    assert told in caplog.text


def test_whatever_the_ledger_does_talking_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(Twin):
        async def exchange(self, *arguments: Any) -> Any:
            answer = await super().exchange(*arguments)
            if len(self.exchanges) == 1:
                raise RuntimeError("odd")
            return answer

    async def test(twin: Twin, purse: Purse) -> None:
        with pytest.raises(LedgerDown):
            await purse.reserve([(SMALL, 80)])
        (await purse.reserve([(SMALL, 80)])).settle([80])

    assert run(test, Odd()).books.accounts[SMALL.account].spent == 80
    assert "RuntimeError" in caplog.text


def test_who_waits_when_it_closes_is_told() -> None:
    async def test(twin: Twin, purse: Purse) -> None:
        await purse.reserve([(SMALL, 80)])
        waiting = asyncio.create_task(purse.reserve([(SMALL, 80)]))
        await until(lambda: purse.numbers.waiting == 1)
        await purse.close()
        with pytest.raises(Exception, match="The gateway ends"):
            await waiting

    run(test)
