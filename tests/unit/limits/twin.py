"""A ledger in memory: the port's shape around the arithmetic of accounts, with a clock that tests set."""

from collections.abc import Sequence

from gatekey.errors import Overloaded
from gatekey.limits import account
from gatekey.limits.account import Account, Ask, Lease, Reply, Standing
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import Limit


class Books:
    """What a ledger writes down, without waiting for anything. `now`: its clock, in ms."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000
        self.accounts: dict[str, Account] = {}
        self.leases: dict[str, dict[str, Lease]] = {}
        self.written_off = 0
        self._seen: dict[str, tuple[int, int]] = {}

    def join(self, holder: str) -> None:
        """Make a holder known."""
        self.leases[holder], self._seen[holder] = {}, (0, self.now)

    def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        """One step. Raises `Gone`."""
        if holder not in self.leases:
            raise Gone
        last, _ = self._seen[holder]
        if number <= last:
            return []
        self._seen[holder] = number, self.now
        for ask in asks:
            self.accounts.setdefault(ask.limit.account, Account())
        return account.exchange(self.accounts, self.leases[holder], asks, self.now)

    def leave(self, holder: str) -> None:
        """A holder goes, or is written off."""
        for name, lease in self.leases.pop(holder, {}).items():
            self.written_off += lease.held
            account.write_off(self.accounts[name], lease, self.now)

    def sweep(self) -> None:
        """Write off the dead."""
        for holder in [holder for holder, (_, seen) in self._seen.items() if self.now - seen > LIFE]:
            del self._seen[holder]
            self.leave(holder)


class Twin:
    """The port over `Books`. `down`: it cannot be reached."""

    deadline = 1.0

    def __init__(self) -> None:
        self.books = Books()
        self.down = False
        self.joined: list[str] = []
        self.exchanges: list[Sequence[Ask]] = []
        self.left: list[str] = []
        self.closed = False

    def _reach(self) -> None:
        if self.down:
            raise Overloaded("down")

    async def join(self, holder: str) -> None:
        """See the port."""
        self._reach()
        self.joined.append(holder)
        self.books.join(holder)

    async def exchange(self, holder: str, number: int, asks: Sequence[Ask]) -> list[Reply]:
        """See the port."""
        self._reach()
        self.exchanges.append(asks)
        return self.books.exchange(holder, number, asks)

    async def leave(self, holder: str) -> None:
        """See the port."""
        self._reach()
        self.left.append(holder)
        self.books.leave(holder)

    async def sweep(self) -> None:
        """See the port."""
        self._reach()
        self.books.sweep()

    async def usage(self, limits: Sequence[Limit]) -> list[Standing]:
        """See the port."""
        self._reach()
        made = self.books.accounts
        return [account.standing(made.setdefault(one.account, Account()), one, self.books.now) for one in limits]

    async def accounts(self, prefix: str, most: int) -> list[str]:
        """See the port."""
        return sorted(name for name in self.books.accounts if name.startswith(prefix))[:most]

    async def close(self) -> None:
        """See the port."""
        self.closed = True
