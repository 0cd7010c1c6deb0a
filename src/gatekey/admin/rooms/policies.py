"""`/policies`: budgets and rates for requests that have something in common (portkey-api.md 3.5).

A policy without a workspace is the organisation's, and holds in all of them. A key of a workspace sees the policies of
its workspace alone: what is counted for the organisation's tells of the requests of others.
"""

import time
from collections.abc import Iterator

from msgspec import Struct

from gatekey.admin.limits import spending
from gatekey.admin.policies import ChangedRate, ChangedUsage, NewRate, NewUsage, columns, limiting, told
from gatekey.admin.rooms.virtual_keys import within
from gatekey.admin.rooms.workspaces import PAGE
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, listed
from gatekey.errors import BadHeader, NotFound, Overloaded
from gatekey.limits.policy import MAX_GROUPS, group_id
from gatekey.store import policies, rows, tables
from gatekey.store.policies import Kind
from gatekey.store.rows import Row

PATHS: dict[Kind, str] = {"usage": "/policies/usage-limits", "rate": "/policies/rate-limits"}
COUNTS: dict[Kind, tuple[str, ...]] = {"usage": ("cost", "tokens", "requests"), "rate": ("requests", "tokens")}

TOLD = 1000
"""Counters of one policy that are shown beside it; `entities` has all."""
USAGE_PAGE = 50
"""Policies on a page that are shown with their counters."""


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: NewUsage | NewRate = visit.content
    whole = not (asked.workspace_id or visit.principal.workspace)
    row = await visit.write(
        policies.create,
        workspace=None if whole else await visit.workspace(asked.workspace_id),
        kind=_kind(visit),
        columns=columns(asked, visit.house.catalog),
        limiting=limiting(asked),
    )
    return {"id": row["id"], "object": f"policy_{row['kind']}_limits"}


