"""Leases: what a worker grants by itself, what it asks, and what it makes of the answers."""

import pytest
from msgspec.structs import replace

from gatekey.errors import Exhausted, GatekeyError, LedgerDown, Limited, Overloaded, UnpricedModel
from gatekey.limits import leases as module
from gatekey.limits.account import SHARE
from gatekey.limits.leases import FIRST_WANT, FORGET, IDLE, PATIENCE, POLL, Grant
from gatekey.limits.limit import DAY, Limit
from tests.unit.limits.desk import Desk

BUDGET = Limit("key/1/cost", "cost", 10_000, owner="API key")
SMALL = Limit("key/2/cost", "cost", 100, owner="API key")
TOKENS = Limit("key/1/tokens", "tokens", 1_000, owner="workspace")
RATE = Limit("key/1/requests/60s", "requests", 3, per=60, owner="API key")


def _down() -> GatekeyError:
    return LedgerDown("down")


def test_a_first_call_waits_for_the_ledger() -> None:
    desk = Desk()
    assert desk.take((BUDGET, 10)) is None
    waiter = desk.call((BUDGET, 10))
    assert (waiter.outcome, desk.woken) == (None, 1)
    desk.talk()
    assert isinstance(waiter.outcome, Grant)
    assert desk.leases.waiting == []


def test_the_next_calls_do_not_ask() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10)).settle([4])
    for _ in range(FIRST_WANT):
        grant = desk.take((BUDGET, 10))
        assert grant is not None
        grant.settle([4])
    assert len(desk.asks) == 1


def test_draws_grow_and_are_a_share_of_what_is_left() -> None:
    desk = Desk()
    granted = []
    for _ in range(6):
        before = desk.account(BUDGET).held if desk.asks else 0
        while desk.take((BUDGET, 10)) is not None:
            pass
        desk.grant((BUDGET, 10))
        granted.append(desk.account(BUDGET).held - before)
    assert granted[:4] == [40, 80, 160, 320]
    assert granted[5] <= 10_000 // SHARE


def test_near_the_end_a_call_is_given_just_what_it_needs() -> None:
    desk = Desk()
    desk.grant((SMALL, 30))
    assert desk.account(SMALL).held == 30


def test_what_was_reserved_and_not_spent_is_free_again() -> None:
    desk = Desk()
    desk.grant((SMALL, 90)).settle([20])
    desk.talk()
    assert (desk.account(SMALL).spent, desk.account(SMALL).held) == (20, 0)


@pytest.mark.parametrize(("amounts", "spent"), [([None], 60), ([], 60), ([0], 0), ([-5], 0), ([75], 75)])
def test_settling(amounts: list[int | None], spent: int) -> None:
    """Nobody knows: all of it. More than was reserved: that, too."""
    desk = Desk()
    desk.grant((SMALL, 60)).settle(amounts)
    desk.rest(2)
    assert (desk.account(SMALL).spent, desk.account(SMALL).held) == (spent, 0)


def test_a_grant_is_settled_once() -> None:
    desk = Desk()
    grant = desk.grant((SMALL, 60))
    grant.settle([20])
    grant.settle([20])
    grant.give_back()
    desk.rest(2)
    assert desk.account(SMALL).spent == 20


def test_a_grant_is_of_all_limits_or_of_none() -> None:
    desk = Desk()
    desk.grant((TOKENS, 990)).settle([990])
    desk.talk()
    assert isinstance(desk.refusal((BUDGET, 10), (TOKENS, 20), (RATE, 1)), Exhausted)
    desk.rest(2)
    assert (desk.account(BUDGET).spent, desk.account(BUDGET).held) == (0, 0)
    assert (desk.account(RATE).spent, desk.account(RATE).held) == (0, 0)


def test_a_spent_budget_refuses_at_once_and_in_plain_words() -> None:
    desk = Desk()
    desk.grant((SMALL, 80)).settle([80])
    desk.talk()
    refusal = desk.refusal((SMALL, 30))
    assert isinstance(refusal, Exhausted)
    assert refusal.message.startswith(
        "The cost budget of the API key is spent: what is left, $0.00000002, does not pay for this call, which may "
        "come to $0.00000003."
    )
    asked = len(desk.asks)
    assert isinstance(desk.call((SMALL, 30)).outcome, Exhausted)
    assert len(desk.asks) == asked
    desk.grant((SMALL, 20))


def test_what_others_have_reserved_is_waited_for() -> None:
    desk = Desk()
    running = desk.grant((SMALL, 80))
    waiter = desk.call((SMALL, 30))
    desk.talk()
    assert waiter.outcome is None
    running.settle([60])
    desk.talk()
    assert isinstance(waiter.outcome, Grant)


