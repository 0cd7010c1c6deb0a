"""The audit trail: one row for every change that was asked for, written in the transaction of the change itself."""

import re
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, select

from gatekey.limits.policy import KEYS, METADATA
from gatekey.store import rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row

HIDDEN = "[secret]"

_secret = re.compile(
    r"(?i)(^|[_-])(key|keys|secret|secrets|token|tokens|password|credential|credentials|authorization)$"
    r"|api_?key|secret|private|service_account|session_token|access_key_id|custom_headers|^configurations$|^authorization$"
)
_harmless = frozenset(
    {"api_key_id", "virtual_key", "secret_mappings", "max_tokens", "key_transition_period_ms", "value_key"}
)


def masked(value: Any) -> Any:
    """JSON with everything hidden whose name says that it is a credential, at any depth, also in texts of JSON."""
    if isinstance(value, dict):
        return {
            key: HIDDEN if _hides(key) and item and not _fact(key, item) else masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.encode(masked(msgspec.json.decode(value))).decode()
        except (msgspec.DecodeError, UnicodeEncodeError):
            return HIDDEN  # who knows what is in it
    return value


def _fact(name: str, value: Any) -> bool:
    """Whether it is what a policy looks at, which is called a key too."""
    return name == "key" and isinstance(value, str) and (value in KEYS or value.startswith(METADATA))


def _hides(key: str) -> bool:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    return snake not in _harmless and _secret.search(snake) is not None


def record(write: Write, **columns: Any) -> None:
    """One row. `request_body` is masked already."""
    write.connection.execute(insert(tables.audit_logs).values(id=rows.new_id(), timestamp=write.now, **columns))


def search(
    connection: Connection, filters: Row, since: int | None, until: int | None, number: int, size: int
) -> tuple[list[Row], int]:
    """One page of the trail, newest first, and how many rows match. `since` and `until` in ms since the epoch."""
    table = tables.audit_logs
    statement: Select[Any] = select(table)
    for name, wanted in filters.items():
        statement = statement.where(table.c[name] == wanted)
    if since is not None:
        statement = statement.where(table.c.timestamp >= since)
    if until is not None:
        statement = statement.where(table.c.timestamp <= until)
    return rows.newest(connection, statement, table, number, size)
