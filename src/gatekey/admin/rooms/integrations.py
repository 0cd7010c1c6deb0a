"""`/integrations`: stored credentials, the models they allow, the workspaces they are for (portkey-api.md 3.2)."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, to_builtins

from gatekey.admin import credentials
from gatekey.admin.limits import RateLimits, UsageLimits, revision, spending
from gatekey.admin.prices import Adjustments, Config, adjusted, priced
from gatekey.admin.rooms.virtual_keys import WORKSPACE, Model, visible, within
from gatekey.admin.rooms.workspaces import PAGE, Name, Slug, Text
from gatekey.admin.route import Answer, Query, Route
from gatekey.admin.visit import House, Visit, listed, moment
from gatekey.errors import BadBody, BadHeader, Forbidden, NotAvailable
from gatekey.secret import Secret
from gatekey.store import integrations, providers, rows, tables, workspaces
from gatekey.store.rows import Row


class New(Struct, forbid_unknown_fields=True):
    """An integration to make; without a workspace, by a key of the organisation, it is the organisation's."""

    name: Name
    ai_provider_id: Model
    slug: Slug | None = None
    key: Secret | None = None
    description: Text | None = None
    workspace_id: str | None = None
    configurations: dict[str, Any] | None = None
    create_default_provider: bool = True
    default_provider_slug: Slug | None = None
    secret_mappings: list[dict[str, Any]] | None = None
    pricing_adjustments: Adjustments | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of an integration. Of `configurations`, what is null is removed and what is missing stays."""

    name: Name | None = None
    key: Secret | None = None
    description: Text | UnsetType | None = UNSET
    configurations: dict[str, Any] | None = None
    secret_mappings: list[dict[str, Any]] | None = None
    pricing_adjustments: Adjustments | UnsetType | None = UNSET


class OneModel(Struct, forbid_unknown_fields=True):
    """A model of an integration."""

    slug: Model
    enabled: bool
    is_custom: bool | None = None
    is_finetune: bool | None = None
    base_model_slug: Model | None = None
    configurations: dict[str, Any] | None = None
    pricing_config: Config | None = None


class Models(Struct, forbid_unknown_fields=True):
    """Models to add, or to change; the others stay."""

    models: list[OneModel] = []
    allow_all_models: bool | None = None


class Access(Struct, forbid_unknown_fields=True):
    """Whether a workspace may use an integration."""

    id: Name
    enabled: bool
    usage_limits: UsageLimits | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType = UNSET
    reset_usage: bool | None = None
    create_default_provider: bool | None = None
    default_provider_slug: Slug | None = None


class Everywhere(Struct, forbid_unknown_fields=True):
    """Whether all workspaces may."""

    enabled: bool
    usage_limits: UsageLimits | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType = UNSET


class Sharing(Struct, forbid_unknown_fields=True):
    """Workspaces to give an integration to, or to take it from; the others stay unless they are overridden."""

    workspaces: list[Access] = []
    global_workspace_access: Everywhere | None = None
    override_existing_workspace_access: bool | None = None
    override_existing_workspaces_access: bool | None = None  # what clients call it
    create_default_provider: bool = True
    default_provider_slug: Slug | None = None


async def create(visit: Visit) -> Answer:
    """Make one."""
    asked: New = visit.content
    credentials.available(asked)
    home = await visit.workspace(asked.workspace_id)
    slug = credentials.slug_of(visit.house.catalog, asked.ai_provider_id, "ai_provider_id")
    row = await visit.write(
        providers.establish,
        visit.house.vault,
        credentials.fresh(visit.house, slug, asked.key, asked.configurations or {}),
        workspace=home if asked.workspace_id or visit.principal.workspace else None,
        home=home,
        default=(asked.default_provider_slug or "") if asked.create_default_provider else None,
        name=asked.name,
        slug=asked.slug,
        description=asked.description or "",
        pricing_adjustments=adjusted(asked.pricing_adjustments),
    )
    return told(visit.house, row)


async def every(visit: Visit) -> Answer:
    """A page of them."""
    statement = integrations.visible(await within(visit))
    found, total = await visit.read(rows.page, statement, tables.integrations, *visit.page())
    return listed([told(visit.house, row) for row in found], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    return told(visit.house, await _found(visit))


async def update(visit: Visit) -> Answer:
    """Change one."""
    asked: Change = visit.content
    credentials.available(asked)
    row = await _own(visit)
    columns: Row = {"name": asked.name} if asked.name else {}
    if not isinstance(asked.description, UnsetType):
        columns["description"] = asked.description or ""
    if not isinstance(asked.pricing_adjustments, UnsetType):
        columns["pricing_adjustments"] = rows.text(adjusted(asked.pricing_adjustments))
    revise = None
    if asked.key or asked.configurations:
        house, key, fields = visit.house, asked.key, asked.configurations or {}
        revise = lambda old: credentials.revised(house, old, key, fields)  # noqa: E731
    return told(visit.house, await visit.write(integrations.update, visit.house.vault, row["id"], columns, revise))


async def delete(visit: Visit) -> Answer:
    """Delete one."""
    row = await _own(visit)
    await visit.write(integrations.delete, row["id"])
    return {}


async def list_models(visit: Visit) -> Answer:
    """Its models."""
    return _models(await _found(visit))


async def change_models(visit: Visit) -> Answer:
    """Add or change models."""
    asked: Models = visit.content
    row = await _own(visit)
    everything = row["allow_all_models"] if asked.allow_all_models is None else asked.allow_all_models
    for place, model in enumerate(asked.models):
        priced(model.pricing_config, f"models[{place}]")
        if model.configurations:
            field = f"models[{place}].configurations"
            raise NotAvailable(f"{field}: not available yet.", param=field)
        if everything and not model.enabled:
            raise BadBody(
                f"models[{place}].enabled: while all models are allowed none is refused; "
                "send allow_all_models: false, with the models that are allowed.",
                param=f"models[{place}].enabled",
            )
    changed = [
        integrations.Model(
            model.slug,
            model.enabled,
            bool(model.is_custom),
            bool(model.is_finetune),
            model.base_model_slug,
            model.pricing_config,
        )
        for model in asked.models
    ]
    return _models(await visit.write(integrations.enlist, row["id"], changed, asked.allow_all_models))


async def delete_models(visit: Visit) -> Answer:
    """Take models off the list. `slugs`: separated by commas; a list in brackets and quotes is read too."""
    named = visit.query.get("slugs", "").strip().removeprefix("[").removesuffix("]")
    slugs = frozenset(slug for part in named.split(",") if (slug := part.strip(" \t'\"")))
    if not slugs:
        raise BadHeader("slugs: expected the slugs of models, separated by commas.", param="slugs")
    row = await _own(visit)
    return _models(await visit.write(integrations.unlist, row["id"], slugs))


async def list_workspaces(visit: Visit) -> Answer:
    """The workspaces that may use it."""
    return await _access(visit, await _found(visit))


async def share(visit: Visit) -> Answer:
    """Give it to workspaces, or take it from them."""
    asked: Sharing = visit.content
    row = await _own(visit)
    given: dict[str, bool] = {}
    defaults: dict[str, str] = {}
    limiting = {integrations.EVERYWHERE: revision(asked.global_workspace_access, "global_workspace_access.")}
    for place, each in enumerate(asked.workspaces):
        workspace = str((await visit.read(workspaces.find, each.id))["id"])
        given[workspace] = each.enabled
        limiting[workspace] = revision(each, f"workspaces[{place}].")
        if each.reset_usage and each.usage_limits in (UNSET, None, []):
            _resettable(row, workspace, f"workspaces[{place}].reset_usage")
        wanted = asked.create_default_provider if each.create_default_provider is None else each.create_default_provider
        if each.enabled and wanted:
            defaults[workspace] = each.default_provider_slug or asked.default_provider_slug or ""
    everywhere = asked.global_workspace_access.enabled if asked.global_workspace_access else None
    anew = bool(asked.override_existing_workspace_access or asked.override_existing_workspaces_access)
    row = await visit.write(
        providers.share, row["id"], given, everywhere=everywhere, anew=anew, defaults=defaults, limiting=limiting
    )
    return await _access(visit, row)


def _resettable(row: Row, workspace: str, place: str) -> None:
    """Raises `BadBody` where a workspace has no budget of its own, and would begin another one's again."""
    if all(one.per for one in integrations.own_limits(row, workspace)):
        raise BadBody(f"{place}: the workspace has no budget of its own here; send it usage_limits too.", param=place)


