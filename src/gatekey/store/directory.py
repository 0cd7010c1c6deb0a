"""What the data plane knows of the store, in memory: keys, providers, configs, workspaces.

Loaded whole on start; then every `INTERVAL` the worker asks for rows that are newer than what it has seen, so that
a change is seen by all workers within a second, and by the one that made it at once (`refresh`). No request ever
waits for the database. While it is down, what is known goes on being served; `behind` says for how long.
"""

import asyncio
import functools
import logging
import sys
import time
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Table, select

from gatekey.errors import GatekeyError, Unauthenticated, Unsealable
from gatekey.limits.limit import Limit
from gatekey.limits.policy import Policy
from gatekey.secret import Secret
from gatekey.store import api_keys, integrations, policies, providers, rows, tables, workspaces
from gatekey.store.database import Database, revision
from gatekey.store.rows import Row
from gatekey.store.workspaces import DEFAULT

INTERVAL = 0.4
"""s between two looks for changes."""

log = logging.getLogger("gatekey")


class Principal(Struct, frozen=True):
    """Who calls. `workspace` empty: a key of the organisation, which works in the default workspace unless it says.

    `config`: slug of the config that its requests have unless they bring their own; a user's key without one has its
    workspace's. `log_bodies`: whether records of its requests have what was said.
    """

    id: str
    workspace: str = ""
    scopes: frozenset[str] | None = None
    config: str = ""
    allow_config_override: bool = True
    metadata: dict[str, str] = {}
    user: str = ""
    expires_at: int | None = None
    limits: tuple[Limit, ...] = ()
    log_bodies: bool = True

    def may(self, scope: str) -> bool:
        """Whether its scopes include `scope`; no scopes named: every one."""
        return self.scopes is None or scope in self.scopes

    @property
    def home(self) -> str:
        """The workspace in which its requests are made."""
        return self.workspace or DEFAULT


Held = tuple[Principal, int | None]
"""What a secret opens, and until when in ms since the epoch: None as long as its key."""


class Stored(Struct, frozen=True):
    """A stored provider, ready to be used. `models` None: all are allowed; `broken`: why it cannot be used now.

    `limits`: its own, and its workspace's share of the integration. `pricing`: models that have a price of their own
    here -> their `pricing_config`; `adjustments`: what any other price is multiplied with, empty for nothing.
    """

    slug: str
    provider: str
    key: Secret | None
    options: dict[str, str]
    custom_host: str = ""
    custom_headers: dict[str, str] = {}
    models: frozenset[str] | None = None
    expires_at: int | None = None
    limits: tuple[Limit, ...] = ()
    pricing: dict[str, dict[str, Any]] = {}
    adjustments: dict[str, Any] = {}
    broken: str = ""


ADMIN = Principal(id="admin")
"""The admin key's: every scope, everywhere."""


