"""Answers out of cells are those that all records together would give, whatever is asked."""

import itertools

import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from gatekey.observe.record import Record, Tried
from gatekey.store import analytics, cells, tables
from gatekey.store.analytics import Facts, Question
from gatekey.store.database import engine
from gatekey.store.logs import MAX_METADATA, Filters
from gatekey.wire.usage import Usage
from tests.unit.store.recorded import START, record, store, told

MINUTE = 60_000
SPAN = 5 * cells.HOUR

_number = itertools.count()

tried = st.sampled_from([[], [Tried("a", "openai", 200, "provider")], [
    Tried("a", "openai", 500, "provider"), Tried("b", "groq", 200, "provider")
]])  # fmt: skip
records = st.builds(
    record,
    id=st.just("r"),
    created_at=st.integers(0, SPAN - 1).map(lambda offset: START + offset)
    | st.integers(0, 5).map(lambda hour: START + hour * cells.HOUR),
    workspace=st.sampled_from(["ws-default", "ws-other"]),
    api_key=st.sampled_from(["k1", "k2"]),
    virtual_key=st.sampled_from(["", "v1"]),
    config=st.sampled_from(["", "pc-1", "pc-2"]),
    prompt=st.sampled_from(["", "p1"]),
    user=st.sampled_from(["", "u1", "u2", "Jörg"]),
    provider=st.sampled_from(["", "openai", "groq"]),
    model=st.sampled_from(["", "m1", "m2"]),
    status=st.sampled_from([200, 201, 400, 429, 499]),
    error=st.sampled_from(["", "", "broken off"]),
    cache_status=st.sampled_from(["DISABLED", "HIT", "SEMANTIC HIT", "MISS"]),
    retries=st.sampled_from([0, 0, 1, 2, -1]),
    usage=st.none() | st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9)),
    cost=st.none() | st.integers(0, 10**12),
    total_us=st.integers(0, 10**7) | st.sampled_from([0, 31, 32, 33, 63, 64, 2**45, 2**60]),
    metadata=st.dictionaries(st.sampled_from(["team", "a b", "é", "x.y"]), st.sampled_from(["", "red", "blau ü"])),
    attempts=tried,
)
choices = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["200", "400", "499"]), min_size=1, unique=True),
        "cache_status": st.lists(st.sampled_from(["HIT", "MISS"]), min_size=1, unique=True),
        "api_key": st.just(["k1"]),
        "model": st.lists(st.sampled_from(["openai__m1", "groq__m2", "openai__"]), min_size=1, unique=True),
        "user": st.just(["u1", "Jörg"]),
    },
)
filters = st.builds(
    Filters,
    workspace=st.sampled_from(["", "ws-default", "ws-other"]),
    least=st.just({}) | st.just({"total_tokens": 5}),
    most=st.just({}) | st.just({"cost": 5 * 10**11}),
    among=st.just({}) | choices,
    metadata=st.just({})
    | st.sampled_from([{"team": "red"}, {"team": "blau ü"}, {"é": ""}, {"team": "red", "a b": "red"}]),
)
steps = st.sampled_from([0, MINUTE * 10, cells.HOUR, 2 * cells.HOUR, 24 * cells.HOUR, 7 * 24 * cells.HOUR])
moments = st.integers(-MINUTE, SPAN + MINUTE) | st.integers(0, 5).map(lambda hour: hour * cells.HOUR)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    since, until = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    return Question(START + since, START + until, draw(steps), draw(filters))


SUMS = (*cells.SUMS, "hits")
asked = st.one_of(
    st.builds(
        Facts,
        st.lists(st.sampled_from(SUMS), min_size=1, unique=True).map(tuple),
        st.none() | st.sampled_from(
            ["api_key", "virtual_key", "config", "provider", "model", "prompt", "user", "workspace",
             "metadata.team", "metadata.é", "metadata.x.y", "metadata.none"]
        ),
        st.lists(st.sampled_from(["status", "cache_status", "retries"]), unique=True).map(tuple),
    ),
    st.builds(Facts, st.just(("requests",)), st.none() | st.just("model"), st.just(("bucket",))),
)  # fmt: skip


def empty(made: Engine) -> None:
    with made.begin() as connection:
        for table in (tables.cells, tables.latencies, tables.logs, tables.log_records):
            connection.execute(sqlalchemy.delete(table))


def second_workspace(made: Engine) -> None:
    named = {"id": "ws-other", "slug": "other", "name": "Other"}
    with made.begin() as connection:
        connection.execute(
            sqlalchemy.insert(tables.workspaces).values(**named, created_at=0, last_updated_at=0, revision=0)
        )


def test_cells_and_rows_together_say_what_the_records_say(url: str) -> None:
    made = engine(url)
    second_workspace(made)

    @settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.lists(records, max_size=12), max_size=4),
        st.lists(st.tuples(questions(), asked), min_size=6, max_size=6),
    )
    def hold(batches: list[list[Record]], all_asked: list[tuple[Question, Facts]]) -> None:
        empty(made)
        for batch in filter(None, batches):
            with made.begin() as connection:
                store(connection, batch)
        with made.connect() as connection:
            for question, facts in all_asked:
                found = sorted(map(tuple, analytics.answer(connection, question, facts)))
                assert found == told(question, facts, itertools.chain(*batches)), (question, facts)

    try:
        hold()
    finally:
        made.dispose()


def test_a_latency_is_in_a_bucket_whose_middle_is_near() -> None:
    before = -1
    for us in [*range(5000), *(10**power + more for power in range(4, 13) for more in (0, 1, 7))]:
        found = cells.bucket(us)
        assert found >= before
        before = found
        assert abs(cells.middle(found) - us) <= max(0.5, us * 0.032)
    assert cells.bucket(2**45) == cells.bucket(2**60) == cells.BUCKETS
    assert cells.bucket(0) == cells.middle(0) == 0


def test_a_record_has_the_dimensions_in_which_it_has_a_value() -> None:
    long = "x" * 300
    many = record(user="u", metadata={"a": "1", "": "empty key", "none": "", long: long, long + "y": "last"})
    assert dict(cells.dimensions(many)) == {
        "": "",
        "provider": "openai",
        "model": "openai__gpt-4o",
        "user": "u",
        "metadata.a": "1",
        "metadata.": "empty key",
        "metadata." + "x" * 255: "last",
    }
    most = record(metadata={str(number): "v" for number in range(MAX_METADATA + 5)}, provider="")
    assert len(list(cells.dimensions(most))) == 1 + MAX_METADATA


def test_what_is_old_is_forgotten_by_the_hour(url: str) -> None:
    made = engine(url)
    with made.begin() as connection:
        store(connection, [record(created_at=START + hour * cells.HOUR) for hour in range(3)])
    with made.begin() as connection:
        cells.forget(connection, START + 2 * cells.HOUR - 1)
    with made.connect() as connection:
        for table in (tables.cells, tables.latencies):
            hours = set(connection.execute(sqlalchemy.select(table.c.hour)).scalars())
            assert hours == {START + cells.HOUR, START + 2 * cells.HOUR}
    made.dispose()


def test_numbers_that_are_larger_than_a_column_was_once_are_added_up(url: str) -> None:
    """A sum of costs goes beyond 32 bits soon, and stays an integer."""
    made = engine(url)
    with made.begin() as connection:
        for _ in range(2):
            store(connection, [record(cost=2**53 + 1)] * 3)
    with made.connect() as connection:
        (row,) = analytics.answer(connection, Question(START, START + cells.HOUR), Facts(("cost", "requests")))
    assert (row.cost, row.requests) == (6 * (2**53 + 1), 6)
    made.dispose()
