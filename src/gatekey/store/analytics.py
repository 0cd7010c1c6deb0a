"""Questions about many requests, answered out of cells where they can be, out of the rows of the log where not.

Whole hours are read from the cells of one dimension. What is left at both ends of the range, buckets shorter than an
hour, and questions about several dimensions, ranges or traces are read from the log, a bucket at a time: its index is
in the order of time, so that nothing has to be sorted.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from gatekey.store import logs as log
from gatekey.store.cells import HOUR, METADATA, SPREAD
from gatekey.store.logs import Filters
from gatekey.store.tables import cells, latencies, logs, workspaces

OUTCOMES = frozenset({"status", "cache_status"})
"""What every cell tells apart besides its dimension."""

_COLUMNS: dict[str, ColumnElement[str]] = {
    "api_key": logs.c.api_key_id,
    "virtual_key": logs.c.virtual_key,
    "config": logs.c.config,
    "prompt": logs.c.prompt,
    "user": logs.c.user_id,
    "workspace": logs.c.workspace_id,
}


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


_SUMS: dict[str, ColumnElement[int]] = {
    "requests": func.count(),
    "errors": _flag(~logs.c.success),
    "fallbacks": _flag(logs.c.fell_back),
    "unpriced": _flag(and_(logs.c.cost.is_(None), logs.c.total_tokens > 0)),
    "cost": func.sum(func.coalesce(logs.c.cost, 0)),
    "prompt_tokens": func.sum(logs.c.prompt_tokens),
    "completion_tokens": func.sum(logs.c.completion_tokens),
    "total_us": func.sum(logs.c.total_us),
    "last_at": func.max(logs.c.created_at),
}
"""The sums of cells, out of the rows of the log."""


class Question(Struct, frozen=True):
    """Which requests: `since` <= their time < `until`, ms since the epoch, and what `filters` names.

    `step`: ms of a bucket, which are in line with midnight UTC; 0: all in one.
    """

    since: int
    until: int
    step: int = 0
    filters: Filters = Filters()

    def buckets(self) -> list[int]:
        """When the buckets begin, the empty ones too. The first may begin before `since`."""
        return list(range(self.bucket(self.since), self.until, self.step or self.until - self.since))

    def bucket(self, moment: int) -> int:
        """The beginning of a moment's bucket."""
        return moment // self.step * self.step if self.step else self.since

    def pieces(self) -> list[tuple[int, int]]:
        """The range, cut where buckets begin."""
        cuts = [self.since, *self.buckets()[1:], self.until]
        return list(pairwise(cuts))