async def _found(visit: Visit) -> Row:
    """The integration that the path names. Raises `NotFound`, `Forbidden`."""
    workspace = await visit.workspace(visit.query.get("workspace_id"))
    row: Row = await visit.read(integrations.find, workspace, visit.parameters["slug"])
    if visit.principal.workspace and not integrations.usable(row, workspace):
        raise Forbidden("It belongs to another workspace than your API key.")
    return row


async def _own(visit: Visit) -> Row:
    """The same, to be changed: what the organisation gives a workspace is not the workspace's to change."""
    row = await _found(visit)
    visit.inside(row["workspace_id"])
    return row


def told(house: House, row: Row) -> Answer:
    """An integration as the API shows it: never its key."""
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "description": row["description"],
        "ai_provider_id": row["ai_provider_id"],
        "type": "workspace" if row["workspace_id"] else "organisation",
        "workspace_id": row["workspace_id"],
        "status": "active",
        "configurations": visible(house, row),
        "allow_all_models": row["allow_all_models"],
        "pricing_adjustments": rows.value(row["pricing_adjustments"]) or None,
        "secret_mappings": [],
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": "integration",
    }


def _models(row: Row) -> Answer:
    found = [{"name": model.slug, **to_builtins(model)} for model in integrations.models(row)]
    return {"object": "list", "total": len(found), "allow_all_models": row["allow_all_models"], "models": found}


