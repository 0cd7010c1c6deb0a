"""What tests of the running gateway ask again and again: requests for a fake provider, and what to make of answers."""

import json
import socket
from collections.abc import Mapping
from typing import Any

from tests.fake import Fake
from tests.gateway import Stream

PROVIDER_KEY = "sk-of-the-provider"
MESSAGES = [{"role": "user", "content": "Say this is a test"}]
CHAT = {"model": "m", "messages": MESSAGES}
STREAM = {**CHAT, "stream": True}
PROMPT = {"model": "m", "prompt": "Say this is a test"}
CHATS = "/v1/chat/completions"
TEXTS = "/v1/completions"


def at(fake: Fake, slug: str = "openai", **more: str) -> dict[str, str]:
    """Headers that lead to the fake by name, with a key; `more` with underscores for dashes."""
    named = {
        "x-portkey-provider": slug,
        "x-portkey-custom-host": fake.base,
        "authorization": f"Bearer {PROVIDER_KEY}",
    }
    return named | {name.replace("_", "-"): value for name, value in more.items()}


def by(config: Mapping[str, Any], **more: str) -> dict[str, str]:
    """Headers with an inline config."""
    return {"x-portkey-config": json.dumps(config)} | {name.replace("_", "-"): value for name, value in more.items()}


def target(fake: Fake | str, **more: Any) -> dict[str, Any]:
    """A target of a config that leads to the fake (or to a base URL)."""
    host = fake if isinstance(fake, str) else fake.base
    return {"provider": "openai", "api_key": PROVIDER_KEY, "custom_host": host, **more}


def fallback(*targets: Any, **strategy: Any) -> dict[str, Any]:
    """A config that tries one target after the other."""
    return {"strategy": {"mode": "fallback", **strategy}, "targets": list(targets)}


def data_of(body: bytes) -> list[bytes]:
    """The data of every event of a whole stream, `[DONE]` too."""
    blocks = body.removesuffix(b"\n\n").split(b"\n\n")
    return [
        line.removeprefix(b"data: ") for block in blocks for line in block.split(b"\n") if line.startswith(b"data:")
    ]


def text_of(stream: Stream) -> str:
    """What a stream says in chat deltas or text, `[DONE]` demanded at its end."""
    *chunks, last = [event.data for event in stream.events()]
    assert last == "[DONE]"
    choices = [choice for chunk in chunks for choice in json.loads(chunk)["choices"]]
    return "".join(choice.get("text") or (choice.get("delta") or {}).get("content") or "" for choice in choices)


def refusing() -> str:
    """The base URL of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1"
