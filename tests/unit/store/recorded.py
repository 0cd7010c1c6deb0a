"""Records as a test makes them, stored as the writer does; and answers about them, worked out record by record."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from gatekey.observe.record import Record, encode
from gatekey.store import cells, feedback, logs
from gatekey.store.analytics import Facts, Question
from gatekey.store.cells import HITS
from gatekey.wire.usage import Usage

START = 1_800_000_000_000 // cells.HOUR * cells.HOUR
"""ms since the epoch: a full hour."""
PLAIN = Record(
    id="r",
    created_at=START,
    kind="chat",
    method="POST",
    path="/v1/chat/completions",
    workspace="ws-default",
    status=200,
    provider="openai",
    model="gpt-4o",
    usage=Usage(input=10, output=5),
    cost=1000,
    total_us=1000,
)


def record(**fields: Any) -> Record:
    """One record; what is not given is as in `PLAIN`."""
    return replace(PLAIN, **fields)


def store(connection: Connection, records: Sequence[Record]) -> None:
    """What the writer does with a batch, in one transaction."""
    logs.add(connection, [(record, encode(record).decode()) for record in records])
    cells.fold(connection, records)
    feedback.meet(connection, records)


def told(question: Question, facts: Facts, records: Iterable[Record]) -> list[tuple[Any, ...]]:
    """The rows of `analytics.answer`, without any SQL."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        if question.since <= record.created_at < question.until and _matches(question, record):
            values = [_value(facts.by, record)] if facts.by is not None else []
            if "" not in values:
                key = (question.bucket(record.created_at), *values, *(_key(name, record) for name in facts.keys))
                groups.setdefault(key, []).append(record)
    return sorted((*key, *(_sum(name, found) for name in facts.sums)) for key, found in groups.items())


def _matches(question: Question, record: Record) -> bool:
    filters = question.filters
    numbers: dict[str, float] = {**_numbers(record), "cost": math.nan if record.cost is None else record.cost}
    return (
        filters.workspace in ("", record.workspace)
        and all(numbers[name] >= bound for name, bound in filters.least.items())
        and all(numbers[name] <= bound for name, bound in filters.most.items())
        and all(_choice(name, record) in values for name, values in filters.among.items())
        and all(record.metadata.get(key) == value for key, value in filters.metadata.items())
    )


def _numbers(record: Record) -> dict[str, int]:
    usage = record.usage or Usage()
    return {
        "requests": 1,
        "errors": int(not record.ok),
        "fallbacks": int(record.fell_back),
        "unpriced": int(record.cost is None and usage.total > 0),
        "hits": int(record.cache_status in HITS),
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total,
        "total_us": record.total_us,
        "cost": record.cost or 0,
    }


def _choice(name: str, record: Record) -> str:
    return str(record.status) if name == "status" else _value(name, record)


def _value(by: str, record: Record) -> str:
    if by.startswith(cells.METADATA):
        return record.metadata.get(by.removeprefix(cells.METADATA), "")
    return cells.model(record) if by == "model" else str(getattr(record, by))


def _key(name: str, record: Record) -> Any:
    if name == "retries":
        return record.retries if record.ok and record.retries > 0 else 0
    return cells.bucket(record.total_us) if name == "bucket" else getattr(record, name)


def _sum(name: str, records: list[Record]) -> int:
    if name in ("last_at", "first_at"):
        return (max if name == "last_at" else min)(record.created_at for record in records)
    return sum(_numbers(record)[name] for record in records)


def percentile(records: Iterable[Record], share: float) -> float:
    """ms: of the latencies in order, the one that at least this share of them does not exceed, as buckets tell it."""
    times = sorted(record.total_us for record in records)
    return cells.middle(cells.bucket(times[math.ceil(share * len(times)) - 1])) / 1000
