"""Makes the table of prices that ships with Gatekey, out of two independent sources (`scripts/prices`).

A source is read into entries: provider -> model -> `Entry`, in US dollars for the units of the table.
"""

from dataclasses import dataclass, field
from decimal import Decimal

Rates = dict[str, Decimal]
"""Class of usage, as the table's file names it -> US dollars for a million, an hour, an image."""


@dataclass
class Entry:
    """What a source says about a model: rates by the number of prompt tokens above which they hold.

    `makes`: "image" or "speech" where its output tokens are one of these.
    """

    rates: dict[int, Rates] = field(default_factory=dict)
    max_output: int | None = None
    makes: str = ""


Entries = dict[str, dict[str, Entry]]
