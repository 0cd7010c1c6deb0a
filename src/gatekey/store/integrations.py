"""Integrations: the credentials of providers, sealed, and which models and workspaces they are for.

A credential is opened here, to be changed or moved to another master key, and by the directory, to be used. What a
row shows of itself is for the control plane to say; nothing here is ever printed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Select

from gatekey.errors import Conflict, NotFound, Unsealable
from gatekey.limits.limit import Limit
from gatekey.secret import Secret
from gatekey.store import limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row

EVERYWHERE = "*"
"""In the list of workspaces that may use an integration: all of them, those to come too."""


class Opener(Protocol):
    """What opens credentials."""

    def open(self, sealed: str, row: str) -> Secret:
        """What was sealed for a row. Raises `Unsealable`."""
        ...


class Vault(Opener, Protocol):
    """What seals them too, and moves them to another master key."""

    def seal(self, content: str, row: str) -> str:
        """`content` sealed for a row."""
        ...

    def rewrap(self, sealed: str, row: str) -> str:
        """The same content under the first master key. Raises `Unsealable`."""
        ...

    def current(self, sealed: str) -> bool:
        """Whether it is sealed under the first master key."""
        ...


class Credential(Struct, frozen=True):
    """What a provider is called with, and where: it is sealed as one. `host` is empty where it is the provider's."""

    provider: str
    key: Secret | None = None
    options: dict[str, str] = {}
    host: str = ""
    headers: dict[str, str] = {}


class Model(Struct, frozen=True):
    """A model as an integration knows it. Only those enabled may be used, unless all are allowed.

    `pricing_config`: what it costs here, as the API documents that.
    """

    slug: str
    enabled: bool = True
    is_custom: bool = False
    is_finetune: bool = False
    base_model_slug: str | None = None
    pricing_config: dict[str, Any] | None = None


Revise = Callable[[Credential], Credential]


def seal(vault: Vault, id: str, credential: Credential) -> Row:
    """A credential as the columns of the row `id`."""
    content = asdict(credential) | {"key": credential.key.reveal() if credential.key else None}
    return {
        "ai_provider_id": credential.provider,
        "credential": vault.seal(rows.text(content), _sealed_for(id, credential.provider)),
    }


def unseal(vault: Opener, row: Row) -> Credential:
    """A row's credential. Raises `Unsealable`."""
    content = rows.value(vault.open(row["credential"], _sealed_for(row["id"], row["ai_provider_id"])).reveal())
    return Credential(**content | {"key": Secret(content["key"]) if content["key"] else None})


def find(connection: Connection, workspace: str | None, name: str) -> Row:
    """By id, or by slug: first the workspace's own, then the organisation's. Raises `NotFound`."""
    table = tables.integrations
    found = rows.one(connection, table, id=name, hidden=False)
    for owner in (workspace, None):
        found = found or rows.one(connection, table, workspace_id=owner, slug=name, hidden=False)
    if found is None:
        raise NotFound(f"There is no integration {name!r}.", param="integration_id")
    return found


def usable(row: Row, workspace: str) -> bool:
    """Whether a workspace may use an integration: its own, or one that the organisation gives it."""
    if row["workspace_id"] is not None:
        return bool(row["workspace_id"] == workspace)
    return not {workspace, EVERYWHERE}.isdisjoint(rows.value(row["workspaces"]))


def visible(workspace: str | None) -> Select[Any]:
    """A statement for the integrations of a workspace and of the organisation; None: all there are."""
    table = tables.integrations
    statement = rows.live(table, hidden=False)
    if workspace is None:
        return statement
    # Quoted, an id is found in the JSON list as a whole; ids hold nothing that LIKE reads.
    given = [table.c.workspaces.contains(rows.text(each), autoescape=True) for each in (workspace, EVERYWHERE)]
    return statement.where(
        (table.c.workspace_id == workspace) | (table.c.workspace_id.is_(None) & (given[0] | given[1]))
    )


def models(row: Row) -> list[Model]:
    """Its list of models."""
    return [Model(**one) for one in rows.value(row["models"])]


def allowing(slugs: Sequence[str] | None) -> Row:
    """The columns that allow these models and no others; None: all."""
    return {"models": rows.text([Model(slug) for slug in slugs or ()]), "allow_all_models": slugs is None}


def allowed(row: Row) -> frozenset[str] | None:
    """The models that may be used; None: all."""
    return None if row["allow_all_models"] else frozenset(model.slug for model in models(row) if model.enabled)


def limited(row: Row, workspace: str) -> tuple[Limit, ...]:
    """What a workspace may use of an integration: its own budgets, else those that every workspace has; rates alike.

    Each workspace counts for itself, whosever limits they are.
    """
    own, shared = (own_limits(row, who) for who in (workspace, EVERYWHERE))
    budgets = [one for one in own if not one.per] or [one for one in shared if not one.per]
    rates = [one for one in own if one.per] or [one for one in shared if one.per]
    return limits.named((*budgets, *rates), f"integration/{row['id']}/{workspace}", f"integration {row['slug']}")


