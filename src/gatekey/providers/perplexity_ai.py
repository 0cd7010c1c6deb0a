"""Perplexity: OpenAI's dialect for chat, with `citations` and `search_results` beside the choices.

Streamed chunks bear usage and, beside `delta`, the whole `message` so far. Most models end without `[DONE]`.
The usage tells the cost in US dollars, with the fee of a search, which tokens do not tell.
"""

from gatekey.providers import Theirs, compatible
from gatekey.providers._usage import counted, nano_dollars, part
from gatekey.wire.usage import Usage


def _counts(theirs: Theirs) -> Usage | None:
    """Its deep research thinks beside the completion, and reads citations: `total_tokens` is without both."""
    return counted(theirs, nano_dollars(part(theirs, "cost").get("total_cost")))


provider = compatible(
    slug="perplexity-ai",
    name="Perplexity",
    docs="https://docs.perplexity.ai/api-reference",
    base="https://api.perplexity.ai",
    has=("chat",),
    usage_on_request=False,
    counts=_counts,
)
