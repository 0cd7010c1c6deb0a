"""`/admin/workspaces`: portkey-api.md 3.7 and 4.4."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from gatekey.admin.limits import RateLimits, Spending, UsageLimits, revision, spending
from gatekey.admin.prices import Config, priced
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, listed, moment
from gatekey.errors import NotAvailable
from gatekey.store import rows, tables, workspaces
from gatekey.store.rows import Row

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Slug = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,255}$")]
Text = Annotated[str, Meta(max_length=4096)]
Metadata = dict[Annotated[str, Meta(max_length=128)], Annotated[str, Meta(max_length=128)]]


class Defaults(Struct, forbid_unknown_fields=True):
    """What requests of the workspace have. `user_api_key_config`: the config of users' keys that have none.

    `prices`: what models cost here, as `provider/model` -> its `pricing_config`. `log_bodies` false: logs have
    nothing of what was said.
    """

    metadata: Metadata | UnsetType | None = UNSET
    user_api_key_config: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET
    prices: dict[Annotated[str, Meta(max_length=512)], Config] | UnsetType | None = UNSET
    log_bodies: bool | UnsetType | None = UNSET


class New(Struct, forbid_unknown_fields=True):
    """A workspace to make."""

    name: Name
    slug: Slug | None = None
    description: Text = ""
    defaults: Defaults | None = None
    users: list[str] = []
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a workspace."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    defaults: Defaults | UnsetType = UNSET
    usage_limits: UsageLimits | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType = UNSET
    reset_usage: bool | None = None


class Removal(Struct, forbid_unknown_fields=True):
    """Deleting a workspace."""

    force_delete: bool = False


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: New = visit.content
    if asked.users:
        raise NotAvailable("users: members of workspaces are not available yet.", param="users")
    found = await visit.write(
        workspaces.create,
        name=asked.name,
        slug=asked.slug,
        description=asked.description,
        defaults={"metadata": {}, "user_api_key_config": None, **_defaults(asked.defaults)},
        limiting=revision(asked),
    )
    return (await _told(visit, found))[0]


async def every(visit: Visit) -> Answer:
    """A page of them."""
    statement = rows.live(tables.workspaces, **({"id": visit.principal.workspace} if visit.principal.workspace else {}))
    found, total = await visit.read(rows.page, statement, tables.workspaces, *visit.page())
    return listed(await _told(visit, *found), total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    found = await visit.read(workspaces.find, visit.parameters["workspace"])
    visit.inside(found["id"])
    return (await _told(visit, found))[0]


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    changes: Row = {name: value for name in ("name", "description") if (value := getattr(asked, name)) is not UNSET}
    await one(visit)
    defaults = None if isinstance(asked.defaults, UnsetType) else _defaults(asked.defaults)
    place, limiting = visit.parameters["workspace"], revision(asked)
    row = await visit.write(workspaces.update, place, defaults, limiting=limiting, **changes)
    return (await _told(visit, row))[0]


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    force = visit.content.force_delete or visit.query.get("force", "").lower() == "true"
    await one(visit)
    await visit.write(workspaces.delete, visit.parameters["workspace"], force=force)
    return {}


def _defaults(asked: Defaults | None) -> Row:
    found = defaults_of(asked)
    for model, config in (found.get("prices") or {}).items():
        priced(config, f"defaults.prices.{model}")
    return found


def defaults_of(asked: Struct | None) -> Row:
    """The defaults that a body names; null and empty take one away."""
    if asked is None:
        return {}
    nothing: Row = {"metadata": {}}
    found: Row = {name: value for name in asked.__struct_fields__ if (value := getattr(asked, name)) is not UNSET}
    return {name: nothing.get(name) if value in (None, "") else value for name, value in found.items()}


async def _told(visit: Visit, *found: Row) -> list[Answer]:
    spent = await spending(visit, (one for row in found for one in workspaces.limited(row)))
    return [told(row, spent) for row in found]


def told(row: Row, spent: Spending) -> Answer:
    """A workspace as the API shows it."""
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "description": row["description"],
        "defaults": rows.value(row["defaults"]),
        "is_default": row["is_default"],
        **spent.told(workspaces.limited(row), several=True),
        "status": "active",
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": "workspace",
    }


PAGE = (
    Query("current_page", "Number of the page, from 0.", {"type": "integer", "minimum": 0}),
    Query("page_size", "Rows on a page.", {"type": "integer", "minimum": 1, "maximum": 1000}),
)

_one = "/admin/workspaces/{workspace}"

routes = (
    Route(method="POST", path="/admin/workspaces", handler=create, scope="workspaces.create", about="Make a workspace.",
          resource="workspaces", action="create", body=New, organisation=True),
    Route(method="GET", path="/admin/workspaces", handler=every, scope="workspaces.list", about="List workspaces.",
          resource="workspaces", action="list", query=PAGE),
    Route(method="GET", path=_one, handler=one, scope="workspaces.read", about="A workspace, by id or slug.",
          resource="workspaces", action="read"),
    Route(method="PUT", path=_one, handler=update, scope="workspaces.update", about="Change a workspace.",
          resource="workspaces", action="update", body=Change, organisation=True),
    Route(method="DELETE", path=_one, handler=delete, scope="workspaces.delete", about="Delete a workspace.",
          resource="workspaces", action="delete", body=Removal, organisation=True),
)  # fmt: skip
