"""What all tables have in common: ids, slugs, reading and writing rows, JSON columns.

A row is a dict of its columns. Functions that change something take a `Write`, those that read a `Connection`.
"""

import re
import secrets
import uuid
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Table, func, insert, select, update

from gatekey.errors import Conflict
from gatekey.store.database import Write

Row = dict[str, Any]

_outside = re.compile(r"[^a-z0-9]+")


def new_id() -> str:
    """An id that nobody can guess."""
    return str(uuid.uuid4())


def new_slug(name: str, prefix: str = "") -> str:
    """`<prefix><name as a slug>-<6 random characters>`."""
    return f"{prefix}{_outside.sub('-', name.lower()).strip('-')[:40] or 'x'}-{secrets.token_hex(3)}"


def text(value: Any) -> str:
    """A value as a JSON column."""
    return msgspec.json.encode(value).decode()


def value(column: str | None) -> Any:
    """A JSON column's value; None where it is null."""
    return None if column is None else msgspec.json.decode(column)


def add(write: Write, table: Table, **columns: Any) -> Row:
    """A new row, with an id unless it is given."""
    row = {
        "id": new_id(),
        "created_at": write.now,
        "last_updated_at": write.now,
        "deleted": False,
        "revision": write.revision,
        **columns,
    }
    write.connection.execute(insert(table).values(**row))
    return row


def change(write: Write, table: Table, id: str, **columns: Any) -> None:
    """Change a row's columns; deleting it is changing `deleted`."""
    columns |= {"last_updated_at": write.now, "revision": write.revision}
    write.connection.execute(update(table).where(table.c.id == id).values(**columns))


def remove(write: Write, table: Table, id: str) -> None:
    """Mark a row as deleted."""
    change(write, table, id, deleted=True)


def one(connection: Connection, table: Table, **columns: Any) -> Row | None:
    """The live row with these columns, or None."""
    found = connection.execute(_where(table, columns).limit(1)).mappings().first()
    return None if found is None else dict(found)


def every(connection: Connection, table: Table, **columns: Any) -> list[Row]:
    """All live rows with these columns, oldest first."""
    return [dict(row) for row in connection.execute(_ordered(_where(table, columns), table)).mappings()]


def page(connection: Connection, statement: Select[Any], table: Table, number: int, size: int) -> tuple[list[Row], int]:
    """One page (0-based) of a statement's rows, oldest first, and how many there are in all."""
    total = connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    rows = connection.execute(_ordered(statement, table).limit(size).offset(number * size)).mappings()
    return [dict(row) for row in rows], total


def newest(
    connection: Connection, statement: Select[Any], table: Table, number: int, size: int
) -> tuple[list[Row], int]:
    """The same for a table of events, newest first."""
    total = connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    ordered = statement.order_by(table.c.timestamp.desc(), table.c.id)
    found = connection.execute(ordered.limit(size).offset(number * size)).mappings()
    return [dict(row) for row in found], total


def live(table: Table, **columns: Any) -> Select[Any]:
    """A statement for the live rows with these columns."""
    return _where(table, columns)


def unused(connection: Connection, table: Table, what: str, **columns: Any) -> None:
    """Raises `Conflict` where a live row has these columns already."""
    if one(connection, table, **columns) is not None:
        field = list(columns)[-1]
        raise Conflict(f"There is already {what} with {field} {columns[field]!r}.", param=field)


def _where(table: Table, columns: Row) -> Select[Any]:
    statement = select(table).where(table.c.deleted.is_(False))
    for name, wanted in columns.items():
        statement = statement.where(table.c[name] == wanted)
    return statement


def _ordered(statement: Select[Any], table: Table) -> Select[Any]:
    return statement.order_by(table.c.created_at, table.c.id)
