"""The keys of the data folder, made on the first start: the admin key, kept as its SHA-256 and in a file that only
its owner reads, and the master key that seals credentials, in another.
"""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from gatekey.gateway.identify import digest
from gatekey.vault import new_key

KEY_FILE = "admin-key"
DIGEST_FILE = "admin-key.sha256"
MASTER_FILE = "master-key"


def admin(data: Path, given: str) -> tuple[bytes, str | None]:
    """The admin key's digest, and the key itself where it was made just now.

    `given` is used instead of the kept one. Raises OSError where the folder cannot be written.
    """
    if given:
        return digest(given), None
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = data / DIGEST_FILE
    if kept.exists():
        return bytes.fromhex(kept.read_text().strip()), None
    key = f"gk-{secrets.token_urlsafe(32)}"
    _write(data / KEY_FILE, key + "\n")
    _write(kept, digest(key).hex() + "\n")
    return digest(key), key


def make_master(data: Path) -> None:
    """Make the data folder's master key, where it has none. Raises OSError."""
    if not (data / MASTER_FILE).exists():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep_master(data, [new_key()])


def master(data: Path) -> list[str]:
    """The data folder's master keys, the present one first. Raises OSError."""
    return listed((data / MASTER_FILE).read_text())


def listed(text: str) -> list[str]:
    """Keys that are written by commas."""
    return [key.strip() for key in text.split(",") if key.strip()]


def keep_master(data: Path, keys: Sequence[str]) -> None:
    """Keep these master keys, the present one first. Raises OSError."""
    _write(data / MASTER_FILE, ",".join(keys) + "\n")


def _write(file: Path, text: str) -> None:
    """Written whole or not at all, and never readable by others."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(descriptor)
    temporary.replace(file)
