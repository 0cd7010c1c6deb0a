"""What every decoder gives, and how large it may be. No framing here."""

from typing import Protocol

import msgspec

from gatekey.errors import Nonsense

MAX_EVENT = 16 * 1024 * 1024
"""Bytes of one event as it came, its line ends counted as one byte each, without those that end it."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream: `data` as undecoded UTF-8, and the type it was given, "" for none.

    A Struct, because thousands are made a second and a frozen dataclass takes six times as long.
    """

    data: bytes
    name: str = ""


class Decoder(Protocol):
    """Bytes in, events out. The contract stands at the head of the package."""

    @property
    def empty(self) -> bool:
        """Whether nothing is held: what comes next begins an event."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises `Nonsense`."""
        ...

    def close(self) -> list[Event]:
        """The events that the end of the input completes. Raises `Nonsense`."""
        ...


def too_large() -> Nonsense:
    """The error for an event over `MAX_EVENT`."""
    return Nonsense(f"The provider sent a stream event of more than {MAX_EVENT // 1024**2} MB.")
