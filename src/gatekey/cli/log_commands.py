"""`gatekey logs`: what became of the requests of a running gateway."""

import datetime
import json as jsons
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gatekey.cli.remote import Data, Json, Refused, Remote, Url, pairs, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Logs: what became of requests, what they cost.", invoke_without_command=True)

PAUSE = 1.0
"""s between two looks for newer logs."""
PAGE = 200
"""Logs that are asked for at once while they are followed."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Of times such as `90m`, in s."""
COLUMNS = {
    "at": "Time", "response_status_code": "Status", "ms": "ms", "provider": "Provider", "model": "Model",
    "total_units": "Tokens", "dollars": "Cost", "trace_id": "Trace", "id": "ID",
}  # fmt: skip


class Format(StrEnum):
    """What an export is written as."""

    jsonl = "jsonl"
    csv = "csv"


Status = Annotated[str | None, typer.Option(help="Statuses, by commas: 429,500.")]
Model = Annotated[str | None, typer.Option(help="Provider and model, by commas: openai__gpt-4o.")]
VirtualKey = Annotated[str | None, typer.Option(help="Slugs of virtual keys, by commas.")]
ApiKey = Annotated[str | None, typer.Option("--key", help="Ids of API keys, by commas.")]
Config = Annotated[str | None, typer.Option(help="Slugs of configs, by commas.")]
Trace = Annotated[str | None, typer.Option(help="Trace ids, by commas.")]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", help="NAME=VALUE that a request has; repeat.")]
Since = Annotated[str | None, typer.Option(help="From then on: 15m, 2h, 3d, or 2027-01-31T12:00.")]
Until = Annotated[str | None, typer.Option(help="Before then.")]
Workspace = Annotated[str | None, typer.Option(help="Only of this workspace. [default: of all]")]


@app.callback()
def every(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those to come, until Ctrl-C.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many of the newest.")] = 20,
    status: Status = None,
    model: Model = None,
    virtual_key: VirtualKey = None,
    key: ApiKey = None,
    config: Config = None,
    trace: Trace = None,
    metadata: Metadata = None,
    since: Since = None,
    until: Until = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show the newest logs, the latest last."""
    if context.invoked_subcommand is not None:
        return
    asked = _asked(status, model, virtual_key, key, config, trace, metadata, since, until)
    remote = Remote.find(url, data)
    answer = remote.ask("GET", "/logs", page_size=limit, workspace_slug=workspace, **asked)
    if json and not follow:
        show(answer, "", as_json=True)
        return
    found = answer["data"][::-1]
    if not (found or follow):
        typer.echo("None.")
        return
    head = True
    try:
        for some in _coming(remote, found, workspace, asked) if follow else [found]:
            for line in [jsons.dumps(log, ensure_ascii=False) for log in some] if json else _lines(some, head=head):
                typer.echo(line, color=_coloured())
            head = False
    except KeyboardInterrupt:
        pass


@app.command("show")
def one(
    log: Annotated[str, typer.Argument(help="Its id.", metavar="ID")],
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show a log: each attempt, and what was said, where that is kept."""
    answer = Remote.find(url, data).ask("GET", f"/logs/{segment(log)}")
    show(answer, _whole(answer), as_json=json)


@app.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File. [default: standard output]")] = None,
    format: Annotated[Format, typer.Option(help="What it is written as.")] = Format.jsonl,
    fields: Annotated[str | None, typer.Option(help="What of each log, by commas. [default: all]")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50_000, help="How many of the newest.")] = 50_000,
    status: Status = None,
    model: Model = None,
    virtual_key: VirtualKey = None,
    key: ApiKey = None,
    config: Config = None,
    trace: Trace = None,
    metadata: Metadata = None,
    since: Since = None,
    until: Until = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Write logs to a file."""
    from gatekey.admin.logged import FIELDS

    remote = Remote.find(url, data)
    asked = _asked(status, model, virtual_key, key, config, trace, metadata, since, until)
    filters = {name: value for name, value in asked.items() if value is not None} | {"page_size": limit}
    wanted = fields.split(",") if fields else list(FIELDS)
    made = remote.ask(
        "POST", "/logs/exports", {"filters": filters, "requested_data": wanted, "workspace_id": workspace}
    )
    place = f"/logs/exports/{made['id']}"
    remote.ask("POST", f"{place}/start")
    query = urlsplit(remote.ask("GET", f"{place}/download", format=format.value)["signed_url"]).query
    size = 0
    with output.open("wb") if output is not None else typer.get_binary_stream("stdout") as file:
        for piece in remote.fetch(f"{place}/file?{query}"):
            size += file.write(piece)
    if output is not None:
        typer.echo(f"{output}: up to {made['total']} logs, {size} bytes.", err=True)


def _asked(
    status: str | None,
    model: str | None,
    virtual_key: str | None,
    key: str | None,
    config: str | None,
    trace: str | None,
    metadata: list[str] | None,
    since: str | None,
    until: str | None,
) -> dict[str, str | None]:
    """The options as the API's filters."""
    return {
        "status_code": status,
        "ai_org_model": model,
        "virtual_keys": virtual_key,
        "api_key_ids": key,
        "configs": config,
        "trace_id": trace,
        "metadata": jsons.dumps(pairs(metadata, "--metadata")) if metadata else None,
        "time_of_generation_min": _moment(since),
        "time_of_generation_max": _moment(until),
    }


