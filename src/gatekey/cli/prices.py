"""The table of prices that a gateway runs on: the one that ships with it, and over it the operator's own."""

from importlib import resources
from pathlib import Path

from gatekey.cli.settings import BadSettings
from gatekey.pricing import BadPrices, Table

MAX_BYTES = 64 * 1024 * 1024
"""Of the operator's file: the shipped one has a two-hundredth of it."""


def load(file: str = "") -> Table:
    """The shipped table; what `file` names, if anything, is laid over it. Raises `BadSettings`."""
    shipped = Table.parse(resources.files("gatekey.pricing").joinpath("prices.json").read_bytes())
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
