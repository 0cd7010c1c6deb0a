"""What tests store on a running gateway through its API: workspaces, keys, virtual keys, configs."""

from collections.abc import Mapping
from typing import Any

from tests.fake import Fake
from tests.gateway import KEY, Gateway

SECRET = "sk-stored-with-the-gateway"
"""The provider's key of every virtual key here that has no other."""


def ask(gateway: Gateway, method: str, path: str, body: Any = None, *, key: str = KEY) -> Any:
    """What the control plane answers, which must be a success."""
    answer = gateway.call(method, f"/v1{path}", body=body, key=key)
    assert answer.status == 200, (method, path, answer.status, answer.body)
    return answer.json()


def virtual_key(gateway: Gateway, fake: Fake, *, by: str = KEY, **more: Any) -> str:
    """The slug of a new virtual key that leads to the fake."""
    body = {"name": "of a test", "provider": "openai", "key": SECRET, "custom_host": fake.base, **more}
    return str(ask(gateway, "POST", "/virtual-keys", body, key=by)["slug"])


def config(gateway: Gateway, content: Mapping[str, Any], *, by: str = KEY, **more: Any) -> str:
    """The slug of a new saved config."""
    return str(
        ask(gateway, "POST", "/configs", {"name": "of a test", "config": content, **more}, key=by)["data"]["slug"]
    )


def workspace(gateway: Gateway, **more: Any) -> str:
    """The id of a new workspace."""
    return str(ask(gateway, "POST", "/admin/workspaces", {"name": "of a test", **more})["id"])


def api_key(gateway: Gateway, kind: str = "workspace/service", **more: Any) -> tuple[str, str]:
    """The id of a new API key, and the key."""
    body = {"name": "of a test", "scopes": ["completions.write"], **more}
    made = ask(gateway, "POST", f"/api-keys/{kind}", body)
    return str(made["id"]), str(made["key"])
