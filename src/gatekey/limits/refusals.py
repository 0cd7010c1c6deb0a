"""What a limit refuses, in words, and how much of it a call has to reserve."""

import math

from gatekey.errors import Exhausted, Limited, UnpricedModel
from gatekey.limits.limit import MOST, Limit


def bound(limit: Limit, amount: int | None) -> int:
    """What to reserve. A call that needs more than a whole rate may pass when all of that is there."""
    if amount is None:
        if limit.counts == "cost" and not limit.allow_unpriced:
            raise UnpricedModel(
                f"The {limit.owner or limit.account} has a budget in money, and the price of this model is not known. "
                "Give the model a price, or let the limit allow unpriced models."
            )
        return 0
    return max(0, min(amount, max(1, limit.amount) if limit.per else MOST))


def rate_reached(limit: Limit, lacks: int) -> Limited:
    """A rate leaves `lacks` too little for a call, by what is spent of it."""
    seconds = math.ceil(lacks * limit.per / limit.amount) if limit.amount else limit.per
    return Limited(
        f"The rate limit of the {limit.owner or limit.account} is reached: {limit.amount} {limit.counts} within "
        f"{limit.per} s. Try again in {seconds} s.",
        retry_after=seconds,
    )


def spent(limit: Limit, left: int, bound: int) -> Exhausted:
    """A budget leaves too little for a call, by what is spent of it: `left` of the `bound` that it may come to."""
    return Exhausted(
        f"The {limit.counts} budget of the {limit.owner or limit.account} is spent: what is left, "
        f"{shown(limit, max(0, left))}, does not pay for this call, which may come to {shown(limit, bound)}. "
        "Ask for fewer tokens, or have the budget raised or reset."
    )


def shown(limit: Limit, amount: int) -> str:
    """An amount in words: dollars, or a count of what the limit counts."""
    if limit.counts != "cost":
        return f"{amount} {limit.counts}"
    whole, nano = divmod(amount, 10**9)
    return f"${whole}.{f'{nano:09}'.rstrip('0') or '0'}"


def held(limit: Limit) -> Limited:
    """Only what running calls have reserved stands against this one, and did not come free in time."""
    return Limited(
        f"Running calls hold what is left of the {limit.counts} limit of the {limit.owner or limit.account}: "
        "try again in a moment."
    )
