"""What a limit is, and the window of time that it counts in.

Amounts are nano-dollars, tokens or requests, as `counts` says. Times are ms since the epoch, in UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

MOST = 2**53 - 1
"""The largest amount: what a double holds exactly, since Redis counts in doubles. In nano-dollars $9,007,199."""
LONGEST = 512
"""Bytes of an account's name in UTF-8."""

DAY = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = 4 * DAY
"""The first Monday after the epoch began."""


class Limit(Struct, frozen=True):
    """How much may be spent on an account of the ledger: a budget, or with `per` a rate.

    A budget counts from `since` (when it was set, or reset) or the beginning of its `period`, whichever is later:
    `weekly` from Monday, `monthly` from the 1st, a number of days from `since` on, empty for ever. A rate is a token
    bucket that holds `amount` and is filled evenly within `per` seconds.

    `owner` are words for messages ("API key"). `allow_unpriced`: calls whose price is not known pass, uncounted.
    Raises ValueError where it cannot be kept.
    """

    account: str
    counts: Literal["cost", "tokens", "requests"]
    amount: int
    period: Literal["", "weekly", "monthly"] | int = ""
    since: int = 0
    per: int = 0
    alert_threshold: int | None = None
    allow_unpriced: bool = False
    owner: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= MOST:
            raise ValueError(f"an amount is between 0 and {MOST}")
        if not 0 < len(self.account.encode()) <= LONGEST or "\0" in self.account:
            raise ValueError(f"an account's name has 1 to {LONGEST} bytes and no NUL")
        if self.per < 0 or (isinstance(self.period, int) and not 1 <= self.period <= 365):
            raise ValueError("a rate's time is positive, a period has 1 to 365 days")


class Window(Struct, frozen=True):
    """The time that a budget counts in, from `start` on; `end` None: for ever."""

    start: int
    end: int | None


def window(limit: Limit, now: int) -> Window:
    """The window that `now` lies in. A rate has one without an end."""
    if isinstance(limit.period, int):
        length = limit.period * DAY
        start = limit.since + max(0, now - limit.since) // length * length
        return Window(start, start + length)
    if limit.period == "weekly":
        start = now - (now - _MONDAY) % (7 * DAY)
        return Window(max(start, limit.since), start + 7 * DAY)
    if limit.period == "monthly":
        first = (EPOCH + timedelta(milliseconds=now)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return Window(max(_ms(first), limit.since), _ms(following))
    return Window(limit.since, None)


def expiry(limit: Limit, now: int) -> int | None:
    """When an account that nobody touches any more says no more than a new one, with a week to spare; None: never.

    It is the end of a day, so that it does not change with every exchange.
    """
    end = now + limit.per * 1000 if limit.per else window(limit, now).end
    return None if end is None else (max(now, end) // DAY + 8) * DAY


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
