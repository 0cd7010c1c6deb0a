"""The ledger's arithmetic: what a report changes, what a draw is given, what is refused, what is forgotten when.

Whatever holders do, who tell the truth however late and however often: nothing is granted that is not there.
"""

from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gatekey.limits.account import (
    NEW,
    SHARE,
    Account,
    Ask,
    Lease,
    Reply,
    Standing,
    advance,
    exchange,
    standing,
    write_off,
)
from gatekey.limits.account import given as granted
from gatekey.limits.limit import DAY, MOST, Limit

BUDGET = Limit("budget", "cost", 1000)
RATE = Limit("rate", "requests", 60, per=60)
NOW = 1_800_000_000_000


class Ledger:
    """Accounts, and the leases of holders by their names."""

    def __init__(self) -> None:
        self.now = NOW
        self.accounts: dict[str, Account] = {}
        self.leases: dict[str, dict[str, Lease]] = {}

    def tell(self, holder: str, *asks: Ask) -> list[Reply]:
        for ask in asks:
            self.accounts.setdefault(ask.limit.account, Account())
        return exchange(self.accounts, self.leases.setdefault(holder, {}), asks, self.now)

    def die(self, holder: str) -> None:
        for name, lease in self.leases.pop(holder, {}).items():
            write_off(self.accounts[name], lease, self.now)


def draw(
    limit: Limit, least: int, want: int = 0, *, epoch: int = NEW, total: int = 0, keep: int = 0, **more: Any
) -> Ask:
    return Ask(limit, epoch, total, keep, **{"least": least, "bound": least, "want": want, **more})


def test_a_draw_is_given_a_share_and_a_small_one_what_it_needs() -> None:
    assert granted(1600, 1, 1000) == 100
    assert granted(1600, 1, 50) == 50
    assert granted(1600, 200, 1000) == 200
    assert granted(SHARE, 1, 1000) == 1
    assert granted(5, 5, 5) == 5


def test_what_is_told_is_booked_once_and_what_is_kept_stays_held() -> None:
    ledger = Ledger()
    (first,) = ledger.tell("h", draw(BUDGET, 10, 1000))
    assert (first.granted, first.spent, first.left, first.ends_in) == (62, 0, 938, None)
    report = Ask(BUDGET, first.epoch, total=20, keep=42)
    for _ in range(3):
        (reply,) = ledger.tell("h", report)
        assert (reply.granted, reply.spent, reply.left) == (0, 20, 938)
    assert ledger.leases["h"]["budget"] == Lease(0, 42, 20)
    ledger.tell("h", Ask(BUDGET, 0, total=30, keep=12, last=True))
    assert ledger.accounts["budget"] == Account(spent=30)
    assert ledger.leases["h"] == {}


def test_what_was_granted_and_never_heard_of_comes_back_with_the_next_word() -> None:
    ledger = Ledger()
    ledger.tell("h", draw(BUDGET, 500))
    (again,) = ledger.tell("h", draw(BUDGET, 700))
    assert (again.granted, again.left) == (700, 300)
    (reply,) = ledger.tell("h", Ask(BUDGET, 0, total=0, keep=600))
    assert reply.left == 400


def test_a_call_that_was_told_and_given_up_is_not_spent() -> None:
    ledger = Ledger()
    ledger.tell("h", draw(BUDGET, 5))
    ledger.tell("h", Ask(BUDGET, 0, total=5, keep=0))
    (reply,) = ledger.tell("h", Ask(BUDGET, 0, total=4, keep=1))
    assert (reply.spent, reply.left) == (4, 995)
    (reply,) = ledger.tell("h", Ask(BUDGET, 0, total=5, keep=0))
    assert reply.spent == 5


def test_why_a_draw_gets_nothing() -> None:
    ledger = Ledger()
    ledger.tell("h", Ask(BUDGET, NEW, total=600, keep=0))
    ledger.tell("g", draw(BUDGET, 300))
    assert [reply.refused for reply in ledger.tell("h", draw(BUDGET, 401, epoch=0, total=600))] == ["exhausted"]
    assert ledger.accounts["budget"].exhausted == 1000
    assert [reply.refused for reply in ledger.tell("h", draw(BUDGET, 101, epoch=0, total=600))] == ["held"]
    assert [reply.refused for reply in ledger.tell("h", draw(BUDGET, 100, epoch=0, total=600))] == [""]
    # What a call has already counts: it needs 401 in all, of which it lacks 1.
    (reply,) = ledger.tell("h", draw(BUDGET, 1, bound=401, epoch=0, total=600, keep=100))
    assert reply.refused == "exhausted"
    ledger.tell("h", Ask(RATE, NEW, total=60, keep=0))
    assert [reply.refused for reply in ledger.tell("h", draw(RATE, 1, epoch=0, total=60))] == ["rate"]


