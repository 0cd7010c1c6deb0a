"""Exports of logs: which logs, what of each, how far they have come.

Nothing is copied: an export that has started is the logs that there were by then and that still are, read when it is
downloaded. So starting takes no time, and what retention deletes is in no download either.
"""

import hashlib
import hmac
import secrets
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, insert, select, update

from gatekey.errors import Conflict, NotFound
from gatekey.observe.record import Record
from gatekey.store import logs as log
from gatekey.store import rows
from gatekey.store.database import Write
from gatekey.store.logs import Filters
from gatekey.store.rows import Row
from gatekey.store.tables import log_exports as table
from gatekey.store.tables import logs

MOST = 50_000
"""Logs in an export."""
PIECE = 100
"""Logs that are read at a time: with bodies of the largest size, some 50 MB."""
DRAFT, SUCCESS, STOPPED = "draft", "success", "stopped"
"""What becomes of an export; `in_progress` and `failed` never are, since starting is all there is to do."""


class Range(Struct, frozen=True):
    """Which logs: those that match, newest first, without the first `skip`, at most `most`."""

    filters: Filters
    skip: int = 0
    most: int = MOST


def create(
    write: Write, asked: Range, *, workspace: str | None, description: str, given: Any, fields: list[str], by: str
) -> Row:
    """A draft. `given`: the filters as the caller wrote them."""
    row = {
        "id": rows.new_id(),
        "workspace_id": workspace,
        "description": description,
        "filters": rows.text(asked),
        "asked": rows.text(given),
        "fields": rows.text(fields),
        "status": DRAFT,
        "total": count(write.connection, asked),
        "until": None,
        "secret": secrets.token_hex(32),
        "created_by": by,
        "created_at": write.now,
        "last_updated_at": write.now,
    }
    write.connection.execute(insert(table).values(**row))
    return row


def find(connection: Connection, id: str) -> Row:
    """By id. Raises `NotFound`."""
    found = connection.execute(select(table).where(table.c.id == id)).mappings().first()
    if found is None:
        raise NotFound(f"There is no export {id[:100]!r}.", param="id")
    return dict(found)


def page(connection: Connection, workspace: str, number: int, size: int) -> tuple[list[Row], int]:
    """A page (0-based) of those of a workspace or (empty) of all, newest first, and how many there are."""
    wanted = [table.c.workspace_id == workspace] if workspace else []
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    ordered = select(table).where(*wanted).order_by(table.c.created_at.desc(), table.c.id)
    return [dict(row) for row in connection.execute(ordered.limit(size).offset(number * size)).mappings()], total


def revise(write: Write, id: str, asked: Range | None, given: Any, **columns: Any) -> Row:
    """Change a draft. Raises `NotFound`, or `Conflict` where it has started."""
    _in(find(write.connection, id), DRAFT)
    if asked is not None:
        columns |= {"filters": rows.text(asked), "asked": rows.text(given), "total": count(write.connection, asked)}
    return _change(write, id, columns)


def start(write: Write, id: str) -> Row:
    """It has the logs that there are now. Raises `NotFound`, or `Conflict` where it has started."""
    row = find(write.connection, id)
    _in(row, DRAFT, STOPPED)
    columns = {"status": SUCCESS, "until": log.last(write.connection), "total": count(write.connection, ranged(row))}
    return _change(write, id, columns)


def cancel(write: Write, id: str) -> Row:
    """It can no longer be downloaded. Raises `NotFound`, or `Conflict` where it is stopped already."""
    _in(find(write.connection, id), DRAFT, SUCCESS)
    return _change(write, id, {"status": STOPPED})


def ranged(row: Row) -> Range:
    """Which logs are in it."""
    return msgspec.json.decode(row["filters"], type=Range)


def count(connection: Connection, asked: Range) -> int:
    """How many logs are in a range now."""
    some = select(logs.c.number).where(*log.where(connection, asked.filters)).limit(asked.skip + asked.most)
    found: int = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return max(0, found - asked.skip)


def piece(connection: Connection, row: Row, before: tuple[int, int] | None, size: int) -> list[tuple[Row, Record]]:
    """The next logs of an export, at most `size`; `before`: time and number of the last one that was read."""
    asked = ranged(row)
    if before is None and asked.skip:
        skipped = select(logs.c.created_at, logs.c.number).where(*log.where(connection, asked.filters))
        skipped = skipped.where(logs.c.number <= row["until"]).order_by(logs.c.created_at.desc(), logs.c.number.desc())
        last = connection.execute(skipped.limit(1).offset(asked.skip - 1)).first()
        if last is None:
            return []
        before = (last.created_at, last.number)
    return log.records(connection, asked.filters, size, before, until=row["until"])


def signature(row: Row, kind: str, expires: int) -> str:
    """What proves that an address of this file was given by us, for use until `expires`, in s since the epoch."""
    said = f"{row['id']}\n{kind}\n{expires}".encode()
    return hmac.new(bytes.fromhex(row["secret"]), said, hashlib.sha256).hexdigest()


def _in(row: Row, *statuses: str) -> None:
    if row["status"] not in statuses:
        raise Conflict(f"The export is {row['status']}: it would have to be {' or '.join(statuses)}.", param="status")


def _change(write: Write, id: str, columns: Row) -> Row:
    write.connection.execute(update(table).where(table.c.id == id).values(last_updated_at=write.now, **columns))
    return find(write.connection, id)
