"""Providers as workspaces use them, by `@slug`; a virtual key is one with an integration of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw
from sqlalchemy import Connection, Select, select

from gatekey.errors import Conflict, Forbidden, NotFound
from gatekey.limits.limit import Limit
from gatekey.store import configs, integrations, limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.integrations import Credential, Revise, Vault
from gatekey.store.rows import Row


def find(connection: Connection, workspace: str, name: str, *, virtual: bool = False) -> tuple[Row, Row]:
    """A provider and its integration, by id or slug. `virtual`: only a virtual key will do. Raises `NotFound`."""
    table = tables.providers
    found = rows.one(connection, table, id=name) or rows.one(connection, table, workspace_id=workspace, slug=name)
    integration = found and rows.one(connection, tables.integrations, id=found["integration_id"])
    if not found or not integration or (virtual and not integration["hidden"]):
        raise NotFound(f"There is no {'virtual key' if virtual else 'provider'} {name!r}.", param="slug")
    return found, integration


def visible(workspace: str | None, *, virtual: bool = False) -> Select[Any]:
    """A statement for a workspace's providers, or all; `virtual`: only virtual keys."""
    statement = rows.live(tables.providers, **({} if workspace is None else {"workspace_id": workspace}))
    if virtual:
        hidden = select(tables.integrations.c.id).where(tables.integrations.c.hidden.is_(True))
        statement = statement.where(tables.providers.c.integration_id.in_(hidden))
    return statement


def page(connection: Connection, statement: Select[Any], number: int, size: int) -> tuple[list[tuple[Row, Row]], int]:
    """One page (0-based) of providers, each with its integration, and how many there are in all."""
    found, total = rows.page(connection, statement, tables.providers, number, size)
    table = tables.integrations
    ids = {row["integration_id"] for row in found}
    held = {row["id"]: dict(row) for row in connection.execute(select(table).where(table.c.id.in_(ids))).mappings()}
    return [(row, held[row["integration_id"]]) for row in found], total


def own(row: Row, integration: Row) -> tuple[Limit, ...]:
    """What a provider may use."""
    owner = f"{'virtual key' if integration['hidden'] else 'provider'} {row['slug']}"
    return limits.of(row["limits"], f"provider/{row['id']}", owner)


def limited(row: Row, integration: Row) -> tuple[Limit, ...]:
    """The same, and what its workspace may use of the integration."""
    return own(row, integration) + integrations.limited(integration, row["workspace_id"])


def create(
    write: Write,
    integration: Row,
    *,
    workspace: str,
    slug: str | None,
    name: str,
    limiting: limits.Revise | None = None,
    **columns: Any,
) -> Row:
    """A workspace's use of an integration.

    Raises `Conflict` where the slug is taken, `Forbidden` where the workspace has no right to the integration.
    """
    if not integrations.usable(integration, workspace):
        raise Forbidden(f"The integration {integration['slug']!r} is not given to this workspace.")
    slug = slug or rows.new_slug(name)
    rows.unused(write.connection, tables.providers, "a provider or virtual key", workspace_id=workspace, slug=slug)
    given = {"note": "", "expires_at": None, **columns}
    return rows.add(
        write,
        tables.providers,
        workspace_id=workspace,
        slug=slug,
        name=name,
        integration_id=integration["id"],
        limits=limits.revised(limits.NONE, limiting, write.now),
        **given,
    )


def join(write: Write, integration: str, *, workspace: str, slug: str | None, name: str, **columns: Any) -> Row:
    """The same for an integration by its id or slug. Raises `NotFound` too."""
    found = integrations.find(write.connection, workspace, integration)
    return create(write, found, workspace=workspace, slug=slug, name=name, **columns)


def create_virtual(
    write: Write,
    vault: Vault,
    credential: Credential,
    *,
    workspace: str,
    slug: str | None,
    name: str,
    models: Sequence[str] | None = None,
    **columns: Any,
) -> tuple[Row, Row]:
    """A virtual key: a provider, and an integration that nobody else sees. `models` None: all. Raises `Conflict`."""
    slug = slug or rows.new_slug(name)
    integration = integrations.create(write, vault, credential, workspace=workspace, name=name, slug=slug, hidden=True)
    integration |= integrations.update(write, vault, integration["id"], integrations.allowing(models))
    return create(write, integration, workspace=workspace, slug=slug, name=name, **columns), integration


def establish(
    write: Write,
    vault: Vault,
    credential: Credential,
    *,
    workspace: str | None,
    home: str,
    default: str | None,
    **columns: Any,
) -> Row:
    """A new integration; the organisation's (`workspace` None) is given to the workspace `home` to begin with.

    `default`: the slug of the provider that is made there too, empty for the integration's own, None for no provider.
    Raises `Conflict` where a slug is taken.
    """
    given = () if workspace else (home,)
    made = integrations.create(write, vault, credential, workspace=workspace, workspaces=given, **columns)
    if default is not None:
        create(write, made, workspace=home, slug=default or made["slug"], name=made["name"])
    return made


