"""Logs: records as rows. The narrow row is what is looked for, filtered and counted; the whole record is kept apart.

Rows are numbered in the order of their commits, so that who has seen number n asks for what is newer.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Any

import sqlalchemy
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select, update

from gatekey.observe.record import Record, decode
from gatekey.store import rows
from gatekey.store.rows import Row
from gatekey.store.tables import counters, feedbacks, log_records, logs

PART = 14
"""Bits of a row's number that its part has not: 16,384 rows, about 1 MB of each index."""
LONGEST = 255
"""Characters of a text that is looked for."""
NUL = "\\u0000"
"""How a line has what no database takes."""
MAX_METADATA = 64
"""Keys of a record's metadata that are looked for; the record has all of them."""

RANGES = {
    "created_at": logs.c.created_at,
    "total_tokens": logs.c.total_tokens,
    "prompt_tokens": logs.c.prompt_tokens,
    "completion_tokens": logs.c.completion_tokens,
    "cost": logs.c.cost,
}
"""What `Filters.least` and `Filters.most` may bound."""
CHOICES = {
    "status": logs.c.status,
    "virtual_key": logs.c.virtual_key,
    "config": logs.c.config,
    "api_key": logs.c.api_key_id,
    "span_id": logs.c.span_id,
    "prompt": logs.c.prompt,
    "cache_status": logs.c.cache_status,
    "user": logs.c.user_id,
    "provider": logs.c.provider,
    "kind": logs.c.kind,
    "model_name": logs.c.model,
}
"""What `Filters.among` may name; `model` (`provider__model`) and `trace_id` besides."""


class Filters(Struct, omit_defaults=True):
    """Which records are asked for: those for which everything that is named here holds.

    `workspace`: an id; empty: all. `least` and `most` bound, both included: tokens, `cost` in nano-dollars,
    `created_at` in ms since the epoch. `among`: one of these values. `feedback` bounds the average weighted feedback
    of the trace.
    """

    workspace: str = ""
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    among: dict[str, list[str]] = {}
    metadata: dict[str, str] = {}
    feedback: tuple[float | None, float | None] = (None, None)


def add(connection: Connection, batch: Sequence[tuple[Record, str]]) -> None:
    """Insert records and the lines that they came as, under the next numbers.

    Whoever comes second waits until the first has committed, so that numbers are in the order of commits.
    """
    taken = update(counters).where(counters.c.name == "logs").values(value=counters.c.value + len(batch))
    last: int = connection.execute(taken.returning(counters.c.value)).scalar_one()
    first = last - len(batch) + 1
    numbered = list(enumerate(batch, first))
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql(_insert(logs, sqlite), [_row(number, *pair) for number, pair in numbered])
    connection.exec_driver_sql(_insert(log_records, sqlite), [(number, line) for number, (_, line) in numbered])


@cache
def _insert(table: Table, sqlite: bool) -> str:
    """An insert that the driver is given as it is: going through SQLAlchemy would double what a row costs."""
    marks = ", ".join(["?" if sqlite else "%s"] * len(table.columns))
    return f"INSERT INTO {table.name} ({', '.join(table.columns.keys())}) VALUES ({marks})"  # noqa: S608 (names of ours)


def _row(number: int, record: Record, line: str) -> tuple[Any, ...]:
    """The columns of `logs`, in their order."""
    usage = record.usage
    prompt, completion = (usage.prompt, usage.completion) if usage else (0, 0)
    ok = record.ok
    row = (
        number,
        number >> PART,
        record.id[:64],
        record.created_at,
        record.workspace[:64],
        record.api_key[:64],
        record.user[:LONGEST],
        record.trace_id[:LONGEST],
        record.span_id[:LONGEST],
        record.kind[:32],
        record.status,
        ok,
        record.provider[:64],
        record.model[:LONGEST],
        record.virtual_key[:LONGEST],
        record.config[:LONGEST],
        record.prompt[:LONGEST],
        record.cache_status[:32],
        record.retries,
        record.fell_back,
        prompt,
        completion,
        prompt + completion,
        record.cost,
        record.total_us,
        _metadata(record.metadata) if record.metadata else "{}",
    )
    if NUL not in line:
        return row
    return tuple(clean(value) if isinstance(value, str) and value is not row[-1] else value for value in row)


def clean(text: str, most: int = LONGEST) -> str:
    """A caller's text as both databases take it: without NUL, of a bounded length."""
    return text[:most].replace("\0", "") if text else ""


def _metadata(given: dict[str, str]) -> str:
    return rows.text({clean(key): clean(value) for key, value in islice(given.items(), MAX_METADATA)})