async def _access(visit: Visit, row: Row) -> Answer:
    ids = [row["workspace_id"]] if row["workspace_id"] else rows.value(row["workspaces"])
    limits = {id: integrations.limited(row, id) for id in ids}
    # What all workspaces have each counts for itself, so that there is nothing to tell of them together.
    counted = (one for id, each in limits.items() if id != integrations.EVERYWHERE for one in each)
    spent = await spending(visit, counted)
    told = {id: {"enabled": True, **spent.told(limits[id], several=True)} for id in ids}
    everywhere = told.pop(integrations.EVERYWHERE, {"enabled": False, "usage_limits": None, "rate_limits": None})
    found = [{"id": id, **access} for id, access in told.items()]
    return {"object": "list", "total": len(found), "workspaces": found, "global_workspace_access": everywhere}


def _may(action: str) -> tuple[str, ...]:
    return f"organisation_integrations.{action}", f"workspace_integrations.{action}"


_SLUGS = Query("slugs", "Slugs of the models, separated by commas.", needed=True)
_one = "/integrations/{slug}"

routes = (
    Route(method="POST", path="/integrations", handler=create, scope=_may("create"),
          about="Store the credential of a provider.", resource="integrations", action="create", body=New),
    Route(method="GET", path="/integrations", handler=every, scope=_may("list"),
          about="List integrations.", resource="integrations", action="list", query=(*PAGE, WORKSPACE)),
    Route(method="GET", path=_one, handler=one, scope=_may("read"),
          about="An integration, by slug or id.", resource="integrations", action="read", query=(WORKSPACE,)),
    Route(method="PUT", path=_one, handler=update, scope=_may("update"),
          about="Change an integration.", resource="integrations", action="update", body=Change, query=(WORKSPACE,)),
    Route(method="DELETE", path=_one, handler=delete, scope=_may("delete"),
          about="Delete an integration.", resource="integrations", action="delete", query=(WORKSPACE,)),
    Route(method="GET", path=_one + "/models", handler=list_models, scope=_may("read"),
          about="Its models.", resource="integrations", action="list_models", query=(WORKSPACE,)),
    Route(method="PUT", path=_one + "/models", handler=change_models, scope=_may("update"),
          about="Add or change models.", resource="integrations", action="update_models", body=Models,
          query=(WORKSPACE,)),
    Route(method="DELETE", path=_one + "/models", handler=delete_models, scope=_may("update"),
          about="Take models off its list.", resource="integrations", action="delete_models",
          query=(WORKSPACE, _SLUGS)),
    Route(method="GET", path=_one + "/workspaces", handler=list_workspaces, scope=_may("read"),
          about="The workspaces that may use it.", resource="integrations", action="list_workspaces",
          query=(WORKSPACE,), organisation=True),
    Route(method="PUT", path=_one + "/workspaces", handler=share, scope=_may("update"),
          about="Give it to workspaces, or take it from them.", resource="integrations", action="update_workspaces",
          body=Sharing, query=(WORKSPACE,), organisation=True),
)  # fmt: skip
