"""`gatekey integrations` and `gatekey providers`: credentials for several workspaces, and their use by `@slug`."""

from typing import Annotated

import typer

from gatekey.cli import sharing_commands
from gatekey.cli.limit_options import readable
from gatekey.cli.remote import Data, Json, Remote, Url, given, segment
from gatekey.cli.tables import record, show, table
from gatekey.cli.virtual_key_commands import (
    Expires,
    Headers,
    Host,
    Key,
    KeyEnv,
    Name,
    Note,
    Options,
    Workspace,
    configurations,
    credential,
)

app = typer.Typer(help="Integrations: credentials that several workspaces may use.", no_args_is_help=True)
app.add_typer(sharing_commands.models, name="models")
app.add_typer(sharing_commands.workspaces, name="workspaces")
providers = typer.Typer(help="Providers: integrations as a workspace uses them, by @slug.", no_args_is_help=True)

Slug = Annotated[str | None, typer.Option(help="Letters, digits, - and _. [default: made of the name]")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Only = Annotated[str | None, typer.Option("--workspace", help="Only of this workspace.")]


@app.command("list")
def every(workspace: Only = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """List integrations, never their credentials."""
    answer = Remote.find(url, data).every("/integrations", workspace_id=workspace)
    columns = {"slug": "Slug", "name": "Name", "ai_provider_id": "Provider", "type": "Of", "workspace_id": "Workspace"}
    show(answer, table(answer["data"], **columns), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    provider: Annotated[str, typer.Option(help="The provider, such as openai.")],
    key: Key = None,
    key_env: KeyEnv = None,
    slug: Slug = None,
    description: Description = None,
    option: Options = None,
    custom_host: Host = None,
    header: Headers = None,
    workspace: Annotated[str | None, typer.Option(help="Of this workspace alone.")] = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Store a credential, with a provider of the same slug in the default workspace or the one that is named."""
    body = given(
        name=name,
        ai_provider_id=provider,
        key=credential(key, key_env),
        slug=slug,
        description=description,
        configurations=configurations(option, custom_host, header),
        workspace_id=workspace,
    )
    answer = Remote.find(url, data).ask("POST", "/integrations", body)
    show(answer, record(answer), as_json=json)


@app.command("show")
def one(name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show an integration, never its credential."""
    answer = Remote.find(url, data).ask("GET", f"/integrations/{segment(name)}", workspace_id=workspace)
    show(answer, record(answer), as_json=json)


@app.command()
def update(
    slug: Name,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    key: Key = None,
    key_env: KeyEnv = None,
    description: Description = None,
    option: Options = None,
    custom_host: Host = None,
    header: Headers = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change an integration, its credential too; what is not named stays."""
    body = given(
        name=name,
        key=credential(key, key_env),
        description=description,
        configurations=configurations(option, custom_host, header),
    )
    answer = Remote.find(url, data).ask("PUT", f"/integrations/{segment(slug)}", body, workspace_id=workspace)
    show(answer, record(answer), as_json=json)


@app.command()
def delete(name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Delete an integration that no provider uses."""
    answer = Remote.find(url, data).ask("DELETE", f"/integrations/{segment(name)}", workspace_id=workspace)
    show(answer, f"Deleted {name}.", as_json=json)


@providers.command("list")
def every_provider(workspace: Only = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """List providers, virtual keys among them."""
    answer = Remote.find(url, data).every("/providers", workspace_id=workspace)
    columns = {"slug": "Slug", "name": "Name", "ai_provider_id": "Provider", "status": "Status"}
    show(answer, table(answer["data"], **columns, workspace_id="Workspace", expires_at="Expires"), as_json=json)


@providers.command("create")
def create_provider(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    integration: Annotated[str, typer.Option(help="Slug or id of the integration.")],
    slug: Slug = None,
    note: Note = None,
    expires_at: Expires = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let a workspace use an integration, and print the slug."""
    body = given(
        name=name, integration_id=integration, slug=slug, note=note, expires_at=expires_at, workspace_id=workspace
    )
    answer = Remote.find(url, data).ask("POST", "/providers", body)
    show(answer, answer["slug"], as_json=json)


@providers.command("show")
def one_provider(
    name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False
) -> None:
    """Show a provider."""
    answer = Remote.find(url, data).ask("GET", f"/providers/{segment(name)}", workspace_id=workspace)
    show(answer, record(readable(answer)), as_json=json)


@providers.command("delete")
def delete_provider(
    name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False
) -> None:
    """Delete a provider that no saved config uses."""
    answer = Remote.find(url, data).ask("DELETE", f"/providers/{segment(name)}", workspace_id=workspace)
    show(answer, f"Deleted {name}.", as_json=json)
