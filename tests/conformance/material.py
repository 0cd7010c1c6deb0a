"""The cases, the recorded answers, and how a provider is asked for the sake of a test."""

import functools
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatekey.catalog import Catalog
from gatekey.providers import Asked, Shaped, shape
from gatekey.wire import body

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
CASES = sorted(path.stem for path in (HERE / "requests").glob("*.json"))
MODELS: dict[str, dict[str, Any]] = json.loads((HERE / "models.json").read_text())
"""For each provider: a model for each kind, one that only a legacy endpoint serves, the options that it needs."""

CATALOG = Catalog()
SLUGS = CATALOG.slugs()
UPDATE = os.environ.get("GATEKEY_UPDATE_GOLDEN") == "1"
HINT = "GATEKEY_UPDATE_GOLDEN=1 writes it; then read it against the provider's documentation"

PLAIN: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Hello"}]},
    "completions": {"prompt": "Hello"},
    "embeddings": {"input": "Hello"},
    "models": {},
}
"""What a request has at least, for recorded answers that say nothing of it."""

_outside_strings = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


def compact(text: str) -> str:
    """JSON without white space between its tokens; every token as it was written."""
    return _outside_strings.sub(lambda match: match[1] or "", text)


def kind_of(case: str) -> str:
    """The endpoint that a case is for."""
    return case.partition("-")[0]


def model_for(slug: str, kind: str) -> str:
    """A model of the provider's; for what it lacks, its chat model."""
    models = MODELS[slug]
    return str(models.get(kind) or models["chat"])


def ask(slug: str, kind: str, data: bytes, *, options: dict[str, str] | None = None, strict: bool = True) -> Shaped:
    """What is sent to a provider for a request body."""
    given = MODELS[slug].get("options", {}) if options is None else options
    asked = Asked(
        kind=kind,  # type: ignore[arg-type]
        provider=slug,
        created=1_700_000_000,
        id="0123456789abcdef",
        strict=strict,
        options=given,
    )
    return shape(CATALOG.provider(slug), kind, body.decode(data), asked)  # type: ignore[arg-type]


def case(name: str, slug: str) -> bytes | None:
    """A case as a provider is asked it; None where the provider has no such model."""
    text = compact((HERE / "requests" / f"{name}.json").read_text())
    if '"LEGACY"' in text:
        legacy = MODELS[slug].get("legacy")
        return text.replace('"LEGACY"', json.dumps(legacy)).encode() if legacy else None
    return text.replace('"MODEL"', json.dumps(model_for(slug, kind_of(name)))).encode()


@dataclass(frozen=True)
class Recorded:
    """A recorded answer: what the provider sent, and what the caller gets."""

    path: Path
    settings: dict[str, str]
    theirs: bytes
    ours: str

    @property
    def slug(self) -> str:
        """The provider."""
        return self.path.parent.name

    @property
    def status(self) -> int:
        """The provider's status."""
        return int(self.settings.get("status", "200"))

    def shaped(self, *, stream: bool) -> Shaped:
        """The request that it answers."""
        kind = kind_of(self.path.stem)
        told = json.loads(self.settings.get("request", "{}"))
        rest = {} if "messages" in told or "prompt" in told or "input" in told else PLAIN[kind]
        asked = {"model": model_for(self.slug, kind), **rest, **({"stream": True} if stream else {}), **told}
        options = json.loads(self.settings["options"]) if "options" in self.settings else None
        strict = self.settings.get("strict", "true") == "true"
        return ask(self.slug, kind, json.dumps(asked).encode(), options=options, strict=strict)

    def check(self, ours: str) -> None:
        """Compare with the second half, or write it anew."""
        if UPDATE and ours != self.ours:
            lines = "".join(f"{name}: {value}\n" for name, value in self.settings.items())
            self.path.write_text(f"{lines}{self.theirs.decode()}--------\n{ours}")
        else:
            assert ours == self.ours, HINT


_setting = re.compile(r"(status|request|options|strict|usage): (.*)\n")


@functools.cache
def recorded(path: Path) -> Recorded:
    """Read a file of two halves."""
    first, dashes, second = path.read_text().partition("--------\n")
    assert dashes, f"{path} has no line of eight dashes"
    settings = {}
    while match := _setting.match(first):
        settings[match[1]] = match[2]
        first = first[match.end() :]
    return Recorded(path, settings, first.encode(), second)


def files(folder: str) -> list[Path]:
    """Every recorded answer below `golden/<folder>`."""
    return sorted((GOLDEN / folder).glob("*/*.txt"))


def name(path: Path) -> str:
    """A short name for a test's title."""
    return f"{path.parent.name}/{path.stem}"
