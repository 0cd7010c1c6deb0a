"""Rows are found by what was asked for, newest first, and deleted when they are old."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from gatekey.observe.record import Record, encode
from gatekey.store import logs
from gatekey.store.database import engine
from gatekey.store.logs import Filters
from gatekey.wire.usage import Usage

BASE: dict[str, Any] = {"kind": "chat", "method": "POST", "path": "/v1/chat/completions", "workspace": "a"}


def record(id: str, at: int, **more: Any) -> Record:
    return Record(**{"id": id, "created_at": at, "status": 200, **BASE, **more})


@pytest.fixture
def made(url: str) -> Iterator[Engine]:
    found = engine(url)
    yield found
    found.dispose()


def add(made: Engine, *records: Record) -> None:
    with made.begin() as connection:
        logs.add(connection, [(each, encode(each).decode()) for each in records])


def ids(made: Engine, **asked: Any) -> list[str]:
    with made.connect() as connection:
        found, total = logs.search(connection, Filters(**asked), number=0, size=100)
    assert total == len(found)
    return [row["id"] for row in found]


def test_pages_newest_first(made: Engine) -> None:
    add(made, *(record(id, at) for id, at in (("2", 2000), ("1", 1000), ("4", 3000), ("3", 3000))))
    assert ids(made) == ["3", "4", "2", "1"], "of the same ms, the one that was stored later"
    with made.connect() as connection:
        pages = [logs.search(connection, Filters(), number=number, size=3) for number in range(3)]
    assert [([row["id"] for row in found], total) for found, total in pages] == [
        (["3", "4", "2"], 4),
        (["1"], 4),
        ([], 4),
    ]


def test_those_that_came_after_one(made: Engine) -> None:
    add(made, *(record(str(number), 5000 - number) for number in range(5)))
    with made.connect() as connection:
        found, _ = logs.search(connection, Filters(), number=0, size=2, after=2)
        assert [row["id"] for row in found] == ["2", "3"], "in the order in which they were stored"
        assert logs.last(connection) == 5


def test_filters(made: Engine) -> None:
    add(
        made,
        record("plain", 1000),
        record("other", 1001, workspace="b"),
        record("failed", 1002, status=429, provider="p", model="m"),
        record("dear", 1003, cost=500, usage=Usage(input=100, output=20), provider="p", model="n"),
        record("named", 1004, trace_id="t", span_id="s", api_key="k", user="u", metadata={"team": "x", "_user": "u"}),
        record("routed", 1005, virtual_key="v", config="c", prompt="q", cache_status="HIT"),
    )
    for wanted, asked in {
        ("other",): {"workspace": "b"},
        ("failed",): {"among": {"status": ["429", "500"]}},
        ("dear",): {"least": {"cost": 500}},
        ("dear", "x"): {"least": {"total_tokens": 120}, "most": {"completion_tokens": 20}},
        ("routed", "named"): {"least": {"created_at": 1004}},
        ("other", "plain"): {"most": {"created_at": 1001}},
        ("dear", "failed"): {"among": {"model": ["p__m", "p__n", "p__o"]}},
        ("named",): {"among": {"trace_id": ["t", "z"]}, "metadata": {"team": "x"}},
        ("named", "x"): {"among": {"span_id": ["s"], "api_key": ["k"], "user": ["u"]}},
        ("routed",): {"among": {"virtual_key": ["v"], "config": ["c"], "prompt": ["q"], "cache_status": ["HIT"]}},
        (): {"metadata": {"team": "y"}},
    }.items():
        assert ids(made, **asked) == [name for name in wanted if name != "x"], asked


def test_one_by_its_id(made: Engine) -> None:
    add(made, *(record(str(number), 1000) for number in range(3)))
    with made.connect() as connection:
        found = logs.find(connection, "1")
        assert found is not None
        assert (found[0]["number"], found[1].id) == (2, "1")
        assert logs.find(connection, "9") is None


def test_ids_and_traces_are_found_in_every_part(made: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PART", 1)
    add(made, *(record(str(number), 1000 + number, trace_id=f"t{number % 2}") for number in range(7)))
    with made.begin() as connection:
        assert [logs.find(connection, str(number)) is not None for number in range(8)] == [True] * 7 + [False]
        assert logs.forget(connection, 1003, 100) == 3
    assert ids(made, among={"trace_id": ["t0"]}) == ["6", "4"]


def test_records_are_read_on_from_where_the_last_piece_ended(made: Engine) -> None:
    add(made, *(record(str(number), 1000 + number // 2) for number in range(7)))
    found: list[str] = []
    before: tuple[int, int] | None = None
    with made.connect() as connection:
        while piece := logs.records(connection, Filters(), 2, before, until=6):
            found += [each.id for _, each in piece]
            before = (piece[-1][0]["created_at"], piece[-1][0]["number"])
    assert found == ["5", "4", "3", "2", "1", "0"], "none that was stored later"


def test_the_oldest_are_forgotten_first(made: Engine) -> None:
    add(made, *(record(str(number), 1000 + number) for number in range(5)))
    with made.begin() as connection:
        assert logs.forget(connection, 1003, 2) == 2
        assert logs.forget(connection, 1003, 2) == 1
        assert logs.forget(connection, 1003, 2) == 0
        assert logs.find(connection, "2") is None
    assert ids(made) == ["4", "3"]
