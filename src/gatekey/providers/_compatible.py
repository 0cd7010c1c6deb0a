"""Providers that speak our dialect: a few lines each, and everything passes as it came."""

from typing import Any

from gatekey.providers._spec import Endpoint, Provider

PATHS = {"completions": "/completions", "chat": "/chat/completions", "embeddings": "/embeddings", "models": "/models"}


def compatible(
    *,
    has: tuple[str, ...] = ("chat", "models"),
    usage_on_request: bool = True,
    lacks: tuple[str, ...] = (),
    finish: dict[str, str] | None = None,
    failed: tuple[str, ...] = ("error",),
    **facts: Any,
) -> Provider:
    """An OpenAI-compatible provider.

    `has`: its endpoints. `usage_on_request`: its streams accept `stream_options`. `lacks`: parameters that it is
    documented to refuse. `finish`: its own finish reasons to ours. `failed`: those that say that
    the answer broke off. The rest are `Provider`'s fields.
    """

    def endpoint(kind: str) -> Endpoint:
        if kind == "models":
            return Endpoint(path=PATHS[kind], method="GET")
        generates = kind != "embeddings"
        return Endpoint(
            path=PATHS[kind],
            usage_on_request=generates and usage_on_request,
            lacks=lacks if generates else (),
            finish=finish or {},
            failed=failed,
        )

    return Provider(endpoints={kind: endpoint(kind) for kind in has}, **facts)
