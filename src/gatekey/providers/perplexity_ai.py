"""Perplexity: OpenAI's dialect for chat, with `citations` and `search_results` beside the choices.

Streamed chunks bear usage and, beside `delta`, the whole `message` so far. Most models end without `[DONE]`.
"""

from gatekey.providers import compatible

provider = compatible(
    slug="perplexity-ai",
    name="Perplexity",
    docs="https://docs.perplexity.ai/api-reference",
    base="https://api.perplexity.ai",
    has=("chat",),
    usage_on_request=False,
)
