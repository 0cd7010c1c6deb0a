"""Limits as rows keep them: a JSON list of what was set, without what follows from the row itself.

The account says what is limited and how, so that every limit has its own: `key/<id>/cost/monthly`,
`key/<id>/requests/60s`. Another kind of limit is another account, which begins at nothing; another amount is not.
"""

import functools
from collections.abc import Callable, Iterable

import msgspec
from msgspec.structs import replace

from gatekey.limits.limit import Limit

Revise = Callable[[list[Limit], int], list[Limit]]
"""The limits that are set now, and the time in ms -> those that take their place."""

NONE = "[]"
"""The column where there are none."""
BARE = "-"
"""The account of a limit that no row has yet."""


def kind(limit: Limit) -> str:
    """What a limit counts, and over what time: the end of its account."""
    if limit.per:
        return f"{limit.counts}/{limit.per}s"
    period = f"{limit.period}d" if isinstance(limit.period, int) else limit.period
    return f"{limit.counts}/{period}" if period else limit.counts


def read(column: str) -> tuple[Limit, ...]:
    """What a column holds: bare limits."""
    return _read(column)


def text(limits: Iterable[Limit]) -> str:
    """Limits as a column."""
    return msgspec.json.encode([replace(one, account=BARE, owner="") for one in limits]).decode()


def revised(column: str, revise: Revise | None, now: int) -> str:
    """A column as a function makes it; without one it stays."""
    return column if revise is None else text(revise(list(_read(column)), now))


def of(column: str, place: str, owner: str) -> tuple[Limit, ...]:
    """The limits of a row. `place` is where their accounts begin; `owner` names it in messages."""
    return () if column == NONE else named(_read(column), place, owner)


def named(bare: Iterable[Limit], place: str, owner: str) -> tuple[Limit, ...]:
    """Limits with accounts of their own."""
    return tuple(replace(one, account=f"{place}/{kind(one)}", owner=owner) for one in bare)


# Many rows are limited alike: what they have in common is kept once.
@functools.lru_cache(1024)
def _read(column: str) -> tuple[Limit, ...]:
    return msgspec.json.decode(column, type=tuple[Limit, ...])