def test_reservations_alone_never_make_a_budget_look_spent() -> None:
    one, other = Desk(), Desk()
    other = Desk(one.books)
    one.grant((SMALL, 80))
    waiter = other.call((SMALL, 30))
    other.talk()
    assert waiter.outcome is None
    other.rest(PATIENCE)
    assert isinstance(waiter.outcome, Limited)
    assert waiter.outcome.retry_after == 1
    assert "Running calls hold" in waiter.outcome.message


def test_a_worker_that_waits_for_others_asks_again_in_a_moment() -> None:
    desk = Desk()
    running = Desk(desk.books).grant((SMALL, 80))
    waiter = desk.call((SMALL, 30))
    desk.talk()
    assert desk.talk() == []
    desk.wait(POLL)
    assert [ask.least for ask in desk.talk()] == [30]
    running.settle([0])
    assert waiter.outcome is None


def test_a_rate_refuses_until_it_has_leaked() -> None:
    desk = Desk()
    for _ in range(3):
        desk.grant((RATE, 1)).settle([])
    refusal = desk.refusal((RATE, 1))
    assert isinstance(refusal, Limited)
    assert refusal.retry_after == 20
    assert refusal.message == ("The rate limit of the API key is reached: 3 requests within 60 s. Try again in 20 s.")
    desk.wait(20)
    desk.grant((RATE, 1))


def test_a_crowd_behind_a_rate_is_refused_by_one_question() -> None:
    desk = Desk()
    for _ in range(3):
        desk.grant((RATE, 1))
    waiters = [desk.call((RATE, 1)) for _ in range(50)]
    asked = len(desk.asks)
    desk.talk()
    assert all(isinstance(waiter.outcome, Limited) for waiter in waiters)
    assert len(desk.asks) == asked + 1
    assert isinstance(desk.call((RATE, 1)).outcome, Limited)


def test_more_than_a_whole_rate_passes_when_all_of_it_is_there() -> None:
    desk = Desk()
    tokens = Limit("key/1/tokens/1s", "tokens", 100, per=1)
    desk.grant((tokens, 5_000)).settle([250])
    desk.talk()
    assert isinstance(desk.refusal((tokens, 10)), Limited)
    desk.wait(2.5)
    desk.grant((tokens, 5_000))


def test_a_rate_of_nothing_lets_nothing_pass() -> None:
    assert isinstance(Desk().refusal((Limit("r", "requests", 0, per=1), 1)), Limited)


def test_an_unpriced_call() -> None:
    desk = Desk()
    with pytest.raises(UnpricedModel, match="The API key has a budget in money"):
        desk.call((BUDGET, None))
    lenient = replace(BUDGET, allow_unpriced=True)
    waiter = desk.call((lenient, None))
    assert isinstance(waiter.outcome, Grant)
    waiter.outcome.settle([None])
    desk.rest(2)
    assert desk.books.accounts == {}
    priced_by_its_answer = desk.grant((lenient, None))
    priced_by_its_answer.settle([40])
    desk.rest(2)
    assert desk.account(lenient).spent == 40


def test_a_caller_that_leaves_gives_back_its_request_too() -> None:
    desk = Desk()
    desk.grant((RATE, 1), (SMALL, 30)).give_back()
    desk.talk()
    assert (desk.account(RATE).spent, desk.account(SMALL).spent) == (0, 0)
    waiter = desk.call((SMALL, 200))
    waiter.left = True
    assert desk.talk() == []


def test_a_lost_answer_is_mended_by_the_next_exchange() -> None:
    desk = Desk()
    waiter = desk.call((SMALL, 30))
    asks = desk.ask()
    desk.answer(asks)
    desk.leases.failed(asks, _down)
    assert isinstance(waiter.outcome, LedgerDown)
    assert desk.account(SMALL).held == 30
    desk.talk()
    assert desk.account(SMALL).held == 0


def test_each_waiter_has_a_failure_of_its_own() -> None:
    desk = Desk()
    waiters = [desk.call((SMALL, 30)) for _ in range(2)]
    desk.leases.failed(desk.ask(), _down)
    assert waiters[0].outcome is not waiters[1].outcome


def test_leases_are_spent_while_the_ledger_is_down() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10))
    spent = 1
    while desk.take((BUDGET, 10)) is not None:
        spent += 1
    assert spent == FIRST_WANT


def test_what_is_idle_is_kept_while_the_ledger_is_down() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10)).settle([0])
    desk.wait(1)
    desk.leases.failed(desk.ask(), _down)
    assert desk.take((BUDGET, 10)) is None  # it was given back, for all that is known
    desk.grant((BUDGET, 10)).settle([0])
    desk.leases.failed((), _down)
    desk.wait(5)
    assert desk.ask() == []
    assert desk.take((BUDGET, 10)) is not None


