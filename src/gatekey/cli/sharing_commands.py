"""`gatekey integrations models` and `workspaces`: what a stored credential may be used for, and by whom."""

from typing import Annotated, Any

import typer

from gatekey.cli.remote import Data, Json, Remote, Url, given, segment
from gatekey.cli.tables import show, table
from gatekey.cli.virtual_key_commands import Name, Workspace

models = typer.Typer(help="The models that an integration allows.", no_args_is_help=True)
workspaces = typer.Typer(help="The workspaces that may use an integration.", no_args_is_help=True)


@models.command("list")
def every_model(
    name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False
) -> None:
    """List the models of an integration."""
    answer = Remote.find(url, data).ask("GET", _path(name, "models"), workspace_id=workspace)
    show(answer, _models(answer), as_json=json)


@models.command("update")
def update_models(
    name: Name,
    enable: Annotated[list[str] | None, typer.Option(help="List this model as allowed; repeat.")] = None,
    disable: Annotated[list[str] | None, typer.Option(help="List this model as refused; repeat.")] = None,
    everything: Annotated[
        bool | None, typer.Option("--all/--only-listed", help="Whether models that are not listed are allowed too.")
    ] = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Allow models, or refuse them; those that are not named stay as they are.

    Example: gatekey integrations models update main --enable gpt-4o-mini --only-listed
    """
    listed = [{"slug": slug, "enabled": True} for slug in enable or ()]
    listed += [{"slug": slug, "enabled": False} for slug in disable or ()]
    body = given(models=listed, allow_all_models=everything)
    answer = Remote.find(url, data).ask("PUT", _path(name, "models"), body, workspace_id=workspace)
    show(answer, _models(answer), as_json=json)


@models.command("delete")
def delete_models(
    name: Name,
    model: Annotated[list[str], typer.Argument(help="Models to take off the list.", metavar="MODEL...")],
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take models off the list of an integration."""
    query = {"slugs": ",".join(model), "workspace_id": workspace}
    answer = Remote.find(url, data).ask("DELETE", _path(name, "models"), **query)
    show(answer, _models(answer), as_json=json)


@workspaces.command("list")
def every_workspace(name: Name, url: Url = None, data: Data = None, json: Json = False) -> None:
    """List the workspaces that may use an integration."""
    answer = Remote.find(url, data).ask("GET", _path(name, "workspaces"))
    show(answer, _workspaces(answer), as_json=json)


@workspaces.command("update")
def update_workspaces(
    name: Name,
    give: Annotated[list[str] | None, typer.Option(help="Give it to this workspace; repeat.")] = None,
    take: Annotated[list[str] | None, typer.Option(help="Take it from this workspace; repeat.")] = None,
    everywhere: Annotated[
        bool | None, typer.Option("--everywhere/--not-everywhere", help="Whether all may use it, those to come too.")
    ] = None,
    provider: Annotated[
        bool, typer.Option("--provider/--no-provider", help="Whether a provider is made where it is given.")
    ] = True,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Give an integration of the organisation to workspaces, or take it from them; the others keep what they have.

    Example: gatekey integrations workspaces update main --give search --take sales
    """
    named = [{"id": id, "enabled": True} for id in give or ()] + [{"id": id, "enabled": False} for id in take or ()]
    body = given(
        workspaces=named,
        global_workspace_access=None if everywhere is None else {"enabled": everywhere},
        create_default_provider=provider,
    )
    answer = Remote.find(url, data).ask("PUT", _path(name, "workspaces"), body)
    show(answer, _workspaces(answer), as_json=json)


def _path(name: str, what: str) -> str:
    return f"/integrations/{segment(name)}/{what}"


def _models(answer: Any) -> str:
    allowed = "All models are allowed." if answer["allow_all_models"] else "Only these, where they are enabled:"
    if answer["allow_all_models"] and not answer["models"]:
        return allowed
    return f"{allowed}\n{table(answer['models'], slug='Model', enabled='Enabled')}"


def _workspaces(answer: Any) -> str:
    if answer["global_workspace_access"]["enabled"]:
        return "All workspaces may use it."
    return table(answer["workspaces"], id="Workspace")
