"""xAI (Grok): OpenAI's dialect. Errors are `{"code": "text", "error": "text"}`.

What was thought is counted beside the completion (https://docs.x.ai/docs/key-information/consumption-and-rate-limits).
The usage tells the cost, tools and searches included, in ticks of which a dollar has 10,000,000,000.
"""

from gatekey.providers import Theirs, compatible
from gatekey.providers._usage import MOST, counted
from gatekey.wire.usage import Usage

_TICKS = 10
"""In a nano-dollar."""


def _counts(theirs: Theirs) -> Usage | None:
    ticks = theirs.get("cost_in_usd_ticks")
    if type(ticks) is int and 0 <= ticks <= MOST * _TICKS * 1_000_000:
        return counted(theirs, -(-ticks // _TICKS))
    return counted(theirs)


provider = compatible(
    slug="x-ai",
    name="xAI",
    docs="https://docs.x.ai/docs/api-reference",
    base="https://api.x.ai/v1",
    has=("completions", "chat", "embeddings", "models"),
    counts=_counts,
)