def test_what_is_idle_goes_back_and_is_forgotten() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10)).settle([10])
    desk.rest(IDLE / 2)
    assert desk.account(BUDGET).held == 40
    desk.rest(IDLE)
    assert (desk.account(BUDGET).held, len(desk.leases)) == (0, 1)
    desk.rest(FORGET)
    assert len(desk.leases) == 0
    assert desk.books.leases == {"desk 0": {}}


def test_a_worker_taken_for_dead_begins_anew() -> None:
    """What it held is written off; what runs is paid for by that, and what it cost beyond that is booked."""
    desk = Desk()
    running = desk.grant((SMALL, 30))
    desk.books.leave("desk 0")
    desk.books.join("desk 0")
    desk.leases.forget()
    running.settle([33])
    desk.rest(2)
    assert (desk.account(SMALL).spent, desk.account(SMALL).held) == (33, 0)


def test_another_amount_holds_from_now_on() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10)).settle([10])
    lower = replace(BUDGET, amount=15)
    assert isinstance(desk.refusal((lower, 10)), Exhausted)
    higher = replace(BUDGET, amount=20)
    desk.grant((higher, 10))


def test_an_equal_limit_that_was_read_again_needs_no_question() -> None:
    desk = Desk()
    desk.grant((BUDGET, 10))
    waiter = desk.call((replace(BUDGET), 10))
    assert isinstance(waiter.outcome, Grant)


def test_a_reset_budget_begins_at_nothing() -> None:
    desk = Desk()
    running = desk.grant((SMALL, 90))
    again = replace(SMALL, since=desk.books.now)
    desk.grant((again, 90)).settle([80])
    running.settle([90])
    desk.rest(2)
    assert (desk.account(again).spent, desk.account(again).held) == (80, 0)


def test_a_period_ends_while_a_lease_is_held() -> None:
    desk = Desk()
    daily = replace(BUDGET, account="daily", amount=100, period=1, since=desk.books.now)
    desk.grant((daily, 100)).settle([100])
    desk.talk()
    assert isinstance(desk.refusal((daily, 1)), Exhausted)
    desk.wait(DAY / 1000)
    desk.grant((daily, 100))


def test_an_alert_is_told_once() -> None:
    desk = Desk()
    watched = replace(SMALL, alert_threshold=50)
    for _ in range(2):
        desk.grant((watched, 30)).settle([30])
        desk.talk()
    assert [(alert.limit.account, alert.spent) for alert in desk.leases.alerts] == [(SMALL.account, 60)]


def test_how_a_rate_stands() -> None:
    desk = Desk()
    wide = Limit("wide", "requests", 100, per=60)
    limits = (BUDGET, RATE, wide)
    assert desk.leases.rate((BUDGET,), "requests", desk.now) is None
    desk.grant((RATE, 1), (wide, 1))
    rate = desk.leases.rate(limits, "requests", desk.now)
    assert rate is not None
    assert (rate.limit, rate.remaining, rate.reset) == (3, 2, 20_000)
    assert desk.leases.rate(limits, "tokens", desk.now) is None


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    desk = Desk()
    desk.call((SMALL, 1))
    desk.call((SMALL, 1))
    with pytest.raises(Overloaded):
        desk.call((SMALL, 1))


def test_the_leases_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound those go first that are used least."""
    monkeypatch.setattr(module, "MOST_LEASES", 2)
    desk = Desk()
    limits = [replace(BUDGET, account=f"a{number}") for number in range(5)]
    for limit in limits[:4]:
        desk.grant((limit, 10)).settle([10])
        desk.wait(0.01)
    with pytest.raises(Overloaded):
        desk.call((limits[4], 10))
    desk.rest(0.6)
    assert len(desk.leases) == 2
    desk.grant((limits[4], 10))


def test_an_exchange_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ASKS", 3)
    desk = Desk()
    waiters = [desk.call((replace(BUDGET, account=f"a{number}"), 10)) for number in range(5)]
    assert len(desk.talk()) == 3
    assert len(desk.talk()) == 2
    assert all(isinstance(waiter.outcome, Grant) for waiter in waiters)


def test_at_the_end_all_that_is_free_goes_back() -> None:
    desk = Desk()
    running = desk.grant((BUDGET, 10))
    last = desk.leases.last(desk.now)
    desk.asks.append(last)
    desk.answer(last)
    assert desk.account(BUDGET).held == 10
    running.settle([5])
