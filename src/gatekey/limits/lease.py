"""One lease: what a worker has of one account, and what may be said of a rate by it."""

import math

from msgspec import Struct

from gatekey.limits.account import NEW, Ask
from gatekey.limits.limit import MOST, Limit


class Lease:
    """What the worker has of one account: `free` to be reserved, `out` reserved by running calls, `total` spent.

    `told` of the total is known to the ledger. `left`, `spent`: the ledger's, as of `heard`; `until` they hold.
    `exhausted`: the ledger has refused a call for what is spent. `barred`: what it refused of a rate; it is asked
    again at `retry_at`. `ended`: its epoch is over.
    """

    __slots__ = (
        "asked", "barred", "drawn", "ended", "epoch", "exhausted", "free", "heard", "instant", "left", "limit", "out",
        "retry_at", "spent", "told", "total", "until", "used", "want",
    )  # fmt: skip

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.instant = limit.counts == "requests"
        self.epoch = NEW
        self.free = self.out = self.total = self.told = 0
        self.left = self.spent = self.want = self.barred = 0
        self.until = self.used = self.asked = self.drawn = self.heard = self.retry_at = 0.0
        self.ended = self.exhausted = False

    def known(self, now: float) -> int:
        """What is surely spent of the limit by now."""
        if now >= self.until:
            return 0
        if not self.limit.per:
            return self.spent
        return max(0, self.spent - math.ceil((now - self.heard) * self.limit.amount / self.limit.per))

    def put_back(self, amount: int) -> None:
        """What was taken is not needed after all: nothing of it is spent."""
        self.free += amount
        if self.instant:
            self.total -= amount
        else:
            self.out -= amount

    def tell(self, now: float, *, last: bool = False) -> Ask:
        """An ask that reports."""
        self.asked = now
        return Ask(self.limit, self.epoch, min(self.total, MOST), self.out + self.free, last=last)


class Rate(Struct, frozen=True):
    """What may be said about a rate: its amount, about how much is left of it, and ms until it is whole again."""

    limit: int
    remaining: int
    reset: int


def rate(lease: Lease | None, limit: Limit, now: float) -> Rate:
    """How a rate stands, as far as is known."""
    amount, unit = limit.amount, limit.per * 1000
    if lease is None or (lease.limit is not limit and lease.limit != limit) or now >= lease.until:
        return Rate(amount, amount, 0)
    leaked = int((now - lease.heard) * amount / limit.per)
    used = max(0, lease.spent - leaked) + max(0, lease.total - lease.told)
    remaining = max(0, min(amount - used, lease.left + leaked + lease.free))
    return Rate(amount, remaining, -(-used * unit // amount) if amount else unit)