async def every(visit: Visit) -> Answer:
    """A page of them."""
    archived = _one_of(visit, "status", ("active", "archived")) == "archived"
    counts = _one_of(visit, "type", COUNTS[_kind(visit)]) or None
    usage = _wants_usage(visit)
    number, size = visit.page()
    if usage and size > USAGE_PAGE:
        raise BadHeader(f"page_size: with include_usage at most {USAGE_PAGE}.", param="page_size")
    statement = policies.visible(_kind(visit), await within(visit), archived=archived, counts=counts)
    found, total = await visit.read(rows.page, statement, tables.policies, number, size)
    return listed([await _shown(visit, row, usage=usage) for row in found], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    return await _shown(visit, await _found(visit, archived=True), usage=_wants_usage(visit))


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: ChangedUsage | ChangedRate = visit.content
    row = await _found(visit)
    changed = columns(asked, visit.house.catalog)
    changed_row = await visit.write(policies.change, _kind(visit), row["id"], changed, limiting(asked))
    return await _shown(visit, changed_row, usage=False)


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    await visit.write(policies.remove, _kind(visit), (await _found(visit))["id"])
    return {}


async def entities(visit: Visit) -> Answer:
    """A page of what it counts apart. `value_key`: only those that begin so."""
    row = await _found(visit)
    begins = visit.query.get("value_key", "")
    names = [name for name in await _groups(visit, row, MAX_GROUPS) if name.startswith(begins)]
    number, size = visit.page()
    return listed(await _counted(visit, row, names[number * size :][:size]), len(names))


async def reset(visit: Visit) -> Answer:
    """Let one of them begin again. Raises `NotFound`."""
    row = await _found(visit)
    id = visit.parameters["entity"]
    name = next((name for name in await _groups(visit, row, MAX_GROUPS) if group_id(name) == id), None)
    if name is None:
        raise NotFound(f"The policy has counted nothing with id {id[:60]!r}.", param="entityId")
    await visit.write(policies.reset, row["id"], id)
    (found,) = await _counted(visit, await _found(visit), [name])
    return found


def _kind(visit: Visit) -> Kind:
    return "rate" if visit.route.path.startswith(PATHS["rate"]) else "usage"


async def _found(visit: Visit, *, archived: bool = False) -> Row:
    """The policy that the path names. Raises `NotFound`, `Forbidden`."""
    row: Row = await visit.read(policies.find, _kind(visit), visit.parameters["id"], archived=archived)
    visit.inside(row["workspace_id"])
    return row


async def _shown(visit: Visit, row: Row, *, usage: bool) -> Answer:
    answer = told(row, int(time.time() * 1000))
    if not usage:
        return answer
    try:
        counted = await _counted(visit, row, await _groups(visit, row, TOLD))
    except Overloaded:  # what is set can be read while the ledger is out of reach
        return answer | {"value_key_usage_map": None}
    return answer | {"value_key_usage_map": {one["value_key"]: one["current_usage"] for one in counted}}


async def _groups(visit: Visit, row: Row, most: int) -> list[str]:
    """The names of the groups that a policy has counted. Raises `Overloaded` where the ledger is out of reach."""
    if visit.house.ledger is None:
        return []
    place = policies.place(row["id"])
    return [account.removeprefix(place) for account in await visit.house.ledger.accounts(place, most)]


async def _counted(visit: Visit, row: Row, names: list[str]) -> list[Answer]:
    """Groups, and what is spent in each."""
    shown = policies.policy(row)
    counters = {name: shown.counter(name) for name in names}
    spent = await spending(visit, counters.values())
    return [
        {
            "id": group_id(name),
            "value_key": name,
            "current_usage": spent.budget(limit)["current_usage"],
            "status": spent.status((limit,)),
            "object": "policy_usage_limits_entity",
        }
        for name, limit in counters.items()
    ]


def _wants_usage(visit: Visit) -> bool:
    return _one_of(visit, "include_usage", ("true", "false")) == "true"


def _one_of(visit: Visit, name: str, known: tuple[str, ...]) -> str:
    """A query parameter that has few values, or none. Raises `BadHeader` naming it."""
    given = visit.query.get(name, "")
    if given and given not in known:
        raise BadHeader(f"{name}: expected {' or '.join(known)}, got {given[:60]!r}.", param=name)
    return given


def _choice(name: str, about: str, values: tuple[str, ...]) -> Query:
    return Query(name, about, {"type": "string", "enum": list(values)})


_FILTERS = (
    *PAGE,
    Query("workspace_id", "Only policies of this workspace."),
    _choice("status", "`archived`: those that were deleted.", ("active", "archived")),
)
_USAGE = (_choice("include_usage", "`true`: with what each counter stands at.", ("true", "false")),)


def _routes(
    kind: Kind, what: str, new: type[Struct], changed: type[Struct], told: tuple[Query, ...]
) -> Iterator[Route]:
    all, one_of = PATHS[kind], PATHS[kind] + "/{id}"
    query = (*_FILTERS, _choice("type", "Only policies that count this.", COUNTS[kind]), *told)
    yield from (
        Route(method="POST", path=all, handler=create, scope="policies.create", body=new,
              about=f"Set {what} for requests that have something in common.", resource="policies", action="create"),
        Route(method="GET", path=all, handler=every, scope="policies.list", query=query,
              about=f"List policies that set {what}.", resource="policies", action="list"),
        Route(method="GET", path=one_of, handler=one, scope="policies.read", query=told,
              about=f"A policy that sets {what}, a deleted one too.", resource="policies", action="read"),
        Route(method="PUT", path=one_of, handler=update, scope="policies.update", body=changed,
              about=f"Change a policy that sets {what}.", resource="policies", action="update"),
        Route(method="DELETE", path=one_of, handler=delete, scope="policies.delete",
              about=f"Delete a policy that sets {what}.", resource="policies", action="delete"),
    )  # fmt: skip


_entities = PATHS["usage"] + "/{id}/entities"

routes = (
    *_routes("usage", "a budget", NewUsage, ChangedUsage, _USAGE),
    *_routes("rate", "a rate", NewRate, ChangedRate, ()),
    Route(method="GET", path=_entities, handler=entities, scope="policies.read",
          about="What a policy counts apart, and what is spent of each.", resource="policies", action="list",
          query=(*PAGE, Query("value_key", "Only those that begin so, such as `metadata._user:`."))),
    Route(method="PUT", path=_entities + "/{entity}/reset", handler=reset, scope="policies.update",
          about="Let one of them begin again.", resource="policies", action="reset"),
)  # fmt: skip
