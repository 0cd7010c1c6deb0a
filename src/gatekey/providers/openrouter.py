"""OpenRouter: OpenAI's dialect, over many providers.

Streams bear usage without being asked, and comments while the answer is awaited. An error may come inside a 200
answer, whole or streamed: in `error`, or in the `error` of a choice whose finish reason is `error`.
"""

from gatekey.providers import compatible

provider = compatible(
    slug="openrouter",
    name="OpenRouter",
    docs="https://openrouter.ai/docs/api-reference",
    base="https://openrouter.ai/api/v1",
    has=("completions", "chat", "embeddings", "models"),
    usage_on_request=False,
)
