"""What the writer tells the workers of a gateway: its counts, in a small file beside the spool, replaced whole.

The writer tells them about once a second while it runs, and a last time when it ends; metrics read them when they
are asked for. A worker's own part, `written` and `lost`, is in its `Spool`.
"""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

FILE = "writer.json"
"""Its name, in the spool's folder."""
EVERY = 1.0
"""s between two times that it is written."""

log = logging.getLogger("gatekey")


class Counts(Struct):
    """Records by what became of them, since the writer began: `stored` in the database, put `aside` because they cannot
    be stored, `torn` by the end of their process. `away`: how often the database could not be written."""

    stored: int = 0
    aside: int = 0
    torn: int = 0
    away: int = 0


class Told(Struct):
    """`at`: when it was told, ms since the epoch; one that is older than half a minute tells that no writer runs.

    `pid` is the writer's; `waiting` the bytes of the spool's files, those of which some records are stored already too.
    """

    at: int
    pid: int
    waiting: int
    counts: Counts


def tell(folder: Path, counts: Counts, waiting: int) -> None:
    """Replace what was told. `folder`: the spool's. Raises nothing: it is only told."""
    told = Told(int(time.time() * 1000), os.getpid(), waiting, counts)
    new = folder / f"{FILE}.new"
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(told))
        new.replace(folder / FILE)
    except OSError as error:
        log.debug("The writer's counts cannot be told: %s", error)


def heard(folder: Path) -> Told | None:
    """What was told last; None where nothing was, or what cannot be read."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Told)
    return None
