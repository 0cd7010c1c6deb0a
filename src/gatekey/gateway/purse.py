"""What a worker may spend without asking: it reserves and settles out of leases, and one task talks to the ledger.

One exchange is under way at a time, whatever the number of calls that wait for it. The task wakes when something is
to be asked, and looks by itself while there are leases; without any it sleeps, and the ledger knows nothing of it.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from time import monotonic

from msgspec import Struct

from gatekey.errors import LedgerDown, Overloaded
from gatekey.limits.account import Ask, Reply
from gatekey.limits.lease import Rate
from gatekey.limits.leases import MOST_ASKS, POLL, TICK, Asked, Grant, Leases, Waiter
from gatekey.limits.ledger import LIFE, Gone, Ledger
from gatekey.limits.limit import Limit
from gatekey.limits.refusals import shown

__all__ = ["Grant", "Numbers", "Purse"]

BEAT = LIFE / 4000
"""s without an exchange after which the ledger hears that the worker lives."""
SWEEP = LIFE / 1000
"""s between two looks for workers that are dead."""

OUT_OF_REACH = (
    "The ledger of budgets and rates cannot be reached, and what this worker had drawn from it does not pay for this "
    "call: try again in a moment."
)

log = logging.getLogger("gatekey")


class Numbers(Struct, frozen=True):
    """How the purse fares: calls that wait for the ledger, leases held, and since the start exchanges, those of them
    that failed, and alerts."""

    waiting: int
    leases: int
    exchanges: int
    failures: int
    alerts: int


class Purse:
    """Reserves and settles. One per worker; `open` before the first call with limits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._news = asyncio.Event()
        self._leases = Leases(self._news.set)
        self._waiting: dict[Waiter, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._holder = ""
        """What the ledger knows this worker as; empty: it does not."""
        self._number = 0
        self._spoke = self._swept = 0.0
        self._failures = self._alerts = 0
        self._down = False

    @property
    def numbers(self) -> Numbers:
        """How it fares."""
        return Numbers(len(self._waiting), len(self._leases), self._number, self._failures, self._alerts)

    async def open(self) -> None:
        """Get ready. Asks nothing of the ledger before the first reservation."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Give everything back that no running call holds, and let go of the ledger."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._leases.failed((), partial(Overloaded, "The gateway ends: try again in a moment."))
        self._answer()
        if self._holder:
            with suppress(Gone, Overloaded, TimeoutError):
                await self._leave()
        await self._ledger.close()

    async def reserve(self, asked: Asked) -> Grant:
        """A grant of all amounts together, or an error and nothing reserved. None: the price is not known.

        Does not suspend where leases suffice. Raises `Exhausted`, `UnpricedModel`, `Limited`, `Overloaded` or
        `LedgerDown`.
        """
        grant = self._leases.take(asked, monotonic())
        if grant is not None:
            return grant
        waiter = self._leases.queue(asked, monotonic())
        if waiter.outcome is None:
            await self._wait(waiter)
        if isinstance(waiter.outcome, Grant):
            return waiter.outcome
        assert waiter.outcome is not None
        raise waiter.outcome

    def rate(self, limits: Sequence[Limit], counts: str) -> Rate | None:
        """How the tightest of some rates stands that counts so; None: there is none."""
        return self._leases.rate(limits, counts, monotonic())

    async def _wait(self, waiter: Waiter) -> None:
        """Until it has its outcome. A caller that leaves meanwhile leaves nothing reserved."""
        answered = self._waiting[waiter] = asyncio.get_running_loop().create_future()
        try:
            await answered
        except asyncio.CancelledError:
            waiter.left = True
            if isinstance(waiter.outcome, Grant):
                waiter.outcome.give_back()
            raise
        finally:
            del self._waiting[waiter]

    def _answer(self) -> None:
        """Let those go on that have their outcome."""
        for waiter, answered in self._waiting.items():
            if waiter.outcome is not None and not answered.done():
                answered.set_result(None)

    async def _run(self) -> None:
        while True:
            await self._pause()
            try:
                await self._talk()
            except Exception as failure:
                # Whatever it is, talking goes on: without it no budget would be kept, nor any call that has one served.
                log.exception("An exchange with the ledger of budgets failed in an unknown way.")
                self._failed((), failure)
                await asyncio.sleep(TICK)
            self._answer()

    async def _pause(self) -> None:
        """Until there is news, or it is time to look."""
        loop, timer = asyncio.get_running_loop(), None
        if self._leases.waiting:
            timer = loop.call_later(POLL, self._news.set)
        elif self._holder or len(self._leases):
            timer = loop.call_later(TICK, self._news.set)
        try:
            await self._news.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._news.clear()

    async def _talk(self) -> None:
        """One exchange, where there is something to say."""
        now = monotonic()
        asks = self._leases.round(now)
        self._answer()
        if asks or (len(self._leases) and now - self._spoke >= BEAT):
            try:
                async with asyncio.timeout(self._ledger.deadline):
                    replies = await self._exchange(asks)
            except Gone:
                self._holder = ""
                self._leases.forget()
            except (Overloaded, TimeoutError) as failure:
                self._failed(asks, failure)
            else:
                self._leases.answered(asks, replies, monotonic())
                self._heard()
        if self._holder:
            with suppress(Overloaded, TimeoutError):
                async with asyncio.timeout(self._ledger.deadline):
                    await self._tidy(now)

    async def _exchange(self, asks: Sequence[Ask]) -> list[Reply]:
        if not self._holder:
            holder = secrets.token_hex(16)
            await self._ledger.join(holder)
            self._holder = holder
        self._number += 1
        replies = await self._ledger.exchange(self._holder, self._number, asks)
        self._spoke = monotonic()
        return replies

    async def _tidy(self, now: float) -> None:
        """Leave where nothing is held; else see after those that died."""
        if not len(self._leases) and not self._leases.waiting:
            holder, self._holder = self._holder, ""
            await self._ledger.leave(holder)
        elif now - self._swept >= SWEEP:
            self._swept = now
            await self._ledger.sweep()

    async def _leave(self) -> None:
        """The last words."""
        asks = self._leases.last(monotonic())
        for start in range(0, len(asks), MOST_ASKS):
            async with asyncio.timeout(self._ledger.deadline):
                await self._exchange(asks[start : start + MOST_ASKS])
        async with asyncio.timeout(self._ledger.deadline):
            await self._ledger.leave(self._holder)

    def _failed(self, asks: Sequence[Ask], failure: Exception) -> None:
        self._failures += 1
        if not self._down:
            log.warning("The ledger of budgets and rates is out of reach; leases are spent meanwhile. %s", failure)
        self._down = True
        self._leases.failed(asks, partial(LedgerDown, OUT_OF_REACH))

    def _heard(self) -> None:
        self._down = False
        alerts, self._leases.alerts = self._leases.alerts, []
        self._alerts += len(alerts)
        for alert in alerts:
            limit = alert.limit
            spent, amount, threshold = (
                shown(limit, value or 0) for value in (alert.spent, limit.amount, limit.alert_threshold)
            )
            log.warning(
                "Budget alert: %s of %s are spent of %s (%s); its threshold is %s.",
                *(spent, amount, limit.account, limit.owner, threshold),
            )
