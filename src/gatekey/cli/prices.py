"""The table of prices that a gateway runs on: the one that ships with it, and over it the operator's own file."""

import json
import logging
import os
from importlib import resources
from pathlib import Path
from typing import Any

from gatekey.cli.settings import BadSettings
from gatekey.errors import NotFound
from gatekey.pricing import BadPrices, Rates, Table
from gatekey.pricing.table import FILE_NAMES

MAX_BYTES = 64 * 1024 * 1024
"""Of the operator's file: the shipped one has a two-hundredth of it."""

log = logging.getLogger("gatekey")


def load(file: str = "") -> Table:
    """The shipped table; what `file` names, if anything, is laid over it. Raises `BadSettings`."""
    # A test holds its entries, so that they need not be read here.
    shipped = Table.parse(resources.files("gatekey.pricing").joinpath("prices.json").read_bytes(), shipped=True)
    if not file:
        return shipped
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadPrices(f"larger than {MAX_BYTES:,} bytes")
        return Table.parse(data).over(shipped)
    except OSError as error:
        raise BadSettings(f"GATEKEY_PRICES: {file} cannot be read: {error.strerror}.") from None
    except BadPrices as error:
        raise BadSettings(f"GATEKEY_PRICES: {file}: {error}") from None


class Changing:
    """The operator's file as it changes. `table` is what it held at first. Raises `BadSettings` where that is bad."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._seen = self._mark()
        self.table = load(file)

    def newer(self) -> Table | None:
        """The table, where the file has changed since the last look, else None.

        One that cannot be used is refused, once, with a line in the log: what was known goes on being used.
        """
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        try:
            return load(self._file)
        except BadSettings as error:
            log.warning("Prices stay as they are. %s", error.message)
            return None

    def _mark(self) -> tuple[int, int, int] | None:
        """What is another once the file has changed; None where there is none."""
        try:
            state = os.stat(self._file)  # noqa: PTH116 - its answer is what is asked for, not the file's
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size, state.st_ino


_TOLD = {
    "input": "input",
    "cache_read": "read from the cache",
    "cache_write": "written to the cache for 5 minutes",
    "cache_write_1h": "written to the cache for an hour",
    "input_audio": "heard",
    "cache_read_audio": "heard, read from the cache",
    "input_image": "seen",
    "output": "output",
    "reasoning": "thought",
    "output_audio": "spoken",
    "output_image": "drawn",
    "images": "a picture",
    "audio_ms": "an hour of sound",
    "characters": "characters",
}
"""Classes in words; what is not a picture or an hour is a million."""


def tell(file: str, provider: str, model: str, *, as_json: bool = False) -> str:
    """What a model costs by the file (empty: none) and the table that ships, and which of both says so.

    Raises `BadSettings` for the file, `NotFound` where no price is known.
    """
    from gatekey.cli.tables import table  # which a worker, that has prices too, has no use for

    known = load(file)
    entry, price = known.entry(provider.lower(), model), known.find(provider.lower(), model)
    if entry is None or price is None:
        raise NotFound(f"No price is known of {model!r} at {provider!r}: calls of it are unpriced, which is not free.")
    name, told = entry
    source = "the prices that ship with this version" if told.shipped else f"GATEKEY_PRICES ({file})"
    made_of = f" ({', '.join(f'{package} {version}' for package, version in told.sources.items())})"
    where = f"{source}{f', as of {told.date}' if told.date else ''}{made_of if told.shipped else ''}"
    if as_json:
        names = {kind: name for name, kind in FILE_NAMES.items()}
        steps = [{names.get(kind, kind): _dollars(nano) for kind, nano in _priced(rates)} for rates in price.rates]
        for rates, step in zip(price.rates, steps, strict=True):
            step |= {"tokens": rates.above} if rates.above else {}
        found: dict[str, Any] = {"provider": provider, "model": name, "prices": steps, "max_output": price.max_output}
        return json.dumps({**found, "source": where, "date": told.date}, indent=2)
    rows = [
        {"what": f"{_TOLD[name]}{f', prompts above {rates.above:,} tokens' if rates.above else ''}", "usd": text}
        for rates in price.rates
        for name, nano in _priced(rates)
        for text in [f"{_dollars(nano)}"]
    ]
    most = f"Puts out {price.max_output:,} tokens at most.\n" if price.max_output else ""
    return f"{table(rows, what=f'{provider}/{name}', usd='US dollars for a million')}\n{most}From {where}."


def _priced(rates: Rates) -> list[tuple[str, int]]:
    return [(name, nano) for name in _TOLD if (nano := getattr(rates, name)) is not None]


def _dollars(nano: int) -> float | int:
    """For showing."""
    return nano // 10**9 if nano % 10**9 == 0 else nano / 10**9
