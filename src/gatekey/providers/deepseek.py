"""DeepSeek: OpenAI's dialect, with `reasoning_content` beside the content.

Its text completions (fill in the middle) are a beta at a path of their own, with the same key, and not for the
reasoning model, which is served through chat. An answer that broke off for want of capacity is a failed one.
"""

from gatekey.providers import Endpoint, Provider, Where

_FAILED = ("insufficient_system_resource", "error")


def _completions(where: Where) -> str:
    return "/completions" if where.host else "/beta/completions"


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
)