def _moment(given: str | None) -> str | None:
    """A moment, or how long ago it was, as the API takes it. Raises `Refused`."""
    if given is None:
        return None
    ago = re.fullmatch(r"(\d{1,6})([smhd])", given)
    now = datetime.datetime.now(datetime.UTC)
    if ago:
        return (now - datetime.timedelta(seconds=int(ago[1]) * UNITS[ago[2]])).isoformat()
    try:
        return datetime.datetime.fromisoformat(given).astimezone(datetime.UTC).isoformat()
    except ValueError:
        raise Refused(f"{given!r} is no time: write 90m, 2h, 3d, or 2027-01-31T12:00.") from None


def _coming(
    remote: Remote, found: list[Any], workspace: str | None, asked: Mapping[str, Any]
) -> Iterator[Sequence[Any]]:
    """Those that are there, then those to come, as they come."""
    yield found
    last = max((log["number"] for log in found), default=0)
    while True:
        newer = remote.ask("GET", "/logs", page_size=PAGE, workspace_slug=workspace, after=last, **asked)["data"]
        if newer:
            yield newer
            last = newer[-1]["number"]
        if len(newer) < PAGE:
            time.sleep(PAUSE)


def _lines(logs: Sequence[Mapping[str, Any]], *, head: bool) -> Iterator[str]:
    """A table, each line in the colour of what became of its request."""
    if not logs:
        return
    rows = [
        {
            **log,
            "at": _local(log["created_at"]),
            "ms": f"{log['response_time']:.0f}",
            "provider": log["ai_org"],
            "model": log["ai_model"],
            "dollars": _dollars(log["cost"], log["total_units"]),
        }
        for log in logs
    ]
    heading, *lines = table(rows, **COLUMNS).split("\n")
    if head:
        yield typer.style(heading, bold=True)
    for log, line in zip(logs, lines, strict=True):
        status = log["response_status_code"]
        yield typer.style(line, fg=None if log["is_success"] else "yellow" if 400 <= status < 500 else "red")


def _whole(log: Mapping[str, Any]) -> str:
    metrics = log["metrics"]
    first = {
        "id": log["id"], "time": _local(log["created_at"]), "status": metrics["response_status_code"],
        "error": log["error"], "request": f"{metrics['request_method']} {log['request']['url']}",
        "provider": metrics["ai_org"], "model": metrics["ai_model"], "virtual key": metrics["virtual_key"],
        "config": metrics["config"], "cache": metrics["cache_status"], "workspace": log["workspace_id"],
        "API key": metrics["api_key_id"], "trace": metrics["trace_id"], "span": metrics["span_id"],
        "metadata": dict(zip(metrics["metadata.key"], metrics["metadata.value"], strict=True)),
        "tokens": log["usage"], "cost": _dollars(metrics["cost"], metrics["total_units"]),
        "ms": metrics["response_time"], "ms of the gateway": metrics["gateway_processing_time"],
    }  # fmt: skip
    parts = [record(first)]
    if log["attempts"]:
        names = {"path": "Attempt", "provider": "Provider", "model": "Model", "status": "Status", "by": "By",
                 "response_time": "ms", "error": "Error"}  # fmt: skip
        parts.append(table(log["attempts"], **names))
    for name in ("request", "response"):
        if (body := log[name]["body"]) is not None:
            text = body if isinstance(body, str) else jsons.dumps(body, indent=2, ensure_ascii=False)
            parts.append(f"{name.capitalize()}:\n{_plain(text)}")
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Text on several lines, without what would move the cursor."""
    return "".join(mark if mark.isprintable() or mark == "\n" else ascii(mark)[1:-1] for mark in text)


def _local(moment: str) -> str:
    return datetime.datetime.fromisoformat(moment).astimezone().isoformat(" ", "seconds")[:19]


def _dollars(cents: float | None, tokens: int) -> str:
    if cents is None:
        return "unpriced" if tokens else "-"
    return f"${cents / 100:.6f}"


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
