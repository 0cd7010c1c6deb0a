"""Budgets and rates as options: what is said becomes what the API is sent, and what it tells is read back."""

import json
from typing import Any

import pytest

from gatekey.cli.limit_options import Wanted, amount, changed, limits, rate, readable
from gatekey.cli.remote import Refused

NOTHING = Wanted(None, None, None, None)
MONTHLY = {"type": "cost", "credit_limit": 10, "alert_threshold": 8, "periodic_reset": "monthly"}


def wanted(
    budget: str | None = None, period: str | None = None, alert: str | None = None, unpriced: bool | None = None
) -> Wanted:
    return Wanted(budget, period, alert, unpriced)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("10", '{"credit_limit": 10, "type": "cost"}'),
        ("$0.50", '{"credit_limit": 0.5, "type": "cost"}'),
        ("0.000000001", '{"credit_limit": 1e-09, "type": "cost"}'),
        ("010", '{"credit_limit": 10, "type": "cost"}'),
        ("2000000tokens", '{"credit_limit": 2000000, "type": "tokens"}'),
        ("500 requests", '{"credit_limit": 500, "type": "requests"}'),
    ],
)
def test_amounts(text: str, sent: str) -> None:
    assert json.dumps(amount(text)) == sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("60rpm", {"value": 60, "type": "requests", "unit": "rpm"}),
        ("100000tpm", {"value": 100_000, "type": "tokens", "unit": "rpm"}),
        ("0rps", {"value": 0, "type": "requests", "unit": "rps"}),
        ("5 tpw", {"value": 5, "type": "tokens", "unit": "rpw"}),
    ],
)
def test_rates(text: str, sent: Any) -> None:
    assert rate(text) == sent
    assert readable({"rate_limits": [sent]})["rate_limits"] == text.replace(" ", "")


def test_what_nothing_is_said_of_is_not_sent() -> None:
    assert limits(NOTHING, None) == {}
    assert limits(wanted("none"), ["none"]) == {"usage_limits": None, "rate_limits": None}


def test_of_a_budget_what_is_not_named_stays() -> None:
    told = {**MONTHLY, "current_usage": 3.5, "status": "active"}
    for present in (told, [told]):
        assert changed(present, wanted("20")) == {**MONTHLY, "credit_limit": 20}
        assert changed(present, wanted(period="30d")) == {**MONTHLY, "periodic_reset": None, "periodic_reset_days": 30}
        assert changed(present, wanted(alert="2.5", unpriced=True)) == {
            **MONTHLY,
            "alert_threshold": 2.5,
            "allow_unpriced": True,
        }
    assert changed(told, wanted("5tokens", "never")) == {
        "type": "tokens",
        "credit_limit": 5,
        "periodic_reset": None,
        "periodic_reset_days": None,
    }
    assert limits(wanted("1"), None, lambda: {"usage_limits": None}) == {
        "usage_limits": {"credit_limit": 1, "type": "cost"}
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (wanted("ten"), "--budget ten"),
        (wanted("-1"), "--budget -1"),
        (wanted("1e5"), "--budget 1e5"),
        (wanted("٣"), "--budget"),
        (wanted("1", "daily"), "--budget-period daily"),
        (wanted("1", "3 d"), "--budget-period 3 d"),
        (wanted("1", alert="lots"), "--alert-at lots"),
        (wanted(period="weekly"), "--budget: say how much"),
    ],
)
def test_what_cannot_be_read_is_said(said: Wanted, words: str) -> None:
    with pytest.raises(Refused, match=words):
        limits(said, None)


def test_nor_can_these() -> None:
    for text in ("60", "60rpy", "rpm", "-1rpm", "1.5rpm", ""):
        with pytest.raises(Refused, match="--rate"):
            limits(NOTHING, [text])
    with pytest.raises(Refused, match="several budgets"):
        limits(wanted("1"), None, lambda: {"usage_limits": [MONTHLY, MONTHLY]})


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({**MONTHLY, "current_usage": 2.5, "status": "active"}, "$10 monthly, $2.5 spent"),
        ({**MONTHLY, "current_usage": 10, "status": "exhausted"}, "$10 monthly, $10 spent, exhausted"),
        ({**MONTHLY, "current_usage": None}, "$10 monthly"),
        ({**MONTHLY, "current_usage": 1e-09}, "$10 monthly, $0.000000001 spent"),
        ({"type": "tokens", "credit_limit": 5, "periodic_reset_days": 30, "current_usage": 0},
         "5 tokens in 30 days, 0 tokens spent"),
        ({"type": "requests", "credit_limit": 5}, "5 requests"),
    ],
)  # fmt: skip
def test_budgets_are_told_in_words(budget: Any, words: str) -> None:
    assert readable({"usage_limits": budget})["usage_limits"] == words
    assert readable({"usage_limits": [budget, budget]})["usage_limits"] == f"{words}; {words}"
    assert readable({"usage_limits": None})["usage_limits"] == ""
