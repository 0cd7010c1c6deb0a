"""Feedback meets the requests of its trace, whichever comes first, and what it adds up to is theirs."""

import itertools
from collections.abc import Iterator

import pytest
import sqlalchemy
from sqlalchemy import Connection, Engine, select

from gatekey.store import analytics, cells, feedback, feedback_sums, logs
from gatekey.store.analytics import Facts, Question
from gatekey.store.database import Write, engine
from gatekey.store.feedback import Opinion
from gatekey.store.logs import Filters
from gatekey.store.tables import feedbacks, rated
from tests.unit.store.recorded import START, record, store

HOURS = Question(START, START + 3 * cells.HOUR, cells.HOUR)


@pytest.fixture
def made(url: str) -> Iterator[Engine]:
    made = engine(url)
    yield made
    made.dispose()


def give(connection: Connection, *opinions: Opinion, workspace: str = "ws-default", at: int = START) -> list[str]:
    return feedback.add(Write(connection, 0, at), opinions, workspace=workspace, api_key="k")


def noted(connection: Connection) -> list[tuple[int, str]]:
    return [tuple(row) for row in connection.execute(select(rated.c.number, rated.c.trace_id).order_by(rated.c.number))]


def test_it_meets_requests_before_and_after_it(made: Engine) -> None:
    with made.begin() as connection:
        store(connection, [record(trace_id="a"), record(trace_id="b"), record(trace_id="a", workspace="ws-2")])
    with made.begin() as connection:
        give(connection, Opinion("a", 5), Opinion("later", -5))
        assert noted(connection) == [(1, "a")]
        give(connection, Opinion("a", -5))
        assert noted(connection) == [(1, "a")]
    with made.begin() as connection:
        store(connection, [record(trace_id="later"), record(trace_id="c"), record(trace_id="a")])
        assert noted(connection) == [(1, "a"), (4, "later"), (6, "a")]
        give(connection, Opinion("a", 1), workspace="ws-2")
        assert noted(connection) == [(1, "a"), (3, "a"), (4, "later"), (6, "a")]


def test_a_trace_id_is_cut_and_cleaned_as_that_of_a_record(made: Engine) -> None:
    long = "t" * 300
    with made.begin() as connection:
        store(connection, [record(trace_id=long), record(trace_id="a\0b")])
        give(connection, Opinion(long, 5), Opinion("ab", 5))
        assert [number for number, _ in noted(connection)] == [1, 2]


def test_of_both_at_once_none_misses_the_other(made: Engine) -> None:
    """Whichever transaction begins first, the other one waits for its rows."""
    if made.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: the second could not begin")
    with made.connect() as one, made.connect() as other:
        other.execute(sqlalchemy.text("SET lock_timeout = '100ms'"))
        other.commit()
        store(one, [record(trace_id="a")])
        with pytest.raises(sqlalchemy.exc.OperationalError, match="lock timeout"):
            give(other, Opinion("a", 5))
        other.rollback()
        one.commit()
        give(other, Opinion("a", 5), Opinion("b", 5))
        one.execute(sqlalchemy.text("SET lock_timeout = '100ms'"))
        with pytest.raises(sqlalchemy.exc.OperationalError, match="lock timeout"):
            store(one, [record(trace_id="b")])
        one.rollback()
        other.commit()
        assert noted(other) == [(1, "a")]


def test_what_is_old_is_forgotten(made: Engine) -> None:
    with made.begin() as connection:
        store(connection, [record(trace_id=f"t{hour}", created_at=START + hour) for hour in range(3)])
        for hour in range(3):
            give(connection, Opinion(f"t{hour}", 5), at=START + hour)
        feedback.forget(connection, START + 1, START + 2)
        assert connection.execute(select(feedbacks.c.trace_id).order_by(feedbacks.c.trace_id)).scalars().all() == [
            "t1",
            "t2",
        ]
        assert noted(connection) == [(3, "t2")]


def test_sums_are_those_of_every_feedback(made: Engine) -> None:
    values = itertools.cycle([(-10, 1.0), (3, 0.5), (10, 0.25)])
    with made.begin() as connection:
        records = [record(trace_id=f"t{n % 5}", model=f"m{n % 2}", created_at=START + n * 900_000) for n in range(12)]
        store(connection, records)
        given = [(f"t{n % 7}", *next(values), START + n * 700_000) for n in range(15)]
        for trace, value, weight, at in given:
            give(connection, Opinion(trace, value, weight), at=at)
        within = [each for each in given if HOURS.since <= each[3] < HOURS.until]

        found = {row.at: (row.many, row.average) for row in feedback_sums.totals(connection, HOURS)}
        for at in HOURS.buckets():
            mine = [value * weight for _, value, weight, when in within if at <= when < at + cells.HOUR]
            assert found[at] == (len(mine), pytest.approx(sum(mine) / len(mine)))
        scores = {row.value: row.many for row in feedback_sums.scores(connection, HOURS)}
        assert scores == {value: sum(each[1] == value for each in within) for value in (-10, 3, 10)}
        for row in feedback_sums.models(connection, HOURS):
            traces = {each.trace_id for each in records if each.model == row.model}
            mine = [value * weight for trace, value, weight, _ in within if trace in traces]
            assert (row.many, row.average) == (len(mine), pytest.approx(sum(mine) / len(mine)))


def test_requests_are_asked_for_by_the_feedback_of_their_trace(made: Engine) -> None:
    with made.begin() as connection:
        records = [record(trace_id=f"t{n % 4}", created_at=START + n * 1_000_000) for n in range(10)]
        store(connection, records)
        give(connection, Opinion("t0", 10, 0.5), Opinion("t0", 0), Opinion("t1", -5), Opinion("t2", 5))
        averages = {"t0": 2.5, "t1": -5.0, "t2": 5.0}
        for low, high in [(None, 3.0), (-4.0, None), (-5.0, 2.5), (6.0, 7.0)]:
            question = Question(START, START + 3 * cells.HOUR, 0, Filters(feedback=(low, high)))
            matching = [
                each for each in records
                if (-10 if low is None else low) <= averages.get(each.trace_id, 99) <= (10 if high is None else high)
            ]  # fmt: skip
            found = analytics.answer(connection, question, Facts(("requests",)))
            assert sum(row.requests for row in found) == len(matching)
            assert logs.search(connection, question.filters, number=0, size=1)[1] == len(matching)
