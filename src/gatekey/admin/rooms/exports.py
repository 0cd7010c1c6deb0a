"""`/logs/exports`: logs to take away, portkey-api.md 7.7. CSV is an addition, and so is that starting takes no time.

A download's address is a permission of its own, for an hour: whoever has it needs no key.
"""

import csv
import hmac
import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from gatekey.admin import questions
from gatekey.admin.logged import FIELDS
from gatekey.admin.rooms.workspaces import PAGE
from gatekey.admin.route import Answer, File, Query, Route
from gatekey.admin.visit import Visit, listed, moment
from gatekey.config.fields import snake
from gatekey.errors import BadBody, BadHeader, Conflict, Forbidden, GatekeyError
from gatekey.observe.record import Record
from gatekey.store import exports, rows
from gatekey.store.exports import MOST, PIECE, SUCCESS, Range
from gatekey.store.rows import Row

HOUR = 3600
"""s for which an address is good."""
KINDS = {"jsonl": "application/jsonl", "csv": "text/csv"}
"""Formats, and their content types."""
PAGES = 1000
"""The highest page that may be asked for."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that spreadsheets take for a formula."""
OTHER_NAMES = {"ai_model": "ai_org_model"}
"""Filters that have a second name."""

NAMES = {
    *(query.name for query in questions.PARAMETERS if query.name != "workspace_slug"),
    *("page_size", "current_page"),
    *OTHER_NAMES,
}
"""Filters of a body."""

Filter = dict[str, Any]
Fields = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=4096)]


class New(Struct, forbid_unknown_fields=True):
    """An export to make: which logs, what of each."""

    filters: Filter
    requested_data: Fields
    workspace_id: str | None = None
    description: Text | None = None


class Change(Struct, forbid_unknown_fields=True):
    """What to change of a draft. A repeated `workspace_id` stays."""

    filters: Filter | UnsetType = UNSET
    requested_data: Fields | UnsetType = UNSET
    workspace_id: str | None = None
    description: Text | None = None


async def create(visit: Visit) -> Answer:
    """Make a draft."""
    asked: New = visit.content
    fields = _fields(asked.requested_data)
    place = await _workspace(visit, asked.workspace_id)
    row = await visit.write(
        exports.create,
        _range(asked.filters, place),
        workspace=place or None,
        description=asked.description or "",
        given=asked.filters,
        fields=fields,
        by=visit.principal.user or visit.principal.id,
    )
    return {"id": row["id"], "total": row["total"], "object": "export"}


async def every(visit: Visit) -> Answer:
    """A page of them, newest first."""
    place = await _workspace(visit, visit.query.get("workspace_id"))
    found, total = await visit.read(exports.page, place, *visit.page())
    return listed([told(row) for row in found], total)


async def one(visit: Visit) -> Answer:
    """One of them."""
    return told(await _reached(visit))


async def update(visit: Visit) -> Answer:
    """Change a draft."""
    asked: Change = visit.content
    row = await _reached(visit)
    columns: Row = {}
    if not isinstance(asked.requested_data, UnsetType):
        columns["fields"] = rows.text(_fields(asked.requested_data))
    if asked.description is not None:
        columns["description"] = asked.description
    given = None if isinstance(asked.filters, UnsetType) else asked.filters
    wanted = None if given is None else _range(given, row["workspace_id"] or "")
    return told(await visit.write(exports.revise, row["id"], wanted, given, **columns))


async def start(visit: Visit) -> Answer:
    """Start one: it has the logs that there are now."""
    row = await _reached(visit)
    return told(await visit.write(exports.start, row["id"])) | {"message": "The export can be downloaded."}


async def cancel(visit: Visit) -> Answer:
    """Stop one."""
    row = await _reached(visit)
    return told(await visit.write(exports.cancel, row["id"])) | {"message": "The export is stopped."}


async def download(visit: Visit) -> Answer:
    """The address of its file, for an hour."""
    row = await _reached(visit)
    kind = _kind(visit)
    if row["status"] != SUCCESS:
        raise Conflict(f"The export is {row['status']}: start it first.", param="status")
    expires = int(time.time()) + HOUR
    query = urlencode({"format": kind, "expires": expires, "signature": exports.signature(row, kind, expires)})
    address = f"{visit.origin}/v1/logs/exports/{row['id']}/file?{query}"
    return {"signed_url": address, "expires_at": moment(expires * 1000)}


async def file(visit: Visit) -> File:
    """Its logs, as they are read."""
    kind, given, until = _kind(visit), visit.query.get("signature", ""), visit.query.get("expires", "")
    expires = int(until) if until.isascii() and until.isdigit() and len(until) < 12 else 0
    try:
        row = await visit.read(exports.find, visit.parameters["id"])
    except GatekeyError:
        row = None
    if row is None or not given.isascii() or not hmac.compare_digest(exports.signature(row, kind, expires), given):
        raise Forbidden("This is no address that the gateway has given: ask for another one with /download.")
    if expires < time.time():
        raise Forbidden("This address was good for an hour: ask for another one with /download.")
    if row["status"] != SUCCESS:
        raise Conflict(f"The export is {row['status']}.", param="status")
    return File(KINDS[kind], f"logs-{row['id'][:8]}.{kind}", _pieces(visit, row, WRITERS[kind]))


Writer = Callable[[list[str], list[tuple[Row, Record]], bool], bytes]


async def _pieces(visit: Visit, row: Row, writer: Writer) -> AsyncIterator[bytes]:
    fields, left, before = rows.value(row["fields"]), exports.ranged(row).most, None
    first = True
    while left > 0:
        found = await visit.read(exports.piece, row, before, min(PIECE, left))
        if not found and not first:
            return
        yield writer(fields, found, first)
        if not found:
            return
        first, left = False, left - len(found)
        before = (found[-1][0]["created_at"], found[-1][0]["number"])


