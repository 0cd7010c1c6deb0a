"""Whether a worker is ready: from its start, when the directory is loaded, until it is told to end."""

import asyncio
from typing import Any

from gatekey.cli.embedded import gateway
from gatekey.gateway.app import App


async def asked(app: App, path: str) -> int:
    """The status of a GET."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": []}  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])


def test_a_worker_is_ready_between_its_start_and_its_end() -> None:
    async def found() -> list[int]:
        app = gateway(admin_key="gk-of-a-test")
        told: asyncio.Queue[str] = asyncio.Queue()
        begin: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def send(message: dict[str, Any]) -> None:
            told.put_nowait(message["type"])

        life = asyncio.create_task(app({"type": "lifespan"}, begin.get, send))
        statuses = [await asked(app, "/ready")]
        begin.put_nowait({"type": "lifespan.startup"})
        assert await told.get() == "lifespan.startup.complete"
        statuses.append(await asked(app, "/ready"))
        app.drain()
        statuses += [await asked(app, "/ready"), await asked(app, "/health"), await asked(app, "/metrics")]
        begin.put_nowait({"type": "lifespan.shutdown"})
        assert await told.get() == "lifespan.shutdown.complete"
        await life
        return [*statuses, await asked(app, "/ready")]

    assert asyncio.run(found()) == [503, 200, 503, 200, 200, 503]
