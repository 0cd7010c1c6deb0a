"""A ledger in memory, with the real arithmetic: what calls would have spent is spent by the test."""

import time
from collections.abc import Sequence

from gatekey.errors import Overloaded
from gatekey.limits import account
from gatekey.limits.account import NEW, Account, Ask, Lease, Reply, Standing
from gatekey.limits.limit import Limit


class Memory:
    """A `Ledger`. While it is `down`, nothing can be asked."""

    deadline = 1.0

    def __init__(self) -> None:
        self.down = False
        self._accounts: dict[str, Account] = {}
        self._leases: dict[str, dict[str, Lease]] = {}

    def spend(self, limit: Limit, amount: int) -> None:
        """A call has cost so much."""
        self._answer("call", [Ask(limit, NEW, amount, 0, last=True)])

    def refuse(self, limit: Limit, amount: int) -> None:
        """A call that would cost so much comes, and is refused."""
        (reply,) = self._answer("call", [Ask(limit, NEW, 0, 0, least=amount, bound=amount, last=True)])
        assert reply.refused == "exhausted"

    async def join(self, holder: str) -> None:
        self._leases[holder] = {}

    async def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        return self._answer(holder, asks)

    async def leave(self, holder: str) -> None:
        self._leases.pop(holder, None)

    async def sweep(self) -> None:
        pass

    async def usage(self, limits: Sequence[Limit]) -> list[Standing]:
        self._reach()
        return [account.standing(self._accounts.get(one.account, Account()), one, self._now()) for one in limits]

    async def accounts(self, prefix: str, most: int) -> list[str]:
        self._reach()
        return sorted(name for name in self._accounts if name.startswith(prefix))[:most]

    async def close(self) -> None:
        pass

    def _answer(self, holder: str, asks: Sequence[Ask]) -> list[Reply]:
        self._reach()
        for ask in asks:
            self._accounts.setdefault(ask.limit.account, Account())
        return account.exchange(self._accounts, self._leases.setdefault(holder, {}), asks, self._now())

    def _reach(self) -> None:
        if self.down:
            raise Overloaded("The ledger cannot be reached: try again in a moment.")

    def _now(self) -> int:
        return int(time.time() * 1000)