def share(
    write: Write,
    id: str,
    given: Mapping[str, bool],
    *,
    everywhere: bool | None,
    anew: bool,
    defaults: Mapping[str, str],
    limiting: Mapping[str, limits.Revise | None],
) -> Row:
    """Give the organisation's integration to workspaces, or take it from them.

    `everywhere`: to all, those to come too; None leaves that. `anew`: those that are not named lose it. `defaults`:
    the slugs of providers to make in workspaces that have none of it, empty for its own. `limiting`: what becomes of
    the limits of each, those of all included. Raises `NotFound`, or `Conflict` where a workspace would lose what its
    providers use.
    """
    row = integrations.find(write.connection, None, id)
    if row["workspace_id"] is not None:
        raise Conflict(f"The integration {row['slug']!r} belongs to one workspace, and is not given to others.")
    has = set() if anew else set(rows.value(row["workspaces"])) - {integrations.EVERYWHERE}
    before = integrations.EVERYWHERE in rows.value(row["workspaces"])
    for workspace, enabled in given.items():
        has = has | {workspace} if enabled else has - {workspace}
    if before if everywhere is None else everywhere:
        has.add(integrations.EVERYWHERE)
    columns = {"workspaces": rows.text(sorted(has)), "limits": _shared(row, has, limiting, write.now)}
    rows.change(write, tables.integrations, row["id"], **columns)
    row |= columns
    used = rows.every(write.connection, tables.providers, integration_id=row["id"])
    lost = [f"@{each['slug']} (workspace {each['workspace_id']})" for each in used if not _may(row, each)]
    if lost:
        raise Conflict(f"Providers use the integration {row['slug']!r}: {', '.join(lost)[:2000]}. Delete them first.")
    for workspace, slug in defaults.items():
        if all(each["workspace_id"] != workspace for each in used):
            create(write, row, workspace=workspace, slug=slug or row["slug"], name=row["name"])
    return row


def _shared(row: Row, has: set[str], limiting: Mapping[str, limits.Revise | None], now: int) -> str:
    """The limits of the workspaces that have an integration; who loses it loses them too."""
    old = rows.value(row["limits"])
    new = {id: limits.revised(rows.text(old.get(id, [])), limiting.get(id), now) for id in sorted(has)}
    return rows.text({id: Raw(column.encode()) for id, column in new.items() if column != limits.NONE})


def _may(integration: Row, provider: Row) -> bool:
    return integrations.usable(integration, provider["workspace_id"])


def update(write: Write, id: str, columns: Row, limiting: limits.Revise | None = None) -> None:
    """Change its name, note or expiry, and its limits. Raises `NotFound`."""
    found, _ = find(write.connection, "", id)
    columns = columns | {"limits": limits.revised(found["limits"], limiting, write.now)}
    rows.change(write, tables.providers, id, **columns)


def update_virtual(
    write: Write,
    vault: Vault,
    id: str,
    columns: Row,
    held: Row,
    revise: Revise | None,
    limiting: limits.Revise | None = None,
) -> tuple[Row, Row]:
    """Change a virtual key: columns of its own, those of its integration, its credential, its limits.

    Raises `NotFound`, `Conflict` as `integrations.update`.
    """
    found, integration = find(write.connection, "", id, virtual=True)
    update(write, id, columns, limiting)
    if held or revise is not None:
        integrations.update(write, vault, integration["id"], held, revise)
    return find(write.connection, "", found["id"], virtual=True)


def delete(write: Write, id: str) -> None:
    """Delete one, and the integration that it hides. Raises `NotFound`, or `Conflict`, which lists its users."""
    found, integration = find(write.connection, "", id)
    users = used_by(write.connection, found["workspace_id"], found["slug"])
    if users:
        listed = ", ".join(users)[:2000]
        raise Conflict(f"{found['slug']!r} is used by {listed}. Change them first.", param="slug")
    rows.remove(write, tables.providers, id)
    if integration["hidden"]:
        integrations.erase(write, integration["id"])


def used_by(connection: Connection, workspace: str, slug: str) -> list[str]:
    """The saved configs that name a provider, each with the API keys whose default it is, in words."""
    users = []
    for config in rows.every(connection, tables.configs, workspace_id=workspace):
        if slug in configs.references(config["config"]):
            names = (config["id"], config["slug"])
            keys = [
                repr(key["name"])
                for key in rows.every(connection, tables.api_keys)
                if rows.value(key["defaults"]).get("config_id") in names
            ]
            users.append(f"the config {config['slug']!r}" + (f" (default of {', '.join(keys)})" if keys else ""))
    return users
