"""Proxies that the environment names: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either letter case."""

import os
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from portkey_ai._http1 import Origin

LOOPBACK = ("127.", "::1", "localhost")


class Proxy(NamedTuple):
    """An HTTP proxy, and the headers that it wants."""

    host: str
    port: int
    headers: dict[str, str]


def proxy(origin: Origin) -> Proxy | None:
    """The proxy on the way to `origin`; never one to this machine. Raises ValueError for one that is not HTTP."""
    if not any(name.lower().endswith("_proxy") for name in os.environ) or origin.host.startswith(LOOPBACK):
        return None
    import urllib.request as system  # 30 modules: only where needed

    named = system.getproxies_environment()
    url = named.get("https" if origin.secure else "http") or named.get("all")
    if not url or system.proxy_bypass_environment(f"{origin.host}:{origin.port}", named):  # type: ignore[attr-defined]
        return None
    split = urlsplit(url if "://" in url else f"http://{url}")
    if split.scheme != "http" or not split.hostname:
        raise ValueError(f"The environment names a proxy of the kind {split.scheme!r}: only http:// is spoken here.")
    headers = {}
    if split.username is not None:
        from base64 import b64encode

        user = f"{unquote(split.username)}:{unquote(split.password or '')}"
        headers["proxy-authorization"] = f"Basic {b64encode(user.encode()).decode()}"
    return Proxy(split.hostname, split.port or 80, headers)
