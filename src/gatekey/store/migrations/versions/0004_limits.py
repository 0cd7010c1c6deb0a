"""Limits and prices on what is there, and policies."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Limits and prices on what is there, and policies."""
    for table in ("workspaces", "api_keys", "providers"):
        op.add_column(table, sa.Column("limits", sa.Text(), nullable=False, server_default="[]"))
    for column in ("pricing_adjustments", "limits"):
        op.add_column("integrations", sa.Column(column, sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "policies",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("group_by", sa.Text(), nullable=False),
        sa.Column("resets", sa.Text(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_policies_workspace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
    )
    op.create_index("ix_policies_revision", "policies", ["revision"])
    op.create_index("ix_policies_workspace_id", "policies", ["workspace_id"])
