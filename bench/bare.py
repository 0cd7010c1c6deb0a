"""Gatekey without records, as a yardstick of what they cost: `python -m bench.bare serve ...`. Nobody is served so."""

import os
import sys
from pathlib import Path

from gatekey.cli import commands, server, serving
from gatekey.gateway.entry import Entry


def main() -> None:
    """The command line, and what it starts in its own place, with records that are never made."""
    if sys.argv[1].isdigit():
        Entry.write = lambda self: self.meters.clear()  # type: ignore[method-assign]
        sys.exit(serving.main())
    server.SERVING = "bench.bare"
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    commands.main()


if __name__ == "__main__":
    main()
