"""Questions about many requests, answered out of cells where they can be, out of the rows of the log where not.

Whole hours are read from the cells of one dimension. What is left at both ends of the range, buckets shorter than an
hour, and questions about several dimensions, ranges or traces are read from the log, a bucket at a time: its index is
in the order of time, so that little has to be sorted.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Select,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from gatekey.store import feedback
from gatekey.store import logs as log
from gatekey.store.cells import BUCKETS, HITS, HOUR, METADATA, SPREAD
from gatekey.store.logs import Filters
from gatekey.store.tables import cells, latencies, logs, workspaces

OUTCOMES = frozenset({"status", "cache_status"})
"""What cells of the dimensions in `SPREAD` tell apart besides, and latencies of `""`."""
ORIGIN = 345_600_000
"""ms since the epoch at the beginning of a Monday, 1970-01-05: buckets are in line with it."""
PIECES = 100
"""Ranges that are read one by one. SQLite sorts to group, but not within such a range; it joins at most 500."""

_COLUMNS: dict[str, ColumnElement[str]] = {
    "api_key": logs.c.api_key_id,
    "virtual_key": logs.c.virtual_key,
    "config": logs.c.config,
    "provider": logs.c.provider,
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
    "first_at": func.min(logs.c.created_at),
    "hits": _flag(logs.c.cache_status.in_(HITS)),
}
"""The sums of cells, out of the rows of the log."""
_BOUNDS: dict[str, Any] = {"last_at": func.max, "first_at": func.min}
"""What is not added up."""


def _each(name: str) -> ColumnElement[Any]:
    return cast(column(name), Double) / column("requests")


_TOKENS = ("prompt_tokens", "completion_tokens")
ORDERS: dict[str, tuple[tuple[str, ...], ColumnElement[Any]]] = {
    "requests": (("requests",), column("requests")),
    "cost": (("cost",), column("cost")),
    "total_tokens": (_TOKENS, column(_TOKENS[0]) + column(_TOKENS[1])),
    "avg_tokens": (_TOKENS, _each(_TOKENS[0]) + _each(_TOKENS[1])),
    "avg_input_tokens": (_TOKENS[:1], _each(_TOKENS[0])),
    "avg_output_tokens": (_TOKENS[1:], _each(_TOKENS[1])),
    "avg_latency": (("total_us",), _each("total_us")),
    "success_rate": (("errors",), -_each("errors")),
    "error_count": (("errors",), column("errors")),
    "cache_hit_rate": (("hits",), _each("hits")),
    "last_seen": (("last_at",), column("last_at")),
    "first_seen": (("first_at",), column("first_at")),
    "unpriced": (("unpriced",), column("unpriced")),
}
"""What groups can be ordered by: the sums that it needs, and how it is made of them."""


class Question(Struct, frozen=True):
    """Which requests: `since` <= their time < `until`, ms since the epoch, and what `filters` names.

    `step`: ms of a bucket, which are in line with midnight UTC, and weeks with Monday's; 0: all in one.
    """

    since: int
    until: int
    step: int = 0
    filters: Filters = field(default_factory=Filters)

    def buckets(self) -> list[int]:
        """When the buckets begin, the empty ones too. The first may begin before `since`."""
        return list(range(self.bucket(self.since), self.until, self.step or self.until - self.since))

    def bucket(self, moment: int) -> int:
        """The beginning of a moment's bucket."""
        return (moment - ORIGIN) // self.step * self.step + ORIGIN if self.step else self.since

    def at(self, moment: ColumnElement[int]) -> ColumnElement[int]:
        """The same of a column, which has nothing before `ORIGIN`."""
        # Not as parameters, which PostgreSQL would not know again where it groups.
        step, origin, since = (literal_column(str(value), BigInteger) for value in (self.step, ORIGIN, self.since))
        return (moment - origin) // step * step + origin if self.step else since

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


class Page(Struct, frozen=True):
    """Which page (0-based) of groups, in which of the `ORDERS`: the highest first, unless `rising`."""

    number: int = 0
    size: int = 50
    order: str = "requests"
    rising: bool = False


