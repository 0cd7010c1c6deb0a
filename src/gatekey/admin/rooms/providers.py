"""`/providers`: integrations as workspaces use them, by `@slug` (portkey-api.md 3.2); virtual keys among them."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from gatekey.admin import credentials
from gatekey.admin.limits import RateLimits, Spending, UsageLimits, revision, spending
from gatekey.admin.rooms.virtual_keys import WORKSPACE, changes, common, found, spent_by, visible, within
from gatekey.admin.rooms.workspaces import PAGE, Name, Slug, Text
from gatekey.admin.route import Answer, Route
from gatekey.admin.visit import House, Visit, listed, milliseconds
from gatekey.store import providers
from gatekey.store.rows import Row


class New(Struct, forbid_unknown_fields=True):
    """A provider to make out of an integration."""

    name: Name
    integration_id: Name
    slug: Slug | None = None
    note: Text | None = None
    expires_at: str | None = None
    workspace_id: str | None = None
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a provider."""

    name: Name | None = None
    note: Text | UnsetType | None = UNSET
    expires_at: str | UnsetType | None = UNSET
    usage_limits: UsageLimits | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType = UNSET
    reset_usage: bool | None = None


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: New = visit.content
    credentials.available(asked)
    row = await visit.write(
        providers.join,
        asked.integration_id,
        workspace=await visit.workspace(asked.workspace_id),
        slug=asked.slug,
        name=asked.name,
        note=asked.note or "",
        expires_at=milliseconds(asked.expires_at, "expires_at"),
        limiting=revision(asked),
    )
    return _done(row)


async def every(visit: Visit) -> Answer:
    """A page of them."""
    pairs, total = await visit.read(providers.page, providers.visible(await within(visit)), *visit.page())
    spent = await spending(visit, spent_by(pairs))
    return listed([told(visit.house, *pair, spent) for pair in pairs], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    pair = await found(visit, virtual=False)
    return told(visit.house, *pair, await spending(visit, spent_by([pair])))


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    credentials.available(asked)
    row, _ = await found(visit, virtual=False)
    await visit.write(providers.update, row["id"], changes(asked), revision(asked))
    return _done(row)


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    row, _ = await found(visit, virtual=False)
    await visit.write(providers.delete, row["id"])
    return {}


def told(house: House, row: Row, integration: Row, spent: Spending) -> Answer:
    """A provider as the API shows it."""
    shown: dict[str, Any] = {
        "integration_id": integration["id"],
        "ai_provider_id": integration["ai_provider_id"],
        "model_config": visible(house, integration),
        "object": "provider",
    }
    return common(row, integration, spent) | shown


def _done(row: Row) -> Answer:
    return {"id": row["id"], "slug": row["slug"], "object": "provider"}


_one = "/providers/{slug}"

routes = (
    Route(method="POST", path="/providers", handler=create, scope="providers.create", about="Make a provider.",
          resource="providers", action="create", body=New),
    Route(method="GET", path="/providers", handler=every, scope="providers.list", about="List providers.",
          resource="providers", action="list", query=(*PAGE, WORKSPACE)),
    Route(method="GET", path=_one, handler=one, scope="providers.read", about="A provider, by slug or id.",
          resource="providers", action="read", query=(WORKSPACE,)),
    Route(method="PUT", path=_one, handler=update, scope="providers.update", about="Change a provider.",
          resource="providers", action="update", body=Change, query=(WORKSPACE,)),
    Route(method="DELETE", path=_one, handler=delete, scope="providers.delete", about="Delete a provider.",
          resource="providers", action="delete", query=(WORKSPACE,)),
)  # fmt: skip
