"""The tables, once for both databases.

Every row that the data plane must know has a `revision`: the number of the transaction that last changed it. Those
numbers come from one counter that each write takes first, so that writes are in line, and whoever has seen revision
n asks for what is newer. A deleted row stays, marked, so that its deletion is seen too; its slug is free again.

Times are ms since the epoch; JSON is text.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)


def _entity(name: str, *columns: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("id", String(64), primary_key=True),
        *columns,
        Column("created_at", BigInteger, nullable=False),
        Column("last_updated_at", BigInteger, nullable=False),
        Column("deleted", Boolean, nullable=False, default=False),
        Column("revision", BigInteger, nullable=False, index=True),
    )


def _workspace(nullable: bool = False) -> Column[object]:
    return Column("workspace_id", String(64), ForeignKey("workspaces.id"), nullable=nullable, index=True)


counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)


def _limits(none: str = "[]") -> Column[object]:
    """Budgets and rates, as `store.limits` keeps them."""
    return Column("limits", Text, nullable=False, default=none, server_default=none)


workspaces = _entity(
    "workspaces",
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("defaults", Text, nullable=False, default="{}"),
    Column("is_default", Boolean, nullable=False, default=False),
    _limits(),
)

api_keys = _entity(
    "api_keys",
    _workspace(nullable=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("type", String(32), nullable=False),
    Column("user_id", String(255)),
    Column("scopes", Text, nullable=False),
    Column("defaults", Text, nullable=False, default="{}"),
    Column("masked", String(64), nullable=False),
    Column("expires_at", BigInteger),
    _limits(),
)
"""A gateway key. `workspace_id` null: it belongs to the whole organisation."""

api_key_secrets = Table(
    "api_key_secrets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("api_key_id", String(64), ForeignKey("api_keys.id"), nullable=False, index=True),
    Column("expires_at", BigInteger),
)
"""SHA-256 of a key's secrets, in hex: the current one, and while a rotation overlaps the one before."""

integrations = _entity(
    "integrations",
    _workspace(nullable=True),
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("ai_provider_id", String(64), nullable=False),
    Column("credential", Text, nullable=False),
    Column("models", Text, nullable=False, default="[]"),
    Column("allow_all_models", Boolean, nullable=False, default=True),
    Column("hidden", Boolean, nullable=False, default=False),
    Column("workspaces", Text, nullable=False, default="[]"),
    Column("pricing_adjustments", Text, nullable=False, default="{}", server_default="{}"),
    _limits("{}"),
)
"""A stored credential. `credential` is sealed JSON: the provider's key, its options, its headers and where they are
sent, together; empty once it is deleted. `hidden`: it was made by a virtual key and lives and dies with it.
`workspace_id` null: it is the organisation's, and `workspaces` lists the ids of those that may use it, `*` for all;
`limits` are what each of them may use of it, by the same ids."""

providers = _entity(
    "providers",
    _workspace(),
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("integration_id", String(64), ForeignKey("integrations.id"), nullable=False, index=True),
    Column("expires_at", BigInteger),
    _limits(),
)
"""An integration as one workspace uses it, by `@slug`. A virtual key is a provider with an integration of its own."""

configs = _entity(
    "configs",
    _workspace(),
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("is_default", Boolean, nullable=False, default=False),
    Column("status", String(16), nullable=False, default="active"),
    Column("version_id", String(64), nullable=False),
    Column("config", Text, nullable=False),
    Column("owner_id", String(255)),
    Column("updated_by", String(255)),
)
"""A saved config; `config` is its current version's text."""

config_versions = Table(
    "config_versions",
    metadata,
    Column("version_id", String(64), primary_key=True),
    Column("config_id", String(64), ForeignKey("configs.id"), nullable=False, index=True),
    Column("number", BigInteger, nullable=False),
    Column("config", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255)),
)

policies = _entity(
    "policies",
    _workspace(nullable=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255), nullable=False, default=""),
    Column("conditions", Text, nullable=False, default="[]"),
    Column("group_by", Text, nullable=False, default="[]"),
    Column("resets", Text, nullable=False, default="{}"),
    _limits(),
)
"""A limit for requests that have something in common. `kind`: usage or rate; `limits` holds the one that it is;
`resets`: ids of groups -> when their usage was reset. `workspace_id` null: it is for every workspace."""

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("method", String(8), nullable=False),
    Column("uri", Text, nullable=False),
    Column("request_id", String(255), nullable=False),
    Column("request_body", Text),
    Column("query_params", Text, nullable=False, default="{}"),
    Column("request_headers", Text, nullable=False, default="{}"),
    Column("user_id", String(255)),
    Column("user_type", String(16), nullable=False),
    Column("workspace_id", String(64), index=True),
    Column("response_status_code", BigInteger, nullable=False),
    Column("resource_type", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("client_ip", String(64)),
    Index("ix_audit_logs_timestamp", "timestamp"),
)
"""One row for every change that was asked of the control plane, refused ones too. Bodies are masked."""


