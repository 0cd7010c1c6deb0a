"""Saved configs: named, versioned, and checked against what they name.

A config's text is compact JSON that `config.load` has accepted; it holds no credential. A version never changes.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select

from gatekey.config.references import references as references
from gatekey.errors import BadBody, BadConfig, Conflict, NotFound
from gatekey.store import rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row


def find(connection: Connection, name: str) -> Row:
    """By slug, which no two configs share, or by id. Raises `NotFound`."""
    found = rows.one(connection, tables.configs, slug=name) or rows.one(connection, tables.configs, id=name)
    if found is None:
        raise NotFound(f"There is no config {name!r}.", param="slug")
    return found


def settled(connection: Connection, workspace: str, defaults: Row, field: str) -> Row:
    """Defaults of a key or a workspace, whose `field` names a config by its slug. Raises `BadBody` where none is."""
    name = defaults.get(field)
    if not name:
        return defaults
    place, table = {"workspace_id": workspace}, tables.configs
    found = rows.one(connection, table, **place, slug=name) or rows.one(connection, table, **place, id=name)
    if found is None:
        raise BadBody(f"defaults.{field}: there is no config {name!r} in the workspace.", param=f"defaults.{field}")
    return {**defaults, field: found["slug"]}


def visible(workspace: str | None) -> Select[Any]:
    """A statement for a workspace's configs, or all."""
    return rows.live(tables.configs, **({} if workspace is None else {"workspace_id": workspace}))


def create(
    write: Write, *, workspace: str, name: str, text: str, places: Mapping[str, str], is_default: bool, by: str
) -> Row:
    """A new config with its first version. `places`: where each stored provider is named; `by`: who asks.

    Raises `BadConfig` where one of them does not exist in the workspace.
    """
    _known(write.connection, workspace, places)
    if is_default:
        _undefault(write, workspace)
    version = rows.new_id()
    found = rows.add(
        write,
        tables.configs,
        workspace_id=workspace,
        slug=rows.new_slug(name, "pc-"),
        name=name,
        is_default=is_default,
        status="active",
        version_id=version,
        config=text,
        owner_id=by,
        updated_by=by,
    )
    _version(write, found["id"], version, 1, text, by)
    return found


def update(write: Write, id: str, columns: Row, *, text: str | None, places: Mapping[str, str], by: str) -> Row:
    """Change its columns; a `text` that differs from the present one is a new version.

    Raises `NotFound`, or `BadConfig` where a stored provider does not exist in the workspace.
    """
    found = find(write.connection, id)
    _known(write.connection, found["workspace_id"], places)
    if columns.get("is_default"):
        _undefault(write, found["workspace_id"])
    if text is not None and text != found["config"]:
        version = rows.new_id()
        number = select(func.max(tables.config_versions.c.number)).where(tables.config_versions.c.config_id == id)
        _version(write, id, version, write.connection.execute(number).scalar_one() + 1, text, by)
        columns = {**columns, "version_id": version, "config": text}
    rows.change(write, tables.configs, id, **columns, updated_by=by)
    return find(write.connection, id)


def delete(write: Write, id: str) -> None:
    """Delete it. Raises `NotFound`, or `Conflict`, which lists its users."""
    found = find(write.connection, id)
    users = used_by(write.connection, found)
    if users:
        raise Conflict(f"{found['slug']!r} is used by {', '.join(users)[:2000]}. Change them first.", param="slug")
    rows.remove(write, tables.configs, id)


def used_by(connection: Connection, config: Row) -> list[str]:
    """The API keys and workspaces that have a config as their default, in words."""
    names = (config["id"], config["slug"])
    found = []
    for table, what, field in (
        (tables.api_keys, "the API key", "config_id"),
        (tables.workspaces, "the workspace", "user_api_key_config"),
    ):
        for row in rows.every(connection, table):
            if rows.value(row["defaults"]).get(field) in names:
                found.append(f"{what} {row['name']!r}")
    return found


def versions(connection: Connection, id: str, number: int, size: int) -> tuple[list[Row], int]:
    """One page (0-based) of a config's versions, newest first, and how many there are in all."""
    table = tables.config_versions
    total = connection.execute(select(func.count()).where(table.c.config_id == id)).scalar_one()
    statement = select(table).where(table.c.config_id == id).order_by(table.c.number.desc())
    found = connection.execute(statement.limit(size).offset(number * size)).mappings()
    return [dict(row) for row in found], total


def _version(write: Write, config: str, version: str, number: int, text: str, by: str) -> None:
    statement = insert(tables.config_versions).values(
        version_id=version, config_id=config, number=number, config=text, created_at=write.now, created_by=by
    )
    write.connection.execute(statement)


def _known(connection: Connection, workspace: str, places: Mapping[str, str]) -> None:
    for slug, place in places.items():
        if rows.one(connection, tables.providers, workspace_id=workspace, slug=slug) is None:
            told = f"{place}: there is no virtual key or provider {slug[:80]!r} in the workspace"
            raise BadConfig(told, param=place)


def _undefault(write: Write, workspace: str) -> None:
    """A workspace has one default at most."""
    for row in rows.every(write.connection, tables.configs, workspace_id=workspace, is_default=True):
        rows.change(write, tables.configs, row["id"], is_default=False)
