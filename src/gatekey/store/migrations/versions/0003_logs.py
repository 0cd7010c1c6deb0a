"""Logs: rows to look for, whole records, how far each spool is consumed, exports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Tables for records."""
    op.create_table(
        "logs",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("api_key_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("trace_id", sa.String(length=255), nullable=False),
        sa.Column("span_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("virtual_key", sa.String(length=255), nullable=False),
        sa.Column("config", sa.String(length=255), nullable=False),
        sa.Column("prompt", sa.String(length=255), nullable=False),
        sa.Column("cache_status", sa.String(length=32), nullable=False),
        sa.Column("retries", sa.BigInteger(), nullable=False),
        sa.Column("fell_back", sa.Boolean(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("total_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("total_us", sa.BigInteger(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_logs"),
    )
    op.create_index("ix_logs_created_at", "logs", ["created_at"])
    op.create_index("ix_logs_workspace_id", "logs", ["workspace_id", "created_at"])
    op.create_index("ix_logs_id", "logs", ["part", "id"])
    op.create_index("ix_logs_trace_id", "logs", ["part", "trace_id"])

    op.create_table(
        "log_records",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_log_records"),
    )
    op.create_table(
        "spool_positions",
        sa.Column("spool", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("spool", "file", name="pk_spool_positions"),
    )
    op.create_table(
        "log_exports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_exports"),
    )
    op.create_index("ix_log_exports_workspace_id", "log_exports", ["workspace_id"])
    op.bulk_insert(sa.table("counters", sa.column("name"), sa.column("value")), [{"name": "logs", "value": 0}])
