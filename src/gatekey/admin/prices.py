"""Prices as bodies set them (portkey-api.md 3.2, 7.5): checked here, kept as they came."""

from typing import Any

from msgspec import Struct

from gatekey.errors import BadBody
from gatekey.pricing import Price

Config = dict[str, Any]
"""A `pricing_config`: US cents for a token of each type."""


class Adjustments(Struct, forbid_unknown_fields=True):
    """What the prices of an integration's models are multiplied with, by type of token."""

    multiplier: dict[str, Any]


def priced(config: Config | None, place: str) -> None:
    """Raises `BadBody` where a `pricing_config` sets no price. `place`: what it is a part of."""
    if config is not None:
        try:
            Price.from_config(config)
        except BadBody as failure:
            raise BadBody(f"{place}: {failure.message}", param=f"{place}.{failure.param}") from None


def adjusted(asked: Adjustments | None) -> dict[str, Any]:
    """Adjustments as they are kept; empty: none. Raises `BadBody`."""
    if asked is None:
        return {}
    Price(()).times(asked.multiplier)
    return {"multiplier": asked.multiplier}
