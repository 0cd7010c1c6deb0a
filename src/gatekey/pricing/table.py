"""The table: prices by provider and model, read from a file.

    {"date": "2026-11-25", "providers": {"a-provider": {"a-model": {"input": 2.5, "output": 10}}}}

Prices are US dollars by class of usage: for a million tokens or `characters`, for an `image`, for an `audio_hour`.
`above` is a list of what changes above a number of prompt `tokens`; `max_output` is in tokens. A model called `*`
stands for all others of its provider.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import Any

import msgspec
from msgspec import Raw, Struct

from gatekey.pricing.price import Price
from gatekey.pricing.rates import CLASSES, MOST, Rates

FILE_NAMES = {"image": "images", "audio_hour": "audio_ms"}
"""Names that a file has for rates whose class counts a finer unit."""

_snapshot = re.compile(r"-(?:20\d\d-\d\d-\d\d|20\d{6})$")


class BadPrices(ValueError):
    """A file of prices that cannot be used: where, and why."""


class _File(Struct):
    providers: dict[str, dict[str, Raw]]
    date: str = ""
    sources: dict[str, str] = {}


_file = msgspec.json.Decoder(_File)
_entry = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Entry(Struct, frozen=True):
    """What a table says about a model: as it stands in the file (`text`), whose `date` and `sources` say more.

    `shipped`: the file is the one that ships, which is no secret.
    """

    text: Raw
    date: str = ""
    sources: Mapping[str, str] = {}
    shipped: bool = False


class Table(Struct, frozen=True):
    """Prices by provider and model, both in lower case. An entry is read when it is asked for: few ever are."""

    entries: Mapping[str, Mapping[str, Entry]] = {}

    @classmethod
    def parse(cls, data: bytes, *, shipped: bool = False) -> "Table":
        """The table that a file holds. Raises `BadPrices`.

        `shipped`: its entries are known to be good, and none is read before it is asked for.
        """
        try:
            file = _file.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadPrices(f"not a table of prices: {error}") from None
        if not shipped:
            for provider, models in file.providers.items():
                for model, text in models.items():
                    _price(text, f"{provider}/{model}")
        return cls(
            {
                provider.lower(): {
                    model.lower(): Entry(text, file.date, file.sources, shipped) for model, text in models.items()
                }
                for provider, models in file.providers.items()
            }
        )

    def over(self, other: "Table") -> "Table":
        """This table laid over another: a model that is in both has the price of this one."""
        entries = {**other.entries}
        for provider, models in self.entries.items():
            entries[provider] = {**entries.get(provider, {}), **models}
        return Table(entries)

    def find(self, provider: str, *models: str) -> Price | None:
        """The price of the first of these models that has one; None where it is not known, and nothing is guessed.

        A model is written as callers write it: in any case, with the date of a snapshot, as `models/x`, or
        fine-tuned (`ft:base:...`).
        """
        found = self.entry(provider, *models)
        return None if found is None else _price(found[1].text, f"{provider}/{found[0]}")

    def entry(self, provider: str, *models: str) -> tuple[str, Entry] | None:
        """The entry that `find` takes the price from, and the name that it has in the table."""
        known = self.entries.get(provider, {})
        for model in models:
            for name in spellings(model):
                if name in known:
                    return name, known[name]
        return ("*", known["*"]) if "*" in known else None


def spellings(model: str) -> list[str]:
    """The names that a model's price may be found by, the most exact first."""
    name = model.lower().removeprefix("models/")
    if name.startswith("ft:"):
        # What it was made of; the rest is whose it is. A base model has other prices.
        name = ":".join(name.split(":", 2)[:2])
    undated = _snapshot.sub("", name)
    return [name] if undated == name else [name, undated]


def _price(text: Raw, where: str) -> Price:
    try:
        entry = _entry.decode(text)
    except msgspec.MsgspecError as error:
        raise BadPrices(f"{where}: {error}") from None
    above, most = entry.get("above", []), entry.get("max_output")
    first = {name: value for name, value in entry.items() if name not in ("above", "max_output")}
    if not isinstance(above, list) or not all(isinstance(step, dict) and step.get("tokens") for step in above):
        raise BadPrices(f"{where}: `above` must be a list of objects with `tokens` and the prices above them.")
    if most is not None and not (type(most) is int and 0 < most <= MOST):
        raise BadPrices(f"{where}: `max_output` is {most!r}: expected a number of tokens.")
    steps = [_rates({**first, **step}, where) for step in above]
    return Price((_rates(first, where), *sorted(steps, key=lambda rates: rates.above)), most)


def _rates(entry: Mapping[str, Any], where: str) -> Rates:
    made: dict[str, int] = {}
    for name, value in entry.items():
        if name == "tokens":
            if type(value) is not int or not 0 < value <= MOST:
                raise BadPrices(f"{where}: `tokens` is {value!r}: expected a number of tokens.")
            made["above"] = value
            continue
        known = FILE_NAMES.get(name, name)
        if known not in CLASSES or name in FILE_NAMES.values():
            raise BadPrices(f"{where}: there is no price called {name!r}.")
        if type(value) not in (int, Decimal) or not 0 <= value <= MOST // 10**9:
            raise BadPrices(f"{where}: `{name}` is {value!r}: expected US dollars, from 0 to a million.")
        made[known] = ceil(value * 10**9)
    return Rates(**made)
