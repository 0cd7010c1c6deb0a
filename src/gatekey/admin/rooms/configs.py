"""`/configs`: portkey-api.md 4.5. What is saved is read by the same code as what comes with a request."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gatekey.admin.rooms.workspaces import PAGE
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, listed, moment
from gatekey.catalog import Catalog
from gatekey.config.load import load
from gatekey.config.references import secrets
from gatekey.errors import BadBody, BadConfig, CallerError
from gatekey.store import configs, rows, tables
from gatekey.store.rows import Row

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Flag = bool | Literal[0, 1] | None
Content = Annotated[
    Raw,
    Meta(
        description="A config, or its JSON as a text.",
        extra_json_schema={"anyOf": [{"$ref": "#/components/schemas/Config"}, {"type": "string"}]},
    ),
]


class New(Struct, forbid_unknown_fields=True):
    """A config to save."""

    name: Name
    config: Content
    is_default: Flag = None
    workspace_id: str | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a config. Another `config` is a new version. `slug` may only repeat what it is."""

    name: Name | None = None
    config: Content | UnsetType = UNSET
    status: Literal["active"] | None = None
    is_default: Flag = None
    slug: str | None = None


async def create(visit: Visit) -> Answer:
    """Save one."""
    asked: New = visit.content
    text, places = checked(asked.config, visit.house.catalog)
    found = await visit.write(
        configs.create,
        workspace=await visit.workspace(asked.workspace_id),
        name=asked.name,
        text=text,
        places=places,
        is_default=bool(asked.is_default),
        by=visit.principal.user or visit.principal.id,
    )
    return _whole(_short(found))


async def every(visit: Visit) -> Answer:
    """A page of them."""
    given = visit.query.get("workspace_id")
    everywhere = not given and not visit.principal.workspace
    workspace = None if everywhere else await visit.workspace(given)
    found, total = await visit.read(rows.page, configs.visible(workspace), tables.configs, *visit.page())
    return {"success": True, **listed([told(row) for row in found], total)}


async def one(visit: Visit) -> Answer:
    """One of them, with its content."""
    found = await _found(visit)
    content = {"config": Raw(found["config"].encode()), "format": "json"}
    return _whole(told(found) | content)


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    found = await _found(visit)
    if asked.slug not in (None, found["slug"], found["id"]):
        raise BadBody("slug: the slug of a config cannot be changed.", param="slug")
    columns: Row = {} if asked.name is None else {"name": asked.name}
    if asked.is_default is not None:
        columns["is_default"] = bool(asked.is_default)
    text: str | None = None
    places: dict[str, str] = {}
    if not isinstance(asked.config, UnsetType) and bytes(asked.config) != b"null":
        text, places = checked(asked.config, visit.house.catalog)
    by = visit.principal.user or visit.principal.id
    changed = await visit.write(configs.update, found["id"], columns, text=text, places=places, by=by)
    return _whole(_short(changed))


async def versions(visit: Visit) -> Answer:
    """The versions of one."""
    found = await _found(visit)
    listing, total = await visit.read(configs.versions, found["id"], *visit.page())
    common = {"id": found["id"], "slug": found["slug"], "name": found["name"], "workspace_id": found["workspace_id"]}
    data = [
        {
            **common,
            "version_id": row["version_id"],
            "version": row["number"],
            "status": "active" if row["version_id"] == found["version_id"] else "archived",
            "config": row["config"],
            "format": "json",
            "created_at": moment(row["created_at"]),
            "created_by": row["created_by"],
            "object": "config",
        }
        for row in listing
    ]
    return {"success": True, **listed(data, total)}


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    found = await _found(visit)
    await visit.write(configs.delete, found["id"])
    return {}


def checked(content: Raw, catalog: Catalog) -> tuple[str, dict[str, str]]:
    """A config as it is stored, and where it names which stored provider.

    Raises `BadConfig` or `NotAvailable` with the path, `config.targets[1].retry.attempts`; and for a credential,
    which is only kept sealed.
    """
    given = msgspec.json.decode(content)
    source = given.encode("utf-8", "replace") if isinstance(given, str) else bytes(content)
    try:
        load(source, catalog, "config")
    except CallerError as error:
        if not error.message.startswith("config: "):
            error.param, error.message = f"config.{error.param}", f"config.{error.message}"
        raise
    text = msgspec.json.format(source, indent=-1).decode()
    for path in secrets(text, _secret_options(catalog)):
        told = f"config.{path}: a saved config holds no credential; make a virtual key and name it with virtual_key"
        raise BadConfig(told, param=f"config.{path}")
    return text, {slug: f"config.{path}" for slug, path in configs.references(text).items()}


def told(row: Row) -> Answer:
    """A config as lists show it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "slug": row["slug"],
        "workspace_id": row["workspace_id"],
        "is_default": int(row["is_default"]),
        "status": row["status"],
        "version_id": row["version_id"],
        "owner_id": row["owner_id"],
        "updated_by": row["updated_by"],
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": "config",
    }


def _whole(found: Answer) -> Answer:
    """The documented API answers inside `data`; its clients read the fields beside it."""
    return {"success": True, "data": found, **found}


def _short(row: Row) -> Answer:
    return {"id": row["id"], "slug": row["slug"], "version_id": row["version_id"], "object": "config"}


async def _found(visit: Visit) -> Row:
    found = await visit.read(configs.find, visit.parameters["slug"])
    visit.inside(found["workspace_id"])
    return found


def _secret_options(catalog: Catalog) -> set[str]:
    """Every spelling of the options that are credentials."""
    found = set()
    for slug in catalog.slugs():
        options = catalog.provider(slug).options
        found |= {spelling for spelling, name in catalog.options(slug).items() if options[name].secret}
    return found


_one = "/configs/{slug}"
_workspace = Query("workspace_id", "Only those of this workspace, by its id or slug.")

routes = (
    Route(method="POST", path="/configs", handler=create, scope="configs.create", about="Save a config.",
          resource="configs", action="create", body=New),
    Route(method="GET", path="/configs", handler=every, scope="configs.list", about="List saved configs.",
          resource="configs", action="list", query=(_workspace, *PAGE)),
    Route(method="GET", path=_one, handler=one, scope="configs.read", about="A saved config, by slug or id.",
          resource="configs", action="read"),
    Route(method="PUT", path=_one, handler=update, scope="configs.update",
          about="Change a saved config; another content is a new version.", resource="configs", action="update",
          body=Change),
    Route(method="DELETE", path=_one, handler=delete, scope="configs.delete", about="Delete a saved config.",
          resource="configs", action="delete"),
    Route(method="GET", path=f"{_one}/versions", handler=versions, scope="configs.read",
          about="The versions of a saved config, newest first.", resource="configs", action="list", query=PAGE),
)  # fmt: skip