def test_a_group_is_granted_together_or_not_at_all() -> None:
    ledger, small = Ledger(), Limit("small", "tokens", 5)
    replies = ledger.tell("h", draw(BUDGET, 10, group=1), draw(small, 6, group=1), draw(RATE, 1, group=2))
    assert [(reply.granted, reply.refused) for reply in replies] == [(0, ""), (0, "exhausted"), (1, "")]
    replies = ledger.tell("h", draw(BUDGET, 10, group=1), draw(small, 5, group=1))
    assert [(reply.granted, reply.refused) for reply in replies] == [(10, ""), (5, "")]


def test_what_others_give_back_is_there_for_the_same_exchange() -> None:
    ledger = Ledger()
    ledger.tell("h", draw(BUDGET, 1000))
    (reply,) = ledger.tell("h", draw(BUDGET, 900, epoch=0, total=100, keep=0))
    assert (reply.granted, reply.left) == (900, 0)


def test_an_alert_is_told_once_in_an_epoch_and_again_for_a_higher_threshold() -> None:
    ledger, limit = Ledger(), replace(BUDGET, alert_threshold=100)
    told = [ledger.tell("h", Ask(limit, 0, total=total, keep=0))[0].alert for total in (99, 100, 150)]
    assert told == [False, True, False]
    assert [reply.alert for reply in ledger.tell("g", Ask(limit, NEW, total=1, keep=0))] == [False]
    higher = replace(limit, alert_threshold=160)
    assert [reply.alert for reply in ledger.tell("h", Ask(higher, 0, total=160, keep=0))] == [True]
    reset = replace(limit, since=NOW)
    assert [reply.alert for reply in ledger.tell("h", Ask(reset, 0, total=900, keep=0))] == [False]
    assert [reply.alert for reply in ledger.tell("h", Ask(reset, NOW, total=900, keep=0))] == [True]


def test_a_new_epoch_forgets_and_voids_what_was_leased_in_the_old_one() -> None:
    ledger, daily = Ledger(), replace(BUDGET, period=1, since=NOW)
    (first,) = ledger.tell("h", draw(daily, 800))
    assert first.ends_in == DAY
    ledger.now += DAY
    (other,) = ledger.tell("g", draw(daily, 1000))
    assert (other.granted, other.epoch) == (1000, NOW + DAY)
    (late,) = ledger.tell("h", draw(daily, 1, epoch=NOW, total=500, keep=300))
    assert (late.epoch, late.spent, late.refused) == (NOW + DAY, 0, "held")
    assert ledger.leases["h"]["budget"] == Lease(NOW + DAY, 0, 0)
    # Somebody's clock, or an older setting, does not bring the old one back.
    ledger.now -= DAY
    (reply,) = ledger.tell("g", Ask(daily, NOW + DAY, total=10, keep=990))
    assert (reply.epoch, reply.spent) == (NOW + DAY, 10)


def test_of_the_dead_everything_counts_but_not_twice_and_not_in_another_epoch() -> None:
    ledger, daily = Ledger(), replace(BUDGET, period=1, since=NOW)
    (reply,) = ledger.tell("h", draw(daily, 100))
    ledger.tell("h", Ask(daily, reply.epoch, total=30, keep=70))
    ledger.tell("g", draw(daily, 50))
    ledger.die("h")
    account = ledger.accounts["budget"]
    assert (account.spent, account.held) == (100, 50)
    ledger.now += DAY
    ledger.tell("f", draw(daily, 10))
    ledger.die("g")
    assert (account.spent, account.held) == (0, 10)


def test_what_the_dead_held_of_a_rate_leaks_from_then_on() -> None:
    ledger = Ledger()
    ledger.tell("h", draw(RATE, 30))
    ledger.now += 40_000
    ledger.die("h")
    assert standing(ledger.accounts["rate"], RATE, ledger.now).spent == 30
    assert standing(ledger.accounts["rate"], RATE, ledger.now + 29_000).spent == 1


def test_how_a_limit_stands_changes_nothing() -> None:
    account = Account(epoch=0, spent=500, held=20, alerted=100, exhausted=1000)
    before = replace(account)
    assert standing(account, replace(BUDGET, alert_threshold=100), NOW) == Standing(500, 20, True, True)
    assert standing(account, replace(BUDGET, alert_threshold=101), NOW) == Standing(500, 20, False, True)
    assert standing(account, replace(BUDGET, amount=1001), NOW) == Standing(500, 20, False, False)
    assert standing(account, replace(BUDGET, since=NOW), NOW) == Standing()
    assert account == before


def test_the_largest_amounts_stay_what_a_double_can_hold() -> None:
    ledger, largest = Ledger(), Limit("largest", "tokens", MOST, per=1)
    for holder in ("h", "g"):
        (reply,) = ledger.tell(holder, Ask(largest, NEW, total=MOST, keep=0))
    assert reply.spent == MOST
    ledger.now += 1
    assert standing(ledger.accounts["largest"], largest, ledger.now).spent == MOST - MOST // 1000


