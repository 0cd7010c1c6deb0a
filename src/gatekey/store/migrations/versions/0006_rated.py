"""Which requests have feedback; when the first request of a cell began, and hits of the cache."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Which requests have feedback; when the first request of a cell began, and hits of the cache."""
    op.create_table(
        "rated",
        sa.Column("number", Number, autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.String(length=64), nullable=False),
        sa.Column("trace_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_rated"),
    )
    op.create_index("ix_rated_trace_id", "rated", ["trace_id", "workspace_id"])
    op.create_index("ix_rated_created_at", "rated", ["created_at"])
    for column in ("first_at", "hits"):
        op.add_column("cells", sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE cells SET first_at = hour")