def search(
    connection: Connection, filters: Filters, *, number: int, size: int, after: int | None = None
) -> tuple[list[Row], int]:
    """One page (0-based) of the rows, newest first, and how many there are in all.

    `after`: instead, the oldest of the rows that are numbered higher, in their order.
    """
    wanted = where(connection, filters)
    if after is not None:
        newer = select(logs).where(logs.c.number > after, *wanted).order_by(logs.c.number).limit(size)
        found = [dict(row) for row in connection.execute(newer).mappings()]
        return found, len(found)
    total = connection.execute(select(func.count()).select_from(logs).where(*wanted)).scalar_one()
    # The page is found in an index; whole rows are read for what is on it.
    page = _newest_first(select(logs.c.number).where(*wanted)).limit(size).offset(number * size)
    statement = _newest_first(select(logs).where(logs.c.number.in_(page.scalar_subquery())))
    return [dict(row) for row in connection.execute(statement).mappings()], total


def records(
    connection: Connection, filters: Filters, size: int, before: tuple[int, int] | None = None, *, until: int
) -> list[tuple[Row, Record]]:
    """Rows with their records, newest first: at most `size`, those after `before`, which is a row's time and number.

    `until`: the highest number.
    """
    statement = _newest_first(
        select(logs, log_records.c.record).join(log_records, logs.c.number == log_records.c.number)
    )
    statement = statement.where(logs.c.number <= until, *where(connection, filters)).limit(size)
    if before is not None:
        statement = statement.where(sqlalchemy.tuple_(logs.c.created_at, logs.c.number) < sqlalchemy.tuple_(*before))
    found = [dict(row) for row in connection.execute(statement).mappings()]
    return [(row, decode(row.pop("record"))) for row in found]


def last(connection: Connection) -> int:
    """The number of the newest row."""
    value: int = connection.execute(select(counters.c.value).where(counters.c.name == "logs")).scalar_one()
    return value


def find(connection: Connection, id: str) -> tuple[Row, Record] | None:
    """The row with this id, and its record; None where there is none."""
    statement = select(logs, log_records.c.record).join(log_records, logs.c.number == log_records.c.number)
    found = connection.execute(statement.where(_in_parts(connection, logs.c.id, [id])).limit(1)).mappings().first()
    if found is None:
        return None
    row = dict(found)
    return row, decode(row.pop("record"))


def forget(connection: Connection, before: int, size: int) -> int:
    """Delete the oldest rows that were made before a moment, in ms since the epoch: at most `size`. How many."""
    old = select(logs.c.number).where(logs.c.created_at < before).order_by(logs.c.created_at).limit(size)
    numbers = list(connection.execute(old).scalars())
    for table in (logs, log_records):
        connection.execute(sqlalchemy.delete(table).where(table.c.number.in_(numbers)))
    return len(numbers)


def where(connection: Connection, filters: Filters) -> list[ColumnElement[bool]]:
    """What a row of `logs` must fulfil."""
    wanted: list[ColumnElement[bool]] = []
    if filters.workspace:
        wanted.append(logs.c.workspace_id == filters.workspace)
    wanted += [RANGES[name] >= value for name, value in filters.least.items()]
    wanted += [RANGES[name] <= value for name, value in filters.most.items()]
    for name, values in filters.among.items():
        if name == "trace_id":
            wanted.append(_in_parts(connection, logs.c.trace_id, [clean(value) for value in values]))
        elif name == "model":
            wanted.append(or_(*map(_model, values)))
        else:
            wanted.append(CHOICES[name].in_([int(value) for value in values] if name == "status" else values))
    wanted += [logs.c.metadata[key].as_string() == value for key, value in filters.metadata.items()]
    low, high = filters.feedback
    if low is not None or high is not None:
        wanted.append(_feedback(low, high))
    return wanted


def _newest_first(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(logs.c.created_at.desc(), logs.c.number.desc())


def _in_parts(connection: Connection, column: ColumnElement[str], values: list[str]) -> ColumnElement[bool]:
    """The column has one of these values, looked for in the index of each part."""
    return and_(logs.c.part.in_(list(_parts(connection))), column.in_(values))


def _parts(connection: Connection) -> Iterator[int]:
    first = connection.execute(select(func.min(logs.c.number))).scalar()
    return iter(() if first is None else range(first >> PART, (last(connection) >> PART) + 1))


def _model(value: str) -> ColumnElement[bool]:
    provider, _, model = value.partition("__")
    return and_(logs.c.provider == provider, logs.c.model == model)


def _feedback(low: float | None, high: float | None) -> ColumnElement[bool]:
    average = func.avg(feedbacks.c.value * feedbacks.c.weight)
    rated = select(feedbacks.c.trace_id).where(feedbacks.c.workspace_id == logs.c.workspace_id)
    rated = rated.where(feedbacks.c.trace_id == logs.c.trace_id).group_by(feedbacks.c.trace_id)
    if low is not None:
        rated = rated.having(average >= low)
    if high is not None:
        rated = rated.having(average <= high)
    return rated.correlate(logs).exists()
