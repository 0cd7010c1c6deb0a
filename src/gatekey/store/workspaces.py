"""Workspaces: every row and every key belongs to one, and nothing of one is visible to another."""

from typing import Any

import sqlalchemy
from sqlalchemy import Connection

from gatekey.errors import Conflict, NotFound
from gatekey.limits.limit import Limit
from gatekey.store import configs, integrations, limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row

DEFAULT = "ws-default"
"""The workspace that the first migration makes, and that cannot be deleted."""


def find(connection: Connection, name: str) -> Row:
    """By id or slug. Raises `NotFound`."""
    found = rows.one(connection, tables.workspaces, id=name) or rows.one(connection, tables.workspaces, slug=name)
    if found is None:
        raise NotFound(f"There is no workspace {name!r}.", param="workspace_id")
    return found


def limited(row: Row) -> tuple[Limit, ...]:
    """What a workspace may use."""
    return limits.of(row["limits"], f"workspace/{row['id']}", "workspace")


def create(
    write: Write, *, name: str, slug: str | None, description: str, defaults: Row, limiting: limits.Revise | None = None
) -> Row:
    """A new workspace. Raises `Conflict` where the slug is taken, `BadBody` where its config is none of its own."""
    slug = slug or rows.new_slug(name)
    rows.unused(write.connection, tables.workspaces, "a workspace", slug=slug)
    id = f"ws-{rows.new_id()[:13]}"
    return rows.add(
        write,
        tables.workspaces,
        id=id,
        name=name,
        slug=slug,
        description=description,
        defaults=rows.text(configs.settled(write.connection, id, defaults, "user_api_key_config")),
        is_default=False,
        limits=limits.revised(limits.NONE, limiting, write.now),
    )


def update(
    write: Write, name: str, defaults: Row | None = None, /, limiting: limits.Revise | None = None, **columns: Any
) -> Row:
    """Change its columns, its limits, and of its defaults those that are given. Raises `NotFound` and `BadBody`."""
    found = find(write.connection, name)
    columns["limits"] = limits.revised(found["limits"], limiting, write.now)
    if defaults:
        changed = configs.settled(write.connection, found["id"], defaults, "user_api_key_config")
        columns["defaults"] = rows.text({**rows.value(found["defaults"]), **changed})
    rows.change(write, tables.workspaces, found["id"], **columns)
    return find(write.connection, found["id"])


def delete(write: Write, name: str, *, force: bool) -> Row:
    """Delete it, and what is in it where `force` says so. Raises `NotFound`, or `Conflict`, which lists that."""
    found = find(write.connection, name)
    if found["is_default"]:
        raise Conflict("The default workspace cannot be deleted.", param="workspace_id")
    content = {
        table: rows.every(write.connection, table, workspace_id=found["id"])
        for table in (tables.api_keys, tables.configs, tables.providers, tables.integrations, tables.policies)
    }
    if not force and any(content.values()):
        listed = ", ".join(
            f"{table.name} {row['name']!r}" for table, found_rows in content.items() for row in found_rows
        )
        raise Conflict(f"The workspace is not empty. It holds: {listed[:2000]}.", param="workspace_id")
    for table, found_rows in content.items():
        for row in found_rows:
            if table is tables.integrations:
                integrations.erase(write, row["id"])
            else:
                rows.remove(write, table, row["id"])
    digests, keys = tables.api_key_secrets, tables.api_keys
    gone = sqlalchemy.select(keys.c.id).where(keys.c.workspace_id == found["id"])
    write.connection.execute(sqlalchemy.delete(digests).where(digests.c.api_key_id.in_(gone)))
    rows.remove(write, tables.workspaces, found["id"])
    return found
