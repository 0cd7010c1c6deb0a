"""Windows: weeks from Monday, months, numbers of days, for ever; all of them in UTC, to the millisecond."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.limits.limit import DAY, LONGEST, MOST, Limit, Window, expiry, window

NOWS = st.integers(0, 4_102_444_800_000)
PERIODS = st.sampled_from(["weekly", "monthly"]) | st.integers(1, 365)


def ms(*moment: int) -> int:
    return round(datetime(*moment, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def budget(**more: Any) -> Limit:
    return Limit("a", "cost", 100, **more)


@pytest.mark.parametrize(
    ("period", "now", "start", "end"),
    [
        ("weekly", ms(2026, 11, 27), ms(2026, 11, 23), ms(2026, 11, 30)),
        ("weekly", ms(2026, 11, 23), ms(2026, 11, 23), ms(2026, 11, 30)),
        ("weekly", ms(2026, 11, 23) - 1, ms(2026, 11, 16), ms(2026, 11, 23)),
        ("weekly", ms(2024, 2, 29), ms(2024, 2, 26), ms(2024, 3, 4)),
        ("weekly", ms(1970, 1, 1), ms(1969, 12, 29), ms(1970, 1, 5)),
        ("monthly", ms(2024, 2, 29), ms(2024, 2, 1), ms(2024, 3, 1)),
        ("monthly", ms(2023, 2, 28, 23, 59, 59), ms(2023, 2, 1), ms(2023, 3, 1)),
        ("monthly", ms(2100, 2, 28), ms(2100, 2, 1), ms(2100, 3, 1)),
        ("monthly", ms(2026, 12, 31), ms(2026, 12, 1), ms(2027, 1, 1)),
        ("monthly", ms(2026, 12, 1), ms(2026, 12, 1), ms(2027, 1, 1)),
        ("monthly", ms(2026, 12, 1) - 1, ms(2026, 11, 1), ms(2026, 12, 1)),
    ],
)
def test_a_period_of_the_calendar(period: Any, now: int, start: int, end: int) -> None:
    assert window(budget(period=period), now) == Window(max(0, start), end)


def test_one_that_was_set_or_reset_in_a_period_begins_there() -> None:
    since = ms(2026, 11, 25, 12)
    assert window(budget(period="weekly", since=since), since) == Window(since, ms(2026, 11, 30))
    assert window(budget(period="monthly", since=since), since + DAY) == Window(since, ms(2026, 12, 1))
    assert window(budget(period="monthly", since=since), ms(2026, 12, 1)) == Window(ms(2026, 12, 1), ms(2027, 1, 1))


def test_days_are_counted_from_when_it_was_set() -> None:
    since = ms(2024, 2, 27, 6, 30)
    of_two_days = budget(period=2, since=since)
    assert window(of_two_days, since) == Window(since, ms(2024, 2, 29, 6, 30))
    assert window(of_two_days, ms(2024, 2, 29, 6, 30) - 1) == Window(since, ms(2024, 2, 29, 6, 30))
    assert window(of_two_days, ms(2024, 3, 1)) == Window(ms(2024, 2, 29, 6, 30), ms(2024, 3, 2, 6, 30))


def test_without_a_period_it_counts_for_ever() -> None:
    assert window(budget(since=7), ms(2026, 1, 1)) == Window(7, None)
    assert window(Limit("a", "requests", 5, per=60, since=7), ms(2026, 1, 1)) == Window(7, None)


@given(PERIODS, NOWS, NOWS)
def test_now_is_in_its_window_and_the_next_one_follows(period: Any, since: int, now: int) -> None:
    limit = budget(period=period, since=since)
    found = window(limit, now)
    assert found.end is not None
    assert now < found.end
    assert found.start == since or found.start <= now  # what is set in the future, by another clock, counts already
    if since <= now:
        assert found.start <= now
        assert window(limit, found.start) == window(limit, found.end - 1) == found
        assert window(limit, found.end).start == found.end


@given(PERIODS, NOWS, NOWS, NOWS)
def test_no_window_goes_back(period: Any, since: int, now: int, later: int) -> None:
    limit = budget(period=period, since=since)
    first, second = sorted((now, later))
    assert window(limit, first).start <= window(limit, second).start


@given(NOWS)
def test_weeks_begin_on_monday_and_months_on_the_first(now: int) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    week, month = (
        epoch + timedelta(milliseconds=window(budget(period=period, since=-10 * DAY), now).start)
        for period in ("weekly", "monthly")
    )
    midnight = (0, 0, 0, 0)
    assert (week.weekday(), week.hour, week.minute, week.second, week.microsecond) == (0, *midnight)
    assert (month.day, month.hour, month.minute, month.second, month.microsecond) == (1, *midnight)


@given(PERIODS, NOWS, NOWS)
def test_what_has_expired_says_no_more_than_a_new_one(period: Any, since: int, now: int) -> None:
    limit = budget(period=period, since=min(since, now))
    gone = expiry(limit, now)
    end = window(limit, now).end
    assert gone is not None
    assert end is not None
    assert gone >= end + 7 * DAY
    assert gone % DAY == 0


def test_what_never_ends_never_expires_and_a_rate_does_when_it_has_leaked() -> None:
    now = ms(2026, 11, 27, 12)
    assert expiry(budget(), now) is None
    assert expiry(Limit("a", "tokens", 5, per=86_400), now) == ms(2026, 12, 6)
    assert expiry(Limit("a", "tokens", 5, per=1), now) == ms(2026, 12, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": -1},
        {"amount": MOST + 1},
        {"account": ""},
        {"account": "x" * (LONGEST + 1)},
        {"account": "ä" * (LONGEST // 2 + 1)},
        {"account": "a\0b"},
        {"account": "\ud800"},
        {"per": -1},
        {"period": 0},
        {"period": 366},
    ],
)
def test_what_cannot_be_kept_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"an amount|an account|a rate|surrogates"):
        Limit(**{"account": "a", "counts": "cost", "amount": 5, **wrong})


def test_what_can_just_be_kept_is_taken() -> None:
    Limit("ä" * (LONGEST // 2), "cost", MOST, period=365, per=0)
    Limit("x" * LONGEST, "cost", 0, period=1)
