"""DeepSeek: OpenAI's dialect, with `reasoning_content` beside the content.

Its text completions (fill in the middle) are a beta at a path of their own, with the same key, and not for the
reasoning model, which is served through chat. An answer that broke off for want of capacity is a failed one.
"""

from gatekey.providers import Endpoint, Provider, Theirs, Where
from gatekey.providers._usage import counted
from gatekey.wire.usage import Usage

_FAILED = ("insufficient_system_resource", "error")


def _completions(where: Where) -> str:
    return "/completions" if where.host else "/beta/completions"


def _counts(theirs: Theirs) -> Usage | None:
    """The prompt is what hit its cache and what missed it (https://api-docs.deepseek.com/guides/kv_cache)."""
    hit = theirs.get("prompt_cache_hit_tokens")
    return counted(theirs if hit is None else {**theirs, "prompt_tokens_details": {"cached_tokens": hit}})


provider = Provider(
    slug="deepseek",
    name="DeepSeek",
    docs="https://api-docs.deepseek.com/api/create-chat-completion",
    base="https://api.deepseek.com",
    endpoints={
        "completions": Endpoint(
            path=_completions, usage_on_request=True, failed=_FAILED, serves=lambda model: "reason" not in model
        ),
        "chat": Endpoint(path="/chat/completions", usage_on_request=True, failed=_FAILED),
        "models": Endpoint(path="/models", method="GET"),
    },
    counts=_counts,
)