def _cell(name: str, *columns: Column[object]) -> Table:
    """A table of sums: of the requests of an hour that have a value in a dimension, and an outcome in common."""
    return Table(
        name,
        metadata,
        Column("dimension", String(264), primary_key=True),
        Column("workspace_id", String(64), primary_key=True),
        Column("hour", BigInteger, primary_key=True, autoincrement=False),
        Column("value", String(330), primary_key=True),
        Column("status", Integer, primary_key=True, autoincrement=False),
        Column("cache_status", String(32), primary_key=True),
        *columns,
        sqlite_with_rowid=False,
    )


def _sum(name: str) -> Column[object]:
    return Column(name, BigInteger, nullable=False, default=0)


cells = _cell(
    "cells",
    Column("retries", Integer, primary_key=True, autoincrement=False),
    _sum("requests"),
    _sum("errors"),
    _sum("fallbacks"),
    _sum("unpriced"),
    Column("hits", BigInteger, nullable=False, server_default="0"),
    _sum("cost"),
    _sum("prompt_tokens"),
    _sum("completion_tokens"),
    _sum("total_us"),
    Column("last_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False, server_default="0"),
)
"""What analytics add up. `hour`: ms since the epoch at its start; `retries`: those that a success needed; `cost`:
nano-dollars; `hits`: what the cache answered; `first_at` and `last_at`: when the oldest and the newest of the requests
began."""

latencies = _cell(
    "latencies",
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    _sum("requests"),
)
"""How long requests took, by the buckets of `store.cells`."""

feedbacks = Table(
    "feedbacks",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace_id", String(64), nullable=False),
    Column("trace_id", String(255), nullable=False),
    Column("value", Integer, nullable=False),
    Column("weight", Double, nullable=False),
    Column("metadata", Text, nullable=False, default="{}"),
    Column("api_key_id", String(64)),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
    Index("ix_feedbacks_trace_id", "workspace_id", "trace_id"),
    Index("ix_feedbacks_created_at", "workspace_id", "created_at"),
)
"""What somebody thinks of a trace's answers: `value` from -10 to 10, `weight` from 0 to 1."""

Number = BigInteger().with_variant(Integer(), "sqlite")
"""The key of a table that only grows: in SQLite the row's own number, which costs no index."""

logs = Table(
    "logs",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("part", BigInteger, nullable=False),
    Column("id", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("workspace_id", String(64), nullable=False),
    Column("api_key_id", String(64), nullable=False),
    Column("user_id", String(255), nullable=False),
    Column("trace_id", String(255), nullable=False),
    Column("span_id", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("provider", String(64), nullable=False),
    Column("model", String(255), nullable=False),
    Column("virtual_key", String(255), nullable=False),
    Column("config", String(255), nullable=False),
    Column("prompt", String(255), nullable=False),
    Column("cache_status", String(32), nullable=False),
    Column("retries", BigInteger, nullable=False),
    Column("fell_back", Boolean, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("total_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger),
    Column("total_us", BigInteger, nullable=False),
    Column("metadata", JSON, nullable=False),
    Index("ix_logs_created_at", "created_at"),
    Index("ix_logs_workspace_id", "workspace_id", "created_at"),
    Index("ix_logs_id", "part", "id"),
    Index("ix_logs_trace_id", "part", "trace_id"),
)
"""What records are looked for by, in narrow rows. `number` counts them in the order of their commits; `cost` is
nano-dollars, null where it is not known.

`part` is the number without its lowest bits. It leads the indexes of random values: a new row then lands in the small
part of them that is at hand, and costs the same after a million rows; who looks for one asks part by part."""

rated = Table(
    "rated",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("workspace_id", String(64), nullable=False),
    Column("trace_id", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_rated_trace_id", "trace_id", "workspace_id"),
    Index("ix_rated_created_at", "created_at"),
)
"""The rows of `logs` whose trace has feedback: few, so that nobody looks for them among all."""

log_records = Table(
    "log_records",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("record", Text, nullable=False),
)
"""The whole record of each row of `logs`, as JSON: apart from it, so that nobody reads past bodies to count rows."""

spool_positions = Table(
    "spool_positions",
    metadata,
    Column("spool", String(64), primary_key=True),
    Column("file", String(255), primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How many bytes of each file of a spool are in the database: written in the transaction of their rows."""

log_exports = Table(
    "log_exports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("workspace_id", String(64), index=True),
    Column("description", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("fields", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("secret", String(64), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_updated_at", BigInteger, nullable=False),
)
"""An export of logs. `asked`: its filters as the caller wrote them; `until`: the last row's number that is in it, set
when it starts; `secret` signs its addresses. `workspace_id` null: it is the organisation's."""

Name = String(512).with_variant(String(512, collation="C"), "postgresql")
"""An account's name. Both databases sort it by its bytes, as Python does: locks are taken in that order."""

ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    Column("name", Name, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("alerted", BigInteger, nullable=False),
    Column("exhausted", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, index=True),
)
"""What is spent of a limit, and leased: `gatekey.limits.account` says what the columns mean. After `expires_at` the row
says no more than a new one would; null: it is kept."""

ledger_holders = Table(
    "ledger_holders",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seen", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""A worker that holds leases: when it was last heard of, by the database's clock, and its last exchange."""

ledger_leases = Table(
    "ledger_leases",
    metadata,
    Column("holder", String(64), primary_key=True),
    Column("account", Name, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("booked", BigInteger, nullable=False),
)
"""What a holder has of an account."""
