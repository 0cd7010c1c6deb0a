"""How much a call has to reserve, and the words of what is refused."""

import pytest

from gatekey.errors import UnpricedModel
from gatekey.limits import refusals
from gatekey.limits.limit import MOST, Limit

COST = Limit("key/1/cost", "cost", 5, owner="API key")
RATE = Limit("key/1/tokens/60s", "tokens", 100, per=60, owner="API key")


@pytest.mark.parametrize(
    ("limit", "amount", "expected"),
    [
        (COST, 7, 7),
        (COST, 0, 0),
        (COST, 10**30, MOST),
        (RATE, 7, 7),
        (RATE, 700, 100),
        (Limit("r", "requests", 0, per=1), 1, 1),
        (Limit("t", "tokens", 5), None, 0),
        (Limit("c", "cost", 5, allow_unpriced=True), None, 0),
    ],
)
def test_what_is_reserved(limit: Limit, amount: int | None, expected: int) -> None:
    """Of a rate never more than all of it: a call that needs more passes when all of it is there."""
    assert refusals.bound(limit, amount) == expected


def test_a_budget_in_money_wants_a_price() -> None:
    with pytest.raises(UnpricedModel) as refused:
        refusals.bound(COST, None)
    assert (refused.value.status, refused.value.code) == (412, "unpriced_model")
    assert "Give the model a price" in refused.value.message


@pytest.mark.parametrize(
    ("limit", "left", "said"),
    [
        (COST, 0, "what is left, $0.0, does not pay for this call, which may come to $0.16384"),
        (COST, -4, "what is left, $0.0,"),
        (COST, 2_500_000_000, "what is left, $2.5,"),
        (Limit("w", "tokens", 5, owner="workspace"), 3, "what is left, 3 tokens, does not pay"),
        (Limit("w", "requests", 5), 0, "The requests budget of the w is spent"),
    ],
)
def test_a_spent_budget(limit: Limit, left: int, said: str) -> None:
    refused = refusals.spent(limit, left, 163_840_000)
    assert said in refused.message
    assert (refused.status, refused.code, refused.type) == (412, "budget_exhausted", "budget_exhausted_error")


@pytest.mark.parametrize(("lacks", "seconds"), [(1, 1), (50, 30), (100, 60), (0, 0)])
def test_a_rate_says_when_to_come_again(lacks: int, seconds: int) -> None:
    refused = refusals.rate_reached(RATE, lacks)
    assert (refused.status, refused.retry_after) == (429, seconds)
    assert f"100 tokens within 60 s. Try again in {seconds} s." in refused.message


def test_a_rate_of_nothing_is_reached_for_ever() -> None:
    assert refusals.rate_reached(Limit("r", "requests", 0, per=60), 1).retry_after == 60


def test_what_is_held() -> None:
    refused = refusals.held(COST)
    assert (refused.status, refused.code, refused.retry_after) == (429, "rate_limited", 1)
