"""A worker: the application that it serves, built of what the process that prepared everything tells it."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gatekey.cli import keys, prices
from gatekey.cli.settings import Settings
from gatekey.cli.told import SPOOL, WORKER, Told, logged
from gatekey.gateway.app import App
from gatekey.observe.metrics import FOLDER as METRICS

if TYPE_CHECKING:
    from gatekey.gateway.prices import Prices
    from gatekey.gateway.purse import Purse
    from gatekey.observe.metrics import Metrics
    from gatekey.store.directory import Directory
    from gatekey.vault import Vault


def app() -> App:
    """The application of a worker."""
    from gatekey.cli.drain import announce

    logged()
    told = msgspec.json.decode(os.environ[WORKER], type=Told)
    made = application(told)
    announce(made.drain, told.settings.drain_s)
    return made


def application(told: Told, beside: Callable[[], AbstractContextManager[object]] | None = None) -> App:
    """The application of these settings. `beside`: makes what runs as long as it does."""
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
        journal=Journal(spool, metrics.add, beside=beside),
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
