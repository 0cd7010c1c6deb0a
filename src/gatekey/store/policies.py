"""Policies as rows: a limit for requests that have something in common."""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Select, select

from gatekey.errors import Conflict, NotFound
from gatekey.limits.limit import window
from gatekey.limits.policy import Condition, Policy
from gatekey.store import limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row

Kind = Literal["usage", "rate"]

MAX_RESETS = 1000
"""Groups of a policy whose usage was reset one by one in the present period."""


def place(id: str) -> str:
    """Where the accounts of a policy begin; the name of a group follows."""
    return f"policy/{id}/"


def policy(row: Row) -> Policy:
    """A row as requests are held against it."""
    (limit,) = limits.read(row["limits"])
    return Policy(
        id=row["id"],
        limit=replace(limit, account=place(row["id"]).rstrip("/"), owner=f"policy {row['name'] or row['id']}"),
        conditions=msgspec.json.decode(row["conditions"], type=tuple[Condition, ...]),
        group_by=tuple(rows.value(row["group_by"])),
        resets=rows.value(row["resets"]),
    )


def find(connection: Connection, kind: Kind, id: str) -> Row:
    """By id. Raises `NotFound`."""
    found = rows.one(connection, tables.policies, id=id, kind=kind)
    if found is None:
        raise NotFound(f"There is no policy of {kind} limits with id {id!r}.", param="id")
    return found


def visible(kind: Kind, workspace: str | None, *, archived: bool, counts: str | None) -> Select[Any]:
    """A statement for the policies of a workspace and of the organisation, or (None) all. `archived`: deleted ones."""
    table = tables.policies
    statement = select(table).where(table.c.kind == kind, table.c.deleted.is_(archived))
    if workspace is not None:
        statement = statement.where((table.c.workspace_id == workspace) | table.c.workspace_id.is_(None))
    if counts is not None:
        statement = statement.where(table.c.limits.contains(f'"counts":"{counts}"', autoescape=True))
    return statement


def create(
    write: Write,
    *,
    workspace: str | None,
    kind: Kind,
    name: str,
    conditions: Any,
    group_by: Any,
    limiting: limits.Revise,
) -> Row:
    """A new one."""
    return rows.add(
        write,
        tables.policies,
        workspace_id=workspace,
        kind=kind,
        name=name,
        conditions=rows.text(conditions),
        group_by=rows.text(group_by),
        resets="{}",
        limits=limits.revised(limits.NONE, limiting, write.now),
    )


def change(write: Write, kind: Kind, id: str, columns: Row, limiting: limits.Revise) -> Row:
    """Change its columns and its limit. Raises `NotFound`."""
    found = find(write.connection, kind, id)
    columns = columns | {"limits": limits.revised(found["limits"], limiting, write.now)}
    rows.change(write, tables.policies, id, **columns)
    return found | columns


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
