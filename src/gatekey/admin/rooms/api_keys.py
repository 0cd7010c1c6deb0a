"""`/api-keys`: portkey-api.md 3.6. What a caller may do with a key depends on the key's kind, which has scopes of its
own; and no key gives what it lacks, neither by making a key nor by rotating one that may more."""

import time
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from gatekey.admin.limits import RateLimits, Spending, UsageLimits, revision, spending, without
from gatekey.admin.rooms.workspaces import PAGE, Metadata, Name, Text, defaults_of
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import Visit, listed, milliseconds, moment
from gatekey.errors import BadBody, Forbidden, NotFound
from gatekey.store import api_keys, rows, scopes, tables
from gatekey.store.rows import Row

KINDS = {
    "workspace-service": "workspace_service_api_keys",
    "workspace-user": "workspace_user_api_keys",
    "organisation-service": "organisation_service_api_keys",
}
"""Kinds of keys, and what the scopes for them are called."""

MINUTES = 60_000
"""ms."""

Names = Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(min_length=1, max_length=500)]
User = Annotated[str, Meta(max_length=255)]


class Defaults(Struct, forbid_unknown_fields=True):
    """What requests with the key have unless they say otherwise. `log_bodies` false: logs have nothing of what was
    said; whoever says no, the key or its workspace, is obeyed."""

    metadata: Metadata | UnsetType | None = UNSET
    config_id: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET
    allow_config_override: bool | UnsetType = UNSET
    log_bodies: bool | UnsetType | None = UNSET


class New(Struct, forbid_unknown_fields=True):
    """A key to make. Clients repeat the path's `type` and `sub-type`."""

    name: Name
    scopes: Names
    description: Text | None = None
    type: str | None = None
    sub_type: str | None = field(name="sub-type", default=None)
    organisation_id: str | None = None
    workspace_id: str | None = None
    user_id: User | None = None
    defaults: Defaults | None = None
    expires_at: str | None = None
    alert_emails: list[str] | None = None
    rate_limits: RateLimits = None
    usage_limits: UsageLimits = None
    rotation_policy: dict[str, Any] | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a key. `expires_at` null or empty: it does not end. Clients repeat the path's `id`."""

    id: str | None = None
    name: Name | None = None
    description: Text | None = None
    scopes: Names | None = None
    defaults: Defaults | None = None
    expires_at: str | UnsetType | None = UNSET
    alert_emails: list[str] | None = None
    rate_limits: RateLimits | UnsetType = UNSET
    usage_limits: UsageLimits | UnsetType = UNSET
    reset_usage: bool | None = None
    rotation_policy: dict[str, Any] | None = None


class Rotation(Struct, forbid_unknown_fields=True):
    """Rotating a key. `key_transition_period_ms`: for how long the present secret goes on working, in ms."""

    key_transition_period_ms: Annotated[int, Meta(ge=30 * MINUTES, le=365 * 24 * 60 * MINUTES)] | None = None


async def create(visit: Visit) -> Answer:
    """Make one, and show it this once."""
    asked: New = visit.content
    kind = _kind(visit, asked)
    without(asked)
    organisation = kind.startswith("organisation")
    given = scopes.checked(asked.scopes, organisation=organisation, giver=visit.principal)
    row, secret = await visit.write(
        api_keys.create,
        workspace=None if organisation else await visit.workspace(asked.workspace_id),
        name=asked.name,
        description=asked.description or "",
        type=kind,
        user_id=asked.user_id or None,
        scopes=given,
        defaults={"metadata": {}, "config_id": None, "allow_config_override": True, **defaults_of(asked.defaults)},
        expires_at=milliseconds(asked.expires_at, "expires_at"),
        limiting=revision(asked),
    )
    return {"id": row["id"], "key": secret, "object": "api-key"}


