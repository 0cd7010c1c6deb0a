"""The ledger's side: what is spent of a limit, what is leased out of the rest, and what a draw is given.

A budget and a rate are the same but for time: what is spent of a budget is forgotten when a new epoch begins, what is
spent of a rate leaks away evenly. At all times `spent + held` is at most the amount, unless a call cost more than was
reserved for it or the amount was lowered.

A holder always tells everything: what it has spent of its lease in all, and what it still keeps. So telling it twice
changes nothing, and what it says later mends what got lost on the way.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from gatekey.limits.limit import MOST, Limit, window

SHARE = 16
"""A draw is given at most one part in so many of what is left, unless the call itself needs more."""
NEW = -1
"""The epoch of a lease that the ledger has not heard of yet."""

Refused = Literal["", "exhausted", "rate", "held"]
"""Why a draw gets nothing: what is spent leaves too little for ever, for a time, or only other leases stand against."""


class Account(Struct):
    """One limit's state. `at`: the time up to which a rate's spending has leaked, in us, so that little is lost in
    rounding however often it is looked at.

    `alerted`: the highest threshold whose crossing was told in this epoch; `exhausted`: the highest amount at which
    a call was refused in it, or -1.
    """

    epoch: int = 0
    spent: int = 0
    held: int = 0
    alerted: int = 0
    exhausted: int = -1
    at: int = 0


class Lease(Struct):
    """What a holder has of an account: what it still keeps, and how much of what it spent is booked."""

    epoch: int
    held: int
    booked: int


class Ask(Struct, frozen=True):
    """What a holder tells of its lease: `total` spent so far, `keep` neither spent nor given back.

    With `least` it asks for more: at least that, for a call that costs up to `bound`, at best `want`. Asks of one
    `group` are granted together or not at all. `last`: the lease is over.
    """

    limit: Limit
    epoch: int
    total: int
    keep: int
    least: int = 0
    bound: int = 0
    want: int = 0
    group: int = 0
    last: bool = False


class Reply(Struct, frozen=True):
    """The ledger's answer to an ask. Another `epoch` than the lease's: that one is void, a new one has begun.

    `left` is what is neither spent nor leased; `ends_in` ms the epoch ends, None: never. `alert`: the spending has
    just crossed the limit's threshold; one holder is told once.
    """

    epoch: int
    granted: int
    spent: int
    left: int
    ends_in: int | None
    refused: Refused = ""
    alert: bool = False


class Standing(Struct, frozen=True):
    """How a limit stands: what is spent, what calls hold beside that, whether the threshold was crossed, and whether
    a call was refused for want of what is left."""

    spent: int = 0
    held: int = 0
    alerted: bool = False
    exhausted: bool = False


def exchange(accounts: Mapping[str, Account], leases: dict[str, Lease], asks: Sequence[Ask], now: int) -> list[Reply]:
    """Answer a holder's asks, each for another account; `accounts` and the holder's `leases` are changed.

    Everything told is booked first, then the groups are granted in their order.
    """
    alerts = [_tell(accounts[ask.limit.account], leases, ask, now) for ask in asks]
    refused: dict[str, Refused] = {ask.limit.account: _refusal(accounts[ask.limit.account], ask) for ask in asks}
    barred = {ask.group for ask in asks if refused[ask.limit.account]}
    replies = []
    for ask, alert in zip(asks, alerts, strict=True):
        name, account = ask.limit.account, accounts[ask.limit.account]
        granted = 0 if not ask.least or ask.group in barred else given(_left(account, ask.limit), ask.least, ask.want)
        account.held += granted
        leases[name].held += granted
        if refused[name] == "exhausted":
            account.exhausted = max(account.exhausted, ask.limit.amount)
        if ask.last:
            account.held -= leases.pop(name).held
        end = window(ask.limit, now).end
        ends_in = None if end is None else end - now
        left = _left(account, ask.limit)
        replies.append(Reply(account.epoch, granted, account.spent, left, ends_in, refused[name], alert))
    return replies


def given(left: int, least: int, want: int) -> int:
    """How much a draw is given of what is left, where that is `least` or more."""
    return max(least, min(want, left // SHARE))


def write_off(account: Account, lease: Lease, now: int) -> None:
    """A holder is gone, and nobody knows what it spent of its lease: all of it counts, as spent now.

    Of a rate, what has not been taken for leaked until now does not leak any more: its limit is not known here.
    """
    if lease.epoch == account.epoch and lease.held:
        account.held = max(0, account.held - lease.held)
        account.spent = min(account.spent + lease.held, MOST)
        account.at = max(account.at, now * 1000)


def standing(account: Account, limit: Limit, now: int) -> Standing:
    """How a limit stands now."""
    account = replace(account)
    advance(account, limit, now)
    threshold = limit.alert_threshold
    return Standing(
        account.spent,
        account.held,
        threshold is not None and account.alerted >= threshold,
        account.exhausted >= limit.amount,
    )


def advance(account: Account, limit: Limit, now: int) -> None:
    """Begin a new epoch, or let a rate leak, where it is time to. An epoch never goes back."""
    start = window(limit, now).start
    if start > account.epoch:
        account.epoch, account.spent, account.held, account.alerted, account.exhausted = start, 0, 0, 0, -1
    if limit.per:
        _leak(account, limit, now)


def _leak(account: Account, limit: Limit, now: int) -> None:
    now, unit = now * 1000, limit.per * 1_000_000
    leaked = min(account.spent, max(0, now - account.at) * limit.amount // unit)
    account.spent -= leaked
    if not account.spent:
        account.at = max(account.at, now)
    elif leaked:
        account.at += -(-leaked * unit // limit.amount)  # the time of a rest is not lost


def _tell(account: Account, leases: dict[str, Lease], ask: Ask, now: int) -> bool:
    """Book what a holder tells; whether the threshold was crossed just now."""
    advance(account, ask.limit, now)
    name = ask.limit.account
    known = leases.get(name)
    if known is None or known.epoch != account.epoch:
        known = Lease(account.epoch, 0, 0)
    account.held -= known.held
    if ask.epoch == account.epoch:
        # Less than before: a call was given up after it had been told.
        account.spent = max(0, account.spent + ask.total - known.booked)
        leases[name] = Lease(account.epoch, ask.keep, ask.total)
    elif ask.epoch == NEW:
        account.spent += ask.total
        leases[name] = Lease(account.epoch, 0, ask.total)
    else:
        leases[name] = Lease(account.epoch, 0, 0)
    account.held = max(0, account.held) + leases[name].held
    account.spent = min(account.spent, MOST)
    threshold = ask.limit.alert_threshold
    if threshold is None or not account.alerted < threshold <= account.spent:
        return False
    account.alerted = threshold
    return True


def _refusal(account: Account, ask: Ask) -> Refused:
    if not ask.least:
        return ""
    if ask.limit.amount - account.spent < ask.bound:
        return "rate" if ask.limit.per else "exhausted"
    return "held" if _left(account, ask.limit) < ask.least else ""


def _left(account: Account, limit: Limit) -> int:
    return limit.amount - account.spent - account.held
