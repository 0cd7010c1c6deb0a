"""`gatekey usage`: who and what spent how much, as the analytics of a running gateway tell.

What has no known price is counted apart, never as zero.
"""

import datetime
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from gatekey.cli.remote import Data, Json, Remote, Url
from gatekey.cli.tables import show, table, told

BAR = 24
"""Characters of the longest bar."""
MOST = 1000
"""Rows that are shown at most."""
DAYS = 1500
"""The longest period."""

Rows = list[dict[str, Any]]


class By(StrEnum):
    """What usage is told by."""

    key = "key"
    model = "model"
    user = "user"
    workspace = "workspace"
    day = "day"
    config = "config"
    provider = "provider"
    status = "status"


GROUPS = {
    By.key: "api_key",
    By.model: "model",
    By.user: "user",
    By.workspace: "workspace",
    By.config: "config",
    By.provider: "ai_service",
    By.status: "status_code",
}
"""What the API calls them. Days are no groups, but a graph."""


def usage(
    by: Annotated[By, typer.Option(help="What to tell it by.")] = By.key,
    days: Annotated[int, typer.Option(min=1, max=DAYS, help="The last days, today included.")] = 30,
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    top: Annotated[int, typer.Option(min=1, max=MOST, help="Rows to show: those that cost most.")] = 20,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell who and what spent how much. Days begin at midnight UTC.

    Example: gatekey usage --by model --days 7
    """
    remote, asked = Remote.find(url, data), {"time_of_generation_min": _since(days), "workspace_slug": workspace}
    graphs = {
        name: remote.ask("GET", f"/analytics/graphs/{name}", **asked, step="day")
        for name in ("requests", "tokens", "cost")
    }
    sums = {name: graph["summary"] for name, graph in graphs.items()}
    total = _row("total", sums["requests"]["total"], sums["tokens"]["total"], sums["cost"])
    rows = _days(graphs) if by is By.day else _groups(remote, by, top, asked)
    answer = {"by": by.value, "since": asked["time_of_generation_min"], "data": rows, "total": total}
    show(answer, _page(by, rows, total, days), as_json=json)


def _since(days: int) -> str:
    today = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - datetime.timedelta(days=days - 1)).isoformat().replace("+00:00", "Z")


def _days(graphs: dict[str, Any]) -> Rows:
    """The days with requests."""
    points = zip(*(graphs[name]["data_points"] for name in ("requests", "tokens", "cost")), strict=True)
    rows = [_row(one["timestamp"][:10], one["total"], two["total"], three) for one, two, three in points]
    return [row for row in rows if row["requests"]]


def _groups(remote: Remote, by: By, top: int, asked: dict[str, Any]) -> Rows:
    columns = "requests,total_tokens,cost,unpriced"
    path = f"/analytics/groups/{GROUPS[by]}"
    found = remote.ask("GET", path, **asked, columns=columns, order_by="cost", page_size=top)["data"]
    names = {row["id"]: row["name"] for row in remote.every("/api-keys")["data"]} if by is By.key else {}
    rows = []
    for group in found:
        name = group[GROUPS[by]]
        if by is By.model:
            name = f"{group['ai_org']}/{name}"
        more = {"name": names[name]} if name in names else {}
        cost = {"total": group["cost"], "unpriced": group["unpriced"]}
        rows.append({**_row(str(name), group["requests"], group["total_tokens"], cost), **more})
    return rows


def _row(value: str, requests: int, tokens: int, cost: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": value,
        "requests": requests,
        "tokens": tokens,
        "cents": cost["total"],
        "unpriced": cost["unpriced"],
    }


def _page(by: By, rows: Rows, total: dict[str, Any], days: int) -> str:
    """What people are shown: the rows, with bars in a terminal, and what all requests come to."""
    columns: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
        "requests": ("Requests", lambda row: f"{row['requests']:,}"),
        "tokens": ("Tokens", lambda row: f"{row['tokens']:,}"),
        "cents": ("Cost", lambda row: _dollars(row["cents"])),
        "unpriced": ("Unpriced", lambda row: f"{row['unpriced']:,}" if row["unpriced"] else ""),
    }
    shown = [{"value": _named(row)} for row in rows]
    for field, (heading, write) in columns.items():
        texts = [write(row) for row in rows]
        width = max(map(len, [heading, *texts]))
        for line, text in zip(shown, texts, strict=True):
            line[field] = text.rjust(width)
        columns[field] = (heading.rjust(width), write)
    bars = _bars(rows) if sys.stdout.isatty() else []
    for line, bar in zip(shown, bars, strict=False):
        line["bar"] = bar
    headings = {field: heading for field, (heading, _) in columns.items()}
    text = table(shown, value=by.value.capitalize(), **headings, **({"bar": ""} if bars else {}))
    return f"{text}\n\n{_together(total, days)}"


def _named(row: dict[str, Any]) -> str:
    return told(f"{row['name']} ({row['value']})" if "name" in row else row["value"])


def _bars(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What each row cost beside the others; where nothing has a price, how often it asked."""
    field = "cents" if any(row["cents"] for row in rows) else "requests"
    most = max((row[field] for row in rows), default=0)
    mark = "\N{FULL BLOCK}" if "utf" in (sys.stdout.encoding or "").lower() else "#"
    return [mark * max(1 if row[field] else 0, round(BAR * row[field] / most)) if most else "" for row in rows]


def _together(total: dict[str, Any], days: int) -> str:
    when = "Today" if days == 1 else f"In {days} days"
    text = f"{when}: {total['requests']:,} requests, {total['tokens']:,} tokens, {_dollars(total['cents'])}."
    if total["unpriced"]:
        text += f" Not in it: {total['unpriced']:,} without a known price."
    return text


def _dollars(cents: float) -> str:
    """As exact as amounts are that matter: hundredths of a cent."""
    return f"${cents / 100:,.4f}"