class Directory:
    """The store as the data plane sees it. One per worker; `open` before it is asked anything."""

    def __init__(self, database: Database, vault: integrations.Opener, admin: bytes | None) -> None:
        """`admin`: digest of the admin key that is not in the store."""
        self._database = database
        self._vault = vault
        self._seen = 0
        self._keys: dict[bytes, Held] = {}
        self._digests: dict[str, tuple[bytes, ...]] = {}
        self._integrations: dict[str, Row] = {}
        self._providers: dict[tuple[str, str], Row] = {}
        self._stored: dict[tuple[str, str], Stored] = {}
        self._shares: dict[tuple[str, str], tuple[Limit, ...]] = {}
        self._configs: dict[tuple[str, str], tuple[str, str]] = {}
        self._workspaces: dict[str, Row] = {}
        self._limits: dict[str, tuple[Limit, ...]] = {}
        self._policies: dict[str, dict[str, Policy]] = {}
        self._applying: dict[str, tuple[Policy, ...]] = {}
        self._places: dict[str, tuple[str, str]] = {}
        self._admin = admin
        self._looking: asyncio.Task[None] | None = None
        self._fresh = time.monotonic()
        self._lock = asyncio.Lock()

    @property
    def behind(self) -> float:
        """s since the store was last seen: the age of what is known."""
        return time.monotonic() - self._fresh

    def principal(self, digest: bytes, now: float) -> Principal | None:
        """Whose key has this SHA-256; None where nobody's. `now` in s since the epoch.

        Raises `Unauthenticated` where the key has expired.
        """
        if digest == self._admin:
            return ADMIN
        found = self._keys.get(digest)
        if found is None:
            return None
        principal, until = found
        for end in (until, principal.expires_at):
            if end is not None and end <= now * 1000:
                raise Unauthenticated("The gateway key has expired.", param="x-portkey-api-key")
        if principal.user and not principal.config:
            config = self._workspaces.get(principal.workspace, {}).get("user_api_key_config")
            return replace(principal, config=config) if config else principal
        return principal

    def provider(self, workspace: str, slug: str) -> Stored | None:
        """The stored provider (or virtual key) of a workspace."""
        place = (workspace, slug)
        found = self._stored.get(place)
        if found is None and place in self._providers:
            found = self._stored[place] = self._unsealed(self._providers[place])
        return found

    def config(self, workspace: str, name: str) -> str | None:
        """The text of a saved config, by slug or id."""
        found = self._configs.get((workspace, name))
        return None if found is None else found[0]

    def config_slug(self, workspace: str, name: str) -> str:
        """What a saved config is called, however it was named; empty where there is none."""
        return self._configs.get((workspace, name), ("", ""))[1]

    def providers(self, workspace: str) -> list[str]:
        """The slugs of a workspace's providers, sorted."""
        return sorted(slug for place, slug in self._providers if place == workspace)

    def metadata(self, workspace: str) -> dict[str, str]:
        """What requests of a workspace have as metadata."""
        found: dict[str, str] = self._workspaces.get(workspace, {}).get("metadata", {})
        return found

    def logs_bodies(self, workspace: str) -> bool:
        """Whether records of a workspace's requests have what was said."""
        return self._workspaces.get(workspace, {}).get("log_bodies") is not False

    def prices(self, workspace: str) -> dict[str, dict[str, Any]]:
        """What models cost a workspace, where it says so: `provider/model` -> `pricing_config`."""
        return self._workspaces.get(workspace, {}).get("prices") or {}

    def limits(self, workspace: str) -> tuple[Limit, ...]:
        """What a workspace may use."""
        return self._limits.get(workspace, ())

    def policies(self, workspace: str) -> tuple[Policy, ...]:
        """The policies that a workspace's requests may fall under: its own, and those of the organisation."""
        found = self._applying.get(workspace)
        if found is None:
            both = (self._policies.get(place, {}).values() for place in (workspace, ""))
            found = self._applying[workspace] = tuple(policy for some in both for policy in some)
        return found

    async def open(self) -> None:
        """Load everything, and look for changes from now on. Raises `Overloaded` where the database is not there."""
        await self.refresh()
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()

    async def refresh(self) -> None:
        """Take in what has changed since the last time."""
        async with self._lock:
            changes = await self._database.read(_newer, self._seen)
            if changes is not None:
                if changes.revision < self._seen:
                    self._forget()
                self._take_in(changes)
                self._seen = changes.revision  # last: what could not be taken in comes again
            self._fresh = time.monotonic()

    async def _look(self) -> None:
        down = False
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self.refresh()
                down = False
            except GatekeyError as failure:
                if not down:
                    log.warning("The database is out of reach; what is known goes on being served. %s", failure.message)
                down = True
            except Exception:
                # Whatever it is, looking goes on: a worker that has stopped would let deleted keys in for ever.
                if not down:
                    log.exception("Changes in the database could not be taken in.")
                down = True

    def _forget(self) -> None:
        """A backup was put back: what is known may never have been."""
        for known in (self._keys, self._digests, self._integrations, self._providers, self._stored, self._shares,
                      self._configs, self._workspaces, self._limits, self._policies, self._applying,
                      self._places):  # fmt: skip
            known.clear()

    def _take_in(self, changes: "_Changes") -> None:
        for row in changes.workspaces:
            self._workspaces[row["id"]] = {} if row["deleted"] else rows.value(row["defaults"])
            self._limits[row["id"]] = () if row["deleted"] else workspaces.limited(row)
        for id in changes.api_keys:
            for digest in self._digests.pop(id, ()):
                self._keys.pop(digest, None)
        for digest, held in changes.held.items():
            self._keys[digest] = held
            id = held[0].id
            self._digests[id] = (*self._digests.get(id, ()), digest)
        for row in changes.integrations:
            if row["deleted"]:
                self._integrations.pop(row["id"], None)
            else:
                self._integrations[row["id"]] = row
        if changes.integrations:
            self._stored.clear()
            self._shares.clear()
        for row in changes.providers:
            place = (row["workspace_id"], row["slug"])
            self._stored.pop(place, None)
            self._settle(self._providers, row, place, row)
        if changes.policies:
            self._applying.clear()
        for row in changes.policies:
            known = self._policies.setdefault(row["workspace_id"] or "", {})
            known.pop(row["id"], None)
            if not row["deleted"]:
                known[row["id"]] = policies.policy(row)
        for row in changes.configs:
            for name in (row["id"], row["slug"]):
                self._settle(self._configs, row, (row["workspace_id"], name), (row["config"], row["slug"]))

    def _settle(self, where: dict[Any, Any], row: Row, place: tuple[str, str], value: Any) -> None:
        """Put a row where it is found, or take it away: a deleted row's slug may be another's by now."""
        if not row["deleted"]:
            where[place] = value
            self._places["/".join((row["id"], place[1]))] = place
        elif self._places.pop("/".join((row["id"], place[1])), None) is not None:
            where.pop(place, None)

    def _share(self, integration: Row, workspace: str) -> tuple[Limit, ...]:
        """What a workspace may use of an integration: one and the same for all of its providers."""
        place = integration["id"], workspace
        if place not in self._shares:
            self._shares[place] = integrations.limited(integration, workspace)
        return self._shares[place]

    def _unsealed(self, row: Row) -> Stored:
        """A provider with its credential opened."""
        integration = self._integrations.get(row["integration_id"])
        stored = Stored(slug=row["slug"], provider="", key=None, options={}, expires_at=row["expires_at"])
        if integration is None:
            # Rows are read one table after the other: a provider may be seen a moment before its integration.
            return replace(stored, broken=f"The credential of {row['slug']} is not here yet: try again in a moment.")
        stored = replace(
            stored,
            provider=integration["ai_provider_id"],
            models=integrations.allowed(integration),
            limits=providers.own(row, integration) + self._share(integration, row["workspace_id"]),
            pricing=integrations.prices(integration),
            adjustments=rows.value(integration["pricing_adjustments"]),
        )
        try:
            credential = integrations.unseal(self._vault, integration)
        except Unsealable as failure:
            return replace(stored, broken=f"The credential of {row['slug']} cannot be opened. {failure}")
        return replace(
            stored,
            key=credential.key,
            options=credential.options,
            custom_host=credential.host,
            custom_headers=credential.headers,
        )


