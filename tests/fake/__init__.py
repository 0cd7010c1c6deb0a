"""A provider for tests: a real HTTP/1.1 server on a free port that answers as it is told to, however badly.

    with Fake() as fake:
        fake.answer(chat("Hello"), error(500), chat("cut").cut(40))
        ...  # send requests to fake.base
        assert fake.requests[0].json["model"] == "m"

`python -m tests.fake` serves well-behaved answers until it is interrupted.
"""

from tests.fake import anthropic
from tests.fake.openai import chat, chat_stream, completion, completion_stream, embeddings, error, models, speak
from tests.fake.reply import Gate, Reply, events, html, json, raw, redirect, silence, stream, text
from tests.fake.server import Fake, Received
from tests.fake.waiting import wait_until

__all__ = [
    "Fake",
    "Gate",
    "Received",
    "Reply",
    "anthropic",
    "chat",
    "chat_stream",
    "completion",
    "completion_stream",
    "embeddings",
    "error",
    "events",
    "html",
    "json",
    "models",
    "raw",
    "redirect",
    "silence",
    "speak",
    "stream",
    "text",
    "wait_until",
]
