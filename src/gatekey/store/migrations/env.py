"""Alembic's entry: it runs in the transaction that `migrate` has opened, and makes none of its own."""

from alembic import context

from gatekey.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
