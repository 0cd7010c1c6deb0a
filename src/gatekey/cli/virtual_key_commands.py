"""`gatekey virtual-keys`: stored credentials by name, on a running gateway."""

import os
import sys
from contextlib import nullcontext
from typing import Annotated, Any

import typer

from gatekey.cli.limit_options import Alert, Budget, Period, Rates, Reset, Unpriced, Wanted, limits, readable
from gatekey.cli.remote import Data, Json, Refused, Remote, Url, given, pairs, segment
from gatekey.cli.tables import record, show, table

app = typer.Typer(help="Virtual keys: stored credentials, used by name.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Its slug or id.", metavar="NAME")]
Workspace = Annotated[str | None, typer.Option(help="Its workspace. [default: the default one]")]
Key = Annotated[str | None, typer.Option(help="The provider's key; - reads it from standard input.")]
KeyEnv = Annotated[str | None, typer.Option(help="Name of the environment variable that holds the key.")]
Note = Annotated[str | None, typer.Option(help="What it is for.")]
Options = Annotated[list[str] | None, typer.Option("--option", help="NAME=VALUE, an option of the provider; repeat.")]
Model = Annotated[list[str] | None, typer.Option("--model", help="Allow this model and no others; repeat.")]
Host = Annotated[str | None, typer.Option("--custom-host", help="Address instead of the provider's own.")]
Headers = Annotated[list[str] | None, typer.Option("--header", help="NAME=VALUE sent with every request; repeat.")]
Expires = Annotated[str | None, typer.Option("--expires-at", help="When it ends, such as 2027-01-31T00:00:00Z.")]

_PATH = "/virtual-keys"


@app.command("list")
def every(
    workspace: Annotated[str | None, typer.Option(help="Only of this workspace.")] = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List virtual keys, never their credentials."""
    answer = Remote.find(url, data).every(_PATH, workspace_id=workspace)
    columns = {"slug": "Slug", "name": "Name", "provider": "Provider", "status": "Status", "workspace_id": "Workspace"}
    show(answer, table(answer["data"], **columns, expires_at="Expires"), as_json=json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    provider: Annotated[str, typer.Option(help="The provider, such as openai.")],
    key: Key = None,
    key_env: KeyEnv = None,
    slug: Annotated[str | None, typer.Option(help="Letters, digits, - and _. [default: made of the name]")] = None,
    note: Note = None,
    option: Options = None,
    custom_host: Host = None,
    header: Headers = None,
    model: Model = None,
    expires_at: Expires = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rates = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Store a credential and print its slug.

    Example: gatekey virtual-keys create main --provider openai --key-env OPENAI_API_KEY
    """
    body = limits(Wanted(budget, budget_period, alert_at, allow_unpriced), rate) | given(
        name=name,
        provider=provider,
        key=credential(key, key_env),
        slug=slug,
        note=note,
        configurations=configurations(option, custom_host, header),
        models=model,
        expires_at=expires_at,
        workspace_id=workspace,
    )
    answer = Remote.find(url, data).ask("POST", _PATH, body)
    show(answer, answer["slug"], as_json=json)


@app.command("show")
def one(name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Show a virtual key, never its credential."""
    answer = Remote.find(url, data).ask("GET", f"{_PATH}/{segment(name)}", workspace_id=workspace)
    show(answer, record(readable(answer)), as_json=json)


@app.command()
def update(
    slug: Name,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    key: Key = None,
    key_env: KeyEnv = None,
    note: Note = None,
    option: Options = None,
    custom_host: Host = None,
    header: Headers = None,
    model: Model = None,
    expires_at: Expires = None,
    budget: Budget = None,
    budget_period: Period = None,
    alert_at: Alert = None,
    allow_unpriced: Unpriced = None,
    rate: Rates = None,
    reset_usage: Reset = False,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Change a virtual key, its credential too; what is not named stays.

    Example: echo "$NEW_KEY" | gatekey virtual-keys update main --key -
    """
    remote, path = Remote.find(url, data), f"{_PATH}/{segment(slug)}"

    def present() -> Any:
        return remote.ask("GET", path, workspace_id=workspace)

    body = limits(Wanted(budget, budget_period, alert_at, allow_unpriced), rate, present) | given(
        name=name,
        key=credential(key, key_env),
        note=note,
        configurations=configurations(option, custom_host, header),
        models=model,
        expires_at=expires_at,
        reset_usage=reset_usage or None,
    )
    answer = remote.ask("PUT", path, body, workspace_id=workspace)
    show(answer, f"Changed {slug}.", as_json=json)


@app.command()
def delete(name: Name, workspace: Workspace = None, url: Url = None, data: Data = None, json: Json = False) -> None:
    """Delete a virtual key that no saved config uses."""
    answer = Remote.find(url, data).ask("DELETE", f"{_PATH}/{segment(name)}", workspace_id=workspace)
    show(answer, f"Deleted {name}.", as_json=json)


@app.command()
def test(
    name: Name,
    model: Annotated[str | None, typer.Option(help="Complete one token with it, instead of listing models.")] = None,
    workspace: Workspace = None,
    url: Url = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say whether the credential works: the gateway asks the provider for its models, or for one token.

    It ends with 0 where the credential works, else with 1.
    """
    remote = Remote.find(url, data)
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    with remote.within(workspace) if workspace else nullcontext(remote) as caller:
        if model is None:
            status, answer = caller.through(name, "GET", "/models")
        else:
            status, answer = caller.through(name, "POST", "/chat/completions", body)
    show(answer, verdict(name, status, answer), as_json=json)
    raise typer.Exit(0 if 200 <= status < 300 else 1)


def verdict(name: str, status: int, answer: Any) -> str:
    """What an answer through a virtual key says of its credential."""
    if 200 <= status < 300:
        found = answer.get("data") if isinstance(answer, dict) else None
        return f"{name} works." + (f" It may use {len(found)} models." if isinstance(found, list) else "")
    failure = answer.get("error") if isinstance(answer, dict) else None
    told = failure if isinstance(failure, dict) else {}
    said = str(told.get("message") or "It says nothing more.")
    if told.get("code") == "unsupported_endpoint":
        return f"{name} was not tested: its provider lists no models. Name one of them with --model."
    if isinstance(answer, dict) and answer.get("provider"):
        if status in (401, 403):
            return f"{name} does not work: the provider refuses its credential. {said}"
        return f"{name} was not tested: the provider answers {status}. {said}"
    return f"{name} was not tested: {said}"


def credential(key: str | None, variable: str | None) -> str | None:
    """The key that the options name; None where they name none. Raises `Refused`."""
    if key is not None and variable is not None:
        raise Refused("--key and --key-env: give one of them.")
    if variable is not None:
        found = os.environ.get(variable, "").strip()
        if not found:
            raise Refused(f"--key-env {variable}: there is no such variable, or it is empty.")
        return found
    if key == "-":
        found = sys.stdin.read().strip()
        if not found:
            raise Refused("--key -: nothing came on standard input.")
        return found
    return key


def configurations(
    options: list[str] | None, custom_host: str | None, headers: list[str] | None
) -> dict[str, Any] | None:
    """A credential's options as the API takes them; None where there are none. Raises `Refused`."""
    found: dict[str, Any] = dict(pairs(options or [], "--option"))
    if custom_host is not None:
        found["custom_host"] = custom_host
    if headers is not None:
        found["custom_headers"] = pairs(headers, "--header")
    return found or None
