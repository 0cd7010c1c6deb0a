"""Groups of analytics, portkey-api.md 7.6: a row for each value of something, a page of them.

Costs are cents, latencies ms, rates percent.
"""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, select

from gatekey.admin.graphs import percentile
from gatekey.admin.questions import CENT
from gatekey.admin.route import Answer
from gatekey.admin.visit import listed, moment
from gatekey.store import analytics, feedback_sums
from gatekey.store.analytics import ORDERS, Facts, Page, Question
from gatekey.store.cells import METADATA
from gatekey.store.tables import workspaces

COLUMNS: dict[str, Callable[[Any], Any]] = {
    "requests": lambda row: row.requests,
    "cost": lambda row: row.cost / CENT,
    "total_tokens": lambda row: row.prompt_tokens + row.completion_tokens,
    "avg_tokens": lambda row: (row.prompt_tokens + row.completion_tokens) / row.requests,
    "avg_input_tokens": lambda row: row.prompt_tokens / row.requests,
    "avg_output_tokens": lambda row: row.completion_tokens / row.requests,
    "avg_latency": lambda row: row.total_us / row.requests / 1000,
    "success_rate": lambda row: 100 - 100 * row.errors / row.requests,
    "error_count": lambda row: row.errors,
    "cache_hit_rate": lambda row: 100 * row.hits / row.requests,
    "last_seen": lambda row: moment(row.last_at),
    "first_seen": lambda row: moment(row.first_at),
    "unpriced": lambda row: row.unpriced,
}
"""What a group may tell of its requests; `unpriced` counts those that are not in `cost`, as their price is unknown."""
SHARES = {"p95_latency": 95, "p99_latency": 99}
"""What costs a look at how latencies spread, too."""
USUAL = ("requests", "cost")
"""What groups tell where no columns are named."""
KINDS: dict[str, str] = {
    "ai_service": "provider",
    "model": "model",
    "api_key": "api_key",
    "config": "config",
    "workspace": "workspace",
    "provider": "virtual_key",
    "prompt": "prompt",
    "user": "user",
    "status_code": "",
}
"""What requests can be grouped by, and its dimension: a `provider` is a stored one here, or a virtual key."""


def of(connection: Connection, question: Question, page: Page, kind: str, columns: Sequence[str]) -> Answer:
    """The groups of a kind."""
    by = KINDS[kind]
    rows, total = _rows(connection, question, page, by, columns)
    spread = _spread(connection, question, by, rows) if SHARES.keys() & set(columns) else {}
    slugs = _slugs(connection) if kind == "workspace" else {}

    def told(row: Any) -> Answer:
        value = row.value if by else row.status
        shares = {name: percentile(spread.get(value, ()), SHARES[name]) for name in columns if name in SHARES}
        found = {name: COLUMNS[name](row) for name in columns if name in COLUMNS}
        return {**_named(kind, value, slugs), **found, **shares, "object": "analytics-group"}

    return listed([told(row) for row in rows], total)


def ai_models(connection: Connection, question: Question, page: Page) -> Answer:
    """A row for each model, with the provider that was asked for it."""
    rows, total = _rows(connection, question, page, "model", USUAL)
    return listed([{**_model(row.value, "ai_model"), **_usual(row)} for row in rows], total)


def users(connection: Connection, question: Question, page: Page) -> Answer:
    """A row for each user."""
    rows, total = _rows(connection, question, page, "user", USUAL)
    return listed([{"user": row.value, **_usual(row)} for row in rows], total)


def metadata(connection: Connection, question: Question, page: Page, key: str) -> Answer:
    """A row for each value of a key of metadata."""
    columns = ("requests", "cost", "avg_tokens", "last_seen")
    rows, total = _rows(connection, question, page, METADATA + key, columns)
    rated = feedback_sums.of_metadata(connection, question, key, [row.value for row in rows])

    def told(row: Any) -> Answer:
        with_feedback, average = rated.get(row.value, (0, None))
        return {
            "metadata_value": row.value,
            **{name: COLUMNS[name](row) for name in columns},
            "avg_weighted_feedback": average,
            "requests_with_feedback": with_feedback,
            "object": "analytics-group",
        }

    return listed([told(row) for row in rows], total)


def _rows(
    connection: Connection, question: Question, page: Page, by: str, columns: Sequence[str]
) -> tuple[list[Any], int]:
    sums = tuple(name for column in columns for name in ORDERS.get(column, ((), None))[0])
    facts = Facts(tuple(dict.fromkeys(("requests", *sums))), by or None, () if by else ("status",))
    return analytics.page(connection, question, facts, page)


def _spread(connection: Connection, question: Question, by: str, rows: Sequence[Any]) -> dict[Any, list[Any]]:
    """How latencies spread, by value: of those on the page, where they can be asked for."""
    filters = question.filters
    if by not in ("", "workspace") and by not in filters.among and rows:
        filters = replace(filters, among={**filters.among, by: [row.value for row in rows]})
    facts = Facts(("requests",), by or None, (*(() if by else ("status",)), "bucket"))
    found: dict[Any, list[Any]] = {}
    for row in analytics.answer(connection, replace(question, filters=filters), facts):
        found.setdefault(row.value if by else row.status, []).append(row)
    return found


def _usual(row: Any) -> Answer:
    return {**{name: COLUMNS[name](row) for name in USUAL}, "object": "analytics-group"}


def _named(kind: str, value: Any, slugs: dict[str, str]) -> Answer:
    """The value of a group, as the API names it."""
    if kind == "model":
        return _model(value, "model")
    if kind == "workspace":
        return {"workspace": slugs.get(value, value), "workspace_id": value}
    return {kind: value}


def _model(value: str, name: str) -> Answer:
    provider, _, model = value.partition("__")
    return {name: model, "ai_org": provider}


def _slugs(connection: Connection) -> dict[str, str]:
    return {row.id: row.slug for row in connection.execute(select(workspaces.c.id, workspaces.c.slug))}
