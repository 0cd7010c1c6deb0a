"""What the process that prepared everything tells whoever serves, in one environment variable."""

import logging
import sys

import msgspec

from gatekey.cli.settings import Settings
from gatekey.cli.traces import Collector

WORKER = "_GATEKEY_WORKER"
"""Carries the settings and the key's digest, not the key, to whoever serves."""
SPOOL = "spool"
"""Folder of records on their way to the database, in the data folder."""


class Told(msgspec.Struct):
    """What whoever serves is told. `master_keys`: those that are set, the present one first; none: the data folder's.

    `spans`: where the writer sends them.
    """

    settings: Settings
    digest: str
    database: str
    master_keys: list[str]
    spans: Collector | None = None


def logged() -> None:
    """Warnings and errors go to the standard error."""
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
    logging.getLogger("uvicorn.error").addFilter(_expected)


def _expected(record: logging.LogRecord) -> bool:
    """Breaking a connection so that a truncated answer does not look complete is no error of the server's."""
    return "without completing response" not in str(record.msg)
