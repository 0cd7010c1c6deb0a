"""Feedback: what somebody thinks of a trace's answers. Several may be given for a trace, before or after its requests
are stored; which rows of the log have any is kept in `rated`, so that nobody looks for them among all."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, update

from gatekey.errors import NotFound
from gatekey.observe.record import Record
from gatekey.store import logs as log
from gatekey.store import rows
from gatekey.store.database import Write
from gatekey.store.logs import Filters
from gatekey.store.rows import Row
from gatekey.store.tables import counters, feedbacks, logs, rated

AT_ONCE = 500
"""Traces that a statement names."""


class Opinion(Struct, frozen=True):
    """One feedback to store. `value` from -10 to 10, `weight` from 0 to 1."""

    trace_id: str
    value: int
    weight: float = 1.0
    metadata: dict[str, Any] = {}


def add(write: Write, opinions: Sequence[Opinion], *, workspace: str, api_key: str) -> list[str]:
    """Store them; their ids, in the same order."""
    found = [_row(write, opinion, workspace, api_key) for opinion in opinions]
    write.connection.execute(insert(feedbacks), found)
    # Whoever stores records meanwhile is waited for here, and whoever does later sees these rows: neither is missed.
    write.connection.execute(update(counters).where(counters.c.name == "logs").values(value=counters.c.value))
    for traces in _pieces({row["trace_id"] for row in found}):
        _rate(write.connection, workspace, traces)
    return [row["id"] for row in found]


def find(connection: Connection, id: str) -> Row:
    """By id. Raises `NotFound`."""
    found = connection.execute(select(feedbacks).where(feedbacks.c.id == id)).mappings().first()
    if found is None:
        raise NotFound(f"There is no feedback with id {id!r}.", param="id")
    return dict(found)


def change(write: Write, id: str, **columns: Any) -> None:
    """Change some of `value`, `weight` and `metadata`."""
    if "metadata" in columns:
        columns["metadata"] = rows.text(columns["metadata"])
    wanted = update(feedbacks).where(feedbacks.c.id == id)
    write.connection.execute(wanted.values(last_updated_at=write.now, **columns))


def meet(connection: Connection, records: Sequence[Record]) -> None:
    """Records whose rows have just been added, in this transaction: those whose trace has feedback are noted."""
    traces: dict[str, set[str]] = {}
    for record in records:
        traces.setdefault(log.clean(record.workspace, 64), set()).add(log.clean(record.trace_id))
    before = log.last(connection) - len(records)
    for workspace, named in traces.items():
        for asked in _pieces(named):
            known = select(feedbacks.c.trace_id).where(
                feedbacks.c.workspace_id == workspace, feedbacks.c.trace_id.in_(asked)
            )
            found = set(connection.execute(known).scalars())
            if found:
                _rate(connection, workspace, sorted(found), logs.c.number > before)


def within(low: float | None, high: float | None, since: int, until: int) -> Select[Any]:
    """The numbers of rows of the log, from `since` on and before `until`, the average weighted feedback of whose trace
    is within these bounds."""
    average = func.avg(feedbacks.c.value * feedbacks.c.weight)
    found = select(rated.c.number).join(feedbacks, of_trace())
    found = found.where(rated.c.created_at >= since, rated.c.created_at < until).group_by(rated.c.number)
    bounds = [] if low is None else [average >= low]
    return found.having(*bounds, *([] if high is None else [average <= high]))


def of_trace() -> ColumnElement[bool]:
    """Joins what is rated with its feedback."""
    return and_(feedbacks.c.workspace_id == rated.c.workspace_id, feedbacks.c.trace_id == rated.c.trace_id)


def forget(connection: Connection, before: int, logs_before: int) -> None:
    """Delete what was given before a moment, and what is noted of requests that were made before another one; both in
    ms since the epoch."""
    connection.execute(sqlalchemy.delete(feedbacks).where(feedbacks.c.created_at < before))
    connection.execute(sqlalchemy.delete(rated).where(rated.c.created_at < logs_before))


def _row(write: Write, opinion: Opinion, workspace: str, api_key: str) -> Row:
    return {
        "id": rows.new_id(),
        "workspace_id": workspace,
        "trace_id": log.clean(opinion.trace_id),
        "value": opinion.value,
        "weight": opinion.weight,
        "metadata": rows.text(opinion.metadata),
        "api_key_id": api_key,
        "created_at": write.now,
        "last_updated_at": write.now,
    }


def _rate(connection: Connection, workspace: str, traces: list[str], *wanted: ColumnElement[bool]) -> None:
    """Note those rows of these traces that are not noted yet."""
    columns = (logs.c.number, logs.c.workspace_id, logs.c.trace_id, logs.c.created_at)
    among = log.where(connection, Filters(workspace=workspace, among={"trace_id": traces}))
    noted = sqlalchemy.exists().where(rated.c.number == logs.c.number)
    found = select(*columns).where(*among, logs.c.workspace_id == workspace, ~noted, *wanted)
    connection.execute(insert(rated).from_select(list(rated.c), found))


def _pieces(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
