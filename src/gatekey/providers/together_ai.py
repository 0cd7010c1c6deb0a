"""Together AI: OpenAI's dialect, with a finish reason of its own where a model ends by its end token."""

from gatekey.providers import compatible

provider = compatible(
    slug="together-ai",
    name="Together AI",
    docs="https://docs.together.ai/reference",
    base="https://api.together.xyz/v1",
    has=("completions", "chat", "embeddings", "models"),
    finish={"eos": "stop"},
)
