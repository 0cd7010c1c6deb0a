"""Hugging Face: the router over inference providers, in OpenAI's dialect.

A server of one's own (text-generation-inference) is named by the option; it ends with finish reasons of its own.
"""

from gatekey.providers import Option, Where, compatible

_ROUTER = "https://router.huggingface.co/v1"


def _base(where: Where) -> str:
    own = where.options.get("huggingface_base_url", "").rstrip("/")
    return own.removesuffix("/v1") + "/v1" if own else _ROUTER


provider = compatible(
    slug="huggingface",
    name="Hugging Face",
    docs="https://huggingface.co/docs/inference-providers",
    base=_base,
    has=("chat", "models"),
    finish={"eos_token": "stop", "stop_sequence": "stop"},
    options={
        "huggingface_base_url": Option("Address of an inference endpoint of one's own, in place of the router."),
    },
)
