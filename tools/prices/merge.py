"""Two sources into one table.

Where they differ the dearer price is taken: a budget may then end early, but is never overspent by a stale price.
What one does not tell is taken from the other. A model all of whose prices are zero is not priced by that, unless
its name says that it is free: sources write 0 for what they do not know.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gatekey.pricing.rates import INPUT, OUTPUT
from tools.prices import Entries, Entry, Rates

NEAR = Decimal("0.002")
"""Relative difference of two prices that only rounding makes."""
TELLS_APART = ("google",)
"""Whose usage says of each token put out what it is; of others' models that make pictures or speech, the dearer."""
ORDER = (*INPUT, *OUTPUT, "image", "audio_hour", "characters")
MOST = Decimal(1_000_000)
"""US dollars that a price may come to."""
FREE = (":free", "omni-moderation-latest")
_NOTHING = {"*": Entry({0: {"input": Decimal(0), "output": Decimal(0)}})}
ON_THIS_MACHINE = {"local": _NOTHING, "ollama": _NOTHING}
"""Providers that cost nothing for a token."""

_snapshot = re.compile(r"-(?:20\d\d-\d\d-\d\d|20\d{6})$")


@dataclass(frozen=True)
class Difference:
    """A price that the sources do not agree on."""

    provider: str
    model: str
    above: int
    name: str
    first: Decimal
    second: Decimal
    taken: Decimal


def merge(first: Entries, second: Entries) -> tuple[Entries, list[Difference]]:
    """The table, and what the sources do not agree on."""
    merged: Entries = dict(ON_THIS_MACHINE)
    differences: list[Difference] = []
    for provider in sorted(first.keys() | second.keys()):
        left, right = _lower(first.get(provider, {})), _lower(second.get(provider, {}))
        models = merged.setdefault(provider, {})
        for model in sorted(left.keys() | right.keys()):
            entry, found = _one(provider, model, left.get(model, Entry()), right.get(model, Entry()))
            if _is_priced(model, entry):
                models[model] = entry
                differences += found
        for model in [model for model in models if _says_nothing_new(model, models)]:
            del models[model]
    return merged, [each for each in differences if each.model in merged[each.provider]]


def _lower(models: dict[str, Entry]) -> dict[str, Entry]:
    return {name.lower(): entry for name, entry in models.items()}


def _one(provider: str, model: str, left: Entry, right: Entry) -> tuple[Entry, list[Difference]]:
    made = Entry(max_output=right.max_output or left.max_output, makes=right.makes or left.makes)
    differences = []
    sizes = left.rates.keys() | right.rates.keys()
    for above in sorted(size for size in sizes if size - 1 not in sizes):
        ours, theirs = _at(left, above), _at(right, above)
        at = made.rates[above] = {}
        for name in sorted(ours.keys() | theirs.keys()):
            one, other = ours.get(name), theirs.get(name)
            if one is None or other is None:
                at[name] = one if other is None else other  # type: ignore[assignment]
            elif abs(one - other) <= NEAR * max(one, other):
                at[name] = one
            else:
                at[name] = max(one, other)
                differences.append(Difference(provider, model, above, name, one, other, at[name]))
    for above, rates in made.rates.items():
        made.rates[above] = _of_the_table(made, provider, model, rates)
    return made, differences


def _at(entry: Entry, above: int) -> Rates:
    """What a source says for prompts above a size; it may know of fewer sizes than the other.

    "From 200,000 tokens" and "above 200,000 tokens" are one size, for one of them is as careless as the other.
    """
    rates: Rates = {}
    for size, told in sorted(entry.rates.items()):
        if size <= above + 1:
            rates |= told
    return rates


def _of_the_table(entry: Entry, provider: str, model: str, rates: Rates) -> Rates:
    """Rates by the classes that a usage has, in their order, without zeros that say nothing."""
    rates = dict(rates)
    seen = rates.pop("cache_read_image", None)
    if seen is not None and "cache_read" in rates:  # cached pictures are not told apart: the dearer
        rates["cache_read"] = max(rates["cache_read"], seen)
    if "output" in rates and (entry.makes == "speech" or "-tts" in model):
        rates.setdefault("output_audio", rates["output"])
    if entry.makes and provider not in TELLS_APART:
        out = [rates[name] for name in ("output", "output_audio", "output_image") if name in rates]
        rates |= {"output": max(out)} if out else {}
    if rates.get("cache_read", 0) > rates.get("input", MOST):  # the sources' days differ: no read is dearer
        del rates["cache_read"]
    if rates.get("reasoning") == rates.get("output"):
        rates.pop("reasoning", None)
    free = model.endswith(FREE)
    kept = (name for name in ORDER if name in rates)
    return {name: rates[name] for name in kept if rates[name] or (free and name in ("input", "output"))}


def _is_priced(model: str, entry: Entry) -> bool:
    rates = entry.rates.get(0, {})
    return any(rates.values()) or (bool(rates) and model.endswith(FREE))


def _says_nothing_new(model: str, models: dict[str, Entry]) -> bool:
    undated = _snapshot.sub("", model)
    return undated != model and models.get(undated) == models[model]


def steps(entry: Entry) -> Iterator[tuple[int, Rates]]:
    """What changes above each size."""
    before: Rates = {}
    for above, rates in sorted(entry.rates.items()):
        changed = {name: value for name, value in rates.items() if before.get(name) != value}
        if changed or not above:
            yield above, changed
        before = rates
