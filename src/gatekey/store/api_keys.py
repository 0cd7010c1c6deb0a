"""Gateway keys. Of a key's secret only the SHA-256 is kept, in `api_key_secrets`: what opens nothing is not there.

While a rotation overlaps a key has two secrets: the new one, which has no end of its own, and the one before.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, update

from gatekey.errors import NotFound
from gatekey.limits.limit import Limit
from gatekey.store import configs, limits, rows, tables
from gatekey.store.database import Write
from gatekey.store.rows import Row
from gatekey.store.workspaces import DEFAULT

_secrets = tables.api_key_secrets


def find(connection: Connection, id: str) -> Row:
    """By id. Raises `NotFound`."""
    found = rows.one(connection, tables.api_keys, id=id)
    if found is None:
        raise NotFound(f"There is no API key with id {id!r}.", param="id")
    return found


def of(kinds: list[str], workspace: str) -> Select[Any]:
    """A statement for the keys of these kinds, in one workspace or (empty) in all."""
    statement = rows.live(tables.api_keys, **({"workspace_id": workspace} if workspace else {}))
    return statement.where(tables.api_keys.c.type.in_(kinds))


def limited(row: Mapping[str, Any]) -> tuple[Limit, ...]:
    """What a key may use."""
    return limits.of(row["limits"], f"key/{row['id']}", "API key")


def create(
    write: Write,
    *,
    workspace: str | None,
    defaults: Row,
    scopes: list[str],
    limiting: limits.Revise | None = None,
    **columns: Any,
) -> tuple[Row, str]:
    """A new key and its secret. `columns`: name, description, type, user_id, expires_at.

    Raises `BadBody` where its config is none of the workspace's.
    """
    secret = _new()
    row = rows.add(
        write,
        tables.api_keys,
        workspace_id=workspace,
        scopes=rows.text(scopes),
        defaults=rows.text(_settled(write, workspace, defaults)),
        masked=_masked(secret),
        limits=limits.revised(limits.NONE, limiting, write.now),
        **columns,
    )
    _keep(write, row["id"], secret)
    return row, secret


def change(write: Write, id: str, defaults: Row, limiting: limits.Revise | None = None, **columns: Any) -> Row:
    """Change its columns, its limits, and of its defaults those that are given. Raises `NotFound` and `BadBody`."""
    found = find(write.connection, id)
    columns["limits"] = limits.revised(found["limits"], limiting, write.now)
    if defaults:
        merged = {**rows.value(found["defaults"]), **_settled(write, found["workspace_id"], defaults)}
        columns["defaults"] = rows.text(merged)
    rows.change(write, tables.api_keys, id, **columns)
    return find(write.connection, id)


def rotate(write: Write, id: str, overlap: int) -> tuple[str, int]:
    """A new secret, and when the present one ends: in `overlap` ms. One from before ends now. Raises `NotFound`."""
    find(write.connection, id)
    secret, until = _new(), write.now + overlap
    mine = _secrets.c.api_key_id == id
    write.connection.execute(delete(_secrets).where(mine, _secrets.c.expires_at.is_not(None)))
    write.connection.execute(update(_secrets).where(mine).values(expires_at=until))
    _keep(write, id, secret)
    rows.change(write, tables.api_keys, id, masked=_masked(secret))
    return secret, until


def remove(write: Write, id: str) -> None:
    """Delete a key and forget its secrets. Raises `NotFound`."""
    find(write.connection, id)
    write.connection.execute(delete(_secrets).where(_secrets.c.api_key_id == id))
    rows.remove(write, tables.api_keys, id)


def _new() -> str:
    return f"gk-{secrets.token_urlsafe(32)}"


def _masked(secret: str) -> str:
    return f"{secret[:5]}*******{secret[-2:]}"


def _keep(write: Write, id: str, secret: str) -> None:
    digest = hashlib.sha256(secret.encode()).hexdigest()
    write.connection.execute(insert(_secrets).values(digest=digest, api_key_id=id, expires_at=None))


def _settled(write: Write, workspace: str | None, defaults: Row) -> Row:
    """Defaults whose config is named by its slug. A key of the organisation works in the default workspace."""
    return configs.settled(write.connection, workspace or DEFAULT, defaults, "config_id")
