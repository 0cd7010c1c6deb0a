"""A ledger that is silent, or gone: said to be so in time, and well once it is back."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekey.errors import Overloaded
from gatekey.limits.account import Ask, Standing
from gatekey.limits.ledger import Gone, Ledger
from gatekey.limits.limit import Limit
from tests import databases
from tests.ledgers import REAL, SERVERS, Place, draw, place, run
from tests.redis_server import server

BUDGET = Limit("budget", "cost", 1000)


@pytest.fixture
def there(kind: str, tmp_path: Path) -> Iterator[Place]:
    """Where it is kept; nothing is in it."""
    with place(kind, tmp_path) as found:
        yield found


@pytest.mark.parametrize("kind", REAL)
def test_one_that_does_not_answer_is_given_up_in_time_and_is_well_afterwards(there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.exchange("h", 1, [draw(BUDGET, 100)])
        ledger.deadline = 0.2
        with there.freeze():
            start = time.monotonic()
            for call in (
                ledger.exchange("h", 2, [draw(BUDGET, 500, total=3)]),
                ledger.exchange("h", 3, []),
                ledger.sweep(),
            ):
                with pytest.raises(Overloaded):
                    await call
            assert time.monotonic() - start < 3
        ledger.deadline = 10
        # Whether those were done or not: what is told now is what counts.
        (reply,) = await ledger.exchange("h", 4, [Ask(BUDGET, 0, total=60, keep=40)])
        assert (reply.spent in (60, 63), reply.left in (897, 900)) == (True, True)
        assert await ledger.usage([BUDGET]) == [Standing(reply.spent, 40)]

    run(there, story)


@pytest.mark.parametrize("kind", SERVERS)
def test_one_that_is_not_there_is_said_to_be_so_and_works_once_it_is_back(kind: str, there: Place) -> None:
    async def story(ledger: Ledger) -> None:
        there_is = databases.postgres() if kind == "postgresql" else server()
        await ledger.exchange("h", 1, [draw(BUDGET, 100)])
        there_is.stop()
        try:
            for call in (
                ledger.exchange("h", 2, []),
                ledger.join("f"),
                ledger.leave("h"),
                ledger.sweep(),
                ledger.usage([BUDGET]),
                ledger.accounts("", 5),
            ):
                with pytest.raises(Overloaded, match="cannot be reached"):
                    await call
        finally:
            there_is.start()
        if kind == "redis":  # this one keeps nothing on disk
            with pytest.raises(Gone):
                await ledger.exchange("h", 3, [])
            await ledger.join("h2")
            assert (await ledger.exchange("h2", 1, [draw(BUDGET, 1000)]))[0].granted == 1000
        else:
            assert (await ledger.exchange("h", 3, [Ask(BUDGET, 0, 30, 70)]))[0].spent == 30

    run(there, story)
