"""Every test of the control plane runs on SQLite and on a real PostgreSQL, each time on a new one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.unit.admin.asking import Ask, Control


@pytest.fixture(params=databases.KINDS)
def control(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Control]:
    """A control plane with nothing but the default workspace."""
    with databases.migrated(request.param, tmp_path) as url:
        made = Control(url)
        yield made
        made.close()


@pytest.fixture
def ask(control: Control) -> Ask:
    """`ask(method, path, body=None, principal=ADMIN) -> (status, answer)`."""
    return control.ask
