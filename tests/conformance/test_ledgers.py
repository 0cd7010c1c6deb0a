"""What every ledger does, over the arithmetic in memory and three real servers. A new one is added to `KINDS`."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from gatekey.errors import Overloaded
from gatekey.limits.account import NEW, Ask, Reply, Standing
from gatekey.limits.ledger import LIFE, Gone, Ledger
from gatekey.limits.limit import DAY, LONGEST, MOST, Limit
from gatekey.store import ledger as sql
from gatekey.store import redis_ledger
from tests.ledgers import KINDS, REAL, Memory, Place, draw, place, run

BUDGET = Limit("budget", "cost", 1000)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which ledger."""
    return str(request.param)


@pytest.fixture
def there(kind: str, tmp_path: Path) -> Iterator[Place]:
    """Where it is kept; nothing is in it."""
    with place(kind, tmp_path) as found:
        yield found


def test_what_is_told_is_kept(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        (reply,) = await ledger.exchange("h", 1, [draw(BUDGET, 10, 1000)])
        assert reply == Reply(0, 62, 0, 938, None)
        assert await ledger.usage([BUDGET]) == [Standing(0, 62)]
        for number in (2, 3):
            (reply,) = await ledger.exchange("h", number, [Ask(BUDGET, 0, total=20, keep=42)])
            assert reply == Reply(0, 0, 20, 938, None)
        (reply,) = await ledger.exchange("g", 1, [draw(BUDGET, 900, 900)])
        assert reply == Reply(0, 900, 20, 38, None)
        (reply,) = await ledger.exchange("h", 4, [Ask(BUDGET, 0, total=62, keep=0, last=True)])
        assert reply == Reply(0, 0, 62, 38, None)
        assert await ledger.usage([BUDGET]) == [Standing(62, 900)]

    run(there, story)


def test_several_accounts_in_any_order_and_groups_whole(there: Place) -> None:
    small, other = Limit("a-small", "tokens", 5), Limit("z-other", "requests", 9, per=60)

    async def story(ledger: Ledger) -> None:
        asks = [draw(other, 1, group=1), draw(BUDGET, 10, group=2), draw(small, 6, group=2)]
        replies = await ledger.exchange("h", 1, asks)
        assert [(reply.granted, reply.refused) for reply in replies] == [(1, ""), (0, ""), (0, "exhausted")]
        assert await ledger.usage([small, BUDGET]) == [Standing(exhausted=True), Standing()]
        assert await ledger.accounts("", 10) == ["a-small", "budget", "z-other"]

    run(there, story)


def test_an_exchange_that_was_overtaken_does_nothing(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 5, [draw(BUDGET, 100)])
        for late in (4, 5):
            with suppress(Overloaded):  # nobody waits for its answer
                assert await ledger.exchange("h", late, [draw(BUDGET, 300, total=500)]) == []
        assert await ledger.usage([BUDGET]) == [Standing(0, 100)]
        (reply,) = await ledger.exchange("h", 6, [Ask(BUDGET, 0, 100, 0)])
        assert reply.left == 900

    run(there, story)


def test_who_is_not_known_is_told_so(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        with pytest.raises(Gone):
            await ledger.exchange("nobody", 1, [draw(BUDGET, 100)])
        await ledger.leave("nobody")
        await ledger.leave("h")
        with pytest.raises(Gone):
            await ledger.exchange("h", 1, [])
        assert await ledger.exchange("g", 1, []) == []
        assert await ledger.usage([BUDGET]) == [Standing()]

    run(there, story)


def test_who_leaves_pays_for_what_it_holds(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(BUDGET, 100)])
        await ledger.exchange("h", 2, [Ask(BUDGET, 0, total=30, keep=70)])
        await ledger.exchange("g", 1, [draw(BUDGET, 7)])
        await ledger.leave("h")
        await ledger.leave("h")
        assert await ledger.usage([BUDGET]) == [Standing(100, 7)]

    run(there, story)


@pytest.mark.parametrize("leases", [3, 4])
def test_the_dead_are_written_off_and_the_living_are_not(
    there: Place, leases: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In several steps: of three and of four leases, two at a time."""
    monkeypatch.setattr(sql, "BATCH", 2)
    monkeypatch.setattr(redis_ledger, "BATCH", 2)
    limits = [replace(BUDGET, account=f"a{number}") for number in range(leases)]

    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(limit, 100) for limit in limits])
        await ledger.exchange("g", 1, [draw(limits[0], 7)])
        await ledger.sweep()
        there.silence("h")
        await ledger.exchange("g", 2, [])
        await asyncio.gather(*(ledger.sweep() for _ in range(3)))
        assert await ledger.usage(limits) == [Standing(100, 7), *[Standing(100, 0)] * (leases - 1)]
        with pytest.raises(Gone):
            await ledger.exchange("h", 2, [])
        await ledger.sweep()
        (reply,) = await ledger.exchange("g", 3, [Ask(limits[0], 0, 7, 0)])
        assert reply.spent == 107

    run(there, story)


def test_who_speaks_again_in_time_lives(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(BUDGET, 100)])
        there.silence("h")
        await ledger.exchange("h", 2, [])
        await ledger.exchange("g", 1, [])
        await ledger.sweep()
        (reply,) = await ledger.exchange("h", 3, [Ask(BUDGET, 0, 60, 40)])
        assert (reply.spent, reply.left) == (60, 900)

    run(there, story)


def test_many_who_draw_at_once_get_what_there_is_and_no_more(there: Place) -> None:
    """Eight workers with connections of their own, on one account, with calls of 7; some settle for less."""
    dice = random.Random(7)

    async def worker(name: str, ledger: Ledger) -> int:
        number = total = 0
        await ledger.join(name)
        while True:
            number += 1
            (reply,) = await ledger.exchange(name, number, [draw(BUDGET, 7, 30, epoch=0, total=total)])
            if reply.refused == "exhausted":
                return total
            total += min(reply.granted, dice.choice((3, 7, 30)))

    async def whole() -> None:
        ledgers = [there.open() for _ in range(8)]
        spent = await asyncio.gather(*(worker(f"w{number}", ledger) for number, ledger in enumerate(ledgers)))
        (standing,) = await ledgers[0].usage([BUDGET])
        for ledger in ledgers:
            await ledger.close()
        assert standing == Standing(sum(spent), 0, False, True)
        assert 1000 - 7 < sum(spent) <= 1000

    asyncio.run(whole())


def test_nobody_waits_in_a_circle(there: Place) -> None:
    """Workers that ask for the same accounts in opposite orders, new ones among them, while others sweep."""

    async def worker(name: str, ledger: Ledger, forwards: bool) -> None:
        await ledger.join(name)
        for number in range(1, 13):
            limits = [replace(BUDGET, account=f"a{index}") for index in range(number)]
            asks = [draw(limit, 1) for limit in limits]
            replies = await ledger.exchange(name, number, asks if forwards else asks[::-1])
            assert [reply.granted for reply in replies] == [1] * number
            await ledger.sweep()
        await ledger.leave(name)

    async def whole() -> None:
        ledgers = [there.open() for _ in range(4)]
        await asyncio.gather(*(worker(f"w{n}", ledger, n % 2 == 0) for n, ledger in enumerate(ledgers)))
        assert await ledgers[0].usage([replace(BUDGET, account="a11")]) == [Standing(4)]
        for ledger in ledgers:
            await ledger.close()

    asyncio.run(whole())


def test_a_new_epoch_forgets_and_what_comes_late_is_void(there: Place) -> None:
    reset = replace(BUDGET, since=1_000_000)

    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(BUDGET, 1000)])
        assert await ledger.usage([BUDGET, reset]) == [Standing(0, 1000), Standing()]
        (reply,) = await ledger.exchange("g", 1, [draw(reset, 1000)])
        assert (reply.epoch, reply.granted) == (1_000_000, 1000)
        (reply,) = await ledger.exchange("h", 2, [Ask(reset, 0, total=500, keep=500)])
        assert (reply.epoch, reply.spent, reply.left) == (1_000_000, 0, 0)
        (reply,) = await ledger.exchange("h", 3, [Ask(BUDGET, 0, total=500, keep=500)])
        assert (reply.epoch, reply.spent) == (1_000_000, 0)

    run(there, story)


def test_names_are_found_by_their_beginning(there: Place) -> None:
    longest = "ä" * (LONGEST // 2)
    names = ["a/", "a/B", "a/b", "a/é", "a/\U0001f600", "a/%_", "a/'\"\\", "a/\n", "a", "b", longest]

    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(replace(BUDGET, account=name), 1) for name in names])
        assert await ledger.accounts("a/", 100) == sorted(name for name in names if name.startswith("a/"))
        assert await ledger.accounts("a/", 2) == sorted(names)[1:3]
        assert await ledger.accounts("", 100) == sorted(names)
        assert await ledger.accounts("c", 100) == []
        assert await ledger.accounts("ä", 1) == [longest]
        assert await ledger.usage([replace(BUDGET, account=name) for name in names]) == [Standing(0, 1)] * len(names)

    run(there, story)


def test_alerts_and_the_largest_amounts(there: Place) -> None:
    largest = Limit("largest", "cost", MOST, alert_threshold=MOST - 1)

    async def story(ledger: Ledger) -> None:
        (reply,) = await ledger.exchange("h", 1, [draw(largest, MOST)])
        assert reply.granted == MOST
        (reply,) = await ledger.exchange("h", 2, [Ask(largest, 0, MOST - 1, 1)])
        assert (reply.spent, reply.left, reply.alert) == (MOST - 1, 0, True)
        (reply,) = await ledger.exchange("h", 3, [Ask(largest, 0, MOST, 0)])
        assert (reply.spent, reply.alert) == (MOST, False)
        assert await ledger.usage([largest]) == [Standing(MOST, 0, True)]

    run(there, story)


def test_how_many_limits_stand(there: Place) -> None:
    limits = [replace(BUDGET, account=f"a{number:05}") for number in range(2500)]

    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(limits[2400], 5)])
        expected = [Standing(0, 5) if number == 2400 else Standing() for number in range(2500)]
        assert await ledger.usage(limits) == expected
        assert await ledger.usage([]) == []

    run(there, story)


@pytest.mark.parametrize("kind", REAL)
def test_any_story_goes_as_it_does_in_memory(there: Place) -> None:
    """The same exchanges of three holders, some of whom go, over four accounts."""
    dice, names = random.Random(11), ["a", "b", "c", "d"]

    async def story(ledger: Ledger) -> None:
        memory, numbers = Memory().open(), dict.fromkeys("hgf", 0)
        await memory.join("h")
        await memory.join("g")
        for either in (memory, ledger):
            await either.join("f")
        for _ in range(120):
            holder = dice.choice("hgf")
            numbers[holder] += 1
            asks = []
            for name in dice.sample(names, dice.randint(0, 4)):
                limit = Limit(
                    name, "cost", dice.choice((200, 400)), since=dice.choice((0, 0, 0, 5)), alert_threshold=99
                )
                least, epoch = dice.choice((0, 1, 30)), dice.choice((NEW, 0, 5))
                keep, want = dice.randint(0, 20), dice.randint(0, 90)
                asks.append(
                    Ask(
                        limit, epoch, numbers[holder], keep, least, least, want, dice.randint(0, 1), dice.random() < 0.1
                    )
                )
            replies = [await either.exchange(holder, numbers[holder], asks) for either in (memory, ledger)]
            assert replies[0] == replies[1]
            if dice.random() < 0.05:
                for either in (memory, ledger):
                    await either.leave(holder)
                    await either.join(holder)
                numbers[holder] = 0
        standing = [Limit(name, "cost", 200, alert_threshold=99) for name in names]
        assert await memory.usage(standing) == await ledger.usage(standing)

    run(there, story)


@pytest.mark.parametrize("kind", REAL)
def test_the_clock_is_a_clock(there: Place) -> None:
    """A budget ends when it should; a rate, here of 10**9 in a ms, leaks."""
    since = int(time.time() * 1000)
    daily, fast = Limit("daily", "cost", 5, period=1, since=since), Limit("fast", "tokens", 10**12, per=1)

    async def story(ledger: Ledger) -> None:
        reply, fastest = await ledger.exchange("h", 1, [draw(daily, 1), Ask(fast, NEW, total=10**9, keep=0)])
        assert reply.ends_in is not None
        assert 0 <= since + DAY - reply.ends_in - since < 60_000
        assert fastest.spent == 10**9
        while (await ledger.usage([fast])) != [Standing()]:
            pass

    run(there, story)


@pytest.mark.parametrize("kind", REAL)
def test_what_has_expired_is_removed_and_the_rest_is_not(there: Place) -> None:
    limits = [Limit(f"{number}", "requests", 5, per=60) for number in range(3)]

    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(limit, 1) for limit in [*limits, BUDGET]])
        there.expire("1")
        await ledger.sweep()
        assert await ledger.accounts("", 10) == ["0", "2", "budget"]
        # Its lease is no more than one of a new account.
        (reply,) = await ledger.exchange("h", 2, [Ask(limits[1], 0, total=1, keep=0)])
        assert (reply.spent, reply.left) == (1, 4)
        there.silence("h")
        await ledger.sweep()
        assert await ledger.usage([*limits[::2], BUDGET]) == [Standing(1), Standing(1), Standing(1)]

    run(there, story)


def test_life_is_longer_than_a_deadline(kind: str, there: Place) -> None:
    ledger = there.open()
    assert 0 < ledger.deadline < LIFE / 4000
    asyncio.run(ledger.close())
