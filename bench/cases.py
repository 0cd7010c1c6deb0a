"""What is measured, and what it may cost: the cases and the targets. Data only."""

from dataclasses import dataclass

from bench import bodies


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request. `prefix` picks the fake upstream; `kind` is what `--only` and `--quick` choose by."""

    name: str
    title: str
    kind: str
    prefix: str
    path: str
    body: bytes


COMPLETION = Case("completion", "completion", "plain", "", "/v1/completions", bodies.COMPLETION)
CHAT = Case("chat", "chat", "plain", "", "/v1/chat/completions", bodies.CHAT)
LONG_CHAT = Case("long", "chat, 3 kB", "long", "", "/v1/chat/completions", bodies.LONG_CHAT)
PACED = Case("paced", "64 chunks, 1 ms apart", "stream", "/paced", "/v1/chat/completions", bodies.STREAMED_CHAT)
BURST = Case("burst", "64 chunks at once", "stream", "/burst", "/v1/chat/completions", bodies.STREAMED_CHAT)

ALL = (COMPLETION, CHAT, LONG_CHAT, PACED, BURST)


@dataclass(frozen=True, slots=True)
class Target:
    """Gatekey's CPU for a case may be at most `most` times a peer's."""

    case: Case
    peer: str
    most: float


TARGETS = (
    Target(COMPLETION, "nginx", 8),
    Target(CHAT, "nginx", 8),
    Target(COMPLETION, "original", 1 / 6),
    Target(CHAT, "original", 1 / 6),
    Target(PACED, "nginx", 4),
    Target(BURST, "nginx", 4),
)
MOST_MEMORY = 80_000_000
"""Bytes that Gatekey may hold resident after the load, all its processes together."""
