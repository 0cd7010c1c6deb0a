"""Records of a running gateway, as its API tells them: they are there a moment after the answer."""

from typing import Any
from uuid import uuid4

from tests.fake import wait_until
from tests.gateway import KEY, Gateway
from tests.stored import ask

SOON = 20.0
"""s that a record is waited for: far more than it takes."""


def trace() -> str:
    """A trace id of its own."""
    return f"trace-{uuid4().hex}"


def listed(gateway: Gateway, trace: str, count: int = 1, *, key: str = KEY) -> list[Any]:
    """The logs with a trace id, newest first, once there are so many."""
    path = f"/logs?trace_id={trace}&page_size=1000"
    wait_until(lambda: ask(gateway, "GET", path, key=key)["total"] >= count, SOON, f"{count} records of {trace}")
    found = ask(gateway, "GET", path, key=key)
    assert found["total"] == count
    return list(found["data"])


def recorded(gateway: Gateway, trace: str) -> Any:
    """The one log with a trace id, whole."""
    [found] = listed(gateway, trace)
    return ask(gateway, "GET", f"/logs/{found['id']}")
