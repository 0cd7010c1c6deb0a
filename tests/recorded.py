"""The record of a call of a running gateway: in its spool, or in its database, to which it goes from there."""

import secrets
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from gatekey.observe.record import Record, decode
from tests.fake import wait_until
from tests.gateway import Gateway


def record(gateway: Gateway, trace_id: str) -> Record:
    """The one record of the call with this trace id, once it is written. The database must be SQLite."""
    found: list[Record] = []

    def look() -> bool:
        found[:] = [each for each in map(decode, _lines(gateway.data, trace_id)) if each.trace_id == trace_id]
        return bool(found)

    wait_until(look, what=f"the record of {trace_id}")
    by_id = {each.id: each for each in found}  # for a moment it may be in both places
    assert len(by_id) == 1
    return found[0]


def post(
    gateway: Gateway, path: str, headers: Mapping[str, str], body: Any, *, status: int = 200, **more: Any
) -> Record:
    """The record of one request, which is answered with this status."""
    trace_id = secrets.token_hex(8)
    answer = gateway.call("POST", path, {**headers, "x-portkey-trace-id": trace_id}, body, **more)
    assert answer.status == status, answer.body
    return record(gateway, trace_id)


def usage(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    """A usage as providers of our dialect report it."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}


def _lines(data: Path, trace_id: str) -> list[bytes]:
    lines: list[bytes] = []
    for path in sorted((data / "spool").glob("*.jsonl")):
        try:
            lines += (line for line in path.read_bytes().split(b"\n")[:-1] if trace_id.encode() in line)
        except FileNotFoundError:  # consumed meanwhile
            continue
    with closing(sqlite3.connect(f"file:{data / 'gatekey.db'}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT record FROM log_records WHERE instr(record, ?)", (trace_id,))
        return lines + [text.encode() for (text,) in found]
