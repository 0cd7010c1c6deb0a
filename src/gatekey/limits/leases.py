"""The holder's side: what a worker may spend without asking, and what it has to ask the ledger.

`take` gives a grant out of the leases, at once, or None; then a `Waiter` is queued. `round` says what to ask now,
`answered` takes the replies in, `failed` and `forget` what came instead; each ends the waiters that it can. Times
are s of any clock that only goes forward: no wall clock decides anything here.
"""

import math
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from gatekey.errors import GatekeyError, Overloaded
from gatekey.limits import refusals
from gatekey.limits.account import NEW, SHARE, Ask, Reply
from gatekey.limits.lease import Lease, Rate, rate
from gatekey.limits.limit import MOST, Limit

Asked = Sequence[tuple[Limit, int | None]]
"""Limits and how much a call may use of each at most; None: nobody knows its price."""

PATIENCE = 2.0
"""s that a call waits where only reservations stand against it."""
POLL = 0.05
"""s until the ledger is asked again about a call that was refused for others' leases."""
TICK = 0.2
"""s between two looks at all leases: near a limit, each reports then what was spent."""
REPORT = 1.0
"""s between two reports of a lease that is far from its limit."""
IDLE = 1.0
"""s without a reservation after which what is free is given back."""
FORGET = 60.0
"""s without a reservation after which a lease is forgotten."""
MOST_LEASES = 10_000
"""Leases above which those that are used least are given back; twice as many are never exceeded."""
MOST_WAITING = 4096
"""Calls that may wait for the ledger."""
MOST_ASKS = 256
"""Asks of one exchange."""
FEW = 16
"""Leases that are reported together, though not all of them have to be yet."""
FIRST_WANT = 4
"""Calls that a first draw should do for. Each draw within a second of the last one wants twice as much as that."""


class Grant:
    """Permission to spend, until it is settled. It must be, once, however the call ends; a second time does nothing."""

    __slots__ = ("_leases", "_parts")

    def __init__(self, leases: "Leases", parts: list[tuple[Lease, int]]) -> None:
        self._leases = leases
        self._parts: Sequence[tuple[Lease, int]] = parts

    def tell(self) -> None:
        """Near a rate the ledger hears at once of a request, which leaks away from when it hears of it."""
        for lease, reserved in self._parts:
            if lease.instant and lease.limit.per:
                self._leases.returned(lease, reserved)

    def give_back(self) -> None:
        """Nothing was begun with it: all that was reserved comes back, requests too."""
        parts, self._parts = self._parts, ()
        for lease, reserved in parts:
            lease.put_back(reserved)
            self._leases.returned(lease, reserved)

    def settle(self, amounts: Sequence[int | None]) -> None:
        """What was spent, in the order of `reserve`; None, or too few of them: all that was reserved counts.

        Never waits, never fails. What is more than was reserved is booked too. Requests were spent when reserved.
        """
        parts, self._parts = self._parts, ()
        if len(amounts) < len(parts):
            amounts = [*amounts, *[None] * (len(parts) - len(amounts))]
        for (lease, reserved), amount in zip(parts, amounts, strict=False):
            if lease.instant:
                continue
            spent = reserved if amount is None else min(max(0, amount), MOST)
            lease.out -= reserved
            lease.total += spent
            lease.free += reserved - spent
            if lease.free < 0:
                self._leases.over(lease)
            if lease.left < SHARE * reserved:
                self._leases.returned(lease, reserved)


class Waiter:
    """A call that its leases do not suffice for: until `outcome` is a grant or an error, or it has `left`."""

    __slots__ = ("deadline", "key", "left", "needs", "outcome")

    def __init__(self, needs: list[tuple[Limit, int]], now: float) -> None:
        self.needs = needs
        self.key = tuple((limit.account, bound) for limit, bound in needs)
        self.deadline = now + PATIENCE
        self.outcome: Grant | GatekeyError | None = None
        self.left = False


