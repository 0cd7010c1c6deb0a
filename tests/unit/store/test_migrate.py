"""Layouts: the newest one, by whoever comes first, once; a failure leaves the database as it was."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from gatekey.store import migrate, tables
from gatekey.store.database import engine

BROKEN = f'''
"""Adds a table, changes another, and fails."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "9999", "{migrate.newest()}"
def upgrade():
    op.create_table("half", sa.Column("id", sa.Integer()))
    op.add_column("workspaces", sa.Column("half", sa.Integer()))
    op.execute("UPDATE workspaces SET name = 'changed'")
    op.execute("INSERT INTO nowhere VALUES (1)")
'''


def state(made: Engine) -> Any:
    """Everything that a migration may change."""
    with made.connect() as connection:
        found = sqlalchemy.inspect(connection)
        names = sorted(found.get_table_names())
        columns = {name: [column["name"] for column in found.get_columns(name)] for name in names}
        rows = connection.execute(sqlalchemy.text("SELECT id, name FROM workspaces")).all() if columns else []
        return columns, [tuple(row) for row in rows]


def test_an_empty_database_gets_the_newest_layout_and_keeps_it(empty: str) -> None:
    made = engine(empty)
    assert migrate.layout(made) is None
    migrate.ensure(empty, made)
    first = state(made)
    assert migrate.layout(made) == migrate.newest()
    assert first[1] == [("ws-default", "Default")]
    migrate.ensure(empty, made)
    migrate.migrate(made)
    assert state(made) == first
    made.dispose()


def test_the_migrations_make_what_the_tables_say(empty: str) -> None:
    made = engine(empty)
    migrate.migrate(made)
    with made.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    made.dispose()


def test_of_two_that_come_at_once_one_migrates(empty: str) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [context.Process(target=_migrate, args=(empty, start)) for _ in range(2)]
    for process in processes:
        process.start()
    start.wait(60)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    made = engine(empty)
    assert migrate.layout(made) == migrate.newest()
    assert state(made)[1] == [("ws-default", "Default")]
    made.dispose()


def _migrate(url: str, start: Any) -> None:
    made = engine(url)
    start.wait(60)
    migrate.migrate(made)


def test_who_comes_second_waits_for_as_long_as_a_migration_may_take(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = engine(empty)
    bounds: list[Any] = []
    usual = migrate.config

    def config(connection: Any) -> Any:
        asks = (
            ["PRAGMA busy_timeout"]
            if made.dialect.name == "sqlite"
            else ["SHOW statement_timeout", "SHOW lock_timeout"]
        )
        bounds.extend(connection.exec_driver_sql(ask).scalar() for ask in asks)
        return usual(connection)

    monkeypatch.setattr(migrate, "config", config)
    migrate.migrate(made)
    assert bounds == ([600_000] if made.dialect.name == "sqlite" else ["10min", "10min"])
    with made.connect() as connection:
        after = "PRAGMA busy_timeout" if made.dialect.name == "sqlite" else "SHOW lock_timeout"
        assert connection.exec_driver_sql(after).scalar() in (5000, "5s")
    made.dispose()


def test_a_failure_half_way_undoes_everything(empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = engine(empty)
    migrate.migrate(made)
    before = state(made)
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "9999_broken.py").write_text(BROKEN)
    usual = migrate.config

    def config(connection: Any) -> Any:
        settings = usual(connection)
        both = (Path(migrate.__file__).parent / "migrations" / "versions", versions)
        settings.set_main_option("version_locations", ":".join(map(str, both)))
        settings.set_main_option("path_separator", ":")
        return settings

    monkeypatch.setattr(migrate, "config", config)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="nowhere"):
        migrate.migrate(made)
    assert state(made) == before
    assert migrate.layout(made) == migrate.newest()
    monkeypatch.undo()
    migrate.migrate(made)
    assert state(made) == before
    made.dispose()


def test_a_failure_in_the_process_that_migrates_is_told(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Engine) -> None:
        raise ValueError("no room left")

    made = engine(empty)
    monkeypatch.setattr(migrate, "migrate", fail)
    with pytest.raises(migrate.Failed, match="no room left"):
        migrate.ensure(empty, made)
    assert migrate.layout(made) is None
    made.dispose()