def answer(connection: Connection, question: Question, facts: Facts) -> list[Any]:
    """Rows of `at`, `value` where it is asked for, keys and sums; in the order of time."""
    found = statement(connection, question, facts)
    return list(connection.execute(found.order_by(found.selected_columns.at)))


def page(connection: Connection, question: Question, facts: Facts, wanted: Page) -> tuple[list[Any], int]:
    """One page of the rows, which have the requests and what they are ordered by, too; and how many there are."""
    needed, order = ORDERS[wanted.order]
    facts = replace(facts, sums=tuple(dict.fromkeys((*facts.sums, "requests", *needed))))
    found = statement(connection, question, facts).subquery()
    ordered = select(found, func.count().over().label("rows")).order_by(
        order.asc() if wanted.rising else order.desc(), *(found.c[name] for name in facts.names)
    )
    rows = list(connection.execute(ordered.limit(wanted.size).offset(wanted.number * wanted.size)))
    if rows or not wanted.number:
        return rows, rows[0].rows if rows else 0
    return rows, connection.execute(select(func.count()).select_from(found)).scalar_one()


def distinct(connection: Connection, question: Question, by: str) -> tuple[list[Any], Any]:
    """How many values a dimension had in each bucket (`at`, `values`, `requests`), and in all of them together."""
    facts = Facts(("requests",), by)
    found = union_all(*_parts(connection, question, facts)).subquery()
    different, requests = func.count(found.c.value.distinct()), _whole(func.sum(found.c.requests), "requests")
    # The log gives a row for each value of a bucket. So do cells, where a bucket is an hour of one workspace.
    celled = question.step % HOUR == 0 and _dimension(question.filters, facts) is not None
    apart = not celled or (question.step == HOUR and question.filters.workspace)
    each = select(found.c.at, (func.count() if apart else different).label("values"), requests).group_by(found.c.at)
    rows = list(connection.execute(each.order_by(found.c.at)))
    return rows, connection.execute(select(different.label("values"), requests)).one()


def statement(connection: Connection, question: Question, facts: Facts) -> Select[Any]:
    """The statement for these facts, each combination of what is told apart in one row."""
    whole = union_all(*_parts(connection, question, facts)).subquery()
    told = [whole.c[name] for name in facts.names]
    sums = [_whole(_BOUNDS.get(name, func.sum)(whole.c[name]), name) for name in facts.sums]
    if question.step:
        return select(*told, *sums).group_by(*told)
    # There is one time only: it need not be sorted by.
    found = select(func.min(whole.c.at).label("at"), *told[1:], *sums)
    return found.group_by(*told[1:]) if told[1:] else found.having(func.count() > 0)