def own_limits(row: Row, workspace: str) -> tuple[Limit, ...]:
    """What is set for a workspace, or for all of them, without accounts."""
    return limits.read(rows.text(rows.value(row["limits"]).get(workspace, [])))


def prices(row: Row) -> dict[str, dict[str, Any]]:
    """What its models cost, by slug; those without prices of their own are not there."""
    return {model.slug: model.pricing_config for model in models(row) if model.pricing_config}


def create(
    write: Write,
    vault: Vault,
    credential: Credential,
    *,
    workspace: str | None,
    name: str,
    slug: str | None = None,
    description: str = "",
    hidden: bool = False,
    workspaces: Sequence[str] = (),
    pricing_adjustments: Row | None = None,
) -> Row:
    """A new one; `workspace` None: the organisation's. Raises `Conflict` where the slug is taken."""
    slug = slug or rows.new_slug(name)
    if not hidden:
        taken = {"workspace_id": workspace, "hidden": False, "slug": slug}
        rows.unused(write.connection, tables.integrations, "an integration", **taken)
    id = rows.new_id()
    return rows.add(
        write,
        tables.integrations,
        id=id,
        workspace_id=workspace,
        slug=slug,
        name=name,
        description=description,
        hidden=hidden,
        models="[]",
        allow_all_models=True,
        workspaces=rows.text(list(workspaces)),
        pricing_adjustments=rows.text(pricing_adjustments or {}),
        limits="{}",
        **seal(vault, id, credential),
    )


def update(write: Write, vault: Vault, id: str, columns: Row, revise: Revise | None = None) -> Row:
    """Change its columns, and its credential by a function of the one it has.

    Raises `NotFound`, and `Conflict` where the credential that it has cannot be opened.
    """
    row = rows.one(write.connection, tables.integrations, id=id)
    if row is None:
        raise NotFound(f"There is no integration {id!r}.", param="integration_id")
    if revise is not None:
        try:
            columns = columns | seal(vault, id, revise(unseal(vault, row)))
        except Unsealable as failure:
            raise Conflict(
                f"The stored credential of {row['slug']!r} cannot be opened, so it cannot be changed. {failure} "
                "Or delete it, and make it anew under the same slug."
            ) from None
    rows.change(write, tables.integrations, id, **columns)
    return row | columns


def enlist(write: Write, id: str, changed: Iterable[Model], allow_all: bool | None) -> Row:
    """Add models to its list, or change them there. Raises `NotFound`."""
    row = find(write.connection, None, id)
    listed = {model.slug: model for model in (*models(row), *changed)}
    columns: Row = {"models": rows.text(list(listed.values()))}
    if allow_all is not None:
        columns["allow_all_models"] = allow_all
    rows.change(write, tables.integrations, id, **columns)
    return row | columns


def unlist(write: Write, id: str, slugs: frozenset[str]) -> Row:
    """Take models off its list. Raises `NotFound`."""
    row = find(write.connection, None, id)
    kept = rows.text([model for model in models(row) if model.slug not in slugs])
    rows.change(write, tables.integrations, id, models=kept)
    return row | {"models": kept}


def delete(write: Write, id: str) -> None:
    """Delete one. Raises `NotFound`, or `Conflict`, which lists the providers that use it."""
    row = find(write.connection, None, id)
    used = rows.every(write.connection, tables.providers, integration_id=row["id"])
    if used:
        listed = ", ".join(f"@{each['slug']} (workspace {each['workspace_id']})" for each in used)
        raise Conflict(f"Providers use the integration {row['slug']!r}: {listed[:2000]}. Delete them first.")
    erase(write, row["id"])


def erase(write: Write, id: str) -> None:
    """Mark it as deleted and keep nothing of its credential: the row stays, so that its deletion is seen."""
    rows.change(write, tables.integrations, id, deleted=True, credential="")


def rewrap_all(write: Write, vault: Vault) -> int:
    """Move every credential to the vault's first master key; how many rows changed. Raises `Unsealable`, undone.

    The rows keep their revision, as nothing that they hold has changed: a gateway goes on with what it has in memory.
    """
    table, changed = tables.integrations, 0
    for row in rows.every(write.connection, table):
        if not vault.current(row["credential"]):
            changed += 1
            sealed = vault.rewrap(row["credential"], _sealed_for(row["id"], row["ai_provider_id"]))
            write.connection.execute(table.update().where(table.c.id == row["id"]).values(credential=sealed))
    return changed


def _sealed_for(id: str, provider: str) -> str:
    """What a credential is bound to: in another row, or for another provider, it opens nothing."""
    return f"integrations/{id}/{provider}"
