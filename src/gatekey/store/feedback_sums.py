"""What feedback adds up to. Its time is when it was given; whatever else is asked is asked of the requests of its
trace, one of which must match."""

from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Double, Select, cast, exists, func, select

from gatekey.store import logs as log
from gatekey.store.analytics import Question
from gatekey.store.feedback import of_trace, within
from gatekey.store.logs import Filters
from gatekey.store.tables import feedbacks, logs, rated, workspaces

_weighted = cast(feedbacks.c.value * feedbacks.c.weight, Double)


def totals(connection: Connection, question: Question) -> list[Any]:
    """For each bucket that has any: `at`, how `many`, and their value times weight on `average`."""
    many, at = func.count().label("many"), question.at(feedbacks.c.created_at).label("at")
    found = _given(connection, question, select(at, many, func.avg(_weighted).label("average")))
    return list(connection.execute(found.group_by(at).order_by(at)))


def scores(connection: Connection, question: Question) -> list[Any]:
    """For each `value` that was given: how `many`."""
    found = _given(connection, question, select(feedbacks.c.value, func.count().label("many")))
    return list(connection.execute(found.group_by(feedbacks.c.value).order_by(feedbacks.c.value)))


def models(connection: Connection, question: Question) -> list[Any]:
    """For each `provider` and `model` that was asked for a trace: how `many`, and their weighted `average`; those with
    most come first."""
    each = select(feedbacks.c.id, logs.c.provider, logs.c.model, _weighted.label("weighted")).distinct()
    asked = each.join(rated, of_trace()).join(logs, logs.c.number == rated.c.number)
    found = _between(asked, question).where(*_of_requests(connection, question), logs.c.provider != "").subquery()
    many = func.count().label("many")
    told = select(found.c.provider, found.c.model, many, func.avg(found.c.weighted).label("average"))
    ordered = told.group_by(found.c.provider, found.c.model).order_by(many.desc(), found.c.provider, found.c.model)
    return list(connection.execute(ordered))


def of_metadata(
    connection: Connection, question: Question, key: str, values: list[str]
) -> dict[str, tuple[int, float]]:
    """For these values of a key: the requests whose trace has feedback, and that on weighted average. Here it is the
    request's time that counts."""
    filters = replace(question.filters, feedback=(None, None), workspace="")
    told = logs.c.metadata[key].as_string().label("value")
    each = select(told, rated.c.number, _weighted.label("weighted"))
    found = each.join(feedbacks, of_trace()).join(logs, logs.c.number == rated.c.number)
    found = found.where(rated.c.created_at >= question.since, rated.c.created_at < question.until)
    if question.filters.workspace:
        found = found.where(rated.c.workspace_id == question.filters.workspace)
    found = found.where(*log.where(connection, filters))
    if question.filters.feedback != (None, None):
        bounds = within(*question.filters.feedback, question.since, question.until)
        found = found.where(rated.c.number.in_(bounds))
    rows = found.subquery()
    counts = func.count(rows.c.number.distinct()).label("many"), func.avg(rows.c.weighted).label("average")
    wanted = select(rows.c.value, *counts).where(rows.c.value.in_(values)).group_by(rows.c.value)
    return {row.value: (row.many, float(row.average)) for row in connection.execute(wanted)}


def _given(connection: Connection, question: Question, told: Select[Any]) -> Select[Any]:
    """Of the feedback that was given in the range and that some request of its trace makes to match."""
    filters = question.filters
    wanted = _between(told, question)
    if replace(filters, workspace="") != Filters():
        matching = exists().where(rated.c.number == logs.c.number, of_trace(), *_of_requests(connection, question))
        wanted = wanted.where(matching)
    return wanted


def _of_requests(connection: Connection, question: Question) -> list[ColumnElement[bool]]:
    """What is asked of them. Their workspace is their trace's: named again, it would look like a way to find them."""
    return log.where(connection, replace(question.filters, workspace=""))


def _between(told: Select[Any], question: Question) -> Select[Any]:
    workspace: list[str] | Select[Any] = [question.filters.workspace]
    if not question.filters.workspace:
        workspace = select(workspaces.c.id)
    since, until = feedbacks.c.created_at >= question.since, feedbacks.c.created_at < question.until
    return told.where(feedbacks.c.workspace_id.in_(workspace), since, until)