class Alert(Struct, frozen=True):
    """A budget's spending has crossed its threshold."""

    limit: Limit
    spent: int


class Leases:
    """All leases of a worker, and the calls that wait for them. `wake` is called when there is something to ask."""

    def __init__(self, wake: Callable[[], object]) -> None:
        self.waiting: list[Waiter] = []
        self.alerts: list[Alert] = []
        self._wake = wake
        self._leases: dict[str, Lease] = {}
        self._urgent: set[Lease] = set()
        self._asked: dict[str, Lease] = {}
        self._looked = 0.0
        self._heard = True

    def __len__(self) -> int:
        return len(self._leases)

    def take(self, asked: Asked, now: float) -> Grant | None:
        """A grant of everything, where the leases suffice."""
        parts: list[tuple[Lease, int]] = []
        held = self._leases
        for limit, amount in asked:
            lease = held.get(limit.account)
            if (
                amount is None
                or lease is None
                or lease.limit is not limit
                or (amount and (amount > lease.free or now >= lease.until))
            ):
                for lease, amount in parts:
                    lease.put_back(amount)
                return None
            lease.free -= amount
            if lease.instant:
                lease.total += amount
            else:
                lease.out += amount
            lease.used = now
            parts.append((lease, amount))
        return Grant(self, parts)

    def queue(self, asked: Asked, now: float) -> Waiter:
        """A waiter for what could not be taken. It may have its outcome already: what is sure is not waited for.

        Raises `Overloaded` or `UnpricedModel`.
        """
        if len(self.waiting) >= MOST_WAITING:
            raise Overloaded(f"{MOST_WAITING} calls wait for their budgets: try again in a moment.")
        waiter = Waiter([(limit, refusals.bound(limit, amount)) for limit, amount in asked], now)
        for limit, _ in waiter.needs:
            self._meet(limit, now)
        if not self._ended(waiter, now):
            self.waiting.append(waiter)
            self._wake()
        return waiter

    def round(self, now: float) -> list[Ask]:
        """End the waiters that can be ended, and say what to ask the ledger now; no account twice."""
        asks: dict[str, Ask] = {}
        self._sift(now)
        alike: dict[object, list[Waiter]] = {}
        for waiter in self.waiting:
            alike.setdefault(waiter.key, []).append(waiter)
        for waiters in alike.values():
            self._draw(waiters[0], len(waiters), asks, now)
        urgent, self._urgent = self._urgent, set()
        for lease in urgent:
            if lease.limit.account not in asks and self._leases.get(lease.limit.account) is lease:
                lease.free = 0
                asks[lease.limit.account] = lease.tell(now)
        if now - self._looked >= TICK:
            self._look(asks, now)
        self._asked = {account: self._leases.get(account, _FORGOTTEN) for account in asks}
        return list(asks.values())

    def answered(self, asks: Sequence[Ask], replies: Sequence[Reply], now: float) -> None:
        """The ledger answered."""
        self._heard = True
        for ask, reply in zip(asks, replies, strict=True):
            lease = self._asked[ask.limit.account]
            if self._leases.get(ask.limit.account) is not lease:
                continue  # it was forgotten
            if reply.epoch != ask.epoch and ask.epoch != NEW:
                lease = self._renewed(lease)
                lease.want, lease.used = ask.want, now
            else:
                lease.told = ask.total
            lease.epoch = reply.epoch
            lease.free += reply.granted
            # The reply was true at some moment after the question: from that on is never too long.
            lease.left, lease.spent, lease.heard = reply.left, reply.spent, lease.asked
            if lease.limit == ask.limit:
                lease.until = math.inf if reply.ends_in is None else lease.asked + reply.ends_in / 1000
            if reply.refused:
                lease.retry_at = now + POLL
                lease.exhausted = lease.exhausted or reply.refused == "exhausted"
                lease.barred = ask.bound if reply.refused == "rate" else 0
            if reply.alert:
                self.alerts.append(Alert(ask.limit, reply.spent))
        self._sift(now)

    def failed(self, asks: Sequence[Ask], failure: Callable[[], GatekeyError]) -> None:
        """Nobody knows whether the ledger heard it: what it granted is mended by the next exchange."""
        self._heard = False
        for ask in asks:
            lease = self._leases.get(ask.limit.account)
            if lease is not None and not lease.free and not lease.out:
                self._urgent.add(lease)
        for waiter in self.waiting:
            waiter.outcome = failure()
        self.waiting = []

    def forget(self) -> None:
        """The ledger has written everything off that this worker held: begin anew. What runs is paid for."""
        self._leases.clear()
        self._urgent.clear()

    def last(self, now: float) -> list[Ask]:
        """What to tell at the end: all that is free goes back."""
        for lease in self._leases.values():
            lease.free = 0
        return [lease.tell(now) for lease in self._leases.values()]

    def rate(self, limits: Sequence[Limit], counts: str, now: float) -> Rate | None:
        """How the tightest of a call's rates stands that counts so; None: there is none."""
        tightest: Rate | None = None
        for limit in limits:
            if limit.per and limit.counts == counts:
                found = rate(self._leases.get(limit.account), limit, now)
                if tightest is None or found.remaining < tightest.remaining:
                    tightest = found
        return tightest

    def over(self, lease: Lease) -> None:
        """A call cost more than was reserved for it, and more than was free: the amount may be exceeded by that."""
        more, lease.free = -lease.free, 0
        if self._leases.get(lease.limit.account) is not lease and not lease.ended:
            self._at(lease.limit).total += more  # what the ledger knew of that lease was booked, but not this

    def returned(self, lease: Lease, reserved: int) -> None:
        """A call is over. Near the limit others may be waiting for what it held, here or elsewhere."""
        if lease.left < SHARE * reserved:
            lease.retry_at = 0.0
            self._urgent.add(lease)
            self._wake()

    def _at(self, limit: Limit) -> Lease:
        """The lease of a limit; a new one has nothing."""
        lease = self._leases.get(limit.account)
        if lease is None:
            lease = self._leases[limit.account] = Lease(limit)
        return lease

    def _meet(self, limit: Limit, now: float) -> None:
        """A call comes with a limit that may be new, or have changed."""
        if limit.account not in self._leases and len(self._leases) >= 2 * MOST_LEASES:
            raise Overloaded("Too many limits are in use at a time: try again in a moment.")
        lease = self._at(limit)
        if lease.limit != limit:
            # What was drawn under another amount or period goes back, and what was known of it counts no more.
            lease.free, lease.until, lease.left, lease.exhausted, lease.retry_at = 0, 0.0, 0, False, 0.0
            self._urgent.add(lease)
        lease.limit, lease.used = limit, now

    def _renewed(self, lease: Lease) -> Lease:
        """Another epoch has begun: what still runs settles into the old one, which nobody counts any more."""
        lease.ended = True
        new = self._leases[lease.limit.account] = Lease(lease.limit)
        new.asked, new.drawn = lease.asked, lease.drawn
        return new

    def _sift(self, now: float) -> None:
        """End the waiters that can be. Behind one that cannot, those that need the very same are not tried."""
        still, tried = [], set()
        for waiter in self.waiting:
            if waiter.left:
                continue
            if now < waiter.deadline and waiter.key in tried:
                still.append(waiter)
            elif not self._ended(waiter, now):
                tried.add(waiter.key)
                still.append(waiter)
        self.waiting = still

    def _ended(self, waiter: Waiter, now: float) -> bool:
        """Whether a waiter got its grant, or an error."""
        try:
            # Its limits may have changed meanwhile: the newest count.
            grant = waiter.outcome = self.take([(self._at(limit).limit, bound) for limit, bound in waiter.needs], now)
            if grant is None:
                self._refuse(waiter, now)
            else:
                grant.tell()
        except GatekeyError as failure:
            waiter.outcome = failure
        return waiter.outcome is not None

    def _refuse(self, waiter: Waiter, now: float) -> None:
        """Raise what is sure: the budget is spent, the rate is reached, the time to wait is over."""
        for named, bound in waiter.needs:
            lease = self._at(named)
            limit = lease.limit
            lacks = bound - (limit.amount - lease.known(now))
            barred = lease.barred and bound >= lease.barred and now < lease.retry_at
            if (lacks > 0 or barred) and limit.per and now < lease.until:
                raise refusals.rate_reached(limit, max(1, bound - (limit.amount - lease.spent)))
            if lacks > 0 and lease.exhausted and now < lease.until:
                raise refusals.spent(limit, bound - lacks, bound)
        if now >= waiter.deadline:
            short = [limit for limit, bound in waiter.needs if bound > self._at(limit).free]
            raise refusals.held((short or [waiter.needs[0][0]])[0])

    def _draw(self, waiter: Waiter, count: int, asks: dict[str, Ask], now: float) -> None:
        """Ask for what a waiter lacks, all of it together, unless it is being asked for or was refused just now.

        It stands for `count` of them: at best, all are served.
        """
        short: dict[str, tuple[Lease, int]] = {}
        for limit, bound in waiter.needs:
            lease = self._at(limit)
            before = short[limit.account][1] if limit.account in short else 0
            if bound and (before or bound > lease.free or now >= lease.until):
                short[limit.account] = lease, before + bound
        for account, (lease, bound) in short.items():
            if account in asks:
                asks[account] = replace(asks[account], want=min(MOST, asks[account].want + bound * count))
                return
            if now < lease.retry_at and bound > lease.left:
                return
        if len(asks) + len(short) > MOST_ASKS:
            return
        group = len(asks) + 1
        for account, (lease, bound) in short.items():
            soon = now - lease.drawn < REPORT
            lease.want = min(MOST, lease.want * 2) if soon else max(FIRST_WANT * bound, lease.want // 2)
            lease.want, lease.drawn = max(lease.want, bound), now
            if now >= lease.until:
                lease.free = 0  # of an epoch that is over
            least, want = max(1, bound - lease.free), min(MOST, lease.want + bound * (count - 1))
            asks[account] = replace(lease.tell(now), least=least, bound=bound, want=want, group=group)

    def _look(self, asks: dict[str, Ask], now: float) -> None:
        """Report what was spent, give back what is idle, forget what is not used."""
        complete, alike = True, []
        surplus = len(self._leases) - MOST_LEASES
        oldest = sorted(lease.used for lease in self._leases.values())[surplus - 1] if surplus > 0 else -math.inf
        for account, lease in list(self._leases.items()):
            if account in asks:
                continue
            if len(asks) >= MOST_ASKS:
                complete = False
                break
            near = lease.left < SHARE * lease.want
            idle, old = now - lease.used, lease.used <= oldest
            # While the ledger cannot hear it, nothing goes back: it is all that there is to spend.
            if lease.free and (idle >= IDLE or old) and self._heard:
                lease.free = 0
                asks[account] = lease.tell(now)
            elif lease.total != lease.told:
                if now - lease.asked >= (TICK if near else REPORT):
                    asks[account] = lease.tell(now)
                else:
                    alike.append(lease)
            elif (idle >= FORGET or old) and not lease.out and lease.total == lease.told:
                asks[account] = lease.tell(now, last=True)
                del self._leases[account]
        if asks and len(alike) <= FEW:
            # Limits of the same calls are told of together.
            asks.update((lease.limit.account, lease.tell(now)) for lease in alike)
        if complete:
            self._looked = now


_FORGOTTEN = Lease(Limit("forgotten", "cost", 0))
"""Stands for a lease whose last report is under way."""
