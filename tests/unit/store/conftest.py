"""Every test that asks for `database` runs on SQLite and on a real PostgreSQL, each time on a new one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatekey.store.database import Database
from tests import databases


@pytest.fixture(params=databases.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database."""
    return str(request.param)


@pytest.fixture
def empty(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    with databases.empty(kind, tmp_path) as url:
        yield url


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with the present layout."""
    with databases.migrated(kind, tmp_path) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database with the present layout. Its methods are for `asyncio.run`."""
    made = Database(url)
    yield made
    asyncio.run(made.close())
