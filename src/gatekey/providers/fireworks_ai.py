"""Fireworks AI: OpenAI's dialect. Its API gateway has errors of its own (`{"fault": {"faultstring": ...}}`)."""

from typing import Any

from gatekey.providers import compatible
from gatekey.wire import error
from gatekey.wire.error import Fault


def _error(theirs: Any) -> Fault:
    match theirs:
        case {"fault": {"faultstring": str(told), **rest}}:
            detail = rest.get("detail")
            return Fault(told, code=detail.get("errorcode") if isinstance(detail, dict) else None)
    return error.read(theirs)


provider = compatible(
    slug="fireworks-ai",
    name="Fireworks AI",
    docs="https://docs.fireworks.ai/api-reference",
    base="https://api.fireworks.ai/inference/v1",
    has=("completions", "chat", "embeddings", "models"),
    error=_error,
)
