"""`gatekey vault`: the master key that seals stored credentials. Works on the database itself, not through the API."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gatekey.errors import GatekeyError

app = typer.Typer(help="The master key that seals stored credentials.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keeps `rotate` a command of its own."""


@app.command()
def rotate(
    data: Annotated[Path | None, typer.Option(help="Data folder of the gateway. [default: data]")] = None,
    settings: Annotated[Path | None, typer.Option(help="TOML file with any of the settings.")] = None,
) -> None:
    """Seal every stored credential under a new master key.

    The data folder's master key: a new one is made, which a running gateway takes in by itself; the one before stays
    behind it until the next rotation. GATEKEY_MASTER_KEY: start the gateways again with NEW,OLD, run this command
    with the same, and start them again with NEW alone.

    Example: gatekey vault rotate
    """
    from gatekey.cli import keys, server
    from gatekey.cli.settings import BadSettings, resolve

    resolved, _ = resolve(
        {"data": None if data is None else str(data), "settings": None if settings is None else str(settings)}
    )
    folder = Path(resolved.data)
    if not resolved.database_url and not (folder / server.DATABASE_FILE).exists():
        raise BadSettings(f"No gateway has run on the data folder {folder}: there is nothing to rotate.")
    if not resolved.master_key and not (folder / keys.MASTER_FILE).exists():
        raise BadSettings(f"There is no master key in {folder}: set GATEKEY_MASTER_KEY to NEW,OLD.")
    known = server.master_keys(folder, resolved)
    url = server.database_url(folder, resolved)
    if resolved.master_key:
        if len(known) < 2:
            raise BadSettings("GATEKEY_MASTER_KEY holds one key: set it to NEW,OLD, the new one first.")
        moved = asyncio.run(_moved(url, known))
        typer.echo(
            f"{moved} credentials are sealed under the first master key now: set GATEKEY_MASTER_KEY to it alone."
        )
        return
    moved = _renew(folder, url, known)
    typer.echo(f"{moved} credentials are sealed under a new master key now.")


def _renew(folder: Path, url: str, known: list[str]) -> int:
    """Rotate the data folder's master key; how many credentials were moved."""
    from gatekey.cli import keys
    from gatekey.vault import new_key

    new = new_key()
    # In the file before anything is sealed under it: whatever happens, what opens the database is kept.
    keys.keep_master(folder, [new, *known])
    try:
        moved = asyncio.run(_moved(url, [new, *known]))
    except GatekeyError:
        keys.keep_master(folder, known)
        raise
    keys.keep_master(folder, [new, known[0]])
    return moved


async def _moved(url: str, known: list[str]) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    from gatekey.cli.settings import BadSettings
    from gatekey.store import integrations
    from gatekey.store.database import Database
    from gatekey.vault import Vault

    try:
        database = Database(url)
    except (ValueError, SQLAlchemyError) as error:
        raise BadSettings(f"GATEKEY_DATABASE_URL cannot be used: {type(error).__name__}.") from None
    try:
        return await database.write(integrations.rewrap_all, Vault(*known))
    except SQLAlchemyError:
        raise BadSettings(
            "The database has another layout: start the gateway once, which brings it up to date."
        ) from None
    finally:
        await database.close()
