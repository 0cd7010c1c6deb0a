"""Prices as the API has them: `pricing_config` of a model, `pricing_adjustments.multiplier` of all of them.

Source: portkey-api.md 3.2 and 7.5. A price there is US cents for one token (for one picture: `image.default.default`).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from gatekey.errors import BadBody
from gatekey.pricing.rates import CLASSES, MOST, Rates

TYPES = {
    "request_token": ("input",),
    "response_token": ("output",),
    "cache_read_input_token": ("cache_read",),
    "cache_write_input_token": ("cache_write", "cache_write_1h"),
    "request_audio_token": ("input_audio",),
    "cache_read_audio_input_token": ("cache_read_audio",),
    "request_image_token": ("input_image",),
    "reasoning_token": ("reasoning",),
    "response_audio_token": ("output_audio",),
    "response_image_token": ("output_image",),
}
"""Documented token types -> the classes that they price."""

_CENT = 10_000_000
"""Nano-dollars."""


def rates(pricing_config: Any) -> Rates:
    """The rates of a `pricing_config`. Raises `BadBody` naming what is wrong."""
    where = "pricing_config"
    config = _object(pricing_config, where)
    if config.get("type", "static") != "static":
        raise BadBody(f"`{where}.type` is {config['type']!r}: only `static` prices can be set.", param=f"{where}.type")
    where += ".pay_as_you_go"
    made: dict[str, int] = {}
    for kind, entry in _object(config.get("pay_as_you_go"), where).items():
        at = f"{where}.{kind}"
        if kind == "image":
            entry, at = (
                _object(_object(entry, at).get("default"), f"{at}.default").get("default"),
                f"{at}.default.default",
            )
        elif kind not in TYPES:
            raise _unknown(at)
        price = _object(entry, at).get("price")
        cents = _number(price, f"{at}.price", MOST)
        nano = ceil(cents * _CENT * (1 if kind == "image" else 1_000_000))
        if nano > MOST:
            raise BadBody(f"`{at}.price` is {price}, in US cents: no price is as high as that.", param=f"{at}.price")
        made |= dict.fromkeys(TYPES.get(kind, ("images",)), nano)
    if not made:
        raise BadBody(f"`{where}` sets no price, such as `request_token`.", param=where)
    return Rates(**made)


def factors(multiplier: Any) -> tuple[Mapping[str, Fraction], Fraction]:
    """Class -> factor, and the factor of all others. Raises `BadBody` naming what is wrong."""
    where = "pricing_adjustments.multiplier"
    made: dict[str, Fraction] = {}
    default = Fraction(1)
    for kind, value in _object(multiplier, where).items():
        at = f"{where}.{kind}"
        if kind == "image":
            made["images"] = _number(_object(value, at).get("default"), f"{at}.default", 1_000_000)
        elif kind == "default":
            default = _number(value, at, 1_000_000)
        elif kind in TYPES:
            made |= dict.fromkeys(TYPES[kind], _number(value, at, 1_000_000))
        else:
            raise _unknown(at)
    return made, default


_COUNTS = {
    "request": {
        "request_token": "input_tokens",
        "cache_write_input_token": "cache_write_tokens",
        "cache_read_input_token": "cache_read_tokens",
    },
    "response": {"response_token": "output_tokens"},
}
"""What the documented formula multiplies with which rates."""
_UNITS = {"audio_ms": ("audio_hour", 1), "characters": ("character", 1_000_000)}
"""Classes that no token counts -> their name among `additional_units`, and how many the rate is for."""


def shown(rates: Sequence[Rates]) -> dict[str, Any]:
    """Rates as a `pricing_config`, what is billed alike with the same price. Of prompts above a size in `above`."""
    first, *others = [_shown(each) for each in rates]
    formula = {
        side: {
            "operation": "sum",
            "operands": [
                {"operation": "multiply", "operands": [{"value": count}, {"value": f"rates.{kind}"}]}
                for kind, count in counts.items()
                if kind in first
            ],
        }
        for side, counts in _COUNTS.items()
    }
    above = [{"tokens": each.above, "pay_as_you_go": told} for each, told in zip(rates[1:], others, strict=True)]
    return {"pay_as_you_go": first, "calculate": formula, "currency": "USD", **({"above": above} if above else {})}


def _shown(rates: Rates) -> dict[str, Any]:
    known = {name: rate for name in CLASSES if (rate := rates.rate(name)) is not None}
    told: dict[str, Any] = {
        kind: {"price": _cents(known[names[0]], 1_000_000)} for kind, names in TYPES.items() if names[0] in known
    }
    more = {name: {"price": _cents(known[kind], many)} for kind, (name, many) in _UNITS.items() if kind in known}
    if "cache_write_1h" in known:
        more["cache_write_1h_input_token"] = {"price": _cents(known["cache_write_1h"], 1_000_000)}
    if "images" in known:
        told["image"] = {"default": {"default": {"price": _cents(known["images"], 1)}}}
    return {**told, **({"additional_units": more} if more else {})}


def _cents(nano: int, many: int) -> float:
    """For showing: money is counted in integers, and so are prices."""
    return float(Fraction(nano, _CENT * many))


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadBody(f"`{where}` must be an object.", param=where)
    return value


def _number(value: Any, where: str, most: int) -> Fraction:
    if type(value) not in (int, float, Decimal) or not 0 <= value <= most:
        raise BadBody(f"`{where}` must be a number from 0 to {most:,}.", param=where)
    return Fraction(str(value))


def _unknown(where: str) -> BadBody:
    return BadBody(f"`{where}` is no known type of token: there are {', '.join(TYPES)} and image.", param=where)
