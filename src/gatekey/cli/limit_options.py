"""Budgets and rates as options of commands, and as people read them: `10`, `2000000tokens`; `60rpm`, `100000tpm`."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

import typer

from gatekey.cli.remote import Refused, given

Budget = Annotated[
    str | None,
    typer.Option(help="What may be spent: 10 or 0.50 (dollars), 2000000tokens, 500requests; none: no budget any more."),
]
Period = Annotated[
    str | None, typer.Option("--budget-period", help="When it begins again: monthly, weekly, 30d or never.")
]
Alert = Annotated[str | None, typer.Option("--alert-at", help="Tell in the log when so much of it is spent.")]
Unpriced = Annotated[
    bool | None,
    typer.Option(
        "--allow-unpriced/--refuse-unpriced", help="Whether models of unknown price pass a budget in dollars."
    ),
]
Rates = Annotated[
    list[str] | None,
    typer.Option("--rate", help="60rpm (requests), 100000tpm (tokens); by s, m, h, d or w; repeat; none: no rates."),
]
Reset = Annotated[bool, typer.Option("--reset-usage", help="Let what is spent of its budget be nothing.")]

NONE = "none"
KEPT = ("credit_limit", "type", "alert_threshold", "periodic_reset", "periodic_reset_days", "allow_unpriced")
"""What a budget is, of all that the API tells of one."""

_budget = re.compile(r"\$?(\d+(?:\.\d+)?)\s*(tokens|requests)?", re.ASCII)
_rate = re.compile(r"(\d+)\s*([rt])p([smhdw])", re.ASCII)
_days = re.compile(r"(\d{1,3})d", re.ASCII)
_counted = {"r": "requests", "t": "tokens"}


class Wanted(NamedTuple):
    """What options say of a budget; None: nothing."""

    budget: str | None
    period: str | None
    alert: str | None
    unpriced: bool | None


def limits(wanted: Wanted, rates: list[str] | None, present: Callable[[], Any] = dict) -> dict[str, Any]:
    """What options say of limits, as fields of a body; empty where they say nothing.

    `present` tells what is set: of a budget what the options do not name stays. Raises `Refused`.
    """
    found: dict[str, Any] = {}
    if wanted.budget == NONE:
        found["usage_limits"] = None
    elif any(said is not None for said in wanted):
        found["usage_limits"] = changed(present().get("usage_limits"), wanted)
    if rates is not None:
        found["rate_limits"] = None if rates == [NONE] else [rate(text) for text in rates]
    return found


def changed(old: Any, wanted: Wanted) -> dict[str, Any]:
    """A budget as a body has it, made of the one that is there, or of nothing. Raises `Refused`."""
    if isinstance(old, list):
        if len(old) > 1:
            raise Refused("--budget: it has several budgets; change them through the API.")
        old = old[0] if old else None
    new = {name: value for name, value in (old or {}).items() if name in KEPT}
    if wanted.budget is not None:
        told = amount(wanted.budget)
        if told["type"] != new.get("type", told["type"]):
            new.pop("alert_threshold", None)
        new |= told
    if "credit_limit" not in new:
        raise Refused("--budget: say how much it is; there is none yet.")
    if wanted.period is not None:
        new |= _period(wanted.period)
    if wanted.alert is not None:
        new["alert_threshold"] = _number(wanted.alert, "--alert-at")
    return new | given(allow_unpriced=wanted.unpriced)


def amount(text: str) -> dict[str, Any]:
    """A budget's amount as fields of a body. Raises `Refused`."""
    found = _budget.fullmatch(text)
    if not found:
        raise Refused(f"--budget {text}: it looks like 10 (dollars), 2000000tokens or 500requests.")
    return {"credit_limit": json.loads(_plain(found[1])), "type": found[2] or "cost"}


def rate(text: str) -> dict[str, Any]:
    """A rate as a body has it. Raises `Refused`."""
    found = _rate.fullmatch(text)
    if not found:
        raise Refused(f"--rate {text}: it looks like 60rpm (requests) or 100000tpm (tokens), by s, m, h, d or w.")
    return {"value": int(found[1]), "type": _counted[found[2]], "unit": f"rp{found[3]}"}


def readable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of the API with its limits in words."""
    return {
        **answer,
        "usage_limits": "; ".join(map(spent, _several(answer.get("usage_limits")))),
        "rate_limits": ", ".join(map(speed, _several(answer.get("rate_limits")))),
        "reset_usage": None,
    }


def spent(budget: Mapping[str, Any]) -> str:
    """A budget in words, with what is spent of it where that is known."""
    told = [whole(budget)]
    if budget.get("current_usage") is not None:
        told.append(f"{_money(budget['current_usage'], budget)} spent")
    if budget.get("status") == "exhausted":
        told.append("exhausted")
    return ", ".join(told)


def whole(budget: Mapping[str, Any]) -> str:
    """A budget in words."""
    days = budget.get("periodic_reset_days")
    period = f" in {days} days" if days else f" {budget['periodic_reset']}" if budget.get("periodic_reset") else ""
    return f"{_money(budget['credit_limit'], budget)}{period}"


def speed(rate: Mapping[str, Any]) -> str:
    """A rate as an option has it."""
    return f"{rate['value']}{rate['type'][0]}{rate['unit'][1:]}"


def _several(limits: Any) -> Iterable[Mapping[str, Any]]:
    return limits if isinstance(limits, list) else [limits] if limits else []


def _money(number: Any, budget: Mapping[str, Any]) -> str:
    text = _plain(format(number, ".9f")) if isinstance(number, float) else str(number)
    return f"${text}" if budget["type"] == "cost" else f"{text} {budget['type']}"


def _period(text: str) -> dict[str, Any]:
    days = _days.fullmatch(text)
    if not days and text not in ("monthly", "weekly", "never"):
        raise Refused(f"--budget-period {text}: it is monthly, weekly, a number of days such as 30d, or never.")
    named = None if days or text == "never" else text
    return {"periodic_reset": named, "periodic_reset_days": int(days[1]) if days else None}


def _number(text: str, option: str) -> Any:
    if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        raise Refused(f"{option} {text}: it is a number.")
    return json.loads(_plain(text))


def _plain(text: str) -> str:
    """A number without noughts that say nothing."""
    head, _, tail = text.partition(".")
    tail = tail.rstrip("0")
    return (head.lstrip("0") or "0") + (f".{tail}" if tail else "")
