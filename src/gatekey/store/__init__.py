"""The store: workspaces, keys, credentials and configs in SQLite or PostgreSQL, and what of them is kept in memory.

Statements run in threads, one transaction each. The data plane asks the `Directory`, which answers from memory.
"""
