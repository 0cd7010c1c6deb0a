"""How the openai client of PyPI is told of the gateway, and what it is asked."""

from typing import Any

import openai

from tests.clients.dialects import Dialect
from tests.fake import Fake
from tests.gateway import KEY, Gateway

HELLO: Any = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def arguments(gateway: Gateway, **headers: str) -> dict[str, Any]:
    """What a client is made with; `headers` are `x-portkey-*`, their prefix left out."""
    named = {"x-portkey-" + name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "api_key": "sk-mine",
        "base_url": f"{gateway.url}/v1",
        "default_headers": {"x-portkey-api-key": KEY, **named},
        "max_retries": 0,
    }


def at(dialect: Dialect, gateway: Gateway, fake: Fake) -> openai.OpenAI:
    """A client of a provider that speaks another dialect."""
    return openai.OpenAI(**arguments(gateway, provider=dialect.slug, custom_host=dialect.host(fake)))
