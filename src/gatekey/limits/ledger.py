"""The port to where spending is written down, for all workers of all gateways together."""

from collections.abc import Sequence
from typing import Protocol

from gatekey.limits.account import Ask, Reply, Standing
from gatekey.limits.limit import Limit

LIFE = 30_000
"""ms without a word after which a holder is taken for dead, and all that it held counts as spent."""


class Gone(Exception):
    """The ledger does not know the holder: it was silent for too long, and its leases are written off."""


class Ledger(Protocol):
    """One ledger. Every method raises `Overloaded` where it cannot be reached.

    The time is the ledger's own: whatever clocks the workers have, periods, rates and deaths are judged by one.
    """

    deadline: float
    """s that an exchange may take before it counts as failed. It may then have been done, or be done later."""

    async def join(self, holder: str) -> None:
        """Make a holder known. Its name is used once."""
        ...

    async def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        """Take in what the holder tells, and answer, all in one step. Without asks: it lives.

        Each exchange has a higher `number`; one that is overtaken does nothing. Raises `Gone`.
        """
        ...

    async def leave(self, holder: str) -> None:
        """Forget a holder. What it still holds counts as spent."""
        ...

    async def sweep(self) -> None:
        """Write off what the dead held, and remove accounts that mean nothing any more."""
        ...

    async def usage(self, limits: Sequence[Limit]) -> list[Standing]:
        """How limits stand."""
        ...

    async def accounts(self, prefix: str, most: int) -> list[str]:
        """Names of accounts that begin so, sorted, as many as `most`."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