class Facts(Struct, frozen=True):
    """What is wanted of the requests: sums, apart by a dimension (`by`) and by what an outcome has (`keys`: `status`,
    `cache_status`, `retries`, or the `bucket` of their latency)."""

    sums: tuple[str, ...]
    by: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The columns that tell apart: the bucket of time comes first."""
        return ["at", *(["value"] if self.by is not None else []), *self.keys]


def answer(connection: Connection, question: Question, facts: Facts) -> list[Any]:
    """Rows of `at`, `value` where it is asked for, keys and sums; in the order of time."""
    found = statement(connection, question, facts)
    return list(connection.execute(found.order_by(found.selected_columns.at)))


def page(connection: Connection, question: Question, facts: Facts, number: int, size: int) -> tuple[list[Any], int]:
    """One page (0-based) of the rows, most requests first, and how many there are in all."""
    found = statement(connection, question, facts).subquery()
    total = connection.execute(select(func.count()).select_from(found)).scalar_one()
    ordered = select(found).order_by(found.c.requests.desc(), *(found.c[name] for name in facts.names))
    return list(connection.execute(ordered.limit(size).offset(number * size))), total


def distinct(connection: Connection, question: Question, by: str) -> tuple[list[Any], Any]:
    """How many values a dimension had in each bucket (`at`, `values`, `requests`), and in all of them together."""
    found = statement(connection, question, Facts(("requests",), by)).subquery()
    counts = func.count(found.c.value.distinct()).label("values"), _whole(func.sum(found.c.requests), "requests")
    each = connection.execute(select(found.c.at, *counts).group_by(found.c.at).order_by(found.c.at))
    return list(each), connection.execute(select(*counts)).one()


def statement(connection: Connection, question: Question, facts: Facts) -> Select[Any]:
    """The statement for these facts, each combination of what is told apart in one row."""
    parts, pieces = [], question.pieces()
    served = _dimension(question.filters, facts)
    if served is not None and question.step % HOUR == 0:
        first, last = -(-question.since // HOUR) * HOUR, question.until // HOUR * HOUR
        if first < last:
            parts.append(_of_cells(question, facts, *served, first, last))
        if first <= last:
            pieces = [(question.since, first), (last, question.until)]
        else:
            pieces = [(question.since, question.until)]
    where = log.where(connection, question.filters)
    parts += [_of_rows(facts, where, question.bucket(start), start, end) for start, end in pieces if start < end]
    whole = union_all(*parts).subquery()
    told = [whole.c[name] for name in facts.names]
    return select(*told, *(_added(whole.c[name]) for name in facts.sums)).group_by(*told)


def _dimension(filters: Filters, facts: Facts) -> tuple[str, Sequence[str]] | None:
    """The dimension whose cells answer, and which of its values are wanted (none named: all). None: no cells do."""
    if filters.least or filters.most or filters.feedback != (None, None):
        return None
    named = [(name, values) for name, values in filters.among.items() if name not in OUTCOMES]
    named += [(METADATA + key, [value]) for key, value in filters.metadata.items()]
    by = facts.by if facts.by not in (None, "workspace") else None
    dimension, values = named[0] if named else (by or "", [])
    celled = dimension in (*SPREAD, "user") or dimension.startswith(METADATA)
    if len(named) > 1 or by not in (None, dimension) or not celled:
        return None
    return None if "bucket" in facts.keys and dimension not in SPREAD else (dimension, values)


def _of_cells(
    question: Question, facts: Facts, dimension: str, values: Sequence[str], first: int, last: int
) -> Select[Any]:
    table = latencies if "bucket" in facts.keys else cells
    filters, step = question.filters, question.step
    at = table.c.hour // step * step if step else literal(question.since, BigInteger)
    told: list[ColumnElement[Any]] = [at.label("at")]
    if facts.by is not None:
        told.append((table.c.workspace_id if facts.by == "workspace" else table.c.value).label("value"))
    told += [table.c[key] for key in facts.keys]
    within = filters.workspace or select(workspaces.c.id)
    found = select(*told, *(_summed(table.c[name]) for name in facts.sums)).where(
        table.c.dimension == dimension,
        table.c.workspace_id.in_([within] if isinstance(within, str) else within),
        table.c.hour >= first,
        table.c.hour < last,
    )
    if values:
        found = found.where(table.c.value.in_(values))
    for name in OUTCOMES & filters.among.keys():
        wanted = filters.among[name]
        found = found.where(table.c[name].in_([int(code) for code in wanted] if name == "status" else wanted))
    return found.group_by(*told)


def _of_rows(facts: Facts, where: Sequence[ColumnElement[bool]], at: int, start: int, end: int) -> Select[Any]:
    told: list[ColumnElement[Any]] = [_key(key).label(key) for key in facts.keys]
    having = [*where, logs.c.created_at >= start, logs.c.created_at < end]
    if facts.by is not None:
        told.insert(0, _value(facts.by).label("value"))
        having.append(logs.c.provider != "" if facts.by == "model" else _value(facts.by) != "")
    sums = [func.coalesce(_SUMS[name], 0).label(name) for name in facts.sums]
    found = select(literal(at, BigInteger).label("at"), *told, *sums).where(*having)
    return found.group_by(*told) if told else found.having(func.count() > 0)


def _value(by: str) -> ColumnElement[str]:
    if by.startswith(METADATA):
        found: ColumnElement[str] = logs.c.metadata[by.removeprefix(METADATA)].as_string()
        return found
    return logs.c.provider + "__" + logs.c.model if by == "model" else _COLUMNS[by]


def _key(key: str) -> ColumnElement[Any]:
    if key == "retries":
        return case((and_(logs.c.success, logs.c.retries > 0), logs.c.retries), else_=0)
    return _spread() if key == "bucket" else logs.c[key]


def _spread() -> ColumnElement[int]:
    """`cells.bucket` of a row, in words that both databases know."""
    us = logs.c.total_us
    rising = [(us < 32 << shift, shift * 16 + us // (1 << shift)) for shift in range(40)]
    return case(*rising, else_=41 * 16)


def _summed(column: ColumnElement[int]) -> ColumnElement[int]:
    return (func.max if column.name == "last_at" else func.sum)(column).label(column.name)


def _added(column: ColumnElement[int]) -> ColumnElement[int]:
    return _whole(_summed(column).element, column.name)


def _whole(number: ColumnElement[Any], name: str) -> ColumnElement[int]:
    """PostgreSQL adds up integers to decimals."""
    return cast(number, BigInteger).label(name)