async def every(visit: Visit) -> Answer:
    """A page of those that the caller may see."""
    place = visit.principal.workspace
    if visit.query.get("workspace_id"):
        place = await visit.workspace(visit.query["workspace_id"])
    kinds = [kind for kind, scope in KINDS.items() if visit.principal.may(f"{scope}.list")]
    found, total = await visit.read(rows.page, api_keys.of(kinds, place), tables.api_keys, *visit.page())
    return listed(await _told(visit, *found), total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    return (await _told(visit, await _reached(visit, "read")))[0]


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    without(asked)
    found = await _reached(visit, "update")
    if asked.id not in (None, found["id"]):
        raise BadBody("id: the id of a key cannot be changed.", param="id")
    changes: Row = {name: value for name in ("name", "description") if (value := getattr(asked, name)) is not None}
    if asked.scopes is not None:
        given = scopes.checked(asked.scopes, organisation=not found["workspace_id"], giver=visit.principal)
        changes["scopes"] = rows.text(given)
    if not isinstance(asked.expires_at, UnsetType):
        changes["expires_at"] = milliseconds(asked.expires_at, "expires_at")
    defaults = defaults_of(asked.defaults)
    row = await visit.write(api_keys.change, found["id"], defaults, limiting=revision(asked), **changes)
    return (await _told(visit, row))[0]


async def rotate(visit: Visit) -> Answer:
    """Give one a new secret; who gets it could do all that the key may."""
    asked: Rotation = visit.content
    found = await _reached(visit, "rotate")
    scopes.given(rows.value(found["scopes"]), visit.principal)
    overlap = asked.key_transition_period_ms or 30 * MINUTES
    secret, until = await visit.write(api_keys.rotate, found["id"], overlap)
    return {"id": found["id"], "key": secret, "key_transition_expires_at": moment(until), "object": "api-key"}


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    found = await _reached(visit, "delete")
    await visit.write(api_keys.remove, found["id"])
    return {}


async def _reached(visit: Visit, action: str) -> Row:
    """The key that the path names. Raises `NotFound`, or `Forbidden` where the caller may not do this to it."""
    found = await visit.read(api_keys.find, visit.parameters["id"])
    visit.inside(found["workspace_id"])
    _may(visit, found["type"], action)
    return found


def _may(visit: Visit, kind: str, action: str) -> None:
    scope = f"{KINDS[kind]}.{action}"
    if not visit.principal.may(scope):
        raise Forbidden(f"Your API key lacks the scope {scope}.")


def _kind(visit: Visit, asked: New) -> str:
    """The kind of key to make. Raises `NotFound`, `Forbidden`, or `BadBody` where the body contradicts it."""
    type, sub_type = visit.parameters["type"], visit.parameters["sub_type"]
    kind = f"{type}-{sub_type}"
    if kind not in KINDS:
        raise NotFound(f"There are no keys of the kind {kind[:100]}, only {', '.join(KINDS)}.", param="type")
    for name, said, meant in (("type", asked.type, type), ("sub-type", asked.sub_type, sub_type)):
        if said and said != meant:
            raise BadBody(f"{name}: the body says {said[:100]!r}, the path {meant!r}.", param=name)
    if type == "organisation" and visit.principal.workspace:
        raise Forbidden("A key of a workspace makes no key of the organisation.")
    _may(visit, kind, "create")
    if type == "organisation" and asked.workspace_id:
        raise BadBody("workspace_id: a key of the organisation belongs to no workspace.", param="workspace_id")
    if bool(asked.user_id) != (sub_type == "user"):
        raise BadBody("user_id: a user's key needs one, and no other has it.", param="user_id")
    return kind


async def _told(visit: Visit, *found: Row) -> list[Answer]:
    spent = await spending(visit, (one for row in found for one in api_keys.limited(row)))
    return [told(row, spent) for row in found]


def told(row: Row, spent: Spending) -> Answer:
    """A key as the API shows it: never its secret."""
    limits = api_keys.limited(row)
    status: Literal["active", "exhausted", "expired"] = spent.status(limits)
    if row["expires_at"] is not None and row["expires_at"] <= time.time() * 1000:
        status = "expired"
    return {
        "id": row["id"],
        "key": row["masked"],
        "name": row["name"],
        "description": row["description"],
        "type": row["type"],
        "workspace_id": row["workspace_id"],
        "user_id": row["user_id"],
        "status": status,
        "scopes": rows.value(row["scopes"]),
        "defaults": rows.value(row["defaults"]),
        **spent.told(limits),
        "creation_mode": "api",
        "expires_at": moment(row["expires_at"]),
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": "api-key",
    }


def _any(action: str) -> tuple[str, ...]:
    return tuple(f"{scope}.{action}" for scope in KINDS.values())


_one = "/api-keys/{id}"

routes = (
    # The first that matches serves: `rotate` would be a kind of key to the next one.
    Route(method="POST", path=f"{_one}/rotate", handler=rotate, scope=_any("rotate"), body=Rotation,
          about="Give an API key a new secret; the present one goes on working for a while.",
          resource="api_keys", action="rotate"),
    Route(method="POST", path="/api-keys/{type}/{sub_type}", handler=create, scope=_any("create"), body=New,
          about="Make an API key (`organisation/service`, `workspace/service`, `workspace/user`); it is shown once.",
          resource="api_keys", action="create"),
    Route(method="GET", path="/api-keys", handler=every, scope=_any("list"), about="List API keys.",
          resource="api_keys", action="list", query=(*PAGE, Query("workspace_id", "Only keys of this workspace."))),
    Route(method="GET", path=_one, handler=one, scope=_any("read"), about="An API key, without its secret.",
          resource="api_keys", action="read"),
    Route(method="PUT", path=_one, handler=update, scope=_any("update"), about="Change an API key.",
          resource="api_keys", action="update", body=Change),
    Route(method="DELETE", path=_one, handler=delete, scope=_any("delete"), about="Delete an API key.",
          resource="api_keys", action="delete"),
)  # fmt: skip
