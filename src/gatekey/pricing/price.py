"""A model's price: what a usage costs, and the most that one still to come may cost.

Where a class was used that has no rate, the cost is not known, which is not zero.
"""

from fractions import Fraction
from functools import cached_property
from math import ceil
from operator import attrgetter
from typing import Any

from msgspec import Struct

from gatekey.pricing import config
from gatekey.pricing.rates import CLASSES, INPUT, OUTPUT, UNITS, Rates
from gatekey.wire.usage import Usage

_SCALE = 18_000_000
"""A number that both a million and an hour's ms divide: weights are integer parts of it, and are added up exactly."""
_PARTS = {"images": _SCALE, "audio_ms": _SCALE // 3_600_000}
_PER_MILLION = _SCALE // 1_000_000

_counts = attrgetter(*CLASSES)


class Price(Struct, frozen=True, dict=True):
    """The price of a model: rates by the size of the prompt, ascending; the first hold from the first token.

    `max_output`: the most tokens that it puts out; None: not known. `own`: set by those who pay, so that it goes
    before what a provider says about the cost. `factor`: what that is multiplied with where it does not.
    """

    rates: tuple[Rates, ...]
    max_output: int | None = None
    own: bool = False
    factor: Fraction = Fraction(1)

    def cost(self, usage: Usage) -> int | None:
        """Nano-dollars, rounded up once, at the end; None where a class that was used has no price.

        A prompt over a threshold is billed at that threshold's rates as a whole, answer included.
        """
        steps = self._weights
        weights = steps[0][1]
        if len(steps) > 1:
            prompt = usage.prompt
            weights = next(row for above, row in reversed(steps) if prompt > above or not above)
        total = 0
        for count, weight in zip(_counts(usage), weights, strict=False):  # as many of both, by construction
            if count:
                if weight is None:
                    return None
                total += count * weight
        return -(-total // _SCALE)

    def bound(
        self, input_tokens: int, output_tokens: int, *, images: int = 0, audio_ms: int = 0, characters: int = 0
    ) -> int | None:
        """The most that a call can cost which counts no more than this: every token at the dearest rate of its side.

        None where there is no price. A model is billed by tokens or by other units: what it has no rate for at all
        is not in the bound, except that input which is priced does not make up for output which is not.
        """
        steps = self._dearest
        sides = steps[0][1]
        if len(steps) > 1:
            sides = next(row for above, row in reversed(steps) if not above or input_tokens > above)
        into, out, image, ms, character = sides
        if into is None or out is None:
            if all(weight is None for weight in sides):
                return None
            if (out is not None and input_tokens) or (into is not None and output_tokens):
                return None
        total = input_tokens * (into or 0) + output_tokens * (out or 0)
        total += images * (image or 0) + audio_ms * (ms or 0) + characters * (character or 0)
        return -(-total // _SCALE)

    @classmethod
    def from_config(cls, pricing_config: Any) -> "Price":
        """The price that an integration's `pricing_config` sets for a model. Raises `BadBody`."""
        return cls((config.rates(pricing_config),), own=True)

    def times(self, multiplier: Any) -> "Price":
        """This price by an integration's `pricing_adjustments.multiplier`. Raises `BadBody`.

        What a provider tells of the cost is not told by class: factors of classes cannot hold for it.
        """
        factors, default = config.factors(multiplier)
        rates = tuple(rates.times(factors, default) for rates in self.rates)
        return Price(rates, self.max_output, own=self.own or bool(factors), factor=self.factor * default)

    @cached_property
    def _weights(self) -> tuple[tuple[int, tuple[int | None, ...]], ...]:
        return tuple((rates.above, tuple(_weight(rates, name) for name in CLASSES)) for rates in self.rates)

    @cached_property
    def _dearest(self) -> tuple[tuple[int, tuple[int | None, ...]], ...]:
        """The dearest weight of each side and unit in these rates and all that hold for less."""
        groups = (INPUT, OUTPUT, *((unit,) for unit in UNITS))
        made: list[tuple[int, tuple[int | None, ...]]] = []
        for above, row in self._weights:
            by_class = dict(zip(CLASSES, row, strict=True))
            before = made[-1][1] if made else (None,) * len(groups)
            sides = zip(before, groups, strict=True)
            made.append((above, tuple(_most([least, *(by_class[name] for name in group)]) for least, group in sides)))
        return tuple(made)


def cost(usage: Usage, price: Price | None) -> int | None:
    """What an exchange cost: by a price of one's own, else as the provider told, else by the table; None: unpriced."""
    if price is None:
        return usage.told
    if usage.told is not None and not price.own:
        return usage.told if price.factor == 1 else ceil(usage.told * price.factor)
    return price.cost(usage)


UNKNOWN = Price((Rates(),))
"""The price of what is not priced."""


def _weight(rates: Rates, name: str) -> int | None:
    rate = rates.rate(name)
    return None if rate is None else rate * _PARTS.get(name, _PER_MILLION)


def _most(weights: list[int | None]) -> int | None:
    return max((weight for weight in weights if weight is not None), default=None)
