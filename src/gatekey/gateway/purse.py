"""What a worker may spend without asking: leases drawn from the ledger, and the grants of running calls."""

from collections.abc import Sequence

from gatekey.limits.limit import Limit


class Grant:
    """Permission to spend, until it is settled. It must be, once, however the call ends; a second time does nothing."""

    def settle(self, amounts: Sequence[int | None]) -> None:
        """What was spent, in the order of `reserve`; None: nobody knows, and all that was reserved counts.

        Never waits, never fails. What is more than was reserved is booked too. Requests were spent when reserved.
        """
        raise NotImplementedError


class Purse:
    """Reserves and settles. One per worker."""

    async def open(self) -> None:
        """Get ready. Asks nothing of the ledger before the first reservation."""
        raise NotImplementedError

    async def close(self) -> None:
        """Give everything back that no running call holds."""
        raise NotImplementedError

    async def reserve(self, asked: Sequence[tuple[Limit, int | None]]) -> Grant:
        """A grant of all amounts together, or an error and nothing reserved. None: the price is not known.

        Does not suspend where leases suffice. Raises `Exhausted`, `UnpricedModel`, `Limited` or `LedgerDown`.
        """
        raise NotImplementedError