def _parts(connection: Connection, question: Question, facts: Facts) -> list[Select[Any]]:
    """Statements whose rows, all together, are to be added up."""
    parts: list[Select[Any]] = []
    pieces = question.pieces()
    served = _dimension(question.filters, facts)
    if served is not None and question.step % HOUR == 0:
        first, last = -(-question.since // HOUR) * HOUR, question.until // HOUR * HOUR
        if first < last:
            parts.append(_of_cells(question, facts, *served, first, last))
        ends = [(question.since, first), (last, question.until)]
        pieces = ends if first <= last else [(question.since, question.until)]
    elif len(pieces) > PIECES:
        parts.append(_of_rows(connection, question, facts))
        pieces = []
    for start, end in pieces:
        if start < end:
            within = replace(question, since=start, until=end)
            parts.append(_of_rows(connection, within, facts, question.bucket(start)))
    return parts


def _dimension(filters: Filters, facts: Facts) -> tuple[str, Sequence[str]] | None:
    """The dimension whose cells answer, and which of its values are wanted (none named: all). None: no cells do."""
    if filters.least or filters.most or filters.feedback != (None, None):
        return None
    named = [(name, values) for name, values in filters.among.items() if name not in OUTCOMES]
    named += [(METADATA + key, [value]) for key, value in filters.metadata.items()]
    by = facts.by if facts.by not in (None, "workspace") else None
    dimension, values = named[0] if named else (by or "", [])
    celled = dimension in (*SPREAD, "user") or dimension.startswith(METADATA)
    # Nobody keeps cells of what has no value.
    if len(named) > 1 or by not in (None, dimension) or not celled or "" in values:
        return None
    apart = {*facts.keys, *(OUTCOMES & filters.among.keys())}
    if apart and dimension not in SPREAD:
        return None
    return None if "bucket" in apart and apart != {"bucket"} and dimension else (dimension, values)


def _of_cells(
    question: Question, facts: Facts, dimension: str, values: Sequence[str], first: int, last: int
) -> Select[Any]:
    table = latencies if "bucket" in facts.keys else cells
    filters = question.filters
    told: list[ColumnElement[Any]] = [question.at(table.c.hour).label("at")]
    if facts.by is not None:
        told.append((table.c.workspace_id if facts.by == "workspace" else table.c.value).label("value"))
    told += [table.c[key] for key in facts.keys]
    found = select(*told, *(table.c[name] for name in facts.sums)).where(
        table.c.dimension == dimension,
        # Of all workspaces one by one, as they come before the time in the key.
        table.c.workspace_id.in_([filters.workspace] if filters.workspace else select(workspaces.c.id)),
        table.c.hour >= first,
        table.c.hour < last,
    )
    if values:
        found = found.where(table.c.value.in_([log.clean(value, 330) for value in values]))
    for name in sorted(OUTCOMES & filters.among.keys()):
        wanted = filters.among[name]
        found = found.where(table.c[name].in_([int(code) for code in wanted] if name == "status" else wanted))
    return found


def _of_rows(connection: Connection, question: Question, facts: Facts, bucket: int | None = None) -> Select[Any]:
    """`bucket`: when the one begins that all of the range is in; None: it has several."""
    filters, since, until = question.filters, question.since, question.until
    told: list[ColumnElement[Any]] = [_key(key).label(key) for key in facts.keys]
    having = [*log.where(connection, replace(filters, feedback=(None, None)))]
    having += [logs.c.created_at >= since, logs.c.created_at < until]
    if filters.feedback != (None, None):
        having.append(logs.c.number.in_(feedback.within(*filters.feedback, since, until)))
    if facts.by is not None:
        told.insert(0, _value(facts.by).label("value"))
        having.append(logs.c.provider != "" if facts.by == "model" else _value(facts.by) != "")
    sums = [func.coalesce(_SUMS[name], 0).label(name) for name in facts.sums]
    at = question.at(logs.c.created_at) if bucket is None else literal(bucket, BigInteger)
    found = select(at.label("at"), *told, *sums).where(*having)
    # By their places: names may be those of columns, and PostgreSQL takes no two parameters for the same.
    places: list[ColumnElement[Any]] = [
        literal_column(str(place)) for place in range(1 if bucket is None else 2, len(told) + 2)
    ]
    return found.group_by(*places) if places else found.having(func.count() > 0)


def _value(by: str) -> ColumnElement[str]:
    if by.startswith(METADATA):
        found: ColumnElement[str] = logs.c.metadata[by.removeprefix(METADATA)].as_string()
        return found
    return logs.c.provider + "__" + logs.c.model if by == "model" else _COLUMNS[by]


def _key(key: str) -> ColumnElement[Any]:
    if key == "retries":
        return case((and_(logs.c.success, logs.c.retries > 0), logs.c.retries), else_=0)
    return _spread() if key == "bucket" else logs.c[key]


@cache
def _spread() -> ColumnElement[int]:
    """`cells.bucket` of a row, in words that both databases know; as text, since it is put together for each piece."""
    steps = (
        f"WHEN logs.total_us < {32 << shift} THEN {shift * 16} + logs.total_us / {1 << shift}" for shift in range(40)
    )
    return literal_column(f"CASE {' '.join(steps)} ELSE {BUCKETS} END", BigInteger)


def _whole(number: ColumnElement[Any], name: str) -> ColumnElement[int]:
    """PostgreSQL adds up integers to decimals."""
    return cast(number, BigInteger).label(name)
