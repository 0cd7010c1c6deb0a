"""The control plane as a test meets it: asked and answered, on a real database of its own, without a server."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from gatekey.admin.app import Admin
from gatekey.admin.visit import House
from gatekey.catalog import Catalog
from gatekey.errors import GatekeyError
from gatekey.gateway import headers
from gatekey.gateway.respond import Reply
from gatekey.store.database import Database
from gatekey.store.directory import ADMIN, Directory, Principal, Stored
from gatekey.store.rows import Row
from gatekey.vault import Vault, new_key
from tests.unit.admin.spending import Memory

TRACE = "trace-of-the-test"
PEER = "192.0.2.1"


class Control:
    """A control plane on the database at `url`."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self.database = Database(url)
        self.vault = Vault(new_key())
        self.directory = Directory(self.database, self.vault, None)
        self.ledger = Memory()
        self._admin = Admin(House(Catalog(), self.database, self.directory, self.vault, ledger=self.ledger))
        self.run(self.directory.refresh())

    def run(self, work: Any) -> Any:
        """The result of a coroutine."""
        return self._runner.run(work)

    def read(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function of the store finds."""
        return self.run(self.database.read(function, *arguments))

    def write(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a function of the store changes, past the API."""
        return self.run(self.database.write(lambda write: function(write, *arguments, **options)))

    def ask(
        self, method: str, path: str, body: Any = None, principal: Principal = ADMIN, trace: str = TRACE
    ) -> tuple[int, Any]:
        """Status and answer. `path` is below `/v1`, with its query; `body`: bytes as they are, or JSON to be."""
        return self.run(self._ask(method, path, body, principal, trace))  # type: ignore[no-any-return]

    async def _ask(self, method: str, path: str, body: Any, principal: Principal, trace: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        head = headers.read([(b"x-portkey-trace-id", trace.encode()), (b"content-type", b"application/json")])
        place, _, query = path.partition("?")
        try:
            scope = {"method": method, "query_string": query.encode(), "client": (PEER, 50_000)}
            await self._admin.answer(scope, place, head, principal, receive, Reply(send))
        except GatekeyError as failure:
            return failure.status, json.loads(self._admin.failed(failure))
        return sent[0]["status"], json.loads(sent[1]["body"])

    def close(self) -> None:
        """Let go of the database."""
        self.run(self.database.close())
        self._runner.close()


Ask = Callable[..., tuple[int, Any]]
"""`ask(method, path, body=None, principal=ADMIN) -> (status, answer)`."""


def key_of(workspace: str = "", *scopes: str, user: str = "") -> Principal:
    """A caller whose key has these scopes (none named: every one), in a workspace or, without one, everywhere."""
    return Principal(id="key-of-the-test", workspace=workspace, scopes=frozenset(scopes) if scopes else None, user=user)


def held(control: Control, workspace: str, slug: str) -> Stored:
    """A stored provider as the data plane has it."""
    found = control.directory.provider(workspace, slug)
    assert found is not None
    return found


def trail(control: Control) -> list[Row]:
    """The audit trail, newest first."""
    from gatekey.store import audit

    return control.read(audit.search, {}, None, None, 0, 1000)[0]  # type: ignore[no-any-return]