class _Changes(Struct):
    revision: int
    workspaces: list[Row]
    api_keys: set[str]
    held: dict[bytes, Held]
    integrations: list[Row]
    providers: list[Row]
    configs: list[Row]
    policies: list[Row]


def _newer(connection: Connection, seen: int) -> _Changes | None:
    """Everything that changed after revision `seen`, or all where that is still to come; None where nothing did."""
    newest = revision(connection)
    if newest == seen:
        return None
    if newest < seen:
        seen = 0

    def changed(table: Table) -> list[Row]:
        statement = select(table).where(table.c.revision > seen).order_by(table.c.revision)
        return [dict(row) for row in connection.execute(statement).mappings()]

    return _Changes(
        newest, changed(tables.workspaces), *_keys(connection, seen),
        changed(tables.integrations), changed(tables.providers), changed(tables.configs), changed(tables.policies),
    )  # fmt: skip


def _keys(connection: Connection, seen: int) -> tuple[set[str], dict[bytes, Held]]:
    """The ids of keys that changed, and what their secrets open. There may be very many: a piece at a time is read."""
    keys, secrets = tables.api_keys, tables.api_key_secrets
    columns = (
        keys.c[name]
        for name in ("id", "workspace_id", "scopes", "defaults", "user_id", "expires_at", "limits", "deleted")
    )
    statement = select(*columns, secrets.c.digest, secrets.c.expires_at.label("until")).outerjoin_from(keys, secrets)
    changed: set[str] = set()
    held: dict[bytes, Held] = {}
    for row in connection.execute(statement.where(keys.c.revision > seen).execution_options(yield_per=1000)):
        changed.add(row.id)
        if row.digest and not row.deleted:
            held[bytes.fromhex(row.digest)] = _principal(row), row.until
    return changed, held


def _principal(row: Any) -> Principal:
    defaults = _defaults(row.defaults)
    return Principal(
        id=row.id,
        workspace=sys.intern(row.workspace_id or ""),
        scopes=_scopes(row.scopes),
        config=defaults.get("config_id") or "",
        allow_config_override=defaults.get("allow_config_override", True),
        metadata=defaults.get("metadata") or {},
        user=row.user_id or "",
        expires_at=row.expires_at,
        limits=api_keys.limited(row._mapping),
        log_bodies=defaults.get("log_bodies") is not False,
    )


# Most keys are alike: what they have in common is kept once.


@functools.lru_cache(1024)
def _scopes(text: str) -> frozenset[str]:
    return frozenset(rows.value(text))


@functools.lru_cache(1024)
def _defaults(text: str) -> Row:
    found: Row = rows.value(text)
    return found
