"""Gatekey without records, as a yardstick of what they cost: `python -m bench.bare serve ...`. Nobody is served so."""

from gatekey.cli import commands
from gatekey.gateway.entry import Entry


def main() -> None:
    """The command line, with records that are never made."""
    Entry.write = lambda self: None  # type: ignore[method-assign]
    commands.main()


if __name__ == "__main__":
    main()
