"""The tables, once for both databases.

Every row that the data plane must know has a `revision`: the number of the transaction that last changed it. Those
numbers come from one counter that each write takes first, so that writes are in line, and whoever has seen revision
n asks for what is newer. A deleted row stays, marked, so that its deletion is seen too; its slug is free again.

Times are ms since the epoch; JSON is text.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, String, Table, Text

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

workspaces = _entity(
    "workspaces",
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text, nullable=False, default=""),
    Column("defaults", Text, nullable=False, default="{}"),
    Column("is_default", Boolean, nullable=False, default=False),
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
)
"""A stored credential. `credential` is sealed JSON: the provider's key, its options, its headers and where they are
sent, together; empty once it is deleted. `hidden`: it was made by a virtual key and lives and dies with it.
`workspace_id` null: it is the organisation's, and `workspaces` lists the ids of those that may use it, `*` for all."""

providers = _entity(
    "providers",
    _workspace(),
    Column("slug", String(255), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("integration_id", String(64), ForeignKey("integrations.id"), nullable=False, index=True),
    Column("expires_at", BigInteger),
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
        Column("dimension", String(160), primary_key=True),
        Column("workspace_id", String(64), primary_key=True),
        Column("hour", BigInteger, primary_key=True, autoincrement=False),
        Column("value", String(255), primary_key=True),
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
    _sum("cost"),
    _sum("prompt_tokens"),
    _sum("completion_tokens"),
    _sum("total_us"),
    Column("last_at", BigInteger, nullable=False),
)
"""What analytics add up. `hour`: ms since the epoch at its start; `retries`: those that a success needed; `cost`:
nano-dollars; `last_at`: when the newest of the requests began."""

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
