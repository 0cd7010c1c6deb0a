"""Prices and limits as the spine uses them."""

from functools import lru_cache

from gatekey.gateway.aim import Aim
from gatekey.gateway.call import Call
from gatekey.gateway.purse import Purse
from gatekey.limits.limit import Limit
from gatekey.pricing import Price, Table
from gatekey.store.directory import Directory

REMEMBERED = 4096
"""Prices that are kept by provider and model as they were asked for."""


class Money:
    """What calls cost, and who may spend how much."""

    def __init__(self, table: Table, directory: Directory, purse: Purse) -> None:
        self.purse = purse
        self._directory = directory
        self._find = lru_cache(REMEMBERED)(table.find)

    def price(self, aim: Aim, *models: str) -> Price | None:
        """What the first of these models costs whose price is known there."""
        named = tuple(model for model in models if model)
        return self._find(aim.provider.slug, *named) if named else None

    def limits(self, call: Call, aim: Aim, model: str) -> tuple[Limit, ...]:
        """All limits that an attempt falls under."""
        return ()
