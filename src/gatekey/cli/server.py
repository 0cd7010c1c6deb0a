"""Prepares a gateway: checks its settings, makes its keys and its database, and listens.

What serves takes this process's place then, and is told the settings in one environment variable.
"""

import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from gatekey.cli import keys, prices
from gatekey.cli.serving import ENDING, end
from gatekey.cli.settings import BadSettings, Settings
from gatekey.cli.told import WORKER, Told
from gatekey.cli.traces import collector
from gatekey.observe.metrics import FOLDER as METRICS

DATABASE_FILE = "gatekey.db"
SERVING = "gatekey.cli.serving"
"""The module that serves."""
BACKLOG = 2048
"""Connections that wait to be accepted."""


def serve(settings: Settings, say: Callable[[str], None]) -> NoReturn:
    """Run until SIGTERM or SIGINT. Raises `BadSettings` where it cannot start."""
    from gatekey.observe import sheets

    for number in ENDING:
        signal.signal(number, end)
    told, made = prepared(settings)
    data = Path(settings.data)
    listening = _bind(settings)
    sheets.begin(data / METRICS)
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / "address").write_text(address + "\n")
    if made:
        say(f"Admin key, shown once and kept in {data / keys.KEY_FILE}: {made}")
    if settings.open:
        say("No gateway key is asked for (--open).")
    say(f"Gatekey listens on {address} (API at {address}/v1). Ctrl-C stops it.")
    os.environ[WORKER] = msgspec.json.encode(told).decode()
    for name in ("ADMIN_KEY", "MASTER_KEY", "DATABASE_URL", "REDIS_URL", "OTLP_HEADERS"):
        os.environ.pop(f"GATEKEY_{name}", None)
    sys.stderr.flush()
    # A signal that comes meanwhile is for whoever takes this place. -P: no module is taken from the working directory.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    os.execv(sys.executable, [sys.executable, "-P", "-m", SERVING, str(listening.fileno())])  # noqa: S606


def prepared(settings: Settings) -> tuple[Told, str | None]:
    """What a worker is told, and the admin key where it was made just now; keys and database are there from here on.

    Raises `BadSettings`.
    """
    _check(settings)
    data = Path(settings.data)
    try:
        known, made = keys.admin(data, settings.admin_key)
    except (OSError, ValueError) as error:
        raise BadSettings(f"The data folder {data} cannot be used: {error}.") from None
    sealing = master_keys(data, settings)
    database = database_url(data, settings)
    if not settings.database_url:
        (data / DATABASE_FILE).touch(mode=0o600)
    _migrate(database)
    bare = msgspec.structs.replace(settings, admin_key="", master_key="", database_url="", otlp_headers="")
    return Told(bare, known.hex(), database, sealing if settings.master_key else [], collector(settings)), made


def database_url(data: Path, settings: Settings) -> str:
    """The database's URL: the one that is set, or the file in the data folder."""
    return settings.database_url or f"sqlite:///{(data / DATABASE_FILE).absolute()}"


def master_keys(data: Path, settings: Settings) -> list[str]:
    """The master keys, the present one first; made on the first start. Raises `BadSettings`."""
    from gatekey.vault import Vault

    try:
        if not settings.master_key:
            keys.make_master(data)
        found = keys.listed(settings.master_key) if settings.master_key else keys.master(data)
        Vault(*found)
    except (OSError, ValueError) as error:
        raise BadSettings(f"The master key cannot be used: {error}.") from None
    return found


def _migrate(url: str) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from gatekey.store.database import engine
    from gatekey.store.migrate import Failed, ensure

    try:
        made = engine(url)
        ensure(url, made)
        made.dispose()
    except (ImportError, ValueError, Failed, SQLAlchemyError) as error:
        reason = getattr(error, "orig", None) or error
        raise BadSettings(f"The database cannot be used: {str(reason).strip().splitlines()[0]}") from None


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        listening.close()
        raise BadSettings(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another with --port."
        ) from None
    listening.listen(BACKLOG)
    listening.set_inheritable(True)
    return listening


def _check(settings: Settings) -> None:
    """Refuse in the parent, in one line, what its workers would fail at."""
    from gatekey.upstream.egress import Policy

    try:
        Policy.parse(settings.trusted_hosts, settings.loopback)
    except ValueError as error:
        raise BadSettings(f"{error}.") from None
    collector(settings)
    if settings.prices:
        prices.load(settings.prices)
    if settings.redis_url:
        _check_redis(settings.redis_url)
    if settings.ca_bundle:
        try:
            ssl.create_default_context(cadata=Path(settings.ca_bundle).read_text("ascii"))
        except (OSError, ValueError) as error:
            raise BadSettings(f"GATEKEY_CA_BUNDLE: {settings.ca_bundle} holds no certificates: {error}.") from None


def _check_redis(url: str) -> None:
    from gatekey.store.ledgers import redis

    try:
        redis(url)
    except ValueError as error:
        raise BadSettings(f"{error}.") from None
