"""The ledger: accounts, holders, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The ledger: accounts, holders, leases."""
    name = sa.String(length=512).with_variant(sa.String(length=512, collation="C"), "postgresql")
    op.create_table(
        "ledger_accounts",
        sa.Column("name", name, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("alerted", sa.BigInteger(), nullable=False),
        sa.Column("exhausted", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_ledger_accounts"),
    )
    op.create_index("ix_ledger_accounts_expires_at", "ledger_accounts", ["expires_at"])
    op.create_table(
        "ledger_holders",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_holders"),
    )
    op.create_table(
        "ledger_leases",
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("account", name, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "account", name="pk_ledger_leases"),
    )
