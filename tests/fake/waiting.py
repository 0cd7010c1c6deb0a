"""Waiting for what another thread or process is about to do, never longer than a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds after which something that should happen is taken not to happen. Only failing tests wait so long."""


def wait_until(predicate: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
    """The first true value of `predicate`. Raises AssertionError after `timeout` s."""
    until = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout:g} s: {what or predicate}")
        time.sleep(0.002)
