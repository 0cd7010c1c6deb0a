"""What a provider says of a failure, without the stored credential that it may repeat: the caller never had it."""

import re
from collections.abc import Iterable

from gatekey.routing.plan import Outcome
from gatekey.secret import Secret
from gatekey.wire import body as json

_plain = re.compile(r"[A-Za-z0-9_.:=+-]*")
"""What JSON spells as it is: nearly every secret."""

SHORTEST = 8
"""Characters from which on a text is looked for: a header such as `1` is in every answer, and is no secret."""


def mask(outcome: Outcome, secrets: Iterable[Secret]) -> None:
    """Replace the secrets in a failed outcome's body, headers and error by `[secret]`."""
    for secret in secrets:
        text, hidden = secret.reveal(), str(secret)
        if len(text) < SHORTEST:
            continue
        for spelled in spellings(text):
            outcome.body = outcome.body.replace(spelled, hidden.encode())
        outcome.headers = [(name, value.replace(text, hidden)) for name, value in outcome.headers]
        if outcome.error is not None:
            outcome.error.message = outcome.error.message.replace(text, hidden)
            if outcome.error.param:
                outcome.error.param = outcome.error.param.replace(text, hidden)


def spellings(text: str) -> set[bytes]:
    """How a secret may be spelled in a body: as it is, and as JSON does; empty where it is too short to be one."""
    if len(text) < SHORTEST:
        return set()
    if _plain.fullmatch(text):
        return {text.encode()}
    quoted = bytes(json.raw(text))[1:-1]
    return {text.encode(), quoted, quoted.replace(b"/", b"\\/")}
