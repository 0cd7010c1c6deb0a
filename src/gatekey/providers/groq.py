"""Groq: OpenAI's dialect. Streams bear usage in `x_groq` of the last chunk too, which passes.

The refused parameters are those that its page on OpenAI compatibility answers with 400.
"""

from gatekey.providers import compatible

provider = compatible(
    slug="groq",
    name="Groq",
    docs="https://console.groq.com/docs/api-reference",
    base="https://api.groq.com/openai/v1",
    has=("chat", "embeddings", "models"),
    lacks=("logprobs", "logit_bias", "top_logprobs"),
)
