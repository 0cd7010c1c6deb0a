"""Azure OpenAI: OpenAI's dialect, at an address made of a resource, a deployment and an API version.

With a dated version the deployment is part of the path; with `v1`, the default, it is the body's `model`.
Tokens of Entra ID are taken as they are; fetching them is not built yet, and asking for it is refused.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gatekey.errors import BadConfig, NotAvailable
from gatekey.providers import Endpoint, Option, Provider, Where, header
from gatekey.providers._shape import segment

_USAGE_SINCE = "2024-09-01"
"""The first dated version whose streams accept `stream_options`."""

_resource = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_hump = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_version = re.compile(r"v1|preview|latest|\d{4}-\d{2}-\d{2}(?:-preview)?")


class _Deployment(msgspec.Struct, frozen=True):
    deployment_id: str
    alias: str = ""
    api_version: str = ""
    is_default: bool = False


_deployments = msgspec.json.Decoder(list[_Deployment])


def _deployment(where: Where) -> _Deployment:
    """The deployment that serves the call: the option's, or of several the one that `model` names, or the model."""
    options = where.options
    chosen = _Deployment(options.get("azure_deployment_id") or where.model)
    if listed := options.get("azure_deployments"):
        try:
            several = _deployments.decode(listed)
        except msgspec.DecodeError as error:
            raise BadConfig(
                f"`azure_deployments` must be JSON text: a list of objects with `deployment_id`. {error}",
                param="azure_deployments",
            ) from None
        named = [one for one in several if where.model and where.model in (one.alias, one.deployment_id)]
        default = [one for one in several if one.is_default]
        chosen = (named or default or [chosen])[0]
    return chosen


def _api_version(where: Where) -> str:
    version = _deployment(where).api_version or where.options.get("azure_api_version") or "v1"
    if not _version.fullmatch(version):
        raise BadConfig(
            f"`azure_api_version` is {version!r}: expected `v1` or a date such as `2024-10-21`.",
            param="azure_api_version",
        )
    return version


def _is_dated(where: Where) -> bool:
    return _api_version(where)[0].isdigit()


def _base(where: Where) -> str:
    resource = where.options.get("azure_resource_name", "")
    if not resource:
        raise BadConfig(
            "azure-openai needs the name of the resource: header `x-portkey-azure-resource-name`, "
            "or `azure_resource_name` in the config.",
            param="azure_resource_name",
        )
    if not _resource.fullmatch(resource):
        raise BadConfig(
            f"`azure_resource_name` is {resource!r}: expected letters, digits and hyphens, "
            "the first part of `<name>.openai.azure.com`.",
            param="azure_resource_name",
        )
    return f"https://{resource}.openai.azure.com/openai"


def _path(path: str, deployed: bool = True) -> Callable[[Where], str]:
    def at(where: Where) -> str:
        version = _api_version(where)
        if not _is_dated(where):
            return f"/v1{path}" if version == "v1" else f"/v1{path}?api-version={version}"
        inside = f"/deployments/{segment(_deployment(where).deployment_id)}" if deployed else ""
        return f"{inside}{path}?api-version={version}"

    return at


def _model(where: Where) -> str:
    return where.model if _is_dated(where) else _deployment(where).deployment_id


def _accepts_usage(where: Where) -> bool:
    return not _is_dated(where) or _api_version(where) >= _USAGE_SINCE


def _sends(options: Mapping[str, str]) -> dict[str, str]:
    mode = options.get("azure_auth_mode", "")
    if mode.lower() not in ("", "default", "apikey", "api_key"):
        raise NotAvailable(
            f"`azure_auth_mode` {mode!r} is not available yet: send a key, or a token as `azure_ad_token`.",
            param="azure_auth_mode",
        )
    sent = {}
    if token := options.get("azure_ad_token"):
        sent["authorization"] = f"Bearer {token.removeprefix('Bearer ')}"
    if beta := options.get("openai_beta"):
        sent["openai-beta"] = beta
    return sent


def _stored_deployments(given: Any) -> str:
    """The option out of the list that a stored credential's body holds, in any of its documented spellings."""
    if isinstance(given, str):
        given = msgspec.json.decode(given)
    try:
        found = [_Deployment(**_deployment_fields(each)) for each in msgspec.convert(given, list[dict[str, Any]])]
        listed = msgspec.json.encode(found)
        _deployments.decode(listed)
    except (TypeError, msgspec.MsgspecError) as error:
        raise ValueError(f"expected a list of objects with `deployment_name`. {error}") from None
    return listed.decode()


def _deployment_fields(given: dict[str, Any]) -> dict[str, Any]:
    known = {"deployment_name": "deployment_id"}
    found = {}
    for spelling, value in given.items():
        name = _hump.sub("_", spelling).lower().removeprefix("azure_")
        if value is not None:
            found[known.get(name, name)] = value
    model = found.pop("model_slug", "")
    return {"alias": model, **found}


def _serving(path: str, **facts: Any) -> Endpoint:
    return Endpoint(path=_path(path), model=_model, **facts)


provider = Provider(
    slug="azure-openai",
    name="Azure OpenAI",
    docs="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    base=_base,
    auth=header("api-key"),
    key_headers=("api-key",),
    key_needed=False,
    deploys=True,
    endpoints={
        "completions": _serving("/completions", usage_on_request=_accepts_usage),
        "chat": _serving("/chat/completions", usage_on_request=_accepts_usage),
        "embeddings": _serving("/embeddings"),
        "models": Endpoint(path=_path("/models", deployed=False), method="GET"),
    },
    options={
        "azure_resource_name": Option("Name of the resource, which names the host.", ("resource_name",)),
        "azure_deployment_id": Option(
            "Deployment; the body's model where it is missing.",
            ("deployment_id",),
            fields=("deployment_name", "azure_deployment_name"),
        ),
        "azure_api_version": Option("Version of the API: `v1` (the default) or a date.", ("api_version",)),
        "azure_model_name": Option("Model that the deployment serves."),
        "azure_ad_token": Option("Token of Entra ID, in place of a key.", ("azure_auth_token",), secret=True),
        "azure_deployments": Option(
            "JSON text: a list of `{deployment_id, alias, api_version, is_default}`; `model` picks the alias.",
            ("deployments",),
            fields=("deployment_config", "azure_deployment_config"),
            read=_stored_deployments,
        ),
        "azure_auth_mode": Option("How to authenticate; only `default` as yet."),
        "openai_beta": Option("Beta features to switch on.", headers=("openai-beta",)),
    },
    sends=_sends,
)
