"""Policies as rows: a limit for requests that have something in common."""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Select, func, select

from gatekey.errors import BadBody, Conflict, NotFound
from gatekey.limits.limit import window
from gatekey.limits.policy import Condition, Policy
from gatekey.store import limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row

Kind = Literal["usage", "rate"]

MOST = 500
"""Policies of one workspace, and those for all of them."""
MAX_RESETS = 1000
"""Groups of a policy whose usage was reset one by one in the present period."""

_NAMED = {
    "workspace_id": (tables.workspaces.c.slug, tables.workspaces.c.id, tables.workspaces.c.id),
    "config": (tables.configs.c.id, tables.configs.c.slug, tables.configs.c.workspace_id),
}
"""Keys of conditions: by what a body may name the thing too, as what requests have it, and whose it is."""


def place(id: str) -> str:
    """Where the accounts of a policy begin; the name of a group follows."""
    return f"policy/{id}/"


def policy(row: Row) -> Policy:
    """A row as requests are held against it."""
    (limit,) = limits.read(row["limits"])
    owner = f"policy {row['name'] or row['id']!r}"  # quoted: a name may be any text, and comes into logs
    return Policy(
        id=row["id"],
        limit=replace(limit, account=place(row["id"]).rstrip("/"), owner=owner),
        conditions=msgspec.json.decode(row["conditions"], type=tuple[Condition, ...]),
        group_by=tuple(rows.value(row["group_by"])),
        resets=rows.value(row["resets"]),
    )


def find(connection: Connection, kind: Kind, id: str, *, archived: bool = False) -> Row:
    """By id. `archived`: a deleted one too. Raises `NotFound`."""
    table = tables.policies
    statement = select(table) if archived else rows.live(table)
    found = connection.execute(statement.where(table.c.id == id, table.c.kind == kind)).mappings().first()
    if found is None:
        raise NotFound(f"There is no policy of {kind} limits with id {id!r}.", param="id")
    return dict(found)


def visible(kind: Kind, workspace: str | None, *, archived: bool, counts: str | None) -> Select[Any]:
    """A statement for the policies of a workspace, or (None) all there are. `archived`: deleted ones."""
    table = tables.policies
    statement = select(table).where(table.c.kind == kind, table.c.deleted.is_(archived))
    if workspace is not None:
        statement = statement.where(table.c.workspace_id == workspace)
    if counts is not None:
        statement = statement.where(table.c.limits.contains(f'"counts":"{counts}"', autoescape=True))
    return statement


def create(write: Write, *, workspace: str | None, kind: Kind, columns: Row, limiting: limits.Revise) -> Row:
    """A new one; `workspace` None: for every workspace. Raises `Conflict` where there are too many, `BadBody`."""
    mine = rows.live(tables.policies, workspace_id=workspace).subquery()
    if write.connection.execute(select(func.count()).select_from(mine)).scalar_one() >= MOST:
        raise Conflict(f"There are {MOST} policies already, and each is held against every request: delete some.")
    return rows.add(
        write,
        tables.policies,
        workspace_id=workspace,
        kind=kind,
        resets="{}",
        limits=limits.revised(limits.NONE, limiting, write.now),
        **{"name": "", **_columns(write.connection, workspace, columns)},
    )


def change(write: Write, kind: Kind, id: str, columns: Row, limiting: limits.Revise) -> Row:
    """Change its columns and its limit. Raises `NotFound`, and what `limiting` does."""
    found = find(write.connection, kind, id)
    columns = _columns(write.connection, found["workspace_id"], columns)
    columns["limits"] = limits.revised(found["limits"], limiting, write.now)
    rows.change(write, tables.policies, id, **columns)
    return found | columns | {"last_updated_at": write.now}


def _columns(connection: Connection, workspace: str | None, columns: Row) -> Row:
    """Columns as the table has them; conditions name workspaces and configs as requests do."""
    found = {name: value if isinstance(value, str) else rows.text(value) for name, value in columns.items()}
    if "conditions" in columns:
        found["conditions"] = rows.text([_settled(connection, workspace, one) for one in columns["conditions"]])
    return found


def _settled(connection: Connection, workspace: str | None, condition: Condition) -> Condition:
    """A condition in the names that facts have. A policy of one workspace learns none of another's.

    Raises `BadBody` where one of all workspaces names one that is not there.
    """
    if condition.key not in _NAMED:
        return condition
    given, meant, owner = _NAMED[condition.key]
    statement = select(given, meant).where(given.in_((*condition.values, *condition.excluded)))
    if workspace is not None:
        statement = statement.where(owner == workspace)
    known = {row[0]: row[1] for row in connection.execute(statement.where(given.table.c.deleted.is_(False)))}
    values, excluded = (tuple(known.get(one, one) for one in many) for many in (condition.values, condition.excluded))
    if condition.key == "workspace_id" and workspace is None:
        _exist(connection, {*values, *excluded} - {*known.values()})
    return Condition(condition.key, values, excluded)


def _exist(connection: Connection, ids: set[str]) -> None:
    """Raises `BadBody` where there is no such workspace: nothing would ever fit the condition. Patterns may wait."""
    for id in sorted(ids):
        if "*" not in id and rows.one(connection, tables.workspaces, id=id) is None:
            raise BadBody(f"conditions: there is no workspace {id[:60]!r}.", param="conditions")


def reset(write: Write, id: str, group: str) -> None:
    """Let one group, by its id, begin again. Raises `NotFound`, or `Conflict` where too many have in this period."""
    row = find(write.connection, "usage", id)
    (limit,) = limits.read(row["limits"])
    kept: dict[str, int] = rows.value(row["resets"])
    since = max(write.now, kept.get(group, 0) + 1)
    start = window(limit, write.now).start
    kept = {name: moment for name, moment in kept.items() if moment > start} | {group: since}
    if len(kept) > MAX_RESETS:
        raise Conflict(f"{MAX_RESETS} groups have been reset in this period: reset the whole policy with reset_usage.")
    rows.change(write, tables.policies, id, resets=rows.text(kept))


def remove(write: Write, kind: Kind, id: str) -> None:
    """Delete one. Raises `NotFound`."""
    find(write.connection, kind, id)
    rows.remove(write, tables.policies, id)