def _jsonl(fields: list[str], found: list[tuple[Row, Record]], first: bool) -> bytes:
    return b"".join(msgspec.json.encode({name: FIELDS[name](*each) for name in fields}) + b"\n" for each in found)


def _csv(fields: list[str], found: list[tuple[Row, Record]], first: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    if first:
        writer.writerow(fields)
    writer.writerows([_cell(FIELDS[name](*each)) for name in fields] for each in found)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    """A value as a cell. A text that a spreadsheet would take for a formula is quoted: callers may have written it."""
    if isinstance(value, Mapping | list | Raw | bool):
        return msgspec.json.encode(value).decode()
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value.replace("\0", "")
    return "" if value is None else value


WRITERS: dict[str, Writer] = {"jsonl": _jsonl, "csv": _csv}


async def _reached(visit: Visit) -> Row:
    """The export that the path names. Raises `NotFound`, and `Forbidden` where it is another workspace's."""
    found = await visit.read(exports.find, visit.parameters["id"])
    visit.inside(found["workspace_id"])
    return found


async def _workspace(visit: Visit, given: str | None) -> str:
    """The id of the workspace whose logs are meant; empty: all of them, for a key of the organisation."""
    return await visit.workspace(given) if given or visit.principal.workspace else ""


def _fields(given: list[str]) -> list[str]:
    found = list(dict.fromkeys(given))
    for name in found:
        if name not in FIELDS:
            told = f"requested_data: there is no {name[:60]!r}, only {', '.join(FIELDS)}."
            raise BadBody(told, param="requested_data")
    return found


def _range(given: Filter, workspace: str) -> Range:
    """The filters of a body: those of a query, with values that need not be texts. Raises `BadBody` naming one."""
    query: dict[str, str] = {}
    for spelling, value in given.items():
        name = snake(spelling)
        if name not in NAMES:
            raise BadBody(f"filters.{spelling[:60]}: there is no such filter.", param=f"filters.{spelling[:60]}")
        if value not in (None, "", [], {}):
            query[OTHER_NAMES.get(name, name)] = _text(value)
    try:
        filters = questions.read(query)
        since, until = (questions.moment(query, f"time_of_generation_{end}") for end in ("min", "max"))
        size, page = _whole(query, "page_size", MOST, 1, MOST), _whole(query, "current_page", 0, 0, PAGES)
    except BadHeader as failure:
        raise BadBody(f"filters.{failure.message}", param=f"filters.{failure.param}") from None
    if since is not None:
        filters.least["created_at"] = since
    if until is not None:
        filters.most["created_at"] = until - 1
    filters.workspace = workspace
    return Range(filters, page * size, size)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return ",".join(map(str, value))
    return msgspec.json.encode(value).decode()


def _whole(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    given = query.get(name, "")
    if not given:
        return default
    if given.isascii() and given.isdigit() and len(given) < 10 and low <= int(given) <= high:
        return int(given)
    raise BadHeader(f"{name}: expected an integer from {low} to {high}, got {given[:60]!r}.", param=name)


def _kind(visit: Visit) -> str:
    kind = visit.query.get("format") or "jsonl"
    if kind not in KINDS:
        raise BadHeader(f"format: expected {' or '.join(KINDS)}, got {kind[:60]!r}.", param="format")
    return kind


def told(row: Row) -> Answer:
    """An export as the API shows it."""
    return {
        "id": row["id"],
        "workspace_id": row["workspace_id"],
        "organisation_id": None,
        "description": row["description"],
        "filters": rows.value(row["asked"]),
        "requested_data": rows.value(row["fields"]),
        "status": row["status"],
        "total": row["total"],
        "created_by": row["created_by"],
        "created_at": moment(row["created_at"]),
        "last_updated_at": moment(row["last_updated_at"]),
        "object": "export",
    }


_one = "/logs/exports/{id}"
_format = Query("format", "What the file is.", {"type": "string", "enum": list(KINDS)})

routes = (
    Route(method="POST", path="/logs/exports", handler=create, scope="logs.export", about="Make an export of logs.",
          resource="log_exports", action="create", body=New),
    Route(method="GET", path="/logs/exports", handler=every, scope="logs.export", about="List exports of logs.",
          resource="log_exports", action="list", query=(*PAGE, Query("workspace_id", "Only those of this workspace."))),
    Route(method="GET", path=_one, handler=one, scope="logs.export", about="An export of logs.",
          resource="log_exports", action="read"),
    Route(method="PUT", path=_one, handler=update, scope="logs.export", about="Change an export that has not started.",
          resource="log_exports", action="update", body=Change),
    Route(method="POST", path=f"{_one}/start", handler=start, scope="logs.export", about="Start an export of logs.",
          resource="log_exports", action="start"),
    Route(method="POST", path=f"{_one}/cancel", handler=cancel, scope="logs.export", about="Stop an export of logs.",
          resource="log_exports", action="cancel"),
    Route(method="GET", path=f"{_one}/download", handler=download, scope="logs.export", query=(_format,),
          about="The address of an export's file, for an hour.", resource="log_exports", action="download"),
    Route(method="GET", path=f"{_one}/file", handler=file, scope="logs.export", signed=True,
          produces=tuple(KINDS.values()), about="The file of an export, by the address that `download` gives.",
          resource="log_exports", action="read",
          query=(_format, Query("expires", "As given.", {"type": "integer"}), Query("signature", "As given."))),
)  # fmt: skip
