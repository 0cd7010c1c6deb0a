"""Brings the database to the present layout: in one transaction, under a lock, by one process at a time.

The tool that does it weighs 20 MB, which no process that serves should carry: it is loaded in a process of its own,
and only where there is something to do.
"""

import multiprocessing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x6761_7465_6B65_79
"""PostgreSQL advisory lock: any number that nobody else takes."""
_VERSIONS = Path(__file__).parent / "migrations" / "versions"
SECONDS = 600
"""s that a migration may take."""


class Failed(Exception):
    """The database could not be brought to the present layout; it is as it was."""


def ensure(url: str, engine: Engine) -> None:
    """Upgrade in another process, where the layout is not the newest. Raises `Failed` or what the database raises.

    To be called before any thread is started: the process is a fork.
    """
    if layout(engine) == newest():
        return
    engine.dispose()
    context = multiprocessing.get_context("fork")
    told, tells = context.Pipe(duplex=False)
    process = context.Process(target=_upgrade, args=(url, tells))
    process.start()
    tells.close()
    process.join(SECONDS)
    if process.exitcode != 0:
        process.kill()
        raise Failed(told.recv() if told.poll() else "the migration did not end in time")


def _upgrade(url: str, tells: Pipe) -> None:
    from gatekey.store.database import engine

    try:
        migrate(engine(url))
    except Exception as error:
        tells.send(str(error))
        raise SystemExit(1) from None


def layout(engine: Engine) -> str | None:
    """The layout that the database has; None where it is empty."""
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()


def newest() -> str:
    """The newest layout: migrations are numbered by their files."""
    return max(file.name for file in _VERSIONS.glob("[0-9]*.py")).partition("_")[0]


def migrate(engine: Engine) -> None:
    """Upgrade to the newest layout. Whoever comes second waits, and finds nothing to do.

    A failure undoes everything: both databases take layout changes back.
    """
    from alembic import command

    with engine.begin() as connection:
        # Waiting for the other one, and a statement over a large table, may take longer than usual.
        if engine.dialect.name == "sqlite":
            # A write lock from the first moment: two processes must not both find an old layout.
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={SECONDS * 1000}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            for name in ("statement", "lock"):
                connection.exec_driver_sql(f"SET LOCAL {name}_timeout = '{SECONDS}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(config(connection), "head")
    engine.dispose()  # a connection of SQLite keeps its patience


def config(connection: Connection) -> "Config":
    """Alembic's settings for a connection whose transaction is open."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings
