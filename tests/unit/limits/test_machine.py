"""Several workers, one ledger, and everything that may come between them: nothing is overspent, nothing leaks.

A message to the ledger may be lost, or done long after the worker has given it up; so may its answer. Workers die,
or are taken for dead; limits change; periods end; calls come, wait, leave, and cost more than they could.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from gatekey.errors import GatekeyError, LedgerDown
from gatekey.limits.account import Ask, Reply
from gatekey.limits.leases import FORGET, Grant, Leases, Waiter
from gatekey.limits.ledger import LIFE, Gone
from gatekey.limits.limit import DAY, Limit
from tests.unit.limits.twin import Books

BUDGET = Limit("budget", "cost", 100)
DAILY = Limit("daily", "tokens", 60, period=1)
RATE = Limit("rate", "requests", 5, per=10)
WORKERS = 3
TURNS = st.integers(0, WORKERS - 1)
CALLS = st.tuples(st.integers(0, 40), st.integers(0, 25), st.sampled_from(("bdr", "b", "d", "bd", "r")))


@dataclass(eq=False)
class Message:
    """What a worker has asked: `replies` once the ledger has answered, or that it is `gone`."""

    name: str
    number: int
    asks: list[Ask]
    replies: list[Reply] | None = None
    gone: bool = False


@dataclass(eq=False)
class Running:
    """A call with a grant: what of which account's epoch it may spend."""

    grant: Grant
    parts: list[tuple[str, int, int]]


