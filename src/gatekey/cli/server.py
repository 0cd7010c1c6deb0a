"""Runs the gateway: listens, starts the workers, drains on SIGTERM.

The parent binds the socket and makes the admin key; every worker builds its own application out of the same
settings, which reach it in one environment variable.
"""

import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gatekey.cli import keys, prices
from gatekey.cli.keeper import Keeper
from gatekey.cli.settings import BadSettings, Settings
from gatekey.cli.traces import Collector, collector
from gatekey.cli.writer import Job
from gatekey.gateway.app import App
from gatekey.observe.metrics import FOLDER as METRICS

if TYPE_CHECKING:
    from gatekey.gateway.prices import Prices
    from gatekey.gateway.purse import Purse
    from gatekey.observe.metrics import Metrics
    from gatekey.store.directory import Directory
    from gatekey.vault import Vault

WORKER = "_GATEKEY_WORKER"
"""Carries the settings and the key's digest, not the key, from the parent to its workers."""
DATABASE_FILE = "gatekey.db"
SPOOL = "spool"
"""Folder of records on their way to the database, in the data folder."""
BACKLOG = 2048
"""Connections that wait to be accepted."""
KEEP_ALIVE = 75
"""s that an idle connection of a caller is kept: longer than load balancers keep theirs."""


class Told(msgspec.Struct):
    """What a worker is told. `master_keys`: those that are set, the present one first; none: the data folder's."""

    settings: Settings
    digest: str
    database: str
    master_keys: list[str]


def app() -> App:
    """The application of a worker."""
    from gatekey.cli.drain import announce

    _logging()
    told = msgspec.json.decode(os.environ[WORKER], type=Told)
    made = application(told)
    announce(made.drain, told.settings.drain_s)
    return made


def application(told: Told) -> App:
    """The application of these settings."""
    from gatekey.admin.app import Admin
    from gatekey.admin.described import control_plane
    from gatekey.admin.visit import House as ControlHouse
    from gatekey.catalog import Catalog
    from gatekey.gateway.attempt import Upstream
    from gatekey.gateway.call import Memory
    from gatekey.gateway.entry import Journal
    from gatekey.gateway.life import House
    from gatekey.gateway.money import Money
    from gatekey.gateway.openapi import document
    from gatekey.gateway.purse import Purse
    from gatekey.observe import families
    from gatekey.observe.metrics import Metrics
    from gatekey.observe.spool import Spool
    from gatekey.store.database import Database
    from gatekey.store.directory import Directory
    from gatekey.store.ledgers import ledger
    from gatekey.upstream.children import Children
    from gatekey.upstream.client import Client
    from gatekey.upstream.egress import Policy

    settings = told.settings
    catalog = Catalog()
    policy = Policy.parse(settings.trusted_hosts, settings.loopback)
    transport = Client(policy, ca_bundle=Path(settings.ca_bundle).read_bytes() if settings.ca_bundle else None)
    database, vault = Database(told.database), _vault(told)
    directory = Directory(database, vault, bytes.fromhex(told.digest))
    shared = ledger(database, settings.redis_url)
    spool = Spool(Path(settings.data) / SPOOL, int(settings.spool_mb * 1024 * 1024))
    metrics = Metrics(Path(settings.data) / METRICS, Path(settings.data) / SPOOL, model=settings.metrics_models)
    metrics.tells(families.WRITTEN, lambda: spool.written)
    metrics.tells(families.LOST, lambda: spool.lost)
    house = House(
        catalog=catalog,
        policy=policy,
        upstream=Upstream(transport, Children(Path(settings.data)), settings.silence_s),
        directory=directory,
        memory=Memory(int(settings.max_memory_mb * 1024 * 1024)),
        max_body=int(settings.max_body_mb * 1024 * 1024),
        money=Money(_prices(settings, directory), directory, Purse(shared)),
        journal=Journal(spool, metrics.add),
        anybody=settings.open,
    )
    _tell_purse(metrics, house.money.purse)
    control = Admin(
        ControlHouse(catalog, database, directory, vault, policy, shared, keep=spool.write, prices=house.money.prices)
    )
    return App(house, metrics, lambda: document(catalog, control_plane), control, most=settings.max_calls)


def _tell_purse(metrics: "Metrics", purse: "Purse") -> None:
    from gatekey.observe import families

    metrics.tells(families.CALLS_WAITING, lambda: purse.numbers.waiting)
    metrics.tells(families.LEASES, lambda: purse.numbers.leases)
    metrics.tells(families.EXCHANGES, lambda: purse.numbers.exchanges)
    metrics.tells(families.EXCHANGES_FAILED, lambda: purse.numbers.failures)
    metrics.tells(families.ALERTS, lambda: purse.numbers.alerts)


def _prices(settings: Settings, directory: "Directory") -> "Prices":
    from gatekey.gateway.prices import Prices

    if not settings.prices:
        return Prices(prices.load(), directory)
    file = prices.Changing(settings.prices)
    return Prices(file.table, directory, file.newer)


def _vault(told: Told) -> "Vault":
    from gatekey.vault import Vault

    if told.master_keys:
        return Vault(*told.master_keys)
    folder = Path(told.settings.data)
    return Vault(*keys.master(folder), again=lambda: keys.master(folder))


def serve(settings: Settings, say: Callable[[str], None]) -> int:
    """Run until SIGTERM or SIGINT; the exit code. Raises `BadSettings` where it cannot start."""
    from gatekey.observe import sheets

    # From the start on, and after the server has drained: it gives a signal back to whoever had it before.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
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
    with Keeper(_job(told, collector(settings)), hidden=(WORKER,)):
        return _run(settings, listening)


def _job(told: Told, spans: Collector | None) -> Job:
    """What the writer of records is told."""
    settings = told.settings
    folder = Path(settings.data).absolute() / SPOOL
    return Job(
        str(folder),
        told.database,
        settings.log_retention_days,
        settings.analytics_retention_days,
        str(Path(settings.data).absolute() / METRICS),
        spans,
    )


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
    return Told(bare, known.hex(), database, sealing if settings.master_key else []), made


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


def _run(settings: Settings, listening: socket.socket) -> int:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    config = uvicorn.Config(
        "gatekey.cli.server:app",
        factory=True,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http="gatekey.cli.protocol:Protocol",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=settings.grace_s,
        workers=settings.workers,
    )
    _logging()
    if settings.workers > 1:
        Multiprocess(config, sockets=[listening]).run()
        return 0
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _end(number: int, frame: Any) -> None:
    """A signal ends the process with exit code 0, not with the signal's."""
    raise SystemExit(0)


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


def _logging() -> None:
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=form)
    logging.getLogger("uvicorn.error").addFilter(_expected)


def _expected(record: logging.LogRecord) -> bool:
    """Breaking a connection so that a truncated answer does not look complete is no error of the server's."""
    return "without completing response" not in str(record.msg)
