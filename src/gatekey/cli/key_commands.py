"""`gatekey keys`: the keys of callers, on a running gateway. (The admin key's file is in `keys.py`.)"""

from typing import Annotated, Any

import typer

from gatekey.cli.limit_options import Alert, Budget, Period, Rates, Reset, Unpriced, Wanted, limits, readable
from gatekey.cli.remote import Data, Json, Remote, Url, given, pairs, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Keys of callers.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The key's id, as `list` shows it.", metavar="ID")]
Scope = Annotated[list[str] | None, typer.Option("--scope", help="What it may do; repeat for more.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Config = Annotated[str | None, typer.Option(help="Saved config that its requests have unless they bring one.")]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", help="NAME=VALUE on all its requests; repeat.")]
Expires = Annotated[str | None, typer.Option("--expires-at", help="When it ends, such as 2027-01-31T00:00:00Z.")]
Override = Annotated[
    bool | None, typer.Option("--override/--no-override", help="Whether requests may bring another config.")
]
Bodies = Annotated[bool | None, typer.Option("--log-bodies/--no-log-bodies", help="Whether logs have what was said.")]


@app.command("list")
def every(
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List keys, never their secrets."""
    answer = Remote.find(url, data).every("/api-keys", workspace_id=workspace)
    columns = {
        "id": "ID",
        "name": "Name",
        "key": "Key",
        "type": "Type",
        "status": "Status",
        "workspace_id": "Workspace",
    }
    show(answer, table(answer["data"], **columns, expires_at="Expires"), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    workspace: Annotated[str | None, typer.Option(help="Its workspace. [default: the default one]")] = None,
    organisation: Annotated[bool, typer.Option("--organisation", help="For the whole organisation.")] = False,
    user: Annotated[str | None, typer.Option(help="Whose it is; without it a service's.")] = None,
    scope: Scope = None,
    description: Description = None,
    config: Config = None,
    metadata: Metadata = None,
    override: Override = None,
    log_bodies: Bodies = None,
    expires_at: Expires = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rates = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a key and print it, this once.

    Example: KEY=$(gatekey keys create laptop --budget 10 --budget-period monthly --rate 60rpm)
    """
    body = limits(Wanted(budget, budget_period, alert_at, allow_unpriced), rate) | given(
        name=name,
        description=description,
        workspace_id=workspace,
        user_id=user,
        scopes=scope or ["completions.write"],
        defaults=_defaults(config, metadata, override, log_bodies),
        expires_at=expires_at,
    )
    kind = f"{'organisation' if organisation else 'workspace'}/{'user' if user else 'service'}"
    answer = Remote.find(url, data).ask("POST", f"/api-keys/{kind}", body)
    show(answer, answer["key"], as_json=json)
    typer.echo(f"This is the only time that the key is shown. Its id: {answer['id']}", err=True)


@app.command("show")
def one(id: Id, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show a key without its secret."""
    answer = Remote.find(url, data).ask("GET", f"/api-keys/{segment(id)}")
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def update(
    id: Id,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    scope: Scope = None,
    description: Description = None,
    config: Config = None,
    metadata: Metadata = None,
    override: Override = None,
    log_bodies: Bodies = None,
    expires_at: Expires = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rates = None,
    reset_usage: Reset = False,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a key; what is not named stays. An empty --config or --expires-at takes it away."""
    remote, path = Remote.find(url, data), f"/api-keys/{segment(id)}"
    body = limits(
        Wanted(budget, budget_period, alert_at, allow_unpriced), rate, lambda: remote.ask("GET", path)
    ) | given(
        name=name,
        description=description,
        scopes=scope,
        defaults=_defaults(config, metadata, override, log_bodies),
        expires_at=expires_at,
        reset_usage=reset_usage or None,
    )
    answer = remote.ask("PUT", path, body)
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def rotate(
    id: Id,
    overlap: Annotated[int, typer.Option(help="Minutes for which the old secret goes on working.")] = 30,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Give a key a new secret and print it, this once. The old one works on for a while."""
    body = {"key_transition_period_ms": overlap * 60_000}
    answer = Remote.find(url, data).ask("POST", f"/api-keys/{segment(id)}/rotate", body)
    show(answer, answer["key"], as_json=json)
    typer.echo(f"The old secret works until {answer['key_transition_expires_at']}.", err=True)


@app.command()
def delete(id: Id, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Delete a key: it opens nothing from now on."""
    answer = Remote.find(url, data).ask("DELETE", f"/api-keys/{segment(id)}")
    show(answer, f"Deleted {id}.", as_json=json)


def _defaults(
    config: str | None, metadata: list[str] | None, override: bool | None, log_bodies: bool | None
) -> dict[str, Any] | None:
    found = given(
        config_id=config,
        metadata=None if metadata is None else pairs(metadata, "--metadata"),
        allow_config_override=override,
        log_bodies=log_bodies,
    )
    return found or None
