"""Answers for people: a table, one record, a line. For scripts: the API's JSON as it came."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import typer


def show(answer: Any, text: str, *, as_json: bool) -> None:
    """The answer: its JSON where scripts want that, else `text`."""
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False) if as_json else text)


def table(rows: Sequence[Mapping[str, Any]], **columns: str) -> str:
    """Rows under headings; `columns` are `field="Heading"`. No rows: a line that says so."""
    if not rows:
        return "None."
    cells = [list(columns.values()), *([told(row.get(field)) for field in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def record(row: Mapping[str, Any]) -> str:
    """One row, a line for each field that has a value."""
    shown = {
        field: told(value) for field, value in row.items() if value not in (None, "", [], {}) and field != "object"
    }
    width = max(map(len, shown), default=0)
    return "\n".join(f"{field.ljust(width)}  {value}" for field, value in shown.items())


def told(value: Any) -> str:
    """A value on one line. What would move the cursor is shown, not done."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    elif isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in str(value))
