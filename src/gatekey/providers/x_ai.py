"""xAI (Grok): OpenAI's dialect. Errors are `{"code": "text", "error": "text"}`."""

from gatekey.providers import compatible

provider = compatible(
    slug="x-ai",
    name="xAI",
    docs="https://docs.x.ai/docs/api-reference",
    base="https://api.x.ai/v1",
    has=("completions", "chat", "embeddings", "models"),
)
