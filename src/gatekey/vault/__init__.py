"""The vault: provider credentials, sealed. An adapter that knows the master keys and nothing about who asks."""

from gatekey.errors import Unsealable
from gatekey.vault.seal import Vault, new_key

__all__ = ["Unsealable", "Vault", "new_key"]
