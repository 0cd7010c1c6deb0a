"""Ways to authenticate: a credential in, headers out. CR, LF and other controls are refused before this."""

from collections.abc import Callable


def bearer(key: str) -> dict[str, str]:
    """`Authorization: Bearer`."""
    return {"authorization": f"Bearer {key}"}


def header(name: str) -> Callable[[str], dict[str, str]]:
    """The key as it is, in the header `name`."""
    return lambda key: {name: key}
