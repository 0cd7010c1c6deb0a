"""Ollama: models on a machine of one's own, in OpenAI's dialect below `/v1`.

A custom host is given without `/v1`, as Ollama's own clients do; one with it is understood too.
"""

from collections.abc import Callable

from gatekey.providers import Endpoint, Provider, Where


def _below_v1(path: str) -> Callable[[Where], str]:
    return lambda where: path if where.host.rstrip("/").endswith("/v1") else f"/v1{path}"


provider = Provider(
    slug="ollama",
    name="Ollama",
    docs="https://docs.ollama.com/api/openai-compatibility",
    base="http://localhost:11434",
    endpoints={
        "completions": Endpoint(path=_below_v1("/completions"), usage_on_request=True),
        "chat": Endpoint(path=_below_v1("/chat/completions"), usage_on_request=True),
        "embeddings": Endpoint(path=_below_v1("/embeddings")),
        "models": Endpoint(path=_below_v1("/models"), method="GET"),
    },
    key_needed=False,
)