@dataclass(eq=False)
class Worker:
    """One worker, as a purse would run it."""

    name: str
    leases: Leases = field(default_factory=lambda: Leases(lambda: None))
    joined: bool = False
    number: int = 0
    message: Message | None = None
    running: list[Running] = field(default_factory=list)
    waiting: list[Waiter] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    """The world. `spent`, `most`: of every epoch of an account, what was really spent, and the largest amount."""

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.began = self.books.now
        self.limits = {"budget": BUDGET, "daily": replace(DAILY, since=self.began), "rate": RATE}
        self.all = [Worker(f"w{number}") for number in range(WORKERS)]
        self.turn = 0
        self.late: list[Message] = []
        self.spent: dict[tuple[str, int], int] = {}
        self.most: dict[str, int] = {name: limit.amount for name, limit in self.limits.items()}
        self.over = 0
        self.requests = 0
        self.names = WORKERS

    @property
    def s(self) -> float:
        """The workers' clock."""
        return self.books.now / 1000

    @property
    def worker(self) -> Worker:
        """The one that acts."""
        return self.all[self.turn]

    @rule(turn=TURNS, calls=st.lists(CALLS, min_size=1, max_size=4), exchanges=st.booleans())
    def call(self, turn: int, calls: list[tuple[int, int, str]], exchanges: bool) -> None:
        """Some calls, and most often what usually follows."""
        self.turn = turn
        for each in calls:
            self.one_call(*each)
        if exchanges:
            self.exchange(turn)

    def one_call(self, cost: int, tokens: int, which: str) -> None:
        worker = self.worker
        wanted = {"b": ("budget", cost), "d": ("daily", tokens), "r": ("rate", 1)}
        asked = [(self.limits[name], amount) for name, amount in (wanted[each] for each in which)]
        grant = worker.leases.take(asked, self.s)
        if grant is not None:
            self.granted(worker, grant)
            return
        waiter = worker.leases.queue(asked, self.s)
        worker.waiting.append(waiter)
        self.look(worker)

    def granted(self, worker: Worker, grant: Grant) -> None:
        parts = [(lease.limit.account, lease.epoch, amount) for lease, amount in grant._parts]
        self.requests += sum(amount for name, _, amount in parts if name == "rate")
        worker.running.append(Running(grant, parts))

    def look(self, worker: Worker) -> None:
        """Take from the waiters those that have their outcome."""
        for waiter in [each for each in worker.waiting if each.outcome is not None]:
            worker.waiting.remove(waiter)
            if isinstance(waiter.outcome, Grant):
                self.granted(worker, waiter.outcome)
            else:
                assert isinstance(waiter.outcome, GatekeyError)

    @rule(turn=TURNS, data=st.data())
    def leave(self, turn: int, data: Any) -> None:
        """A caller that waits leaves."""
        worker = self.all[turn]
        if worker.waiting:
            waiter = data.draw(st.sampled_from(worker.waiting))
            worker.waiting.remove(waiter)
            waiter.left = True

    @rule(turn=TURNS, data=st.data(), count=st.integers(1, 3), more=st.sampled_from((0, 0, 0, 0, 0, 0, 7)))
    def settle(self, turn: int, data: Any, count: int, more: int) -> None:
        """Calls end; now and then one has cost more than it could."""
        worker = self.all[turn]
        for _ in range(min(count, len(worker.running))):
            running = data.draw(st.sampled_from(worker.running))
            worker.running.remove(running)
            amounts = [data.draw(st.integers(0, amount)) + (more if amount else 0) for _, _, amount in running.parts]
            self.end(running, amounts)

    def end(self, running: Running, amounts: list[int]) -> None:
        for (name, epoch, bound), amount in zip(running.parts, amounts, strict=True):
            if name != "rate":
                self.spent[name, epoch] = self.spent.get((name, epoch), 0) + amount
                self.over += max(0, amount - bound)
        running.grant.settle(amounts)

    @rule(turn=TURNS, step=st.sampled_from(("ask", "deliver", "hear", "give_up")))
    def step(self, turn: int, step: str) -> None:
        """A part of an exchange."""
        self.turn = turn
        getattr(self, step)()

    def ask(self) -> None:
        worker = self.worker
        if worker.message is None:
            asks = worker.leases.round(self.s)
            self.look(worker)
            if asks:
                worker.number += 1
                if not worker.joined:
                    self.names += 1
                    worker.name, worker.joined = f"h{self.names}", True
                    self.books.join(worker.name)
                worker.message = Message(worker.name, worker.number, asks)

    def deliver(self) -> None:
        worker = self.worker
        if worker.message is not None and worker.message.replies is None:
            self.do(worker.message)

    def do(self, message: Message) -> None:
        try:
            message.replies = self.books.exchange(message.name, message.number, message.asks)
        except Gone:
            message.gone = True

    def hear(self) -> None:
        worker = self.worker
        message = worker.message
        if message is None or (message.replies is None and not message.gone):
            return
        worker.message = None
        if message.gone:
            worker.joined = False
            worker.leases.forget()
        else:
            assert message.replies is not None
            worker.leases.answered(message.asks, message.replies, self.s)
        self.look(worker)

    @rule(turn=TURNS)
    def exchange(self, turn: int) -> None:
        """Nothing comes between."""
        self.turn = turn
        self.ask()
        self.deliver()
        self.hear()

    def give_up(self) -> None:
        """The time for an exchange is over; whether it was done, or is done later, nobody knows."""
        worker = self.worker
        if worker.message is not None:
            if worker.message.replies is None:
                self.late.append(worker.message)
            worker.leases.failed(worker.message.asks, lambda: LedgerDown("down"))
            worker.message = None
            self.look(worker)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def arrive_late(self, data: Any) -> None:
        message = data.draw(st.sampled_from(self.late))
        self.late.remove(message)
        self.do(message)

    @rule(ms=st.sampled_from((10, 60, 250, 1100, 2500, 12_000, LIFE // 2, 70_000, DAY)), sweeps=st.booleans())
    def wait(self, ms: int, sweeps: bool) -> None:
        """Time passes; somebody looks for the dead."""
        self.books.now += ms
        if sweeps:
            self.books.sweep()

    @rule(name=st.sampled_from(("budget", "daily")), amount=st.none() | st.integers(0, 150))
    def change(self, name: str, amount: int | None) -> None:
        """A limit has another amount, or (None) begins again."""
        limit = self.limits[name]
        if amount is None:
            self.limits[name] = replace(limit, since=max(self.books.now, limit.since + 1))
        else:
            self.limits[name] = replace(limit, amount=amount)
            self.most[name] = max(self.most[name], amount)

    @rule(turn=TURNS, data=st.data())
    def crash(self, turn: int, data: Any) -> None:
        """It dies; what its calls had begun is spent all the same, and nobody tells."""
        worker = self.all[turn]
        self.names += 1
        self.all[turn] = Worker(f"w{self.names}")
        for running in worker.running:
            for name, epoch, bound in running.parts:
                if name != "rate":
                    amount = data.draw(st.integers(0, bound))
                    self.spent[name, epoch] = self.spent.get((name, epoch), 0) + amount

    @invariant()
    def never_more_than_the_amount(self) -> None:
        running = {}
        for worker in self.all:
            for each in worker.running:
                for name, epoch, bound in each.parts:
                    running[name, epoch] = running.get((name, epoch), 0) + bound
        for name, epoch in {*self.spent, *running} - {("rate", 0)}:
            really = self.spent.get((name, epoch), 0) + running.get((name, epoch), 0)
            assert name == "rate" or really <= self.most[name] + self.over, (name, really)
        elapsed = (self.books.now - self.began) / 1000
        assert self.requests <= RATE.amount + RATE.amount * elapsed / RATE.per

    @invariant()
    def the_books_are_right(self) -> None:
        for name, account in self.books.accounts.items():
            held = [each[name] for each in self.books.leases.values() if name in each]
            assert account.held == sum(lease.held for lease in held if lease.epoch == account.epoch)
            assert account.spent + account.held <= self.most[name] + self.over

    def teardown(self) -> None:
        """Every call ends, every worker rests: nothing is held any more, and what is spent is known."""
        for message in self.late:
            self.do(message)
        for worker in self.all:
            for waiter in worker.waiting:
                waiter.left = True
            worker.waiting = []
            for running in worker.running:
                self.end(running, [amount // 2 for _, _, amount in running.parts])
        for _ in range(12):
            self.books.now += int(FORGET * 1000 / 4)
            for turn in range(WORKERS):
                self.exchange(turn)
            self.books.sweep()
        for worker in self.all:
            assert len(worker.leases) == 0
        for name, account in self.books.accounts.items():
            assert account.held == 0, name
            if name != "rate":
                really = self.spent.get((name, account.epoch), 0)
                # Of what a call cost beyond its reservation nobody hears when its worker dies before it tells.
                assert account.spent + self.over >= really
                assert account.spent == really or self.books.written_off or self.over


Machine.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestMachine = Machine.TestCase
