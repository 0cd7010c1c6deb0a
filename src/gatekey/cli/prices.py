"""The table of prices that a gateway runs on: the one that ships with it, and over it the operator's own file."""

import logging
import os
from importlib import resources
from pathlib import Path

from gatekey.cli.settings import BadSettings
from gatekey.pricing import BadPrices, Table

MAX_BYTES = 64 * 1024 * 1024
"""Of the operator's file: the shipped one has a two-hundredth of it."""

log = logging.getLogger("gatekey")


def load(file: str = "") -> Table:
    """The shipped table; what `file` names, if anything, is laid over it. Raises `BadSettings`."""
    # A test holds its entries, so that they need not be read here.
    shipped = Table.parse(resources.files("gatekey.pricing").joinpath("prices.json").read_bytes(), checked=False)
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
