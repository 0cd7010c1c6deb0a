"""`gatekey workspaces`: workspaces of a running gateway."""

from typing import Annotated, Any

import typer

from gatekey.cli.key_commands import Bodies
from gatekey.cli.limit_options import Alert, Budget, Period, Rates, Reset, Unpriced, Wanted, limits, readable
from gatekey.cli.remote import Data, Json, Remote, Url, given, pairs, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Workspaces: what belongs to one is not seen by another.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its id or slug.", metavar="WORKSPACE")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Metadata = Annotated[list[str] | None, typer.Option("--metadata", help="NAME=VALUE on all its requests; repeat.")]


@app.command("list")
def every(url: Url = None, data: Data = None, json: Json = False) -> None:
    """List workspaces."""
    answer = Remote.find(url, data).every("/admin/workspaces")
    columns = {"id": "ID", "slug": "Slug", "name": "Name", "is_default": "Default", "created_at": "Made"}
    show(answer, table(answer["data"], **columns), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    slug: Annotated[str | None, typer.Option(help="Letters, digits, - and _. [default: made of the name]")] = None,
    description: Description = None,
    metadata: Metadata = None,
    log_bodies: Bodies = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rates = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a workspace."""
    body = limits(Wanted(budget, budget_period, alert_at, allow_unpriced), rate)
    body |= given(name=name, slug=slug, description=description, defaults=_defaults(metadata, log_bodies))
    answer = Remote.find(url, data).ask("POST", "/admin/workspaces", body)
    show(answer, record(readable(answer)), as_json=json)


@app.command("show")
def one(workspace: Name, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show a workspace."""
    answer = Remote.find(url, data).ask("GET", f"/admin/workspaces/{segment(workspace)}")
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def update(
    workspace: Name,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    description: Description = None,
    metadata: Metadata = None,
    log_bodies: Bodies = None,
    user_config: Annotated[
        str | None, typer.Option(help="Saved config of users' keys that have none of their own; empty: no more.")
    ] = None,
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
    """Change a workspace; what is not named stays."""
    remote, path = Remote.find(url, data), f"/admin/workspaces/{segment(workspace)}"
    body = limits(
        Wanted(budget, budget_period, alert_at, allow_unpriced), rate, lambda: remote.ask("GET", path)
    ) | given(
        name=name,
        description=description,
        defaults=_defaults(metadata, log_bodies, user_config),
        reset_usage=reset_usage or None,
    )
    answer = remote.ask("PUT", path, body)
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def delete(
    workspace: Name,
    force: Annotated[bool, typer.Option("--force", help="With everything that is in it.")] = False,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Delete a workspace, which must be empty unless --force is given."""
    path = f"/admin/workspaces/{segment(workspace)}"
    answer = Remote.find(url, data).ask("DELETE", path, {"force_delete": force})
    show(answer, f"Deleted {workspace}.", as_json=json)


def _defaults(
    metadata: list[str] | None, log_bodies: bool | None, user_config: str | None = None
) -> dict[str, Any] | None:
    found = given(
        metadata=None if metadata is None else pairs(metadata, "--metadata"),
        log_bodies=log_bodies,
        user_api_key_config=user_config,
    )
    return found or None
