"""`/virtual-keys`: portkey-api.md 3.1. A virtual key is a provider that hides an integration of its own."""

import time
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType

from gatekey.admin import credentials
from gatekey.admin.limits import RateLimits, Spending, UsageLimits, revision, spending
from gatekey.admin.rooms.workspaces import PAGE, Name, Slug, Text
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import House, Visit, listed, milliseconds, moment
from gatekey.errors import Unsealable
from gatekey.limits.limit import Limit
from gatekey.secret import Secret
from gatekey.store import integrations, providers
from gatekey.store.rows import Row

Model = Annotated[str, Meta(min_length=1, max_length=255)]


class New(Struct, forbid_unknown_fields=True):
    """A virtual key to make. Options of the provider are further fields, or stand in `configurations`."""

    REST: ClassVar[str] = "configurations"

    name: Name
    provider: Model
    key: Secret | None = None
    slug: Slug | None = None
    note: Text | None = None
    configurations: dict[str, Any] | None = None
    models: list[Model] | None = None
    expires_at: str | None = None
    workspace_id: str | None = None
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    secret_mappings: list[dict[str, Any]] | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a virtual key. A field that is null is removed, but for the key and the name, which stay."""

    REST: ClassVar[str] = "configurations"

    name: Name | None = None
    key: Secret | None = None
    note: Text | UnsetType | None = UNSET
    configurations: dict[str, Any] | None = None
    models: list[Model] | UnsetType | None = UNSET
    expires_at: str | UnsetType | None = UNSET
    usage_limits: UsageLimits | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType = UNSET
    reset_usage: bool | None = None
    secret_mappings: list[dict[str, Any]] | None = None


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: New = visit.content
    credentials.available(asked)
    slug = credentials.slug_of(visit.house.catalog, asked.provider, "provider")
    row, _ = await visit.write(
        providers.create_virtual,
        visit.house.vault,
        credentials.fresh(visit.house, slug, asked.key, asked.configurations or {}),
        workspace=await visit.workspace(asked.workspace_id),
        slug=asked.slug,
        name=asked.name,
        note=asked.note or "",
        models=asked.models,
        expires_at=milliseconds(asked.expires_at, "expires_at"),
        limiting=revision(asked),
    )
    return _done(row)


async def every(visit: Visit) -> Answer:
    """A page of them."""
    found, total = await visit.read(providers.page, providers.visible(await within(visit), virtual=True), *visit.page())
    spent = await spending(visit, spent_by(found))
    return listed([told(visit.house, *pair, spent) for pair in found], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    pair = await found(visit, virtual=True)
    return told(visit.house, *pair, await spending(visit, spent_by([pair])))


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    credentials.available(asked)
    row, _ = await found(visit, virtual=True)
    held = {} if isinstance(asked.models, UnsetType) else integrations.allowing(asked.models)
    revise = None
    if asked.key or asked.configurations:
        house, key, fields = visit.house, asked.key, asked.configurations or {}
        revise = lambda old: credentials.revised(house, old, key, fields)  # noqa: E731
    columns, limiting = changes(asked), revision(asked)
    await visit.write(providers.update_virtual, visit.house.vault, row["id"], columns, held, revise, limiting)
    return _done(row)


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    row, _ = await found(visit, virtual=True)
    await visit.write(providers.delete, row["id"])
    return {}


async def within(visit: Visit) -> str | None:
    """The workspace whose rows are listed; None: all, for a key of the organisation that names none."""
    given = visit.query.get("workspace_id")
    return await visit.workspace(given) if given or visit.principal.workspace else None


async def found(visit: Visit, *, virtual: bool) -> tuple[Row, Row]:
    """The provider that the path names, and its integration. Raises `NotFound`, `Forbidden`."""
    workspace = await visit.workspace(visit.query.get("workspace_id"))
    row, integration = await visit.read(providers.find, workspace, visit.parameters["slug"], virtual=virtual)
    visit.inside(row["workspace_id"])
    return row, integration


def changes(asked: Any) -> Row:
    """The columns of a provider that a body changes."""
    columns: Row = {"name": asked.name} if asked.name else {}
    if asked.note is not UNSET:
        columns["note"] = asked.note or ""
    if asked.expires_at is not UNSET:
        columns["expires_at"] = milliseconds(asked.expires_at, "expires_at")
    return columns


def spent_by(pairs: list[tuple[Row, Row]]) -> Iterator[Limit]:
    """The limits of providers, each with its integration."""
    return (one for pair in pairs for one in providers.limited(*pair))


def common(row: Row, integration: Row, spent: Spending) -> Answer:
    """What a provider and a virtual key show alike; limits of the integration are shown with the integration."""
    expired = row["expires_at"] is not None and row["expires_at"] <= time.time() * 1000
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "note": row["note"],
        "status": "expired" if expired else spent.status(providers.limited(row, integration)),
        "workspace_id": row["workspace_id"],
        **spent.told(providers.own(row, integration)),
        "reset_usage": None,
        "expires_at": moment(row["expires_at"]),
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
    }


def visible(house: House, integration: Row) -> Answer:
    """The options of a credential that are no secrets; none where it cannot be opened."""
    try:
        return credentials.shown(house.catalog, integrations.unseal(house.vault, integration))
    except Unsealable:
        return {}


def told(house: House, row: Row, integration: Row, spent: Spending) -> Answer:
    """A virtual key as the API shows it: never its key."""
    allowed = integrations.allowed(integration)
    return common(row, integration, spent) | {
        "provider": integration["ai_provider_id"],
        "model_config": visible(house, integration),
        "models": None if allowed is None else sorted(allowed),
        "allow_all_models": allowed is None,
        "secret_mappings": [],
        "object": "virtual-key",
    }


def _done(row: Row) -> Answer:
    named = {"id": row["id"], "slug": row["slug"]}
    return {"success": True, "data": named, **named, "object": "virtual-key"}


WORKSPACE = Query("workspace_id", "Id or slug of the workspace, for API keys of the organisation.")

_one = "/virtual-keys/{slug}"

routes = (
    Route(method="POST", path="/virtual-keys", handler=create, scope="virtual_keys.create", about="Make a virtual key.",
          resource="virtual_keys", action="create", body=New),
    Route(method="GET", path="/virtual-keys", handler=every, scope="virtual_keys.list", about="List virtual keys.",
          resource="virtual_keys", action="list", query=(*PAGE, WORKSPACE)),
    Route(method="GET", path=_one, handler=one, scope="virtual_keys.read", about="A virtual key, by slug or id.",
          resource="virtual_keys", action="read", query=(WORKSPACE,)),
    Route(method="PUT", path=_one, handler=update, scope="virtual_keys.update", about="Change a virtual key.",
          resource="virtual_keys", action="update", body=Change, query=(WORKSPACE,)),
    Route(method="DELETE", path=_one, handler=delete, scope="virtual_keys.delete", about="Delete a virtual key.",
          resource="virtual_keys", action="delete", query=(WORKSPACE,)),
)  # fmt: skip