def test_a_rate_of_nothing_lets_nothing_pass() -> None:
    ledger, none = Ledger(), Limit("none", "requests", 0, per=60)
    ledger.tell("h", Ask(none, NEW, total=3, keep=0))
    ledger.now += DAY
    assert [reply.refused for reply in ledger.tell("h", draw(none, 1, epoch=0, total=3))] == ["rate"]


@given(
    amount=st.integers(1, 10**9),
    per=st.sampled_from([1, 60, 3600, DAY // 1000, 7 * DAY // 1000]),
    share=st.fractions(0, 1),
    pauses=st.lists(st.integers(1, 100_000), min_size=1, max_size=50),
)
@example(amount=999_999_937, per=60, share=Fraction(1), pauses=[1] * 50)
def test_a_rate_leaks_evenly_however_often_it_is_looked_at(
    amount: int, per: int, share: Fraction, pauses: list[int]
) -> None:
    limit = Limit("a", "tokens", amount, per=per)
    spent = int(amount * share)
    account = Account(spent=spent, at=NOW * 1000)
    now = NOW
    for pause in pauses:
        now += pause
        advance(account, limit, now)
    exact = Fraction(spent) - Fraction((now - NOW) * amount, per * 1000)
    # Never more than exactly; less by under one unit, and what one look's microsecond is worth.
    lost = 1 + Fraction(len(pauses) * amount, per * 1_000_000)
    assert max(0, exact) <= account.spent <= max(0, exact + lost)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 20)), max_size=60))
def test_within_any_time_a_rate_lets_no_more_pass_than_a_bucket_does(calls: list[tuple[int, int]]) -> None:
    """Whatever is granted is spent at once: of any stretch of time at most the amount, and what leaked meanwhile."""
    ledger, passed, total = Ledger(), [(NOW, 0)], 0
    for pause, wanted in calls:
        ledger.now += pause
        if wanted:
            (reply,) = ledger.tell("h", draw(RATE, wanted, epoch=0, total=total))
            total += reply.granted
            ledger.tell("h", Ask(RATE, 0, total=total, keep=0))
        passed.append((ledger.now, total))
    for at, before in passed:
        for then, after in passed:
            assert then < at or after - before <= RATE.amount + Fraction((then - at) * RATE.amount, RATE.per * 1000)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["h", "g", "f"]),
        st.sampled_from(["report", "draw", "both", "lost", "late", "die", "last", "forget"]),
        st.fractions(0, 1),
        st.integers(1, 400),
        st.sampled_from([0, 0, 0, 1, 1000, DAY]),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(st.sampled_from([BUDGET, replace(BUDGET, period=1, since=NOW)]), STEPS)
def test_whatever_holders_do_no_more_is_granted_than_there_is(limit: Limit, steps: list[Any]) -> None:
    """`mine`: what a holder knows of its lease: epoch, total, what it may still spend. `really`: spent by epoch."""
    ledger, mine, really = Ledger(), dict[str, list[int]](), dict[int, int]()
    for holder, step, part, amount, pause in steps:
        ledger.now += pause
        epoch, total, free = mine.setdefault(holder, [NEW, 0, 0])
        now_spent = int(free * part)
        if epoch != NEW:
            really[epoch] = really.get(epoch, 0) + now_spent
        mine[holder] = [epoch, total := total + now_spent, free := free - now_spent]
        if step == "die":
            ledger.die(holder)
            del mine[holder]
        elif step == "forget" and not total:
            mine[holder] = [NEW, 0, 0]
        else:
            said = total - now_spent if step == "late" and free + now_spent else total
            least = amount if step in ("draw", "both", "lost") else 0
            ask = Ask(limit, epoch, said, total + free - said, least, least, 2 * least, 1, step == "last" and not free)
            (reply,) = ledger.tell(holder, ask)
            if step == "both":
                assert ledger.tell(holder, replace(ask, least=0))[0].spent == reply.spent
            elif step != "lost":
                same = epoch in (NEW, reply.epoch)
                mine[holder] = [reply.epoch, total if same else 0, (free if same else 0) + reply.granted]
            if ask.last:
                del mine[holder]
        _consistent(ledger, limit, really)


def _consistent(ledger: Ledger, limit: Limit, really: dict[int, int]) -> None:
    account = ledger.accounts.get(limit.account)
    if account is None:
        return
    held = [
        lease.held for leases in ledger.leases.values() for lease in leases.values() if lease.epoch == account.epoch
    ]
    assert account.held == sum(held)
    assert min(account.spent, account.held, *held, 0) == 0
    assert account.spent + account.held <= limit.amount
    assert all(spent <= limit.amount for spent in really.values())
    assert really.get(account.epoch, 0) <= account.spent + account.held
