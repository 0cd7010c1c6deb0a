"""Budgets and rates as the API documents them (portkey-api.md 3.3, 3.4), and as the ledger counts them.

Money is dollars in bodies and integer nano-dollars everywhere else; it passes through no float.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct
from msgspec.structs import replace

from gatekey.admin.route import Answer
from gatekey.admin.visit import Visit, milliseconds, moment
from gatekey.errors import BadBody, NotAvailable, Overloaded
from gatekey.limits.account import Standing
from gatekey.limits.limit import MOST, Limit, window
from gatekey.store.limits import BARE, Revise, kind

NANO = 9
"""Decimals of a dollar that count."""
MAX_DECIMALS = 100
"""Decimals that are read, noughts among them."""
MANY = 10
"""Budgets of one thing, and rates of one thing."""

UNITS = {"rps": 1, "rpm": 60, "rph": 3600, "rpd": 86_400, "rpw": 604_800}
"""Units of rates -> s."""
_UNIT_OF = {seconds: unit for unit, seconds in UNITS.items()}

_NOT_YET = {
    "rotation_policy": "rotation by plan is not available yet: rotate the key when it is time",
    "alert_emails": "mail is not available yet",
}


Amount = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]
"""Dollars, tokens or requests. A number, or a text that is one."""
Counts = Literal["cost", "tokens", "requests"]
Period = Literal["monthly", "weekly"]
Days = Annotated[int, Meta(ge=1, le=365)]
Value = Annotated[int, Meta(ge=0, le=MOST)]
Unit = Literal["rps", "rpm", "rph", "rpd", "rpw"]


class UsageLimit(Struct, forbid_unknown_fields=True):
    """A budget. `credit_limit` in dollars, tokens or requests, as `type` says; the last fields are told, not asked."""

    credit_limit: Amount
    type: Counts = "cost"
    alert_threshold: Amount | None = None
    periodic_reset: Period | None = None
    periodic_reset_days: Days | None = None
    allow_unpriced: bool = False
    next_usage_reset_at: str | None = None
    current_usage: Any = None
    remaining: Any = None
    status: Any = None
    alerted: Any = None


class RateLimit(Struct, forbid_unknown_fields=True):
    """A rate. `value` 0: no use at all."""

    value: Value
    unit: Unit
    type: Literal["requests", "tokens"] = "requests"


UsageLimits = list[UsageLimit] | UsageLimit | None
RateLimits = list[RateLimit] | RateLimit | None
"""As clients send them: one, or several."""


def without(content: Any) -> None:
    """What is documented and not kept would be a promise broken. Raises `NotAvailable` naming the field."""
    for name, told in _NOT_YET.items():
        if getattr(content, name, None):
            raise NotAvailable(f"{name}: {told}.", param=name)


def revision(asked: Any, place: str = "") -> Revise | None:
    """What a body changes of the limits of what it is about; None: nothing. Raises `BadBody` naming the field.

    What the body does not name stays, null takes away. A budget whose amount changes goes on counting from where it
    is; one that is new, or whose type or period changes, begins at nothing, and with `reset_usage` all do.
    """
    usage, rates = getattr(asked, "usage_limits", UNSET), getattr(asked, "rate_limits", UNSET)
    reset = bool(getattr(asked, "reset_usage", None))
    if usage is UNSET and rates is UNSET and not reset:
        return None
    budgets = None if usage is UNSET else _several(usage, f"{place}usage_limits")
    begins = None if budgets is None else _apart([budget(one, where) for where, one in budgets], f"{place}usage_limits")
    speeds = None if rates is UNSET else _rates(rates, f"{place}rate_limits")

    def revise(old: list[Limit], now: int) -> list[Limit]:
        mine = [one for one in old if not one.per]
        if budgets is not None and begins is not None:
            mine = [begun(one, old, now) for one in begins]
            for (where, given), one in zip(budgets, mine, strict=True):
                follows(given.next_usage_reset_at, one, where, now)
        if reset:
            mine = [anew(one, now) for one in mine]
        return [*mine, *([one for one in old if one.per] if speeds is None else speeds)]

    return revise


def follows(given: str | None, limit: Limit, place: str, now: int) -> None:
    """Let `next_usage_reset_at` come back as it was told. Raises `BadBody` where it asks for another moment."""
    field = _within(place, "next_usage_reset_at")
    asked = milliseconds(given, field)
    if asked is not None and asked > now and asked != window(limit, now).end:
        raise BadBody(f"{field}: it follows from the period, and cannot be chosen.", param=field)


def begun(limit: Limit, old: Sequence[Limit], now: int) -> Limit:
    """A budget that goes on from one of its kind, or begins now."""
    return replace(limit, since=next((one.since for one in old if kind(one) == kind(limit)), now))


def anew(limit: Limit, now: int) -> Limit:
    """A budget that begins again: later than before, however close two resets are."""
    return replace(limit, since=max(now, limit.since + 1))


def budget(asked: UsageLimit, place: str, least: int = 1) -> Limit:
    """A budget as it is counted. `least`: what it must be, in the units it is counted in. Raises `BadBody`."""
    if asked.periodic_reset and asked.periodic_reset_days:
        field = _within(place, "periodic_reset_days")
        raise BadBody(f"{field}: it excludes periodic_reset; send one of them.", param=field)
    amount = _amount(asked.credit_limit, asked.type, _within(place, "credit_limit"), least)
    alert, field = None, _within(place, "alert_threshold")
    if asked.alert_threshold is not None:
        alert = _amount(asked.alert_threshold, asked.type, field, 1)
        if alert > amount:
            raise BadBody(f"{field}: it is above credit_limit, and would never be reached.", param=field)
    return Limit(
        account=BARE,
        counts=asked.type,
        amount=amount,
        period=asked.periodic_reset_days or asked.periodic_reset or "",
        alert_threshold=alert,
        allow_unpriced=asked.allow_unpriced,
    )


def rate(asked: RateLimit) -> Limit:
    """A rate as it is counted."""
    return Limit(account=BARE, counts=asked.type, amount=asked.value, per=UNITS[asked.unit])


def said(limit: Limit) -> dict[str, Any]:
    """What a body has to say for a budget to be as it is: the fields of `UsageLimit` that are asked."""
    unit = -NANO if limit.counts == "cost" else 0
    days = isinstance(limit.period, int)
    alert = limit.alert_threshold
    return {
        "credit_limit": Decimal(limit.amount).scaleb(unit),
        "type": limit.counts,
        "alert_threshold": None if alert is None else Decimal(alert).scaleb(unit),
        "periodic_reset": None if days else limit.period or None,
        "periodic_reset_days": limit.period if days else None,
        "allow_unpriced": limit.allow_unpriced,
    }


def _within(place: str, field: str) -> str:
    return f"{place}.{field}" if place else field


def _rates(asked: RateLimits, place: str) -> list[Limit]:
    return _apart([rate(one) for _, one in _several(asked, place)], place)


def _several(asked: Any, place: str) -> list[tuple[str, Any]]:
    if asked is None:
        return []
    if not isinstance(asked, list):
        return [(place, asked)]
    if len(asked) > MANY:
        raise BadBody(f"{place}: at most {MANY}.", param=place)
    return [(f"{place}[{index}]", one) for index, one in enumerate(asked)]


def _apart(limits: list[Limit], place: str) -> list[Limit]:
    if len({kind(one) for one in limits}) < len(limits):
        raise BadBody(f"{place}: two of them limit the same over the same time; send one.", param=place)
    return limits


def _amount(given: Decimal, counts: str, field: str, least: int) -> int:
    """Nano-dollars, tokens or requests. Raises `BadBody` naming the field."""
    unit = 10**NANO if counts == "cost" else 1
    # Before their bounds are known nothing is computed of numbers: 1e300000000 has ten characters.
    if given.is_finite() and 0 <= given <= MOST and int(given.as_tuple().exponent) >= -MAX_DECIMALS:
        exact = Fraction(given) * unit
        if exact.denominator == 1 and least <= exact <= MOST:
            return int(exact)
    what = f"dollars with at most {NANO} decimals" if counts == "cost" else f"a whole number of {counts}"
    told = f"expected {what}, {'more than 0' if least else '0 or more'} and at most {MOST // unit}"
    raise BadBody(f"{field}: {told}.", param=field)


class Spending(Struct, frozen=True):
    """How far budgets are used up, by account, as the ledger says at `now`, in ms; nothing where it does not say."""

    now: int
    standings: Mapping[str, Standing]

    def status(self, limits: Iterable[Limit]) -> Literal["active", "exhausted"]:
        """`exhausted` where some budget is spent, or leaves too little for a call that came."""
        found = ((one, self.standings.get(one.account)) for one in limits)
        spent = any(how and (how.exhausted or how.spent >= one.amount) for one, how in found)
        return "exhausted" if spent else "active"

    def told(self, limits: Iterable[Limit], *, several: bool = False) -> Answer:
        """Limits as the API shows them. `several`: budgets are a list even where there is one."""
        budgets = [self.budget(one) for one in limits if not one.per]
        rates = [told_rate(one) for one in limits if one.per]
        alone = budgets[0] if len(budgets) == 1 and not several else budgets
        return {"usage_limits": alone or None, "rate_limits": rates or None}

    def budget(self, limit: Limit) -> Answer:
        """A budget, and how far it is used up."""
        how = self.standings.get(limit.account)
        return {
            **told_budget(limit, self.now),
            "current_usage": shown(how.spent if how else None, limit),
            "remaining": shown(max(0, limit.amount - how.spent) if how else None, limit),
            "status": self.status((limit,)),
            "alerted": bool(how and how.alerted),
        }


async def spending(visit: Visit, limits: Iterable[Limit]) -> Spending:
    """How far limits are used up. What is set can be read while the ledger is out of reach."""
    now, ledger = int(time.time() * 1000), visit.house.ledger
    asked = [one for one in limits if not one.per]
    if not asked or ledger is None:
        return Spending(now, {})
    try:
        standings = await ledger.usage(asked)
    except Overloaded:
        return Spending(now, {})
    return Spending(now, {one.account: how for one, how in zip(asked, standings, strict=True)})


def told_budget(limit: Limit, now: int) -> Answer:
    """A budget as the API shows it, `now` being in ms."""
    return {
        **said(limit),
        "credit_limit": shown(limit.amount, limit),
        "alert_threshold": shown(limit.alert_threshold, limit),
        "next_usage_reset_at": moment(window(limit, now).end),
    }


def told_rate(limit: Limit) -> Answer:
    """A rate as the API shows it."""
    return {"type": limit.counts, "unit": _UNIT_OF[limit.per], "value": limit.amount}


def shown(amount: int | None, limit: Limit) -> Raw | int | None:
    """An amount as bodies have it: dollars, written out, or a count."""
    if amount is None or limit.counts != "cost":
        return amount
    return Raw(format(Decimal(amount).scaleb(-NANO).normalize(), "f").encode())
