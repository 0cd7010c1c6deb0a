"""The classes that a price has a rate for.

A class without a rate of its own takes that of a class which providers are known to bill it as (reasoning as output,
for instance), else what it counts is not priced.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil

from msgspec import Struct

INPUT = ("input", "cache_read", "cache_write", "cache_write_1h", "input_audio", "cache_read_audio", "input_image")
OUTPUT = ("output", "reasoning", "output_audio", "output_image")
UNITS = ("images", "audio_ms", "characters")
CLASSES = (*INPUT, *OUTPUT, *UNITS)
"""What a usage counts."""

MOST = 10**15
"""Nano-dollars that a rate may come to: a million dollars for a million tokens. With the bound of a usage's counts it
keeps costs within 64 bits."""

BILLED_AS = {
    "cache_read": "input",  # never dearer, and where no price is told there is no discount
    "cache_read_audio": "input_audio",  # so too
    "input_image": "input",  # as most models bill what they see
    "reasoning": "output",
}
"""What a class without a rate is billed as."""


class Rates(Struct, frozen=True, omit_defaults=True):
    """Nano-dollars for a million tokens or characters, an image, an hour (`audio_ms`). None: not priced.

    They hold where more than `above` tokens go in.
    """

    above: int = 0
    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    input_audio: int | None = None
    cache_read_audio: int | None = None
    input_image: int | None = None
    output: int | None = None
    reasoning: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    images: int | None = None
    audio_ms: int | None = None
    characters: int | None = None

    def rate(self, name: str) -> int | None:
        """The rate of a class: its own, or of what it is billed as."""
        own: int | None = getattr(self, name)
        return self.rate(BILLED_AS[name]) if own is None and name in BILLED_AS else own

    def times(self, factors: Mapping[str, Fraction], default: Fraction) -> "Rates":
        """These rates multiplied, rounded up: a class by its own factor, else by the default.

        A class that is billed as another follows it, unless it has a factor of its own.
        """
        made: dict[str, int] = {}
        for name in CLASSES:
            rate = self.rate(name) if name in factors else getattr(self, name)
            if rate is not None:
                made[name] = min(ceil(rate * factors.get(name, default)), MOST)
        return Rates(self.above, **made)
