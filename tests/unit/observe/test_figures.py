"""What is counted of requests, and that labels stay few whatever callers send."""

from collections.abc import Callable
from typing import Any

from msgspec import Raw

from gatekey.observe import families
from gatekey.observe.families import Family
from gatekey.observe.figures import MANY, MODELS, OTHER, ROWS, Answered, Figures
from gatekey.observe.record import Record, Tried
from gatekey.wire.usage import Usage

ROW = ("POST", "chat", "200", "p", "false", "disabled")


def record(**more: Any) -> Record:
    tried = Tried(path="config", provider="p", status=200, by="provider", model="m", head_us=300, total_us=1000)
    told: dict[str, Any] = {
        "id": "1",
        "created_at": 1,
        "kind": "chat",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "provider": "p",
        "model": "m",
        "attempts": [tried],
        "priced": True,
        "cost": 70,
        "total_us": 5000,
        "upstream_us": 4000,
        "overhead_us": 250,
        "usage": Usage(input=5, output=7),
    }
    return Record(**{**told, **more})


def counted(*records: Record | Answered, model: bool = False) -> Figures:
    figures = Figures(lambda fold: None, model=model)
    for each in records:
        figures.add(each)
    figures.fold()
    return figures


def value(figures: Figures, family: Family, *row: str) -> int:
    return figures.counts[family.name][row][0]


def histogram(figures: Figures, family: Family, *row: str) -> tuple[int, int]:
    """How many values, and their sum."""
    *buckets, total = figures.counts[family.name][row]
    return sum(buckets), total


def test_a_request() -> None:
    figures = counted(record(), record(total_us=1_000_000))
    assert value(figures, families.REQUESTS, *ROW) == 2
    assert histogram(figures, families.HTTP, *ROW) == (2, 1_005_000)
    assert histogram(figures, families.WHOLE, *ROW) == (2, 1_005_000)
    assert histogram(figures, families.LLM, *ROW) == (2, 8000)
    assert histogram(figures, families.OWN, *ROW) == (2, 500)
    assert histogram(figures, families.OVERHEAD, "chat", "false") == (2, 500)
    assert histogram(figures, families.LAST_BYTE, *ROW) == (2, 1400)
    assert value(figures, families.COST, *ROW) == 140
    assert value(figures, families.TOKENS, *ROW) == 24
    assert value(figures, families.CLASSES, "p", "input") == 10
    assert value(figures, families.CLASSES, "p", "output") == 14
    assert value(figures, families.ATTEMPTS, "p", "200", "provider") == 2
    assert families.UNPRICED.name not in figures.counts
    assert families.FIRST.name not in figures.counts  # of streams only


def test_a_value_is_in_the_bucket_whose_bound_it_is() -> None:
    bounds = families.HTTP.bounds
    for number, bound in enumerate(bounds):
        for amount, bucket in ((bound, number), (bound + 1, number + 1)):
            figures = counted(record(total_us=amount))
            assert figures.counts[families.HTTP.name][ROW].index(1) == bucket


def test_a_stream_and_its_first_content() -> None:
    figures = counted(record(stream=True, first_us=900))
    assert histogram(figures, families.FIRST, "chat", "p") == (1, 900)
    assert value(figures, families.REQUESTS, *ROW[:4], "true", "disabled") == 1


def test_what_has_no_price_is_counted_and_costs_nothing() -> None:
    figures = counted(record(priced=False, cost=None))
    assert value(figures, families.UNPRICED) == 1
    assert families.COST.name not in figures.counts


def test_attempts_and_what_refused_them() -> None:
    refused = Tried(path="a", provider="p", status=412, by="gateway", refused="budget_exhausted")
    failed = Tried(path="b", provider="q", status=500, by="provider", error="x")
    figures = counted(record(attempts=[refused, failed], upstream_us=0))
    assert value(figures, families.ATTEMPTS, "p", "412", "gateway") == 1
    assert value(figures, families.ATTEMPTS, "q", "500", "provider") == 1
    assert value(figures, families.REFUSALS, "budget_exhausted") == 1
    assert families.LLM.name not in figures.counts
    figures.refused("overloaded")
    figures.refused("bad_json")
    assert figures.counts[families.REFUSALS.name] == {("budget_exhausted",): [1], ("overloaded",): [1]}


def test_a_request_without_a_record() -> None:
    figures = counted(Answered("GET", "", 404, 30), Answered("POST", "control", 401, 40))
    assert value(figures, families.REQUESTS, "GET", OTHER, "404", "", "false", "disabled") == 1
    assert histogram(figures, families.HTTP, "POST", "control", "401", "", "false", "disabled") == (1, 40)


def test_what_callers_invent_is_other() -> None:
    figures = counted(record(method="BREW", status=799, cache_status="HIT"))
    assert value(figures, families.REQUESTS, OTHER, "chat", OTHER, "p", "false", "hit") == 1


def test_models_are_told_apart_where_that_is_asked_for_up_to_a_bound() -> None:
    figures = counted(*(record(model=f"m{number}") for number in range(MODELS + 50)), model=True)
    found = figures.counts[families.REQUESTS.name]
    assert len(found) == MODELS + 1
    assert found[(*ROW, OTHER)] == [50]
    assert found[(*ROW, "m0")] == [1]
    assert figures.counts[families.REQUESTS.name].keys() == figures.counts[families.HTTP.name].keys()
    assert value(counted(record(model="secret")), families.REQUESTS, *ROW) == 1


def test_sets_of_labels_are_bounded() -> None:
    figures = counted(*(record(provider=f"p{number}") for number in range(ROWS + 9)))
    found = figures.counts[families.REQUESTS.name]
    assert len(found) == ROWS + 1
    assert found[(OTHER,) * len(ROW)] == [9]


def test_records_are_counted_in_time_and_without_their_bodies() -> None:
    asked: list[Callable[[], None]] = []
    figures = Figures(asked.append)
    kept = record(request=Raw(b'"body"'), response=Raw(b'"body"'))
    figures.add(kept)
    assert bytes(kept.request) == bytes(kept.response) == b'""'
    for _ in range(MANY - 1):
        assert not asked
        figures.add(record())
    assert len(asked) == 1
    assert not figures.counts
    asked[0]()
    assert value(figures, families.REQUESTS, *ROW) == MANY
