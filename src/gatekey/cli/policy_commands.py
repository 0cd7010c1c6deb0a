"""`gatekey policies`: budgets and rates for requests that have something in common, on a running gateway."""

from typing import Annotated, Any

import typer

from gatekey.cli.limit_options import Alert, Budget, Period, Reset, Unpriced, Wanted, changed, rate, speed, whole
from gatekey.cli.remote import Data, Json, Refused, Remote, Url, given, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Policies: limits for requests that have something in common.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its id, or its name where no other has it.", metavar="POLICY")]
Rate = Annotated[str | None, typer.Option(help="60rpm (requests) or 100000tpm (tokens), by s, m, h, d or w.")]
If = Annotated[
    list[str] | None,
    typer.Option(
        "--if", help="KEY=VALUE that requests must have, such as metadata.team=search or model=gpt-4*; repeat."
    ),
]
Unless = Annotated[list[str] | None, typer.Option("--unless", help="KEY=VALUE that they must not have; repeat.")]
By = Annotated[list[str] | None, typer.Option("--by", help="Count each value of this key apart; repeat.")]
Workspace = Annotated[str | None, typer.Option(help="Of this workspace. [default: of all]")]

PATHS = ("/policies/usage-limits", "/policies/rate-limits")
SHOWN = 1000
"""Counters that `show` tells of."""


@app.command("list")
def every(
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Those that were deleted.")] = False,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List policies."""
    remote = Remote.find(url, data)
    query = given(workspace_id=workspace, status="archived" if archived else None)
    found = [row for path in PATHS for row in remote.every(path, **query)["data"]]
    rows = [readable(row) for row in found]
    columns = {"id": "ID", "name": "Name", "limit": "Limit", "conditions": "For", "group_by": "By"}
    answer = {"object": "list", "total": len(found), "data": found}
    show(answer, table(rows, **columns, workspace_id="Workspace"), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it, which refusals tell.")],
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rate = None,
    if_: If = None,
    unless: Unless = None,
    by: By = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Set a budget or a rate for requests that have something in common, and print its id.

    Example: gatekey policies create "per user" --if metadata.team=search --by metadata._user --budget 10
    """
    if (budget is None) == (rate is None):
        raise Refused("Give --budget or --rate, one of them.")
    path, limit = _limit(None, Wanted(budget, budget_period, alert_at, allow_unpriced), rate)
    body = limit | given(
        name=name,
        conditions=conditions(if_, unless),
        group_by=[{"key": key} for key in by or ()],
        workspace_id=workspace,
    )
    answer = Remote.find(url, data).ask("POST", path, body)
    show(answer, answer["id"], as_json=json)


@app.command("show")
def one(policy: Name, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show a policy, and what is spent of each counter of its budget."""
    remote = Remote.find(url, data)
    path, row = find(remote, policy)
    if path != PATHS[0]:
        show(row, record(readable(row)), as_json=json)
        return
    counters = remote.ask("GET", f"{path}/{segment(row['id'])}/entities", page_size=SHOWN)
    counted = table(counters["data"], value_key="Counter", current_usage="Spent", status="Status")
    if counters["total"] > SHOWN:
        counted += f"\n{counters['total'] - SHOWN} more: ask the API for its entities."
    show({**row, "entities": counters}, f"{record(readable(row))}\n\n{counted}", as_json=json)


@app.command()
def update(
    policy: Name,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rate = None,
    if_: If = None,
    unless: Unless = None,
    by: By = None,
    reset_usage: Reset = False,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a policy; what is not named stays. --if and --unless replace all conditions, --by all it counts by."""
    remote = Remote.find(url, data)
    path, row = find(remote, policy)
    meant, limit = _limit(row, Wanted(budget, budget_period, alert_at, allow_unpriced), rate)
    if limit and meant != path:
        raise Refused(f"{policy!r} sets a {'budget' if path == PATHS[0] else 'rate'}, and goes on doing so.")
    body = limit | given(
        name=name,
        conditions=None if if_ is unless is None else conditions(if_, unless),
        group_by=None if by is None else [{"key": key} for key in by],
        reset_usage=reset_usage or None,
    )
    answer = remote.ask("PUT", f"{path}/{segment(row['id'])}", body)
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def delete(policy: Name, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Delete a policy."""
    remote = Remote.find(url, data)
    path, row = find(remote, policy)
    answer = remote.ask("DELETE", f"{path}/{segment(row['id'])}")
    show(answer, f"Deleted {policy}.", as_json=json)


def find(remote: Remote, name: str) -> tuple[str, Any]:
    """The path of a policy's kind, and the policy. Raises `Refused` where the name is nobody's or several have it."""
    rows = [(path, row) for path in PATHS for row in remote.every(path)["data"]]
    found = [one for one in rows if one[1]["id"] == name] or [one for one in rows if one[1]["name"] == name]
    if not found:
        raise Refused(f"There is no policy {name!r}.")
    if len(found) > 1:
        raise Refused(f"Several policies are called {name!r}: {', '.join(row['id'] for _, row in found)}.")
    return found[0]


def conditions(wanted: list[str] | None, unwanted: list[str] | None) -> list[dict[str, Any]]:
    """`KEY=VALUE` options as the API takes them: of one key's values any will do. Raises `Refused`."""
    found: dict[str, dict[str, list[str]]] = {}
    for option, part, texts in (("--if", "value", wanted), ("--unless", "excludes", unwanted)):
        for text in texts or ():
            key, equals, value = text.partition("=")
            if not (key and equals and value):
                raise Refused(f"{option} {text}: it looks like {option} KEY=VALUE.")
            found.setdefault(key, {}).setdefault(part, []).append(value)
    return [{"key": key, "value": "*", **parts} for key, parts in found.items()]


def readable(row: Any) -> dict[str, Any]:
    """A policy in words."""
    sets_rate = "unit" in row
    apart = ("type", "credit_limit", "periodic_reset", "periodic_reset_days", "unit", "value", "target")
    return {
        **{name: value for name, value in row.items() if name not in apart},
        "conditions": ", ".join(map(_condition, row["conditions"])),
        "group_by": [group["key"] for group in row["group_by"]],
        "limit": speed(row) if sets_rate else whole(row),
    }


def _condition(asked: Any) -> str:
    value, excluded = (
        "|".join([listed] if isinstance(listed, str) else listed)
        for listed in (asked["value"], asked.get("excludes", ""))
    )
    return f"{asked['key']}={value}{f' but {excluded}' if excluded else ''}"


def _limit(old: Any, wanted: Wanted, speed: str | None) -> tuple[str, dict[str, Any]]:
    """The kind of limit that options mean, by its path, and what they say of it. Raises `Refused`."""
    if speed is not None:
        return PATHS[1], rate(speed)
    if all(said is None for said in wanted):
        return "", {}
    return PATHS[0], changed(old, wanted)
