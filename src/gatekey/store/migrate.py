"""Brings the database to the present layout: in one transaction, under a lock, by one process at a time."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

_LOCK = 0x6761_7465_6B65_79
"""PostgreSQL advisory lock: any number that nobody else takes."""


def migrate(engine: Engine) -> None:
    """Upgrade to the newest layout. Whoever comes second waits, and finds nothing to do.

    A failure undoes everything: both databases take layout changes back.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # A write lock from the first moment: two processes must not both find an old layout.
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(config(connection), "head")


def config(connection: Connection) -> Config:
    """Alembic's settings for a connection whose transaction is open."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
