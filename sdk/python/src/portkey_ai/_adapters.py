"""How other packages' clients are told of the gateway."""

from collections.abc import Mapping
from typing import Any

from portkey_ai._settings import Settings

NO_KEY = "dummy"
"""What those clients send as a provider's key where there is none: the gateway knows it for what it is."""


def adapted(settings: Settings, more: Mapping[str, Any], *, base_url: str) -> dict[str, Any]:
    """The arguments of a client. Raises TypeError for a client of an application, which has no address."""
    if settings.options.get("app") is not None:
        raise TypeError("A client made with app= has no address that another client could be given.")
    headers = dict(settings.told)
    # In their spelling, so that it takes the place of what they would send, instead of being sent beside it.
    authorization = headers.pop("authorization", None)
    if authorization is not None:
        headers["Authorization"] = authorization
    return {
        "base_url": base_url,
        "api_key": NO_KEY,
        "default_headers": {**headers, **more.get("default_headers", {})},
        "timeout": settings.timeout,
        "max_retries": 0,  # the gateway retries
        **{name: value for name, value in more.items() if name != "default_headers"},
    }
