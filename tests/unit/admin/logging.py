"""A control plane that keeps logs, with the spool and the writer that they go through."""

import asyncio
import json
from pathlib import Path
from typing import Any

from gatekey.admin.app import Admin
from gatekey.admin.visit import House
from gatekey.catalog import Catalog
from gatekey.cli import prices as tables
from gatekey.errors import GatekeyError
from gatekey.gateway import headers
from gatekey.gateway.prices import Prices
from gatekey.gateway.respond import Reply
from gatekey.observe.record import Record, encode
from gatekey.observe.spool import Spool
from gatekey.store.directory import Principal
from gatekey.store.writer import Writer
from tests.unit.admin.asking import Control, key_of

NOBODY = Principal(id="", scopes=frozenset())


class Logged:
    """`put` records and `settle`: then they are rows."""

    def __init__(self, control: Control, folder: Path) -> None:
        self.control = control
        self.spool = Spool(folder / "spool")
        prices = Prices(tables.load(), control.directory)
        self._writer = Writer(folder / "spool", control.database.engine.url.render_as_string(hide_password=False))
        self._admin = Admin(
            House(Catalog(), control.database, control.directory, control.vault, keep=self.spool.write, prices=prices)
        )

    def settle(self) -> None:
        with self._writer.alone():
            while self._writer.step():
                pass

    def put(self, *records: Record) -> None:
        for record in records:
            assert self.spool.write(encode(record))
        self.settle()

    def ask(self, method: str, path: str, body: Any = None, principal: Principal | None = None) -> tuple[int, Any]:
        """Status and answer: JSON, or the text of a file."""
        status, kind, data = self.control.run(self._ask(method, path, body, principal or key_of()))
        return status, json.loads(data) if kind == "application/json" else data.decode()

    async def _ask(self, method: str, path: str, body: Any, principal: Principal) -> tuple[int, str, bytes]:
        sent: list[dict[str, Any]] = []
        asked = [json.dumps(body).encode() if body is not None else b""]

        async def receive() -> dict[str, Any]:
            if not asked:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": asked.pop(), "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        place, _, query = path.partition("?")
        head = headers.read([(b"host", b"gw.example:8787"), (b"x-portkey-trace-id", b"t")])
        scope = {"method": method, "query_string": query.encode(), "scheme": "http"}
        if self._admin.signed(method, place):
            principal = NOBODY
        try:
            await self._admin.answer(scope, place, head, principal, receive, Reply(send))
        except GatekeyError as failure:
            return failure.status, "application/json", self._admin.failed(failure)
        kind = dict(sent[0]["headers"])[b"content-type"].decode()
        return sent[0]["status"], kind, b"".join(message["body"] for message in sent[1:])
