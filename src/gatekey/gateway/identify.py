"""Who calls: the gateway key, and what is left of `Authorization` for the provider.

A key is known by its SHA-256 only, and looked up by that digest before anything else sees it.
"""

import hashlib

from msgspec import Struct

from gatekey.errors import Unauthenticated
from gatekey.gateway.headers import Head
from gatekey.secret import Secret
from gatekey.store.directory import ADMIN, Directory, Principal


class Caller(Struct, frozen=True):
    """Who calls. `key`: the gateway key as it was sent (never goes upstream), empty where none is needed.

    `credential`: what is left of `Authorization`: never the gateway key, never a dummy.
    """

    key: str
    principal: Principal
    credential: Secret | None


def digest(key: str) -> bytes:
    """What is kept of a gateway key."""
    return hashlib.sha256(key.encode()).digest()


def identify(head: Head, directory: Directory, *, anybody: bool, now: float) -> Caller:
    """The caller behind a request. `anybody`: no key is asked for. `now` in s since the epoch.

    Raises `Unauthenticated`.
    """
    sent = head.options.api_key
    authorization = head.authorization
    key = sent or authorization
    principal: Principal | None = ADMIN
    if not anybody:
        if not key:
            raise Unauthenticated(
                "A gateway key is needed: send it in x-portkey-api-key, or as Authorization: Bearer.",
                param="x-portkey-api-key",
            )
        principal = directory.principal(digest(key), now)
        if principal is None:
            raise Unauthenticated("The gateway key is wrong.", param="x-portkey-api-key" if sent else "authorization")
    elif not sent:
        key = ""
    assert principal is not None
    return Caller(key, principal, Secret(authorization) if authorization and authorization != key else None)
