"""A worker's leases and the ledger, on one clock: what tests of leases talk through."""

from collections.abc import Sequence

from gatekey.limits.account import Account, Ask, Reply
from gatekey.limits.leases import Grant, Leases, Waiter
from gatekey.limits.limit import Limit
from tests.unit.limits.twin import Books


class Desk:
    """One worker. Several may share `books`. `asks` are those of every exchange so far."""

    def __init__(self, books: Books | None = None) -> None:
        self.books = books or Books()
        self.woken = 0
        self.leases = Leases(self._wake)
        self.asks: list[list[Ask]] = []
        self._holder = f"desk {len(self.books.leases)}"
        self.books.join(self._holder)

    def _wake(self) -> None:
        self.woken += 1

    @property
    def now(self) -> float:
        """s of the worker's clock."""
        return self.books.now / 1000

    def take(self, *asked: tuple[Limit, int | None]) -> Grant | None:
        """What the leases suffice for."""
        return self.leases.take(asked, self.now)

    def call(self, *asked: tuple[Limit, int | None]) -> Waiter:
        """A call that may have to wait; the ledger is not asked yet."""
        return self.leases.queue(asked, self.now)

    def grant(self, *asked: tuple[Limit, int | None]) -> Grant:
        """A call that gets its grant, if need be after an exchange."""
        grant = self.take(*asked)
        if grant is None:
            waiter = self.call(*asked)
            self.talk()
            assert isinstance(waiter.outcome, Grant), waiter.outcome
            grant = waiter.outcome
        return grant

    def refusal(self, *asked: tuple[Limit, int | None]) -> object:
        """What a call is refused with, if need be after an exchange."""
        assert self.take(*asked) is None
        waiter = self.call(*asked)
        if waiter.outcome is None:
            self.talk()
        return waiter.outcome

    def ask(self) -> list[Ask]:
        """The question of an exchange."""
        asks = self.leases.round(self.now)
        self.asks.append(asks)
        return asks

    def answer(self, asks: Sequence[Ask]) -> list[Reply]:
        """What the ledger answers."""
        return self.books.exchange(self._holder, len(self.asks), asks)

    def talk(self) -> list[Ask]:
        """A whole exchange."""
        asks = self.ask()
        self.leases.answered(asks, self.answer(asks), self.now)
        return asks

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.books.now += round(seconds * 1000)

    def rest(self, seconds: float) -> None:
        """Time passes, with an exchange every fifth of a second."""
        for _ in range(round(seconds * 5)):
            self.wait(0.2)
            self.talk()

    def account(self, limit: Limit) -> Account:
        """The ledger's side of a limit."""
        return self.books.accounts[limit.account]
