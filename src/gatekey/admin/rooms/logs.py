"""`/logs`: what became of requests, portkey-api.md 4.5 and 7.1. The list is an addition: documented are inserting, and
one log by its id.

Inserting is no change to the gateway: what is accepted is kept as a log, and not in the audit trail besides.
"""

from typing import Any

from gatekey.admin import inserted, logged, questions
from gatekey.admin.inserted import Log, Means
from gatekey.admin.rooms.workspaces import PAGE
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, listed
from gatekey.errors import BadBody, BadHeader, Forbidden, NotFound, Overloaded
from gatekey.observe.record import Record, encode
from gatekey.store import logs
from gatekey.store.directory import Principal
from gatekey.store.logs import Filters
from gatekey.store.rows import Row

SECOND = "completions.write"
"""What inserting needs besides the route's own scope."""
AFTER = 2**62
"""The highest number of a log that can be asked for."""


async def every(visit: Visit) -> Answer:
    """A page of them, newest first; or those that came after one."""
    filters = await asked(visit)
    number, size = visit.page()
    found, total = await visit.read(_search, filters, number, size, _after(visit))
    return listed([logged.told(row) for row in found], total)


async def one(visit: Visit) -> Answer:
    """One of them, whole."""
    id = visit.parameters["id"]
    found: tuple[Row, Record] | None = await visit.read(logs.find, id)
    # That there is one in another workspace is nobody else's business.
    if found is None or visit.principal.workspace not in ("", found[0]["workspace_id"]):
        raise NotFound(f"There is no log {id[:100]!r}. Logs are there a moment after the answer.", param="id")
    return logged.whole(*found)


async def insert(visit: Visit) -> Answer:
    """Keep some that the caller brings."""
    principal, house = visit.principal, visit.house
    if not principal.may(SECOND):
        raise Forbidden(f"Your API key lacks the scope {SECOND}.")
    given: list[Log] = visit.content
    bodies = principal.log_bodies and house.directory.logs_bodies(principal.home)
    means = Means(house.catalog, house.prices, bodies)
    made = [_made(log, number, principal, means) for number, log in enumerate(given)]
    for record in made:
        if house.keep is None or not house.keep(encode(record)):
            raise Overloaded("Logs cannot be kept now: try again in a moment.")
    return {"status": "success", "ids": [record.id for record in made], "object": "list"}


def _made(log: Log, number: int, principal: Principal, means: Means) -> Record:
    try:
        return inserted.record(log, principal, means)
    except BadBody as failure:
        raise BadBody(f"Item {number}: {failure.message}", param=f"[{number}].{failure.param}") from None


async def asked(visit: Visit) -> Filters:
    """What the query asks for; without times, of all times. Raises `BadHeader` naming the parameter."""
    question = await questions.question(visit)
    filters = question.filters
    if visit.query.get("time_of_generation_min"):
        filters.least["created_at"] = question.since
    if visit.query.get("time_of_generation_max"):
        filters.most["created_at"] = question.until - 1
    return filters


def _search(connection: Any, filters: Filters, number: int, size: int, after: int | None) -> tuple[list[Row], int]:
    return logs.search(connection, filters, number=number, size=size, after=after)


def _after(visit: Visit) -> int | None:
    given = visit.query.get("after", "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= AFTER):
        raise BadHeader(f"after: expected the number of a log, got {given[:60]!r}.", param="after")
    return int(given)


routes = (
    Route(method="GET", path="/logs", handler=every, scope="logs.list", about="List logs, newest first.",
          resource="logs", action="list",
          query=(*PAGE, *questions.PARAMETERS,
                 Query("after", "Instead: the oldest logs with a higher `number` than this.",
                       {"type": "integer", "minimum": 0}))),
    Route(method="GET", path="/logs/{id}", handler=one, scope="logs.view", about="A log, whole.",
          resource="logs", action="read"),
    Route(method="POST", path="/logs", handler=insert, scope="logs.write", body=Log, several=True, trailed=False,
          about="Keep a log of a request that went elsewhere, or several; needs the scope `completions.write` too.",
          resource="logs", action="create"),
)  # fmt: skip
