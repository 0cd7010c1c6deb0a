"""Providers with dialects of their own, played by the fake out of recorded answers."""

import json
from dataclasses import dataclass
from typing import Any

from tests import fake as provider
from tests.conformance.material import GOLDEN, MODELS, Recorded, recorded
from tests.fake import Fake, Reply


@dataclass(frozen=True)
class Dialect:
    """A provider: its slug, and what its base URL has after the host."""

    slug: str
    base: str = ""

    def host(self, fake: Fake) -> str:
        """The base URL at which the fake plays it."""
        return fake.url + self.base

    def model(self, kind: str) -> str:
        """A model of its own."""
        return str(MODELS[self.slug][kind])

    def recorded(self, folder: str, name: str) -> Recorded:
        """A recorded answer."""
        return recorded(GOLDEN / folder / self.slug / f"{name}.txt")

    def reply(self, name: str) -> tuple[Reply, Any]:
        """What it answers, and what callers are to read of it."""
        found = self.recorded("replies", name)
        return provider.json(found.theirs, found.status), json.loads(found.ours)

    def stream(self, name: str) -> tuple[Reply, list[Any]]:
        """The same streamed: the chunks that callers are to read."""
        found = self.recorded("streams", name)
        blocks = [block + b"\n\n" for block in found.theirs.split(b"\n\n") if block.strip()]
        lines = [line.removeprefix("data: ") for line in found.ours.splitlines() if line.startswith("data: ")]
        return provider.stream(blocks), [json.loads(line) for line in lines if line != "[DONE]"]


ANTHROPIC = Dialect("anthropic", "/v1")
GOOGLE = Dialect("google", "/v1beta")
COHERE = Dialect("cohere")
DIALECTS = (ANTHROPIC, GOOGLE, COHERE)
