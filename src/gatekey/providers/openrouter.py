"""OpenRouter: OpenAI's dialect, over many providers.

Streams bear usage without being asked, and comments while the answer is awaited. An error may come inside a 200
answer, whole or streamed: in `error`, or in the `error` of a choice whose finish reason is `error`.
The usage tells what was charged, whichever provider served: `cost`, in US dollars. With a key of one's own that is
its fee alone, and `upstream_inference_cost` comes on top (https://openrouter.ai/docs/use-cases/usage-accounting).
"""

from gatekey.providers import Theirs, compatible
from gatekey.providers._usage import counted, nano_dollars, part
from gatekey.wire.usage import Usage


def _counts(theirs: Theirs) -> Usage | None:
    charged = nano_dollars(theirs.get("cost"))
    if charged is not None and theirs.get("is_byok"):
        upstream = nano_dollars(part(theirs, "cost_details").get("upstream_inference_cost"))
        charged = None if upstream is None else charged + upstream
    return counted(theirs, charged)


provider = compatible(
    slug="openrouter",
    name="OpenRouter",
    docs="https://openrouter.ai/docs/api-reference",
    base="https://openrouter.ai/api/v1",
    has=("completions", "chat", "embeddings", "models"),
    usage_on_request=False,
    counts=_counts,
)
