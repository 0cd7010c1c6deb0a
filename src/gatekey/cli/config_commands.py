"""`gatekey configs`: saved configs of a running gateway; `check` needs none."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gatekey.cli.remote import Data, Json, Refused, Remote, Url, given, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Configs: who answers, and what happens when they do not.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="Its slug (pc-...) or id.", metavar="CONFIG")]
File = Annotated[str, typer.Argument(help="A file of JSON; - reads standard input.", metavar="FILE")]
Default = Annotated[bool | None, typer.Option("--default/--no-default", help="Whether it is its workspace's default.")]


@app.command("list")
def every(
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List saved configs."""
    answer = Remote.find(url, data).every("/configs", workspace_id=workspace)
    columns = {"slug": "Slug", "name": "Name", "workspace_id": "Workspace", "last_updated_at": "Changed"}
    show(answer, table(answer["data"], **columns), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    file: File,
    workspace: Annotated[str | None, typer.Option(help="Its workspace. [default: the default one]")] = None,
    default: Default = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Save a config and print its slug.

    Example: gatekey configs create fallback fallback.json
    """
    body = given(name=name, config=_text(file), workspace_id=workspace, is_default=default)
    answer = Remote.find(url, data).ask("POST", "/configs", body)
    show(answer, answer["data"]["slug"], as_json=json)


@app.command("show")
def one(config: Slug, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show a saved config."""
    answer = Remote.find(url, data).ask("GET", f"/configs/{segment(config)}")
    show(answer, record(answer["data"]), as_json=json)


@app.command()
def update(
    config: Slug,
    file: Annotated[str | None, typer.Argument(help="A file of JSON; - reads standard input.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    default: Default = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a saved config; another content is a new version."""
    body = given(name=name, config=None if file is None else _text(file), is_default=default)
    answer = Remote.find(url, data).ask("PUT", f"/configs/{segment(config)}", body)
    show(answer, record(answer["data"]), as_json=json)


@app.command()
def versions(config: Slug, url: Url = None, data: Data = None, json: Json = False) -> None:
    """List the versions of a saved config, newest first."""
    answer = Remote.find(url, data).every(f"/configs/{segment(config)}/versions")
    columns = {"version": "Version", "version_id": "ID", "status": "Status", "created_at": "Made", "config": "Config"}
    show(answer, table(answer["data"], **columns), as_json=json)


@app.command()
def delete(config: Slug, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Delete a saved config, which nothing may use any more."""
    answer = Remote.find(url, data).ask("DELETE", f"/configs/{segment(config)}")
    show(answer, f"Deleted {config}.", as_json=json)


@app.command()
def check(file: File, json: Json = False) -> None:
    """Read a config as the gateway would, without one. What it names in a store is not looked up."""
    from gatekey.catalog import Catalog
    from gatekey.config.load import load

    config = load(_text(file), Catalog(), "config")
    leaves = [
        {
            "path": leaf.path,
            "name": leaf.name,
            "provider": f"@{leaf.virtual_key}" if leaf.virtual_key else leaf.provider,
        }
        for leaf in config.leaves()
    ]
    answer: dict[str, Any] = {"valid": True, "targets": leaves, "not_available": list(config.unavailable)}
    text = table(leaves, path="Target", name="Name", provider="Provider")
    if config.unavailable:
        text += f"\nWithout effect yet: {', '.join(config.unavailable)}."
    show(answer, text, as_json=json)


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise Refused(f"{file} cannot be read: {getattr(failure, 'strerror', None) or 'it is not UTF-8'}.") from None
