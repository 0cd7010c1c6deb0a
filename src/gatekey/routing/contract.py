"""What a plan and the one who carries it out say to each other.

A Plan is a generator. It yields `Attempt` and is sent the `Outcome` of that exchange, or yields `Wait` and is
sent None; it returns the Outcome that it settles on. Everything that a strategy may react to is an Outcome:
exceptions never cross a plan. Strategies share one signature, `(node, facts) -> Plan`.

Pure: no clock, no dice. Chance is `Facts.draw`, one seed per request, so that what happened can be replayed.
"""

from collections.abc import Callable, Generator
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from gatekey.config.model import Target
from gatekey.errors import GatekeyError


class Sent(IntEnum):
    """What the caller has been given. Whatever has been sent cannot be unsent: nobody goes on after it."""

    NOTHING = 0
    HEAD = 1
    CONTENT = 2


class Outcome(Struct):
    """What an attempt came to; it never holds an open body.

    `by`: who chose the status. `retries`: made before this answer, -1 when all were used up or a wait was too long.
    `retry_after` in seconds, as the provider asked. `retryable` False: another try of the same target cannot help.
    `dropped`, `clamped`: parameters that the provider lacks, or has in another range.
    `usage`: what the provider reported, as it came, and `model`: the one that it says it used; falsy where it told
    neither. `counted` False: the answer is not over, or was not, so that more may have been consumed than is reported.
    """

    status: int
    by: Literal["gateway", "provider"]
    path: str
    provider: str = ""
    retries: int = 0
    sent: Sent = Sent.NOTHING
    headers: list[tuple[str, str]] = []
    body: bytes = b""
    error: GatekeyError | None = None
    retry_after: float | None = None
    retryable: bool = True
    dropped: tuple[str, ...] = ()
    clamped: tuple[str, ...] = ()
    usage: Any = None
    counted: bool = True
    model: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


class Attempt(Struct, frozen=True):
    """Exchange with `target`; `retries` were made before this try."""

    target: Target
    retries: int


class Wait(Struct, frozen=True):
    """Do nothing for `seconds`."""

    seconds: float


Plan: TypeAlias = Generator[Attempt | Wait, Outcome | None, Outcome]


class Facts(Struct, frozen=True):
    """What a plan may know of the request. `lookup` is given `metadata.plan` and gives its value or MISSING."""

    seed: int
    lookup: Callable[[str], Any]

    def draw(self, path: str) -> float:
        """A number in [0, 1), always the same for the same seed and path."""
        key = (self.seed % (1 << 128)).to_bytes(16, "big")
        digest = blake2b(path.encode(), digest_size=8, key=key).digest()
        return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
