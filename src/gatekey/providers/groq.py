"""Groq: OpenAI's dialect. Streams bear usage in `x_groq` of the last chunk too, which passes.

The refused parameters are those that its page on OpenAI compatibility answers with 400.
"""

from gatekey.providers import Theirs, compatible
from gatekey.providers._usage import counted
from gatekey.wire.usage import Usage

_LEAST = 10
"""s of sound that are billed at least (https://console.groq.com/docs/speech-to-text)."""


def _counts(theirs: Theirs) -> Usage | None:
    seconds = theirs.get("seconds")
    short = isinstance(seconds, int | float) and 0 < seconds < _LEAST
    return counted({**theirs, "seconds": _LEAST} if short else theirs)


provider = compatible(
    slug="groq",
    name="Groq",
    docs="https://console.groq.com/docs/api-reference",
    base="https://api.groq.com/openai/v1",
    has=("chat", "embeddings", "models"),
    counts=_counts,
    lacks=("logprobs", "logit_bias", "top_logprobs"),
)
