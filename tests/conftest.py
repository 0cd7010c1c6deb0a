"""What any test may ask for: a running gateway (one for each test process) and a fake provider (one for each test)."""

from collections.abc import Iterator

import pytest

from tests.fake import Fake
from tests.gateway import Gateway


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """A gateway with nothing but its admin key. Tests share it, so they must leave it as it was."""
    with Gateway() as running:
        yield running


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fake provider of the test's own."""
    with Fake() as server:
        yield server
