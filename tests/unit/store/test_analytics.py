"""Buckets, pages, different values; what is answered out of cells alone, and what needs the log."""

import itertools
import random
from collections.abc import Iterator

import pytest
import sqlalchemy
from sqlalchemy import Connection

from gatekey.observe.record import Record
from gatekey.store import analytics, tables
from gatekey.store.analytics import ORDERS, Facts, Page, Question
from gatekey.store.cells import HOUR, SUMS
from gatekey.store.database import engine
from gatekey.store.logs import Filters
from gatekey.wire.usage import Usage
from tests.unit.store.recorded import START, record, store, told

MINUTE, DAY = 60_000, 24 * HOUR


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    made = engine(url)
    with made.begin() as connection:
        yield connection
    made.dispose()


def some(number: int) -> list[Record]:
    """Records of four hours, of nine users, of keys, models and prices of all kinds."""
    dice = random.Random(7)
    return [
        record(
            created_at=START + dice.randrange(4 * HOUR),
            user=f"u{dice.randrange(9)}",
            api_key=f"k{dice.randrange(4)}",
            model=f"m{dice.randrange(3)}",
            status=dice.choice([200, 200, 200, 500]),
            cache_status=dice.choice(["MISS", "HIT", "DISABLED"]),
            usage=dice.choice([None, Usage(input=dice.randrange(99), output=dice.randrange(9))]),
            cost=dice.choice([None, dice.randrange(10**9)]),
            total_us=dice.randrange(10**6),
        )
        for _ in range(number)
    ]


def test_buckets_are_in_line_with_the_clock() -> None:
    odd = Question(START + 5, START + 2 * HOUR + 1, HOUR)
    assert odd.buckets() == [START, START + HOUR, START + 2 * HOUR]
    assert odd.pieces() == [
        (START + 5, START + HOUR), (START + HOUR, START + 2 * HOUR), (START + 2 * HOUR, START + 2 * HOUR + 1)
    ]  # fmt: skip
    assert Question(5, 10).buckets() == [5]
    day = START // DAY * DAY
    assert Question(START, START + DAY, DAY).buckets() == [day, day + DAY]
    week = Question(START, START + 1, 7 * DAY).buckets()
    assert (week[0] // DAY) % 7 == 4, "1970-01-05, day 4, was a Monday"
    assert week[0] <= START < week[0] + 7 * DAY


def test_more_pieces_than_are_read_one_by_one(connection: Connection) -> None:
    records = some(60)
    store(connection, records)
    question = Question(START + 3, START + 4 * HOUR, MINUTE)
    assert len(question.pieces()) > analytics.PIECES
    for facts in (
        Facts(("requests", "cost")),
        Facts(("requests",), "user", ("status",)),
        Facts(("requests",), keys=("bucket",)),
    ):
        assert sorted(map(tuple, analytics.answer(connection, question, facts))) == told(question, facts, records)


def test_pages_in_every_order(connection: Connection) -> None:
    """A value's groups come in pages that together are all of them, in the order that is asked for."""
    records = some(80)
    store(connection, records)
    question, facts = Question(START, START + 4 * HOUR), Facts(SUMS, "user")
    whole = sorted(told(question, facts, records))
    for order, (needed, _) in ORDERS.items():
        for rising in (False, True):
            pages = [analytics.page(connection, question, facts, Page(number, 4, order, rising)) for number in range(4)]
            assert [total for _, total in pages] == [9] * 4
            rows = [row for rows, _ in pages for row in rows]
            assert sorted(tuple(row)[: 2 + len(SUMS)] for row in rows) == whole
            if len(needed) == 1 and not order.startswith(("avg", "success", "cache")):
                found = [getattr(row, needed[0]) for row in rows]
                assert found == sorted(found, reverse=not rising), order


def test_different_values(connection: Connection) -> None:
    records = some(50)
    store(connection, records)
    asked = (
        Filters(),
        Filters(workspace="ws-default"),
        Filters(among={"api_key": ["k1"]}),
        Filters(workspace="nobody's"),
    )
    for filters, step in itertools.product(asked, (0, 10 * MINUTE, HOUR, 2 * HOUR)):
        question = Question(START + 7, START + 4 * HOUR - 7, step, filters)
        groups = told(question, Facts(("requests",), "user"), records)
        rows, whole = analytics.distinct(connection, question, "user")
        for row in rows:
            mine = [group for group in groups if group[0] == row.at]
            assert (row.values, row.requests) == (len(mine), sum(group[2] for group in mine))
        assert len(rows) == len({group[0] for group in groups})
        assert whole.values == len({group[1] for group in groups})
        assert (whole.requests or 0) == sum(group[2] for group in groups)


HOURS = Question(START, START + 4 * HOUR, HOUR)
OUT_OF_CELLS = [
    (HOURS, Facts(("requests",))),
    (Question(START, START + 4 * HOUR), Facts(SUMS, "api_key")),
    (HOURS, Facts(("requests",), keys=("status", "cache_status", "retries"))),
    (HOURS, Facts(("requests",), keys=("bucket",))),
    (HOURS, Facts(("requests",), "model", ("bucket",))),
    (HOURS, Facts(("requests",), "user")),
    (HOURS, Facts(("requests",), "workspace")),
]
FILTERS = [
    Filters(workspace="ws-default"),
    Filters(among={"status": ["200"]}),
    Filters(among={"model": ["openai__m1", "openai__m2"], "cache_status": ["HIT"]}),
    Filters(among={"user": ["u1"]}),
]


def test_cells_alone_answer_what_they_have(connection: Connection) -> None:
    """The log is empty meanwhile: nothing of whole hours is read from it."""
    records = some(60)
    store(connection, records)
    connection.execute(sqlalchemy.delete(tables.logs))
    asked = OUT_OF_CELLS + [(Question(START, START + 4 * HOUR, HOUR, each), Facts(("requests",))) for each in FILTERS]
    for question, facts in asked:
        assert sorted(map(tuple, analytics.answer(connection, question, facts))) == told(question, facts, records)


def test_the_log_alone_answers_the_rest(connection: Connection) -> None:
    """There are no cells meanwhile."""
    records = some(60)
    store(connection, records)
    for table in (tables.cells, tables.latencies):
        connection.execute(sqlalchemy.delete(table))
    spans: list[tuple[Question, Facts]] = [
        (Question(START, START + 4 * HOUR, 10 * MINUTE), Facts(("requests",))),
        (Question(START + 1, START + HOUR - 1), Facts(("requests", "cost"))),
        (HOURS, Facts(("requests",), "user", ("status",))),
        (HOURS, Facts(("requests",), "api_key", ("status", "bucket"))),
    ]
    for filters, facts in [
        (Filters(among={"api_key": ["k1"], "model": ["openai__m1"]}), Facts(("requests",))),
        (Filters(among={"api_key": ["k1"]}), Facts(("requests",), "user")),
        (Filters(least={"total_tokens": 9}), Facts(("requests",))),
        (Filters(among={"user": ["u1"], "status": ["200"]}), Facts(("requests",))),
    ]:
        spans.append((Question(START, START + 4 * HOUR, HOUR, filters), facts))
    for question, facts in spans:
        assert sorted(map(tuple, analytics.answer(connection, question, facts))) == told(question, facts, records)
