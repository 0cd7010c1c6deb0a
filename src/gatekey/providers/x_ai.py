"""xAI (Grok): OpenAI's dialect. Errors are `{"code": "text", "error": "text"}`.

What was thought is counted beside the completion (https://docs.x.ai/docs/key-information/consumption-and-rate-limits).
The usage tells the cost, tools and searches included, in ticks of which a dollar has 10,000,000,000.
"""

from gatekey.providers import Theirs, compatible
from gatekey.providers._usage import counted, nano_dollars
from gatekey.wire.usage import Usage

_TICKS = 10_000_000_000


def _counts(theirs: Theirs) -> Usage | None:
    ticks = theirs.get("cost_in_usd_ticks")
    return counted(theirs, nano_dollars(ticks / _TICKS) if type(ticks) is int else None)


provider = compatible(
    slug="x-ai",
    name="xAI",
    docs="https://docs.x.ai/docs/api-reference",
    base="https://api.x.ai/v1",
    has=("completions", "chat", "embeddings", "models"),
    counts=_counts,
)
