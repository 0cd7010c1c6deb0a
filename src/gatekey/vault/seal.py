"""Sealing of credentials: AES-256-GCM in an envelope, bound to the row that holds it.

A sealed text is `gk1.<master key id>.<wrapped key>.<content>`, each part base64url without padding. The content is
encrypted by a key of its own; that key is encrypted by the master key. Both are authenticated together with the
row's name, so that a sealed text copied into another row opens nothing. Rotation wraps the row's key anew and leaves
the content as it is. Nonces are 96 random bits (NIST SP 800-38D section 8.2.2); each content key is used once.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatekey.errors import Unsealable
from gatekey.secret import Secret

_FORMAT = "gk1"
_NONCE = 12
_KEY = 32


def new_key() -> str:
    """A new master key: 256 random bits as base64url."""
    return _text(os.urandom(_KEY))


class Vault:
    """Seals with the first of its master keys and opens with any of them."""

    def __init__(self, *master_keys: str, again: Callable[[], Sequence[str]] | None = None) -> None:
        """`master_keys`: base64url or hex of 32 bytes, or any longer passphrase. Raises ValueError.

        `again` reads them anew, so that a rotation reaches a vault in use: before it seals, and where it meets a
        master key that it does not know. It may raise OSError.
        """
        self._keys = _ciphers(master_keys)
        self._again = again

    def seal(self, content: str, row: str) -> str:
        """`content` sealed for `row`, a name that no other row has (`integrations/<id>`)."""
        self._renew()
        key = os.urandom(_KEY)
        return ".".join((_FORMAT, *self._wrap(key, row), _text(_encrypt(AESGCM(key), content.encode(), row))))

    def open(self, sealed: str, row: str) -> Secret:
        """What was sealed for `row`. Raises `Unsealable`."""
        _, key, content = self._parts(sealed, row)
        return Secret(_decrypt(AESGCM(key), content, row).decode())

    def rewrap(self, sealed: str, row: str) -> str:
        """The same content under the first master key. Raises `Unsealable`."""
        _, key, content = self._parts(sealed, row)
        return ".".join((_FORMAT, *self._wrap(key, row), _text(content)))

    def current(self, sealed: str) -> bool:
        """Whether it is sealed under the first master key."""
        return sealed.split(".")[1:2] == [self._first]

    @property
    def _first(self) -> str:
        return next(iter(self._keys))

    def _renew(self) -> None:
        """Take in new master keys. None is forgotten: a row that is in memory may be sealed under an older one."""
        if self._again is not None:
            with suppress(OSError, ValueError):  # those that are known go on being used
                self._keys = _ciphers(self._again()) | self._keys

    def _wrap(self, key: bytes, row: str) -> tuple[str, str]:
        first, cipher = next(iter(self._keys.items()))
        return first, _text(_encrypt(cipher, key, row))

    def _parts(self, sealed: str, row: str) -> tuple[str, bytes, bytes]:
        try:
            form, master, wrapped, content = sealed.split(".")
            if form != _FORMAT:
                raise ValueError
            if master not in self._keys:
                self._renew()
            return master, _decrypt(self._keys[master], _bytes(wrapped), row), _bytes(content)
        except KeyError:
            raise Unsealable("It was sealed under a master key that is not here: set GATEKEY_MASTER_KEY.") from None
        except ValueError:
            raise Unsealable("It is not a sealed text.") from None


def _encrypt(cipher: AESGCM, data: bytes, row: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, data, row.encode())


def _decrypt(cipher: AESGCM, data: bytes, row: str) -> bytes:
    try:
        return cipher.decrypt(data[:_NONCE], data[_NONCE:], row.encode())
    except (InvalidTag, ValueError):  # the latter where it is too short to hold a nonce
        raise Unsealable("It belongs to another row, or is damaged.") from None


def _ciphers(master_keys: Sequence[str]) -> dict[str, AESGCM]:
    """Master keys by what a sealed text calls them, in their order. Raises ValueError."""
    if not master_keys:
        raise ValueError("a vault needs a master key")
    return {_identify(key): AESGCM(key) for key in map(_master, master_keys)}


def _master(text: str) -> bytes:
    for decode in (bytes.fromhex, _bytes):
        try:
            key = decode(text)
        except ValueError:
            continue
        if len(key) == _KEY:
            return key
    if len(text) < _KEY:
        raise ValueError(
            "GATEKEY_MASTER_KEY must be 32 bytes as hex or base64url, or a passphrase of 32 characters or more"
        )
    return hashlib.sha256(text.encode()).digest()


def _identify(key: bytes) -> str:
    return _text(hashlib.sha256(b"gatekey master key id" + key).digest()[:6])


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
