"""`/admin/workspaces`: portkey-api.md 3.7 and 4.4."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from gatekey.admin.limits import Limits, without_limits
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
    """What requests of the workspace have. `user_api_key_config`: the config of users' keys that have none."""

    metadata: Metadata | UnsetType | None = UNSET
    user_api_key_config: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET


class New(Struct, forbid_unknown_fields=True):
    """A workspace to make."""

    name: Name
    slug: Slug | None = None
    description: Text = ""
    defaults: Defaults | None = None
    users: list[str] = []
    usage_limits: Limits = None
    rate_limits: Limits = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a workspace."""

    name: Name | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    defaults: Defaults | UnsetType = UNSET
    usage_limits: Limits = None
    rate_limits: Limits = None


class Removal(Struct, forbid_unknown_fields=True):
    """Deleting a workspace."""

    force_delete: bool = False


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: New = visit.content
    without_limits(asked)
    if asked.users:
        raise NotAvailable("users: members of workspaces are not available yet.", param="users")
    found = await visit.write(
        workspaces.create,
        name=asked.name,
        slug=asked.slug,
        description=asked.description,
        defaults={"metadata": {}, "user_api_key_config": None, **defaults_of(asked.defaults)},
    )
    return told(found)


async def every(visit: Visit) -> Answer:
    """A page of them."""
    statement = rows.live(tables.workspaces, **({"id": visit.principal.workspace} if visit.principal.workspace else {}))
    found, total = await visit.read(rows.page, statement, tables.workspaces, *visit.page())
    return listed([told(row) for row in found], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    found = await visit.read(workspaces.find, visit.parameters["workspace"])
    visit.inside(found["id"])
    return told(found)


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    without_limits(asked)
    changes: Row = {name: value for name in ("name", "description") if (value := getattr(asked, name)) is not UNSET}
    await one(visit)
    defaults = None if isinstance(asked.defaults, UnsetType) else defaults_of(asked.defaults)
    return told(await visit.write(workspaces.update, visit.parameters["workspace"], defaults, **changes))


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    force = visit.content.force_delete or visit.query.get("force", "").lower() == "true"
    await one(visit)
    await visit.write(workspaces.delete, visit.parameters["workspace"], force=force)
    return {}


def defaults_of(asked: Struct | None) -> Row:
    """The defaults that a body names; null and empty take one away."""
    if asked is None:
        return {}
    nothing: Row = {"metadata": {}}
    found: Row = {name: value for name in asked.__struct_fields__ if (value := getattr(asked, name)) is not UNSET}
    return {name: nothing.get(name) if value in (None, "") else value for name, value in found.items()}


def told(row: Row) -> Answer:
    """A workspace as the API shows it."""
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "description": row["description"],
        "defaults": rows.value(row["defaults"]),
        "is_default": row["is_default"],
        "usage_limits": None,
        "rate_limits": None,
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
