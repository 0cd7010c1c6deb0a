"""What models cost a caller: by the integration, by the workspace, by the table, in this order.

What was found is kept until one of the three changes; the table is looked at every `INTERVAL`, off the path of calls.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from gatekey.errors import GatekeyError
from gatekey.gateway.aim import Aim
from gatekey.pricing import UNKNOWN, Price, Table, spellings
from gatekey.store.directory import Directory, Stored

REMEMBERED = 4096
"""Prices that are kept, of the table and of those who pay each, by the names that they were asked for."""
INTERVAL = 2.0
"""s between two looks for a newer table."""

Own = Mapping[str, dict[str, Any]] | None
"""Model, or `provider/model`, to its `pricing_config`."""

log = logging.getLogger("gatekey")


class Prices:
    """The prices of one worker. `newer` gives the table where it has changed since the last time; None: it cannot."""

    def __init__(self, table: Table, directory: Directory, newer: Callable[[], Table | None] | None = None) -> None:
        self._directory = directory
        self._newer = newer
        self._watching: asyncio.Task[None] | None = None
        self._own: dict[tuple[str, ...], tuple[Stored | None, Own, Price | None]] = {}
        self.table = table
        self.take(table)

    def take(self, table: Table) -> None:
        """Use this table from now on."""
        self.table = table
        self._find = lru_cache(REMEMBERED)(table.find)
        self._own.clear()

    def find(self, workspace: str, aim: Aim, asked: str, answered: str = "") -> Price | None:
        """What a model costs there, by the name that it was asked for or else by the one it answered with."""
        models = (answered, asked) if aim.provider.deploys else (asked, answered)
        stored = self._directory.provider(workspace, aim.stored) if aim.stored else None
        own: Own = self._directory.prices(workspace) or None
        if own is None and (stored is None or not (stored.pricing or stored.adjustments)):
            return self._find(aim.provider.slug, *models)
        key = (workspace, aim.stored, aim.provider.slug, *models)
        known = self._own.get(key)
        if known is None or known[0] is not stored or known[1] is not own:
            if len(self._own) >= REMEMBERED:
                self._own.clear()
            known = self._own[key] = stored, own, self._made(aim.provider.slug, (asked, answered), models, stored, own)
        return known[2]

    def _made(
        self, slug: str, named: tuple[str, str], models: tuple[str, str], stored: Stored | None, own: Own
    ) -> Price | None:
        try:
            set_here = _set(stored.pricing, named) if stored is not None else None
            if set_here is not None:
                return Price.from_config(set_here)
            config = _set(own, named, f"{slug}/")
            price = Price.from_config(config) if config is not None else self._find(slug, *models)
            if stored is None or not stored.adjustments:
                return price
            return (price or UNKNOWN).times(stored.adjustments["multiplier"])
        except (GatekeyError, KeyError) as failure:
            # They were checked when they were set: this is another version's, and nothing is guessed.
            log.warning("The price that is set for %s/%s cannot be used: it is unpriced. %s", slug, named[0], failure)
            return UNKNOWN

    async def open(self) -> None:
        """Look for newer tables from now on."""
        if self._newer is not None:
            self._watching = asyncio.create_task(self._watch(self._newer))

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self, newer: Callable[[], Table | None]) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                table = await asyncio.to_thread(newer)
            except Exception:
                log.exception("Prices stay as they are.")
                continue
            if table is not None:
                self.take(table)


def _set(configs: Own, models: tuple[str, str], before: str = "") -> dict[str, Any] | None:
    """The `pricing_config` of the first of these models that has one; names are told apart as those of a table are."""
    if not configs:
        return None
    by_name = {name.lower(): config for name, config in configs.items()}
    for model in models:
        for name in (model.lower(), *spellings(model)):
            if model and before + name in by_name:
                return by_name[before + name]
    return None
