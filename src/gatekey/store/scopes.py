"""What a key may be allowed to do: the documented scopes (portkey-api.md 3.6), and who may have which.

Scopes of parts that are not served yet are known too: keys are moved here with the scopes that they have elsewhere.
"""

from collections.abc import Iterable

from gatekey.errors import BadBody, Forbidden
from gatekey.store.directory import Principal

_PREFIX = "portkey."
_USUAL = ("create", "read", "update", "delete", "list")


def _scopes(*resources: str, more: Iterable[str] = ()) -> frozenset[str]:
    return frozenset(f"{resource}.{action}" for resource in resources for action in (*_USUAL, *more))


WORKSPACE = (
    _scopes(
        "configs", "providers", "policies", "mcp_servers", "agent_servers", "workspace_integrations",
        "workspace_mcp_integrations", "workspace_agent_integrations", "workspace_users", "secret_references",
        "deployments",
    )
    | _scopes("virtual_keys", more=("copy", "duplicate"))
    | _scopes("prompts", more=("publish", "render"))
    | _scopes("guardrails", more=("invoke",))
    | _scopes("workspace_service_api_keys", "workspace_user_api_keys", more=("rotate",))
    | {
        "completions.write", "logs.list", "logs.view", "logs.write", "logs.export", "analytics.view", "mcp.invoke",
        "agents.invoke", "models.list",
    }
)  # fmt: skip
"""What any key may have."""

ORGANISATION = (
    _scopes(
        "workspaces", "organisation_users", "organisation_integrations", "organisation_mcp_integrations",
        "organisation_agent_integrations", "organisation_guardrails",
    )
    | _scopes("organisation_service_api_keys", more=("rotate",))
    | {
        "organisation_settings.read", "organisation_settings.update", "organisation_exclusions.list",
        "organisation_exclusions.update", "audit_logs.list",
    }
)  # fmt: skip
"""What only a key of the organisation may have, besides."""


def checked(names: Iterable[str], *, organisation: bool, giver: Principal) -> list[str]:
    """The scopes of a key that `giver` makes or changes, sorted, each once.

    Raises `BadBody` where one is none, or none for this kind of key; `Forbidden` where `giver` lacks it itself.
    """
    found = sorted({name.removeprefix(_PREFIX) for name in names})
    for name in found:
        if name not in WORKSPACE and name not in ORGANISATION:
            raise BadBody(f"scopes: there is no scope {name[:100]!r}.", param="scopes")
        if name not in WORKSPACE and not organisation:
            raise BadBody(f"scopes: only a key of the organisation can have {name}.", param="scopes")
    given(found, giver)
    return found


def given(names: Iterable[str], giver: Principal) -> None:
    """Raises `Forbidden` where `giver` would hand out a scope that it lacks."""
    lacking = [name for name in names if not giver.may(name)]
    if lacking:
        raise Forbidden(f"A key gives only the scopes that it has, and yours lacks {', '.join(lacking)}.")
